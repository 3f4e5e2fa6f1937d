"""What is written in escapes, codes and odd characters is found, in text and in other bytes."""

from __future__ import annotations

import base64
import gzip
import json
import quopri
import tracemalloc
import unicodedata
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.validate.residue import search_residue
from bidsanon.validate.residue_codes import coded_texts
from bidsanon.validate.residue_escapes import readings
from bidsanon.validate.residue_text import text_views

NAME = IdentifyingValue(kind=ValueKind.NAME, text="Quillfeather^Jörg", origin="(0010,0010)")
YAMADA = IdentifyingValue(kind=ValueKind.NAME, text="Yamada^Tarou=山田^太郎", origin="(0010,0010)")
CODE = IdentifyingValue(kind=ValueKind.IDENTIFIER, text="QF-7719-KX", origin="(0010,0020)")
PLACE = IdentifyingValue(kind=ValueKind.PLACE, text="St Aldwyn Infirmary", origin="(0008,0080)")
DAY = IdentifyingValue(kind=ValueKind.DATE, text="20230517", origin="(0008,0020)")
VALUES = (NAME, YAMADA, CODE, PLACE, DAY)


def locations(root: Path) -> list[str]:
    return [f.location for f in search_residue(root, VALUES, allowed=(), jobs=1).findings]


def b64(text: str, encoding: str = "utf-8") -> str:
    return base64.b64encode(text.encode(encoding)).decode()


def apart(text: str, joint: str, prefix: str = "") -> str:
    return joint.join(f"{prefix}{byte:02x}" for byte in text.encode())


