#!/bin/sh
# Makes .venv and installs citycite with the pinned versions. Argument "test": the test tools and a browser as well.
set -eu

PYTHON=${PYTHON:-python3}
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "citycite needs Python 3.11 or newer; '$PYTHON' is $("$PYTHON" --version 2>&1 || echo missing)." >&2
    echo "Install it, or name one: make serve PYTHON=python3.12" >&2
    exit 1
fi
if [ ! -x .venv/bin/python ] && ! "$PYTHON" -m venv .venv; then
    rm -rf .venv
    echo "The virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
fi

pip="env PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip install --quiet --constraint constraints.txt"
# Torch by itself and first: an exact version takes the CPU build where one is offered.
$pip torch==2.13.0
if [ "${1:-}" = test ]; then
    $pip --editable '.[test]'
else
    $pip --editable .
fi

[ "${1:-}" = test ] || exit 0
for browser in chromium chromium-browser google-chrome; do
    command -v "$browser" >/dev/null 2>&1 && exit 0
done
echo "Installing chromium for the browser tests ..." >&2
if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
if command -v apt-get >/dev/null 2>&1; then
    $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq chromium >/dev/null
else
    echo "Install Chromium with your package manager; the browser tests drive it." >&2
    exit 1
fi
