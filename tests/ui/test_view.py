"""What the page's address says."""

from urllib.parse import parse_qsl

import pytest

from rag.schema import Filters
from ui.view import FILTER_NAMES, address, as_filters, filter_values


def test_an_address_holds_filters_and_question_and_gives_them_back():
    filters = Filters("2020", "2024-03", "presse & mehr", "Pressemitteilung", "Amt für Süß/Salz", "de")
    parameters = dict(parse_qsl(address(filters, "pl", "Wann? #1 & 2").removeprefix("?")))
    assert (parameters["lang"], parameters["q"]) == ("pl", "Wann? #1 & 2")
    values = filter_values(parameters)
    assert as_filters(dict(zip(FILTER_NAMES, values, strict=True))) == filters


def test_what_is_not_set_is_not_in_the_address():
    assert address(Filters(), "de") == "?lang=de"
    assert filter_values({"lang": "de", "q": "Wann?", "language": "en"}) == [""] * 6  # the documents' is "documents"


@pytest.mark.parametrize("values", [{"since": "gestern"}, {"until": "2024-13"}, {"since": "2025", "until": "2020"}])
def test_a_date_that_is_none_gives_no_filters(values):
    assert as_filters(values) is None


def test_blank_fields_let_everything_through():
    assert as_filters({"since": " ", "source": None, "type": ""}) == Filters()
