"""Mails: heads, bodies in all encodings, quotations, signatures, attachments, .msg files, and mails in poor shape."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from aspose.email_foss.msg import MapiMessage, MsgWriter, PropertyId

from ingest.loaders import Extract, load
from rag.errors import LoadError

BODY = "Das Freibad öffnet am 15. Mai. Die Karte kostet für Erwachsene 4 Euro."
HEAD = "From: Anna <a@stadt.example>\r\nTo: Jan <j@stadt.example>\r\nSubject: Bad\r\n"


def eml(folder: Path, source: str | bytes | EmailMessage, name: str = "mail.eml") -> Extract:
    path = folder / name
    if isinstance(source, EmailMessage):
        source = source.as_bytes()
    path.write_bytes(source.encode() if isinstance(source, str) else source)
    return load(path)


def message(body: str = BODY) -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Anna Müller <anna@stadt.example>"
    made["To"] = "Jan Kowalski <jan@krakow.example>, info@stadt.example"
    made["Subject"] = "Öffnung des Freibads"
    made["Date"] = "Tue, 05 Mar 2024 00:05:33 +0100"
    made.set_content(body)
    return made


def body_of(extract: Extract) -> str:
    return extract.text.partition("\n\n")[2]


def labels(extract: Extract) -> list[str]:
    for mark in extract.sections:
        assert extract.text.startswith(mark.label, mark.start)
    return [mark.label for mark in extract.sections]


# --- Head and encodings -----------------------------------------------------------------------------------------------


def test_the_head_is_the_first_paragraph(tmp_path: Path) -> None:
    made = message()
    made["Cc"] = "Rat <rat@stadt.example>"
    made["Bcc"] = "geheim@stadt.example"
    extract = eml(tmp_path, made)
    assert extract.text == (
        "Von: Anna Müller <anna@stadt.example>\nAn: Jan Kowalski <jan@krakow.example>, info@stadt.example\n"
        f"Kopie: Rat <rat@stadt.example>\nDatum: 5. März 2024, 00:05 Uhr\n\n{BODY}"
    )
    # The day of the sender, not that of another time zone.
    assert (extract.title, extract.published, extract.language) == ("Öffnung des Freibads", "2024-03-05", "de")


def test_an_english_mail_is_english_in_spite_of_its_german_head(tmp_path: Path) -> None:
    assert eml(tmp_path, message("The pool opens in May. A ticket is four euros.")).language == "en"


def test_a_list_of_recipients_is_cut(tmp_path: Path) -> None:
    made = message()
    del made["To"]
    made["To"] = ", ".join(f"amt{number}@stadt.example" for number in range(50))
    lines = eml(tmp_path, made).text.split("\n")
    assert lines[1].startswith("An: amt0@stadt.example, amt1@")
    assert lines[1].endswith("amt19@stadt.example und 30 weitere")


@pytest.mark.parametrize(
    ("charset", "text"),
    [("utf-8", BODY), ("cp1252", f"{BODY} – „ja“ €"), ("iso-8859-1", BODY), ("iso-8859-2", "Żółte łąki w Krakowie.")],
)
@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
def test_bodies_are_read_in_any_encoding(tmp_path: Path, charset: str, text: str, encoding: str) -> None:
    made = message()
    made.set_content(text, charset=charset, cte=encoding)
    assert body_of(eml(tmp_path, made)) == text


@pytest.mark.parametrize(
    ("declared", "actual"),
    [("us-ascii", "cp1252"), ("iso-8859-1", "utf-8"), ("utf-8", "cp1252"), ("none-such", "cp1252"), ("hex", "utf-8")],
)
def test_a_wrong_charset_does_no_harm(tmp_path: Path, declared: str, actual: str) -> None:
    head = f"{HEAD}Content-Type: text/plain; charset={declared}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    assert body_of(eml(tmp_path, head.encode() + BODY.encode(actual))) == BODY


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        (b"=?iso-8859-1?Q?F=F6rderung?= =?utf-8?B?IGbDvHIgVmVyZWluZQ==?=", "Förderung für Vereine"),
        (b"=?iso-8859-2?Q?=A3=F3d=BC?=", "Łódź"),
        (b"Ratssitzung\r\n in\r\n\tK=?utf-8?q?x", "Ratssitzung in K=?utf-8?q?x"),
        ("Förderung".encode("cp1252"), "Förderung"),
        ("Förderung".encode(), "Förderung"),
        (b"=?nonsense?B?!!!?= Bad", "Bad"),
    ],
)
def test_subjects(tmp_path: Path, subject: bytes, title: str) -> None:
    found = eml(tmp_path, b"From: a@b.example\r\nSubject: " + subject + b"\r\n\r\n" + BODY.encode()).title
    assert found is not None
    assert found.endswith(title)
    assert "\n" not in found


def test_without_a_subject_the_text_gives_the_title(tmp_path: Path) -> None:
    extract = eml(tmp_path, f"From: a@b.example\r\nDate: gestern\r\n\r\nÖffnung des Bads\r\n\r\n{BODY}")
    assert (extract.title, extract.published) == ("Öffnung des Bads", None)
    assert extract.text.startswith("Von: a@b.example\n\n")


def test_flowed_lines_are_joined(tmp_path: Path) -> None:
    flowed = (
        f"{HEAD}Content-Type: text/plain; format=flowed\r\n\r\n"
        "Kurz \r\nund \r\nknapp.\r\nDer Rat.\r\n\r\n"
        "Jan schrieb am 3. Mai:\r\n> Was \r\n> denn?\r\n>> Und \r\n> noch?\r\n-- \r\nAnna"
    )
    assert body_of(eml(tmp_path, flowed)).split("\n\n") == [
        "Kurz und knapp.\nDer Rat.", "Jan schrieb am 3. Mai:", "Was denn?", "Zitat", "Und", "Zitat", "noch?",
    ]  # fmt: skip
    assert (
        "Wortteil"
        in eml(tmp_path, flowed.replace("flowed", "flowed; delsp=yes").replace("Kurz ", "Wort \r\nteil")).text
    )


# --- Quotations and signatures ----------------------------------------------------------------------------------------

REPLY = """Guten Tag,

