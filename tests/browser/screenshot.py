"""Take the picture of the chat page for the documentation.

python -m tests.browser.screenshot http://127.0.0.1:7860 "Seit wann gehört Krakau zu Eurocities?" docs/chat.png

A fourth argument is the width of the window, 390 for a phone.
"""

import sys

from playwright.sync_api import sync_playwright

HEIGHT = 860


def main(address, question, file, width=1100):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(locale="de-DE", viewport={"width": int(width), "height": HEIGHT})
        page.goto(address)
        page.wait_for_selector("#language label.selected")
        page.locator("#question textarea").fill(question)
        page.keyboard.press("Enter")
        page.locator(".card.answered summary").first.click()
        page.mouse.move(0, 0)
        page.locator("#question textarea").focus()
        page.screenshot(path=file)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