WRITTEN = {
    # Base64.
    "base64": b64("Quillfeather"),
    "base64, short": b64("Jörg"),
    "base64, no padding": b64("Jörg Quillfeather").rstrip("="),
    "base64, Latin-1": b64("Jörg Q.", "latin-1"),
    "base64, UTF-16": b64("Quillfeather", "utf-16-le"),
    "base64, UTF-16 with a mark": b64("山田太郎", "utf-16"),
    "base64, ideographs": b64("山田太郎"),
    "base64 of a day": b64("2023-05-17"),
    "base64 within a path": f"/img/{b64('Quillfeather')}/x",
    "base64 in base64": b64(b64("Quillfeather")),
    "base64 of JSON": b64('{"name": "Quillfeather"}'),
    "base64 of escapes": b64("J\\u00f6rg"),
    "data URI": f"data:text/plain;base64,{b64('of Quillfeather')}",
    "percent and base64": urllib.parse.quote(b64("Jörg Quillfeather?"), safe=""),
    # Hexadecimal numbers.
    "hex": b"Quillfeather".hex(),
    "hex, upper case": "Jörg".encode().hex().upper(),
    "hex, 0x": f"0x{b'Quillfeather'.hex()}",
    "hex with spaces": apart("Quillfeather", " "),
    "hex with colons": apart("Quillfeather", ":"),
    "hex of an array": apart("Quillfeather", ", ", "0x"),
    "hex of xxd": "00000000: 6f66 2051 7569 6c6c 6665 6174 6865 722e  of Quillf",
    "hex of a PDF": f"<FEFF{'Quillfeather'.encode('utf-16-be').hex()}>",
    "hex of a PDF, ideographs": f"<feff{'山田太郎'.encode('utf-16-be').hex()}>",
    "hex of \\x": "".join(f"\\x{byte:02x}" for byte in "Jörg".encode()),
    # Escapes.
    "named entity": "J&ouml;rg",
    "decimal entity": "J&#246;rg",
    "hexadecimal entity": "J&#xF6;rg",
    "entity without its end": "J&#246rg",
    "entity of an entity": "J&amp;#246;rg",
    "entity of each letter": "".join(f"&#{ord(c)};" for c in "Quillfeather"),
    "URL with plus": "St+Aldwyn+Infirmary",
    "URL, percent and plus": "of+J%C3%B6rg+Q",
    "URL, Latin-1": "J%F6rg",
    "URL, twice": "J%25C3%25B6rg",
    "URL, JavaScript": "J%u00F6rg",
    "surrogates": json.dumps("\U0001f600 J\u00f6rg"),
    "braces": "J\\u{f6}rg",
    "long escape": "J\\U000000f6rg",
    "bytes of Python": "J\\xc3\\xb6rg",
    "octal": "J\\303\\266rg",
    "quoted-printable": "J=C3=B6rg",
    "quoted-printable, Latin-1": "J=F6rg",
    "quoted-printable, broken": "Quill=\nfeather",
    "quoted-printable of a long line": quopri.encodestring(b"x " * 35 + b"Quillfeather").decode(),
    "RTF": "{\\rtf1\\ansi J\\'f6rg}",
    "RTF, Unicode": "{\\rtf1\\uc1 J\\u246?rg\\par}",
    "RTF, another page": "{\\rtf1\\ansi\\ansicpg1250 J\\'f6rg}",
    "RTF, split": "{\\rtf1 Quill{\\b feather}\\par}",
    "Markdown": "QF\\-7719\\-KX",
    "Markdown, a day": "2023\\-05\\-17",
    "tags": "Quill<b>feather</b>",
    "runs of Word": "<w:t>Quill</w:t></w:r><w:r w:rsidR='01'><w:t>feather</w:t>",
    "quoted-printable, broken within a letter": "x=\n J=C3=\n=B6rg",
    "quoted-printable hyphens": "QF=2D7719=2DKX",
    "divided at its own hyphen": "QF-7719-\n  KX",
    "digits of another script": "\u0661\u0667/\u0660\u0665/\u0662\u0660\u0662\u0663",
    "day with blanks": "17. 05. 2023",
    "TeX": 'J\\"{o}rg',
    "TeX in braces": '{J{\\"o}rg}',
    "divided": "Quill-\n  feather",
    "a line that goes on": "Quill\\\nfeather",
    "PDF, UTF-16 in octal": "(\\376\\377\\000J\\000\\366\\000r\\000g)",
    "PDF, letter by letter": "(Q) Tj 3 0 Td (uill) Tj 9.5 0 Td (feather) Tj",
    "PDF, kerned": "[(Quill)-20(feat)13.5(her)]TJ",
    # Characters.
    "decomposed": unicodedata.normalize("NFD", "Jörg"),
    "fullwidth": "".join(chr(ord(c) + 0xFEE0) for c in "Quillfeather"),
    "mathematical": "".join(chr(0x1D41A + ord(c) - ord("a")) for c in "quillfeather"),
    "ligature": "Quillfeather".replace("f", "\ufb00", 1).replace("\ufb00", "f"),
    "zero-width joiner": "Quill\u200dfeather",
    "zero-width space": "Quill\u200bfeather",
    "soft hyphen": "Quill\u00adfeather",
    "soft hyphen, named": "Quill&shy;feather",
    "word joiner": "Quill\u2060feather",
    "grapheme joiner": "Quill\u034ffeather",
    "variation selector": "Quill\ufe0ffeather",
    "turned": "\u202equillfeather\u202c".replace("quill", "\u2066quill\u2069"),
    "no-break spaces": "St\u00a0Aldwyn\u202fInfirmary",
    "hyphens": "QF\u20107719\u2011KX",
    "read as cp1252": "J\u00c3\u00b6rg",
    "read as cp1252 beside others": "山 J\u00c3\u00b6rg",
    "read as Mac Roman": "Jörg".encode().decode("mac-roman"),
    "read as cp850": "Jörg".encode().decode("cp850"),
    "replaced": "J\ufffdrg",
}
PLACES: dict[str, Callable[[str], tuple[str, bytes]]] = {
    "text": lambda text: ("README", f"Of {text}.".encode()),
    "table": lambda text: ("participants.tsv", f"participant_id\tx\n01\t{text}\n".encode()),
    "notebook": lambda text: ("x.ipynb", json.dumps({"cells": [{"text": text}]}).encode()),
    "JSON": lambda text: ("x.json", json.dumps({"a": "b", "c": f"of {text} (x)"}).encode()),
    "UTF-8 JSON": lambda text: ("x.json", json.dumps({"c": text}, ensure_ascii=False).encode()),
    "gzip": lambda text: ("x.html.gz", gzip.compress(f"<p>{text}</p>".encode())),
    "bytes": lambda text: (
        "x.bin",
        b"\1\2\3\4" * 99 + f"a comment, which is of {text}.".encode() + b"\5\6" * 99,
    ),
}


