"""The page of an evaluation, opened from disk as analysts do: it filters, fits a phone, and asks nothing of others."""

from rag.evaluation import GoldQuestion, QuestionSet, evaluate, summarise
from rag.evaluation.report import render

ASKED = (
    GoldQuestion("right", "de", "Wann trat Krakau Eurocities bei?", ("15. Oktober",), (("krakau-eurocities", 1.0),)),
    GoldQuestion("abstained", "de", "Wann trat Krefeld Eurocities bei?", condition="near"),
    GoldQuestion("failed", "en", "When did Krakau join Eurocities?", ("1 April",), (("krakau-eurocities", 1.0),)),
)


def test_the_report_narrows_to_failures_and_needs_no_other_file(browser, assistant, tmp_path):
    questions = QuestionSet("gold", ASKED, by_prefix=True)
    outcomes, _ = evaluate(questions, assistant)
    file = tmp_path / "report.html"
    file.write_text(render("gold", outcomes, summarise(outcomes, questions, samples=20)), "utf-8")

    page = browser.new_page(viewport={"width": 390, "height": 800})
    requested, complaints = [], []
    page.on("request", lambda request: requested.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(file.as_uri())
    rows = page.locator("#questions tbody tr")

    assert rows.filter(visible=True).count() == 3
    page.check("#failures")
    assert page.text_content("#count") == "1 of 3"
    assert "1 April" in rows.filter(visible=True).text_content()
    page.uncheck("#failures")
    page.select_option("#language", "de")
    page.fill("#contains", "krefeld")
    assert page.text_content("#count") == "1 of 3"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wide tables scroll on their own"
    assert requested == [file.as_uri()]
    assert complaints == []
    page.close()
