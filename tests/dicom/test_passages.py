"""What is known of earlier files makes reading faster, and changes nothing of what is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_elements import TRANSFER_SYNTAXES, file_of, item, sequence

from bidsanon.dicom import parsing
from bidsanon.dicom.elements import DataSet, encoding_of_items, holds_items
from bidsanon.dicom.encoding import EXPLICIT_LITTLE, IMPLICIT_LITTLE, Encoding, NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile, read_file
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.passages import Passages
from bidsanon.dicom.writing import write_element

TAGS = (0x00080005, 0x00080016, 0x00080060, 0x00100010, 0x00180050, 0x00290010, 0x00291001)
SEQUENCE = 0x00081140


@pytest.fixture(autouse=True, scope="module")
def every_data_set_is_worth_it() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "_WORTH_REMEMBERING", 0)
        yield


def file_with(elements: list[tuple[int, str, bytes]], written: Encoding = EXPLICIT_LITTLE) -> bytes:
    body = b"".join(write_element(*element, written) for element in elements)
    return file_of(body, syntax=TRANSFER_SYNTAXES[written])


def everything(file: DicomFile) -> list[object]:
    """Return all that was read, at every depth, with its place in the file."""
    return _everything(file.content, file.data_set, 0)


def _everything(content: bytes, data_set: DataSet, depth: int) -> list[object]:
    found: list[object] = [data_set.encoding]
    for element in data_set.elements:
        found.append(element._replace(items=None))
        if holds_items(content, element):
            inner = encoding_of_items(element, data_set.encoding)
            items = read_items(content, element, data_set.encoding, depth=depth + 1)
            found += [
                _everything(content, read_item(content, i, inner, depth=depth + 1), depth + 1)
                for i in items
            ]
    return found


def sequence_of(inner: bytes, *, undefined: bool) -> bytes:
    return sequence(SEQUENCE, item(inner, undefined=undefined), undefined=undefined)


def test_a_passage_is_found_when_it_comes_the_third_time() -> None:
    known = Passages()
    same = [(0x00080060, "CS", b"MR"), (0x00180050, "DS", b"2.5 ")]
    files = [
        read_file(file_with([(0x00080018, "UI", uid), *same]), known=known)
        for uid in (b"1.2.1", b"1.2.33", b"1.2.4444")
    ]
    assert [len(file.data_set.placed) for file in files] == [0, 0, 1]
    ((index, passage, _),) = files[2].data_set.placed
    assert (index, passage.length) == (1, 2)
    plain = read_file(file_with([(0x00080018, "UI", b"1.2.4444"), *same]))
    assert everything(files[2]) == everything(plain)


def test_a_passage_is_not_found_where_the_file_is_written_otherwise() -> None:
    known = Passages()
    elements = [(0x00080060, "CS", b"MR"), (0x00180050, "DS", b"2.5 ")]
    for written in (EXPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_LITTLE, IMPLICIT_LITTLE):
        last = read_file(file_with(elements, written), known=known)
    assert not last.data_set.placed


def test_elements_out_of_order_are_in_no_passage() -> None:
    known = Passages()
    elements = [(0x00180050, "DS", b"2.5 "), (0x00080060, "CS", b"MR"), (0x00080005, "CS", b"")]
    for _ in range(4):
        file = read_file(file_with(elements), known=known)
    assert not file.data_set.placed
    assert [element.tag for element in file.data_set.elements] == sorted(e[0] for e in elements)


@pytest.mark.parametrize("undefined", [False, True])
def test_a_file_that_ends_within_a_passage_is_refused(undefined: bool) -> None:
    known = Passages()
    inner = write_element(0x00081155, "UI", b"1.2.3", EXPLICIT_LITTLE)
    content = file_with([(0x00080060, "CS", b"MR")]) + sequence_of(inner, undefined=undefined)
    for _ in range(3):
        read_file(content, known=known)
    with pytest.raises(NotUnderstoodError):
        read_file(content[:-3], known=known)


values = st.sampled_from([b"", b"MR", b"2.5 ", b"1.2.3\0", b"ALDWYN", b"a longer value, 24 bytes"])
vrs = st.sampled_from(["CS", "LO", "UN"])
elements = st.lists(st.tuples(st.sampled_from(TAGS), vrs, values), max_size=8)
"""Few enough of each that much comes again."""


@given(files=st.lists(st.tuples(elements, elements, st.booleans()), min_size=2, max_size=8))
def test_what_is_known_changes_nothing_of_what_is_read(
    files: list[tuple[list[tuple[int, str, bytes]], list[tuple[int, str, bytes]], bool]],
) -> None:
    known = Passages()
    for outer, inner, undefined in files:
        within = b"".join(write_element(*element, EXPLICIT_LITTLE) for element in inner)
        content = file_with(outer) + sequence_of(within, undefined=undefined)
        try:
            plain = everything(read_file(content))
        except NotUnderstoodError:
            with pytest.raises(NotUnderstoodError):
                everything(read_file(content, known=known))
        else:
            assert everything(read_file(content, known=known)) == plain


@pytest.mark.parametrize(
    "name", ["siemens-xa10-enhanced-bold", "philips-dual-echo-bold", "ge-mr750-epi"]
)
def test_real_files_are_read_the_same(name: str, shared_data: Callable[[str], Path]) -> None:
    known = Passages()
    hits = 0
    for path in sorted(path for path in shared_data(name).rglob("*") if path.is_file())[:12]:
        content = path.read_bytes()
        try:
            plain = read_file(content)
        except NotUnderstoodError:
            continue
        file = read_file(content, known=known)
        hits += len(file.data_set.placed)
        assert everything(file) == everything(plain)
    assert hits
