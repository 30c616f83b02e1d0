"""Take pictures of every page of the admin area, and of the feedback dialog, for a phone and a large screen.

python -m tests.browser.admin_screenshots http://127.0.0.1:7860 PASSWORD FOLDER [dark]
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTHS = (390, 1440)
QUESTION = "Seit wann gehört Krakau zu Eurocities?"


def main(address, password, folder, scheme="light"):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        context = browser.new_context(locale="de-DE", color_scheme=scheme)
        page = context.new_page()
        page.goto(f"{address}/admin/login")
        picture(page, folder, "login")
        page.get_by_label("Passwort").fill(password)
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/documents")
        for name in ("documents", "questions", "gold", "evaluation", "embed", "health"):
            page.goto(f"{address}/admin/{name}")
            picture(page, folder, name)
        page.goto(f"{address}/admin/documents?words=.pdf")
        page.locator("table.documents a").first.click()
        picture(page, folder, "document")
        page.goto(f"{address}/admin/questions")
        review = page.get_by_role("link", name="Prüfen")
        if review.count():
            review.first.click()
            picture(page, folder, "review")
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address)
        page.wait_for_selector("#language label.selected")
        page.locator("#question textarea").fill(QUESTION)
        page.keyboard.press("Enter")
        page.locator(".card.answered").wait_for()
        picture(page, folder, "rating", whole=False)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("link", name="Nicht hilfreich").click()
        page.locator("#feedback-dialog").wait_for()
        picture(page, folder, "feedback", whole=False)
        browser.close()


def picture(page, folder, name, *, whole=True):
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844 if width < 600 else 900})
        page.wait_for_timeout(
            1500 if name == "document" else 150
        )  # until the browser has drawn it anew; nothing is asserted here
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=whole)


if __name__ == "__main__":
    main(*sys.argv[1:])
