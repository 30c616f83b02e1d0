"""Who may see a document: from side files and folder rules, for attachments as well; what fails shows nobody more."""

from __future__ import annotations

import json
from email.message import EmailMessage

import pytest

from ingest.folder_rules import FolderRules
from ingest.pipeline import ingest
from ingest.side_files import SideFiles
from rag.errors import LoadError, UsageError
from rag.settings import Settings
from rag.store import Store

TEXT = "Die Sitzung des Personalrats findet am zweiten Montag im Monat im großen Saal des Rathauses statt."


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "docs"
    (made / "personnel").mkdir(parents=True)
    return made


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "store")
    yield opened
    opened.close()


def groups(store):
    return {item.source.rsplit("/", 1)[-1]: item.groups for item in store.summaries()}


def said(folder, text, name="plan.txt"):
    (folder / name).write_text(TEXT)
    (folder / f"{name}.meta.json").write_text(text)
    return SideFiles().details_of(folder / name).groups


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"groups": ["rat", "hr", "rat"]}', ("hr", "rat")),
        ('{"Groups": " hr , rat "}', ("hr", "rat")),
        ('{"groups": "*"}', ("*",)),
        ('{"groups": null}', None),
        ('{"title": "x"}', None),
    ],
)
def test_a_side_file_says_who_may_see_a_document(text, expected, folder):
    assert said(folder, text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"groups": []}', "no group"),
        ('{"groups": ""}', "no group"),
        ('{"groups": [" "]}', "no group"),
        ('{"groups": ["a, b"]}', "comma"),
        ('{"groups": "a,,b"}', "holds ''"),
        ('{"groups": {"a": 1}}', "no text"),
        ('{"groups": "%s"}' % ("x" * 300), "200"),
    ],
)
def test_groups_that_are_none_are_refused(text, problem, folder):
    with pytest.raises(LoadError, match=problem) as refused:
        said(folder, text)
    assert "plan.txt.meta.json" in str(refused.value)


def test_a_table_says_it_for_each_file(folder):
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(TEXT + name)
    (folder / "metadata.csv").write_text('file;groups\na.txt;"hr, rat"\nb.txt;\n')
    side_files = SideFiles()
    assert side_files.details_of(folder / "a.txt").groups == ("hr", "rat")
    assert side_files.details_of(folder / "b.txt").groups is None


def test_the_last_rule_that_matches_holds():
    rules = FolderRules({"docs/": ["all"], "personnel/": ["hr"], "*.open.pdf": ["*"]})
    assert rules.groups_of("/srv/docs/x.pdf") == ("all",)
    assert rules.groups_of("/srv/docs/personnel/x.pdf") == ("hr",)
    assert rules.groups_of("/srv/docs/personnel/x.open.pdf") == ("*",)
    assert rules.groups_of("/srv/x.pdf") is None
    assert rules.groups_of("https://stadt.example/personnel/x") == ("hr",)
    assert rules.mark("/srv/x.pdf") == ""
    assert rules.mark("/a/docs/x") != rules.mark("/a/personnel/x") != ""


@pytest.mark.parametrize("rules", [{"": ["a"]}, {"!x": ["a"]}, {"x": []}, {"x": ["a,b"]}])
def test_rules_that_are_none_are_refused(rules):
    with pytest.raises(UsageError, match="CITYCITE_FOLDER_GROUPS"):
        FolderRules(rules)


def test_rules_side_files_and_attachments_reach_the_store(folder, store, monkeypatch):
    monkeypatch.setenv("CITYCITE_FOLDER_GROUPS", '{"personnel/": ["hr"]}')
    (folder / "open.txt").write_text(TEXT + " Alle.")
    (folder / "personnel" / "closed.txt").write_text(TEXT + " Wenige.")
    (folder / "personnel" / "told.txt").write_text(TEXT + " Viele.")
    (folder / "personnel" / "told.txt.meta.json").write_text(json.dumps({"groups": ["*"]}))
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Plan", "a@stadt.example", "b@stadt.example"
    mail.set_content(TEXT + " Mit Anhang.")
    mail.add_attachment((TEXT + " Im Anhang.").encode(), maintype="text", subtype="plain", filename="anhang.txt")
    (folder / "personnel" / "mail.eml").write_bytes(bytes(mail))
    report = ingest([str(folder)], store, Settings())
    assert report.failures == []
    assert groups(store) == {
        "open.txt": None, "closed.txt": ("hr",), "told.txt": ("*",), "mail.eml": ("hr",),
        "mail.eml!anhang.txt": ("hr",),
    }  # fmt: skip
    # Nothing has changed, so nothing is read; then the rule changes, and all that it is about is.
    assert ingest([str(folder)], store, Settings()).unchanged == 5
    monkeypatch.setenv("CITYCITE_FOLDER_GROUPS", '{"personnel/": ["hr", "rat"]}')
    assert ingest([str(folder)], store, Settings()).updated == 3
    assert groups(store)["mail.eml!anhang.txt"] == ("hr", "rat")


def test_equal_texts_that_others_may_see_stay_apart(folder, store):
    rules = Settings(folder_groups={"personnel/": ("hr",)})
    (folder / "a.txt").write_text(TEXT)
    (folder / "personnel" / "b.txt").write_text(TEXT)
    (folder / "c.txt").write_text(TEXT)
    ingest([str(folder)], store, rules)
    listed = {item.sources: item.groups for item in store.summaries()}
    assert {tuple(source.rsplit("/", 1)[-1] for source in key): value for key, value in listed.items()} == {
        ("a.txt", "c.txt"): None, ("b.txt",): ("hr",),
    }  # fmt: skip
    # One of the two that were one document moves behind the rule.
    ingest([str(folder)], store, Settings(folder_groups={"personnel/": ("hr",), "c.txt": ("rat",)}))
    assert {(item.sources[0].rsplit("/", 1)[-1], len(item.sources)): item.groups for item in store.summaries()} == {
        ("a.txt", 1): None, ("b.txt", 1): ("hr",), ("c.txt", 1): ("rat",),
    }  # fmt: skip


def test_what_was_set_on_the_document_outlives_a_new_version(folder, store):
    (folder / "a.txt").write_text(TEXT)
    ingest([str(folder)], store, Settings())
    key = store.summaries()[0].document_id
    with store.writing():
        store.set_groups({key: ["rat"], "nothing": ["x"]})
    (folder / "a.txt").write_text(TEXT + " Neu.")
    assert ingest([str(folder)], store, Settings()).updated == 1
    assert store.document(key).groups == ("rat",)
    assert "Neu" in store.document(key).text
    with store.writing():
        store.set_groups({key: None})
    assert store.document(key).groups is None


def test_a_broken_side_file_leaves_a_document_to_those_who_saw_it(folder, store):
    (folder / "a.txt").write_text(TEXT)
    (folder / "a.txt.meta.json").write_text('{"groups": ["hr"]}')
    ingest([str(folder)], store, Settings())
    (folder / "a.txt.meta.json").write_text('{"groups": []}')
    assert len(ingest([str(folder)], store, Settings()).failures) == 1
    assert groups(store) == {"a.txt": ("hr",)}