def write_everywhere(root: Path, text: str) -> None:
    for number, make in enumerate(PLACES.values()):
        name, content = make(text)
        (root / str(number)).mkdir()
        (root / str(number) / name).write_bytes(content)


@pytest.mark.parametrize("how", WRITTEN)
def test_a_value_is_found_however_it_is_written(tmp_path: Path, how: str) -> None:
    write_everywhere(tmp_path, WRITTEN[how])
    found = {int(location.partition("/")[0]) for location in locations(tmp_path)}
    assert [place for number, place in enumerate(PLACES) if number not in found] == []


def test_what_is_written_in_a_code_is_told_with_its_place(tmp_path: Path) -> None:
    document = {"Comment": {"inner": b64("of Quillfeather")}, "other": "clean"}
    (tmp_path / "x.json").write_text(json.dumps(document))
    assert locations(tmp_path) == ["x.json#/Comment/inner"]


def test_numbers_that_measure_are_no_codes_and_a_name_in_figures_is(tmp_path: Path) -> None:
    names = [
        IdentifyingValue(kind=ValueKind.NAME, text=text, origin="(0010,0010)")
        for text in ("Åse^Thi", "Peter^Ann")
    ]
    (tmp_path / "README").write_text(
        "41536536\n32746849\n64417345\n61736544\n4154686932\n85 20 41 73 65 20 95 20 54 68 69 10\n"
    )
    assert not search_residue(tmp_path, names, allowed=(), jobs=1).findings
    for value, written in ((names[1], "Peter"), (DAY, "20230517")):
        (tmp_path / "README").write_text(f"by {written.encode().hex()}\n")
        assert search_residue(tmp_path, [value], allowed=(), jobs=1).findings


def test_utf_32_of_another_alphabet_is_searched(tmp_path: Path) -> None:
    ivanova = IdentifyingValue(kind=ValueKind.NAME, text="Иванова^Анна", origin="(0010,0010)")
    for encoding in ("utf-32-le", "utf-32-be"):
        (tmp_path / encoding).write_bytes("пациент Иванова".encode(encoding))
    assert len(search_residue(tmp_path, [ivanova], allowed=(), jobs=1).findings) == 2


