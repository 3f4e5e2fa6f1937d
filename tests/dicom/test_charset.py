"""Text is decoded by the character set that its data set names, whatever it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import python_encoding

from bidsanon.dicom.charset import decode_text, encode_text, other_readings

JAPANESE = b"\\ISO 2022 IR 87"
NAMES = [
    (b"", b"Quill^Mara", "Quill^Mara"),
    (b"ISO_IR 100", "Müller^Jörg".encode("latin-1"), "Müller^Jörg"),
    (b"ISO_IR 126", "Διονυσιος".encode("iso_ir_126"), "Διονυσιος"),
    (b"ISO_IR 192", "Müller^山田".encode(), "Müller^山田"),
    (b"GB18030", "王^小东".encode("gb18030"), "王^小东"),
    (JAPANESE, b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", "Yamada^Tarou=山田^太郎"),
    (b"\\ISO 2022 IR 149", b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce", "Hong^Gildong=洪^吉"),
    (b"ISO_IR 999", b"M\xfcller", "Müller"),
]


@pytest.mark.parametrize(("character_set", "value", "text"), NAMES)
def test_a_name_is_decoded_by_its_character_set(
    character_set: bytes, value: bytes, text: str
) -> None:
    assert decode_text(value, character_set) == text


@pytest.mark.parametrize("character_set", [b"ISO_IR 100", b"ISO_IR 192", b"GB18030"])
def test_what_is_encoded_is_decoded_again(character_set: bytes) -> None:
    assert decode_text(encode_text("Jörg", character_set), character_set) == "Jörg"


def test_code_extensions_are_written_too() -> None:
    assert decode_text(encode_text("山田", JAPANESE), JAPANESE) == "山田"


def test_what_a_character_set_lacks_becomes_a_question_mark() -> None:
    assert encode_text("山", b"ISO_IR 100") == b"?"


@given(
    value=st.binary(max_size=40),
    terms=st.lists(st.sampled_from([*python_encoding, "nonsense"]), max_size=3),
)
def test_any_bytes_are_decoded_in_any_character_set(value: bytes, terms: list[str]) -> None:
    assert isinstance(decode_text(value, "\\".join(terms).encode()), str)


@pytest.mark.parametrize(
    ("value", "stated", "readings"),
    [
        ("Brüder".encode(), b"ISO_IR 100", ("Brüder",)),
        ("Brüder".encode(), b"", ("Brüder",)),
        ("Brüder".encode("latin-1"), b"ISO_IR 192", ("Brüder",)),
        ("Brüder".encode("latin-1"), b"ISO_IR 100", ()),
        ("Brüder".encode(), b"ISO_IR 192", ()),
        (b"Brueder", b"ISO_IR 100", ()),
    ],
)
def test_a_value_is_read_too_as_if_the_character_set_lied(
    value: bytes, stated: bytes, readings: tuple[str, ...]
) -> None:
    assert other_readings(value, stated) == readings
