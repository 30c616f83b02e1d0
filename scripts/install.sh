#!/bin/sh
# Makes .venv and installs citycite with the pinned versions. Argument "test": the test tools, a browser and Tesseract as well.
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
packages=chromium
for browser in chromium chromium-browser google-chrome; do
    command -v "$browser" >/dev/null 2>&1 && packages=
done
for language in deu pol eng osd; do
    tesseract --list-langs 2>/dev/null | grep -qx "$language" && continue
    packages="$packages tesseract-ocr tesseract-ocr-deu tesseract-ocr-pol"
    break
done
.venv/bin/python -c 'from PIL import ImageFont; ImageFont.truetype("DejaVuSerif.ttf")' 2>/dev/null || packages="$packages fonts-dejavu-core"
[ -n "$packages" ] || exit 0
echo "Installing for the tests: $packages" >&2
if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
if command -v apt-get >/dev/null 2>&1; then
    # shellcheck disable=SC2086  # one word a package
    $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq $packages >/dev/null
else
    echo "Install Chromium, Tesseract (with German and Polish) and the DejaVu fonts with your package manager." >&2
    exit 1
fi
