"""The conversion of the packaged model: right values, atomic, safe beside itself, mended when damaged."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rag import packaged_model
from rag.embeddings import EmbeddingModel
from rag.errors import ModelError
from rag.packaged_model import MANIFEST, _unpack_q4, is_intact, packaged_model_folder
from rag.settings import Settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged_model_folder(tmp_path_factory.mktemp("models"))


def test_a_block_of_four_bits_unpacks_as_the_layout_says() -> None:
    block = struct.pack("<e", 0.5) + bytes([0x0F | (0x01 << 4)] + [0x88] * 15)
    values = _unpack_q4(np.frombuffer(block, np.uint8), 32)
    assert values[0] == (15 - 8) * 0.5  # low nibble of byte 0
    assert values[16] == (1 - 8) * 0.5  # high nibble of byte 0
    assert not values[1:16].any()
    assert not values[17:].any()


def test_a_second_call_converts_nothing(folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert packaged_model_folder(folder.parent) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == [folder.name]


def test_a_damaged_copy_is_made_anew(folder: Path) -> None:
    weights = folder / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"damaged")
    assert not is_intact(folder)
    assert is_intact(packaged_model_folder(folder.parent))
    (folder / "tokenizer.json").unlink()
    assert is_intact(packaged_model_folder(folder.parent))


def test_whoever_did_not_unpack_it_can_read_it_too(folder: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o644}
    assert {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*")) if path.is_dir()} == {0o755}


def test_two_processes_at_once_give_one_intact_folder(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from rag.packaged_model import packaged_model_folder;"
        "print(packaged_model_folder(Path(sys.argv[1])))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = [process.communicate()[0].strip() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert printed[0] == printed[1]
    assert is_intact(Path(printed[0]))
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [Path(printed[0]).name]


def test_another_data_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "e5-small-q4.bin"
    other.write_bytes(b"E5S1" + bytes(100))
    monkeypatch.setattr(packaged_model, "_source_file", lambda: other)
    with pytest.raises(ModelError, match="SHA-256 differs"):
        packaged_model_folder(tmp_path / "models")
    assert not [path for path in (tmp_path / "models").iterdir() if path.is_dir()]


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        packaged_model_folder(tmp_path / "file" / "models")


def test_the_tokenizer_normalises_as_the_original(folder: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert tokenizer.encode("Wann trat Krakau bei?").tokens == [
        "<s>",
        "▁Wann",
        "▁tra",
        "t",
        "▁Kra",
        "kau",
        "▁bei",
        "?",
        "</s>",
    ]
    assert tokenizer.encode("ﬁnden\u00a0Sie\u200b②").ids == tokenizer.encode("finden Sie 2").ids
    assert tokenizer.encode("a\tb\nc").ids == tokenizer.encode("a b c").ids
    assert tokenizer.encode("").tokens == ["<s>", "</s>"]


@pytest.fixture(scope="module")
def model() -> EmbeddingModel:
    return EmbeddingModel(Settings())


def test_vectors_carry_meaning_across_languages(model: EmbeddingModel) -> None:
    passages = [
        "Am 15. Oktober wurde Krakau in das Städtenetzwerk Eurocities aufgenommen.",
        "Die Müllabfuhr holt die Biotonne jede zweite Woche ab.",
        "Das Standesamt stellt Geburtsurkunden aus.",
    ]
    vectors = np.array([encoded.vector for encoded in model.encode_passages(passages)])
    assert vectors.shape == (3, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    for number, questions in enumerate(
        [
            ("When did Kraków join Eurocities?", "Kiedy Kraków dołączył do Eurocities?"),
            ("How often is organic waste collected?", "Jak często odbierane są bioodpady?"),
            ("Where do I get a birth certificate?", "Gdzie dostanę akt urodzenia?"),
        ]
    ):
        for question in questions:
            assert int(np.argmax(vectors @ model.encode_question(question).vector)) == number, question


def test_tokens_know_where_they_stand(model: EmbeddingModel) -> None:
    text = "Krakau  trat dem Netzwerk bei."
    encoded = model.encode_passages([text])[0]
    assert len(encoded.tokens) == len(encoded.offsets)
    words = {text[start:end].strip() for start, end in encoded.offsets}
    assert {"Netzwerk", "dem", "bei", "."} <= words


def test_a_text_does_not_depend_on_what_is_encoded_with_it(model: EmbeddingModel) -> None:
    alone = model.encode_passages(["Das Rathaus ist geöffnet."])[0]
    together = model.encode_passages(["Das Rathaus ist geöffnet.", "Ein viel längerer Satz über etwas anderes. " * 9])[
        0
    ]
    assert float(alone.vector @ together.vector) > 0.995  # bfloat16
    assert (alone.offsets == together.offsets).all()


def test_a_wrong_model_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No sentence-transformers model in"):
        EmbeddingModel(Settings(embedding_model=str(tmp_path / "fehlt"))).encode_question("x")


def test_the_manifest_covers_every_file(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == set(manifest) | {MANIFEST}
    assert os.access(folder / "model.safetensors", os.R_OK)
