"""What the measurement of a small model keeps of each answer; the scripted server stands in for that model."""

from tests.bench.weak_model import written

QUESTION = "Wann trat Krakau Eurocities bei?"
TRUE = "Krakau gehört seit dem 15. Oktober zu Eurocities [1]."
INVENTED = "Der Beitritt kostete 40.000 Euro [1]."


def test_all_that_was_written_is_kept_with_what_was_removed(formulating, server):
    server.says(f"{TRUE} {INVENTED}")
    line = written(formulating(), QUESTION)
    assert line["written"] == f"{TRUE} {INVENTED}"
    assert line["mode"] == "generative"
    assert [(sentence["text"], sentence["markers"]) for sentence in line["kept"]] == [(TRUE.replace(" [1]", ""), (1,))]
    assert len(line["removed"]) == 1
    assert len(line["passages"]) == len(line["languages"]) > 0


def test_an_answer_that_stays_the_quote_is_told_apart(formulating, server):
    server.says("Danach tanzten 300 Gäste [1].")
    line = written(formulating(), QUESTION)
    assert (line["mode"], line["kept"]) == ("extractive", [])
