"""Take pictures of every state of every page: on a phone, a tablet, a desk and a 4K screen, light and dark.

python -m tests.browser.screenshots FOLDER [STATE...]

It serves the sample corpus itself, from a store of its own. With states named, only those are taken, which is quick;
`python -m tests.browser.screenshots docs source` and the picture at 1440 px, light, is the README's.
"""

import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from ingest.pipeline import ingest
from rag.evaluation import QuestionSet, evaluate, summarise
from rag.evaluation.report import render
from rag.pipeline import Assistant
from rag.settings import Settings
from rag.store import Store
from tests.browser import states
from tests.browser.conftest import ARGUMENTS, city_settings, serving
from tests.browser.test_report import ASKED
from tests.ui.admin_session import PASSWORD, set_password
from tests.ui.stand_in import StandIn

CORPUS = Path(__file__).parents[2] / "corpus"
SIZES = ((390, 844), (768, 1024), (1440, 900))
LARGE = (3840, 2160)


def main(folder, *wanted):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = city_settings(place, place / "store")
        assistant = stack.enter_context(over_the_corpus(settings))
        address = stack.enter_context(serving(assistant, settings))
        stand_in = StandIn()
        other = stack.enter_context(serving(stand_in, Settings(store=str(place / "none"), data=str(place / "other"))))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = browser.new_context(locale="de-DE", reduced_motion="reduce", viewport={"width": 1440, "height": 900})
        page = context.new_page()
        states.rate_badly(page, address)
        for walk in (
            states.chat(page, address),
            states.hostile_chat(page, other, stand_in),
            states.reader_pages(page, address),
            states.admin(page, address, PASSWORD),
            report(page, assistant, place),
        ):
            for state in walk:
                if not wanted or state in wanted:
                    take(page, folder, state)
        browser.close()


@contextmanager
def over_the_corpus(settings):
    store = Store(Path(settings.store))
    ingest([str(CORPUS)], store, settings)
    store.close()
    set_password(settings)
    assistant = Assistant.open(settings.store, settings)
    assistant.warm_up()
    yield assistant
    assistant.close()


def report(page, assistant, folder):
    questions = QuestionSet("gold", ASKED, by_prefix=True)
    outcomes, _ = evaluate(questions, assistant)
    file = folder / "report.html"
    file.write_text(render("gold", outcomes, summarise(outcomes, questions, samples=20)), "utf-8")
    page.goto(file.as_uri())
    yield "report"


def take(page, folder, state):
    """Write the pictures of one state; the page is left as it was."""
    before = page.viewport_size
    for scheme, sizes in (("dark", SIZES), ("light", (*SIZES, LARGE))):
        page.emulate_media(color_scheme=scheme)
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(100)  # until the browser has drawn it anew; nothing is asserted here
            page.screenshot(path=folder / f"{state}-{width}-{scheme}.png")
    page.set_viewport_size(before)


if __name__ == "__main__":
    main(*sys.argv[1:])