die Halle öffnet um 8 Uhr.

Anna
--{blank}
Stadt Beispiel, Telefon 0123

Am 3. März 2024 um 10:12 schrieb Jan Kowalski
<jan@krakow.example>:
> Guten Tag,

> wann öffnet die Halle?
>
> On Fri, 1 Mar 2024 at 09:00, Anna wrote:
>> Fragen Sie gern.

Nachtrag: nur werktags.
"""


@pytest.mark.parametrize("blank", [" ", ""])
def test_quoted_mails_are_sections_and_signatures_go(tmp_path: Path, blank: str) -> None:
    extract = eml(tmp_path, f"{HEAD}\r\n{REPLY.format(blank=blank)}")
    attribution = "Am 3. März 2024 um 10:12 schrieb Jan Kowalski <jan@krakow.example>:"
    assert body_of(extract).split("\n\n") == [
        "Guten Tag,", "die Halle öffnet um 8 Uhr.", "Anna",
        attribution, "Guten Tag,", "wann öffnet die Halle?",
        "On Fri, 1 Mar 2024 at 09:00, Anna wrote:", "Fragen Sie gern.",
        "Antwort", "Nachtrag: nur werktags.",
    ]  # fmt: skip
    assert labels(extract) == [attribution, "On Fri, 1 Mar 2024 at 09:00, Anna wrote:", "Antwort"]
    assert (extract.dropped, extract.dropped_sample) == (28, "Stadt Beispiel, Telefon 0123")


@pytest.mark.parametrize(
    ("separator", "label"),
    [
        ("-----Ursprüngliche Nachricht-----", "Ursprüngliche Nachricht"),
        ("-------- Weitergeleitete Nachricht --------", "Weitergeleitete Nachricht"),
        ("-----Original Message-----", "Original Message"),
        ("-----Oryginalna wiadomość-----", "Oryginalna wiadomość"),
        ("________________________________", "Von: Jan <jan@krakow.example>"),
    ],
)
def test_an_earlier_mail_below_a_separator_is_a_section(tmp_path: Path, separator: str, label: str) -> None:
    earlier = "Von: Jan <jan@krakow.example>\nGesendet: Montag\nAn: Anna\nBetreff: Halle\n\nWann öffnet sie?"
    extract = eml(tmp_path, f"{HEAD}\r\nUm 8 Uhr.\n\n{separator}\n{earlier}")
    assert labels(extract) == [label]
    own, _, quoted = body_of(extract).partition(label)
    assert own == "Um 8 Uhr.\n\n"
    assert quoted.split("\n")[-5:] == ["Gesendet: Montag", "An: Anna", "Betreff: Halle", "", "Wann öffnet sie?"]


def test_what_only_looks_like_a_quotation_or_signature_stays(tmp_path: Path) -> None:
    text = "\n".join(["Erster Teil.", "", "--", "", *[f"Absatz {number} geht weiter.\n" for number in range(12)]])
    extract = eml(tmp_path, f"{HEAD}\r\n{text}\nVon: der Straße\nAn der Ecke > 5 Meter.")
    assert "Absatz 11 geht weiter." in extract.text
    assert "> 5 Meter" in extract.text
    assert labels(extract) == []


def test_blank_lines_and_deep_quotes_take_little_time(tmp_path: Path) -> None:
    source = HEAD + "\r\n" + "\r\n" * 200_000 + (">" * 300 + " tief\r\n") * 5000 + "Am 3. Mai " * 20_000 + "schrieb"
    started = time.process_time()
    assert "tief" in eml(tmp_path, source).text
    assert time.process_time() - started < 10


# --- HTML -------------------------------------------------------------------------------------------------------------

HTML = """<html><head><style>p {color: red}</style><title>Newsletter</title></head><body><p>Grüße aus Köln.</p>
<h2>Preise</h2><ul><li>4 Euro</li></ul><table><tr><th>Tag</th><th>Zeit</th></tr><tr><td>Mo</td><td>8 Uhr</td></tr>
</table><div class="moz-signature">Anna, Telefon 0123</div><div>Am 3. März 2024 schrieb Jan:</div><blockquote>
Wann <b>öffnet</b> das Bad?<img src="cid:logo@x"></blockquote><p>Bald.</p></body></html>"""


def test_html_is_read_where_there_is_no_plain_text(tmp_path: Path) -> None:
    made = message()
    made.set_content(HTML, subtype="html", charset="cp1252")
    extract = eml(tmp_path, made)
    assert body_of(extract).split("\n\n") == [
        "Grüße aus Köln.", "Preise", "• 4 Euro", "Tag: Mo | Zeit: 8 Uhr",
        "Am 3. März 2024 schrieb Jan:", "Wann öffnet das Bad?", "Antwort", "Bald.",
    ]  # fmt: skip
    assert labels(extract) == ["Preise", "Am 3. März 2024 schrieb Jan:", "Antwort"]
    assert (extract.dropped, extract.dropped_sample) == (18, "Anna, Telefon 0123")
    assert extract.title == "Öffnung des Freibads"


def test_plain_text_is_preferred_unless_it_is_blank(tmp_path: Path) -> None:
    made = message()
    made.add_alternative("<p>Aus dem HTML.</p>", subtype="html")
    assert body_of(eml(tmp_path, made)) == BODY
    blank = message(" \n")
    blank.add_alternative("<p>Aus dem HTML.</p>", subtype="html")
    assert body_of(eml(tmp_path, blank)) == "Aus dem HTML."


def test_a_footer_in_plain_text_does_not_hide_the_html(tmp_path: Path) -> None:
    made = message()
    made.set_content("<p>Aus dem HTML.</p>", subtype="html")
    made.make_mixed()
    footer = EmailMessage()
    footer.set_content("Diese Liste verwaltet die Stadt.")
    made.attach(footer)
    assert body_of(eml(tmp_path, made)) == "Aus dem HTML.\n\nDiese Liste verwaltet die Stadt."


# --- Attachments ------------------------------------------------------------------------------------------------------


def test_attachments_come_with_their_names_and_bytes(tmp_path: Path) -> None:
    made = message()
    made.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Gebührenordnung für Bäder.pdf")
    made.add_attachment("Größe", filename="a.txt", charset="utf-8")
    made.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf")
    made.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="plan.gif")
    inner = message("Innen.")
    inner.add_attachment("Tief.", filename="tief.txt")
    made.add_attachment(inner)
    extract = eml(tmp_path, made)
    assert body_of(extract) == BODY
    assert [(item.name, item.data[:8]) for item in extract.attachments[:4]] == [
        ("Gebührenordnung für Bäder.pdf", b"%PDF-1.7"), ("a.txt", "Größe\n".encode()[:8]),
        ("Anhang.pdf", b"%PDF-1.4"), ("plan.gif", b"GIF89a"),
    ]  # fmt: skip
    assert extract.attachments[4].name == "Öffnung des Freibads.eml"
    nested = eml(tmp_path, extract.attachments[4].data, "nested.eml")
    assert body_of(nested) == "Innen."
    assert [(item.name, item.data) for item in nested.attachments] == [("tief.txt", b"Tief.\n")]


def test_images_in_the_text_are_no_attachments(tmp_path: Path) -> None:
    made = message()
    made.add_alternative(HTML, subtype="html")
    html = made.get_payload()[1]
    html.add_related(b"\x89PNG", maintype="image", subtype="png", cid="<logo@x>", filename="logo.png")
    html.add_related(b"\x89PNG", "image", "png", cid="<logo@x>", disposition="attachment", filename="logo.png")
    html.add_related(b"\x89PNG", "image", "png", cid="<foto@x>", disposition="attachment", filename="foto.png")
    assert [item.name for item in eml(tmp_path, made).attachments] == ["foto.png"]


# --- Mails in poor shape ----------------------------------------------------------------------------------------------


def test_a_mail_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    made = message()
    made.add_attachment("Wort für Wort. " * 200, filename="a.txt", cte="base64")
    whole = made.as_bytes()
    extract = eml(tmp_path, whole[: len(whole) - 500])
    assert body_of(extract) == BODY
    assert extract.attachments[0].data.decode("utf-8", "replace").startswith("Wort für Wort. " * 50)
    lost = HEAD + 'Content-Type: multipart/mixed; boundary="a"\r\n\r\n' + BODY
    assert body_of(eml(tmp_path, lost)) == BODY
    no_boundary = HEAD + "Content-Type: multipart/mixed\r\n\r\n" + BODY
    assert body_of(eml(tmp_path, no_boundary)) == BODY


def test_a_text_without_any_head_is_read(tmp_path: Path) -> None:
    assert eml(tmp_path, f"{BODY}\n").text == BODY
    assert eml(tmp_path, b"\xef\xbb\xbf" + HEAD.encode() + b"\r\n" + BODY.encode()).title == "Bad"
    assert eml(tmp_path, f"{HEAD}\r\n{BODY}".encode("utf-16")).title == "Bad"


def nesting(depth: int) -> str:
    return "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7 text", "is a PDF file in spite of its name"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old office document"),
        (b"X-Leer: ja\r\n\r\n \r\n", "has no text"),
        (HEAD.encode() + b"\r\n" + bytes(range(256)) * 20, "is binary"),
        (HEAD + 'Content-Type: multipart/encrypted; boundary="a"\r\n\r\n--a\r\n\r\nxyz\r\n--a--', "is encrypted"),
        (HEAD + "Content-Type: application/pkcs7-mime\r\n\r\nMIIB", "is encrypted"),
        ("Content-Type: message/rfc822\r\n\r\n" * 3000 + BODY, "nests"),
        (nesting(300) + BODY, "nests"),
        (nesting(2000) + "\n" * 60_000, "nests"),
        (HEAD + "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nTeil\n" * 2000 + "--b--", "has 2000 parts"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why_on_one_line(tmp_path: Path, source: bytes | str, reason: str) -> None:
    started = time.process_time()
    with pytest.raises(LoadError, match=reason) as raised:
        eml(tmp_path, source)
    assert "\n" not in str(raised.value)
    assert time.process_time() - started < 10


def test_heads_that_stumble_the_parser_are_taken_as_they_are(tmp_path: Path) -> None:
    bad = (
        'From: "Anna <a@b\r\nTo: ' + ",;<" * 5000 + "\r\nCc: (((((\r\nDate: Tue, 99 Foo 2024 99:99 +9999\r\n"
        'Content-Type: text/plain; charset="\x00"; =; ";;\r\nContent-Disposition: ;;;=\r\n'
        "Content-Transfer-Encoding: =?\r\nSubject: [" + "=?" * 3000 + "\r\n\r\n" + BODY
    )
    extract = eml(tmp_path, bad)
    assert extract.text.endswith(BODY)
    assert extract.published is None


def test_random_damage_never_ends_in_a_traceback(tmp_path: Path) -> None:
    made = message()
    made.add_alternative(HTML, subtype="html")
    made.add_attachment(message("Innen."))
    made.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Größe.pdf")
    damage_all(tmp_path, made.as_bytes(), "a.eml", 150)
    path = tmp_path / "sound.msg"
    outlook().save(path)
    damage_all(tmp_path, path.read_bytes(), "a.msg", 150)


def damage_all(folder: Path, sound: bytes, name: str, rounds: int) -> None:
    choose = random.Random(7)
    read = 0
    for _ in range(rounds):
        data = bytearray(sound)
        for _ in range(choose.randint(1, 30)):
            data[choose.randrange(len(data))] = choose.choice(
                b'\x00\xff\r\n"=;:?<- aB1' + bytes([choose.randrange(256)])
            )
        if choose.random() < 0.3:
            del data[choose.randrange(len(data)) :]
        (folder / name).write_bytes(data)
        with suppress(LoadError):
            load(folder / name)
            read += 1
    assert read > rounds / 10


# --- Outlook ----------------------------------------------------------------------------------------------------------


def outlook(body: str = BODY) -> MapiMessage:
    made = MapiMessage.create("Öffnung des Freibads", body)
    made.set_property(PropertyId.SENDER_NAME, "Anna Müller")
    made.set_property(PropertyId.SENDER_EMAIL_ADDRESS, "anna@stadt.example")
    made.set_property(PropertyId.MESSAGE_DELIVERY_TIME, datetime(2024, 3, 5, 12, 0, tzinfo=UTC))
    made.add_recipient("jan@krakow.example", display_name="Kowalski, Jan")
    made.add_recipient("rat@stadt.example", display_name="Rat", recipient_type=2)
    made.add_recipient("geheim@stadt.example", display_name="Geheim", recipient_type=3)
    return made


def msg(folder: Path, made: MapiMessage) -> Extract:
    made.save(folder / "mail.msg")
    return load(folder / "mail.msg")


def test_an_outlook_mail_is_read_like_any_other(tmp_path: Path) -> None:
    quoted = "-----Ursprüngliche Nachricht-----\r\nVon: Jan\r\nGesendet: heute\r\nAn: Anna\r\n\r\nWann öffnet es?"
    extract = msg(tmp_path, outlook(f"{BODY}\r\n\r\n{quoted}"))
    lines = extract.text.split("\n")
    assert lines[:3] == [
        "Von: Anna Müller <anna@stadt.example>", "An: Kowalski, Jan <jan@krakow.example>",
        "Kopie: Rat <rat@stadt.example>",
    ]  # fmt: skip
    assert lines[3].startswith("Datum: 5. März 2024, ")
    assert lines[5] == BODY
    assert (extract.title, extract.published, extract.language) == ("Öffnung des Freibads", "2024-03-05", "de")
    assert labels(extract) == ["Ursprüngliche Nachricht"]


def test_the_header_of_an_outlook_mail_knows_the_sender_s_day(tmp_path: Path) -> None:
    made = outlook()
    made.set_property(PropertyId.TRANSPORT_MESSAGE_HEADERS, "Date: Wed, 6 Mar 2024 00:30:00 +0200\r\nX-A: b\r\n")
    assert msg(tmp_path, made).published == "2024-03-06"


def test_an_outlook_mail_of_html_alone(tmp_path: Path) -> None:
    made = outlook("")
    made.body_html = HTML
    assert "Tag: Mo | Zeit: 8 Uhr" in msg(tmp_path, made).text


def test_an_outlook_mail_in_eight_bit_characters(tmp_path: Path) -> None:
    extract = msg(tmp_path, MapiMessage.create("Größe", BODY, unicode_strings=False))
    assert (extract.title, extract.text) == ("Größe", BODY)


def test_attachments_of_an_outlook_mail_with_a_mail_in_it(tmp_path: Path) -> None:
    inner = outlook("Der innere Text: „Grüße“.")
    inner.add_attachment("tief ö.txt", b"Tief.")
    made = outlook()
    made.add_attachment("../Plan\n1.pdf", b"%PDF-1.7")
    made.add_embedded_message_attachment(inner)
    first, second = msg(tmp_path, made), msg(tmp_path, made)
    assert first == second  # the nested mail must be known again
    assert [(item.name, item.data[:8]) for item in first.attachments[:1]] == [("../Plan\n1.pdf", b"%PDF-1.7")]
    nested = eml(tmp_path, first.attachments[1].data)
    assert first.attachments[1].name.endswith("Freibads.eml")
    assert nested.text.startswith(
        "Von: Anna Müller <anna@stadt.example>\nAn: Kowalski, Jan <jan@krakow.example>\nKopie: Rat"
    )
    assert body_of(nested) == "Der innere Text: „Grüße“."
    assert (nested.title, nested.published) == ("Öffnung des Freibads", "2024-03-05")
    assert [(item.name, item.data) for item in nested.attachments] == [("tief ö.txt", b"Tief.")]


def test_nested_outlook_mails_have_a_shorter_list_of_properties(tmp_path: Path) -> None:
    made = outlook()
    made.add_embedded_message_attachment(outlook("Innen."))
    document = made.to_msg_document()
    storage = document.root.find_storage("__attach_version1.0_#00000000").find_storage("__substg1.0_3701000D")
    properties = storage.find_stream("__properties_version1.0")
    # Outlook leaves out eight of the bytes that the library writes.
    properties.data = properties.data[:24] + properties.data[32:]
    MsgWriter.write_file(document, tmp_path / "a.msg")
    assert eml(tmp_path, load(tmp_path / "a.msg").attachments[0].data).published == "2024-03-05"


def test_a_sealed_mail_in_a_mail_says_why_it_is_not_read(tmp_path: Path) -> None:
    made, secret = outlook(), outlook()
    secret.message_class = "IPM.Note.SMIME"
    made.add_embedded_message_attachment(secret)
    assert "S/MIME" in str(msg(tmp_path, made).attachments[0].problem)


def test_streams_that_share_their_bytes_do_not_fill_the_memory(tmp_path: Path) -> None:
    made = outlook("x" * 400_000)
    path = tmp_path / "a.msg"
    made.save(path)
    data = path.read_bytes()
    # A directory entry says at 116 where its stream begins and how long it is: the subject becomes the body once more.
    body, subject = (data.index(f"__substg1.0_{tag}001F".encode("utf-16-le")) for tag in ("1000", "0037"))
    path.write_bytes(data[: subject + 116] + data[body + 116 : body + 128] + data[subject + 128 :])
    with pytest.raises(LoadError, match="larger than the file"):
        load(path)


def test_what_is_no_readable_outlook_mail_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.msg"
    path.write_text(HEAD)
    with pytest.raises(LoadError, match=r"extension \.eml"):
        load(path)
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000))
    with pytest.raises(LoadError, match="broken Outlook mail"):
        load(path)
    secret = outlook()
    secret.message_class = "IPM.Note.SMIME"
    with pytest.raises(LoadError, match="S/MIME"):
        msg(tmp_path, secret)
    rtf = outlook("")
    rtf.set_property(0x1009, 0x0102, b"LZFu")
    with pytest.raises(LoadError, match="RTF only"):
        msg(tmp_path, rtf)