UTF_32 = ["utf-32", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("encoding", UTF_32)
@pytest.mark.parametrize("text", ["of Quillfeather", "Jörg", "被検者 山田太郎 様"])
def test_utf_32_is_searched(tmp_path: Path, encoding: str, text: str) -> None:
    (tmp_path / "notes.txt").write_bytes(text.encode(encoding))
    assert locations(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-32", "utf-16"])
def test_ideographs_after_a_byte_order_mark_are_searched(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "notes.txt").write_bytes("被検者 山田太郎 様".encode(encoding))
    assert locations(tmp_path)


@pytest.mark.parametrize("encoding", UTF_32[1:])
def test_utf_32_among_other_bytes_is_searched(tmp_path: Path, encoding: str) -> None:
    noise = bytes(range(1, 250)) * 9
    (tmp_path / "x.bin").write_bytes(noise + "Quillfeather".encode(encoding) + noise)
    assert locations(tmp_path)


CLEAN = [
    "DeidentificationMethodCodeSequence MagneticFieldStrength/ImagingFrequency",
    f"3f8a0814133c143015ad20af sha256:{bytes(range(9, 250, 8)).hex()}",
    "TE=30;TR=2000;x=3D x=20 a+b 5 (3) -2 (4) <3 & more",
    "12 34 56 78 0x10, 0x20, 0x30 2023: 11 12 13; 10:11:12",
    "[(0)-20(1)]TJ {\\rtf1 clean} M\\_x 100% of &c.",
    "é ü 東京 ﬁne Ã© naïve",
]


@pytest.mark.parametrize("text", CLEAN)
def test_ordinary_text_with_escapes_is_no_find(tmp_path: Path, text: str) -> None:
    write_everywhere(tmp_path, text)
    assert locations(tmp_path) == []


def test_what_is_written_in_any_way_is_found_among_many_other_lines(tmp_path: Path) -> None:
    lines = "".join(f"{n}\tgo &amp; stop\tA+B.\n" for n in range(50))
    for how, written in WRITTEN.items():
        folder = tmp_path / how.replace("/", " ")
        folder.mkdir()
        content = written.encode() if isinstance(written, str) else written
        (folder / "x.txt").write_bytes(lines.encode() + content + b"\n" + lines.encode())
        assert locations(folder), how


def test_a_value_over_several_lines_is_found_where_one_of_them_holds_an_escape(
    tmp_path: Path,
) -> None:
    lines = "".join(f"{n}\tgo\n" for n in range(500))
    (tmp_path / "x.txt").write_text(f"{lines}St\nAldwyn\nIn&#102;irmary\n{lines}")
    place = IdentifyingValue(
        kind=ValueKind.PLACE, text="St\nAldwyn\nInfirmary", origin="(0008,0080)"
    )
    (view,) = (view for view in text_views((tmp_path / "x.txt").read_text()) if not view.exact)
    assert place.text.lower() in view.text
    assert len(view.text) < len(lines)


@settings(max_examples=40)
@given(text=st.text(max_size=300))
def test_every_text_has_readings(text: str) -> None:
    assert all(isinstance(reading, str) for reading in readings(text))
    assert isinstance(coded_texts(text), str)


@settings(max_examples=40)
@given(
    before=st.text("abc XYZ019.,;", max_size=20),
    after=st.text("abc XYZ019.,;", max_size=20),
    encoding=st.sampled_from(["utf-8", "utf-16-le"]),
    is_hex=st.booleans(),
)
def test_any_text_with_a_name_is_found_in_a_code(
    tmp_path: Path, before: str, after: str, encoding: str, *, is_hex: bool
) -> None:
    text = f"{before} Quillfeather {after}".encode(encoding)
    (tmp_path / "x.txt").write_text(
        f"id: {text.hex() if is_hex else base64.b64encode(text).decode()}"
    )
    assert locations(tmp_path)


HOSTILE = {
    "tags": b"<a" * (1 << 17),
    "entities": b"&#" * (1 << 17),
    "open tags": b"<p " * (1 << 16) + b">" * (1 << 18),
    "backslashes": b"\\" * (1 << 18),
    "percent": b"%2" * (1 << 17),
    "kerning": b")" + b" " * (1 << 16) + b"-1" * (1 << 18),
    "hex apart": b"ab " * (1 << 14) + b"ab, " * (1 << 14),
    "equals": b"=3D" * (1 << 16),
    "RTF": b"\\'e9" * (1 << 15),
    "marks": "\u0301".encode() * (1 << 17),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", HOSTILE)
def test_endless_escapes_take_bounded_memory(tmp_path: Path, how: str) -> None:
    (tmp_path / "x.txt").write_bytes(HOSTILE[how])
    tracemalloc.start()
    try:
        assert locations(tmp_path) == []
        assert tracemalloc.get_traced_memory()[1] < 160 << 20
    finally:
        tracemalloc.stop()
