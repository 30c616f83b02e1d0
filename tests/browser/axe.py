"""axe-core, run in a page: what it finds wrong by WCAG 2.2 A and AA and by its own good practice."""

from functools import cache
from pathlib import Path

import axe_playwright_python

SIZES = ((390, 844), (768, 1024), (1440, 900))
# All of its rules but those for drafts and for AAA.
ALL = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What a colour scheme can change.
COLOURS = ["color-contrast", "link-in-text-block"]
RUN = """async (only) => {
  const found = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  return found.violations.map((each) => [each.id, each.nodes.map((node) => node.target.join(" ")).slice(0, 5)]);
}"""


@cache
def _script():
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")


def violations(page, only=ALL):
    """Return what axe finds wrong with the page as it is: the rule and the elements."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_script())
    return page.evaluate(RUN, only)


def violations_everywhere(page, state):
    """Return what axe finds at each width, light and dark; the page is left as it was."""
    found = []
    before = page.viewport_size
    for scheme, only in (("dark", COLOURS), ("light", ALL)):
        page.emulate_media(color_scheme=scheme)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            found += [(state, scheme, width, *each) for each in violations(page, only)]
    page.set_viewport_size(before)
    return found
