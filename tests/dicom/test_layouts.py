"""Items that differ in nothing but some values are read without looking at their elements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from written_elements import file_of, item, sequence

from bidsanon.dicom.elements import DataSet, Layout, encoding_of_items, holds_items
from bidsanon.dicom.encoding import EXPLICIT_LITTLE, NotUnderstoodError
from bidsanon.dicom.file_format import read_file
from bidsanon.dicom.parsing import read_item, read_items
from bidsanon.dicom.passages import Passages
from bidsanon.dicom.writing import write_element

FRAMES = 0x52009230
CONTENTS = (
    (0x00180050, "DS", b"2.5 "),
    (0x00180081, "DS", b"30.1"),
    (0x00204000, "LT", b"words that are long enough to make an item worth remembering " * 9),
)


def frame(number: int, *others: tuple[int, str, bytes]) -> bytes:
    position = (0x00200032, "DS", rb"-10\20\%02d.5 " % number)
    elements = sorted((position, *CONTENTS, *others))
    return b"".join(write_element(*element, EXPLICIT_LITTLE) for element in elements)


def file_with(*frames: bytes, undefined: bool = True) -> bytes:
    items = b"".join(item(body, undefined=undefined) for body in frames)
    return file_of(sequence(FRAMES, items))


def read_frames(content: bytes, known: Passages | None) -> tuple[bytes, list[DataSet]]:
    file = read_file(content, known=known)
    sequence = file.top[FRAMES]
    below = known.below(FRAMES) if known else None
    encoding = file.data_set.encoding
    items = read_items(file.content, sequence, encoding, depth=1, known=below)
    return file.content, [
        read_item(file.content, one, encoding, depth=1, known=below) for one in items
    ]


def layouts_of(content: bytes, known: Passages | None = None) -> list[Layout | None]:
    return [one.layout for one in read_frames(content, known or Passages())[1]]


def everything(content: bytes, data_set: DataSet, depth: int = 1) -> list[object]:
    found: list[object] = [data_set.encoding]
    for element in data_set.elements:
        found.append(element._replace(items=None))
        if holds_items(content, element):
            inner = encoding_of_items(element, data_set.encoding)
            found += [
                everything(content, read_item(content, i, inner, depth=depth + 1), depth + 1)
                for i in read_items(content, element, data_set.encoding, depth=depth + 1)
            ]
    return found


@pytest.mark.parametrize("undefined", [False, True])
def test_a_layout_is_known_from_the_third_frame_on(undefined: bool) -> None:
    found = layouts_of(file_with(*map(frame, range(10, 16)), undefined=undefined))
    assert found[:2] == [None, None]
    assert None not in found[2:]
    assert len(set(found[2:])) == 1


@pytest.mark.parametrize("undefined", [False, True])
def test_elements_lie_where_they_lie_without_a_layout(undefined: bool) -> None:
    content = file_with(*map(frame, range(10, 16)), undefined=undefined)
    plain, frames = read_frames(content, None), read_frames(content, Passages())
    assert [everything(frames[0], one) for one in frames[1]] == [
        everything(plain[0], one) for one in plain[1]
    ]
    last, same = frames[1][-1], plain[1][-1]
    assert last.layout is not None
    assert last.find(0x00200032) == same.find(0x00200032)
    assert last.find(0x00200033) is None


def test_a_value_that_begins_to_differ_makes_a_wider_layout() -> None:
    known = Passages()
    echoes = [frame(n, (0x00180086, "IS", b"1 " if n < 14 else b"2 ")) for n in range(10, 18)]
    found = layouts_of(file_with(*echoes), known)
    assert found[2] is not None
    assert found[4] is None
    assert found[5] is not None
    assert len(found[5].varying) == len(found[2].varying) + 1


@pytest.mark.parametrize(
    ("tag", "vr", "values"),
    [
        (0x00080005, "CS", (b"ISO_IR 100", b"ISO_IR 192")),
        (0x00290010, "LO", (b"ALDWYN", b"WALDYN")),
        (0x00291001, "UN", (b"nobody", b"noboby")),
    ],
)
def test_what_says_what_others_mean_never_varies(
    tag: int, vr: str, values: tuple[bytes, bytes]
) -> None:
    frames = [frame(n, (tag, vr, values[n % 2])) for n in range(10, 22)]
    found = [layout for layout in layouts_of(file_with(*frames)) if layout]
    assert len(set(found)) == 2
    assert all(len(layout.varying) == 1 for layout in found)


def test_values_of_other_lengths_are_another_layout() -> None:
    frames = [frame(n, (0x00180086, "IS", b"1 " * (1 + n % 2))) for n in range(10, 22)]
    assert len({layout for layout in layouts_of(file_with(*frames)) if layout}) == 2


def test_a_file_that_ends_within_a_known_frame_is_refused() -> None:
    known = Passages()
    content = file_with(*map(frame, range(10, 16)))
    read_frames(content, known)
    with pytest.raises(NotUnderstoodError):
        read_frames(content[:-6], known)


def test_frames_that_are_never_alike_are_soon_no_more_compared() -> None:
    known = Passages()
    frames = [frame(10, (0x00204000, "LT", b"x" * 2 * n)) for n in range(1, 200)]
    assert not any(layouts_of(file_with(*frames), known))
    alike = [frame(n, (0x00204000, "LT", b"y" * 500)) for n in range(10, 20)]
    assert not any(layouts_of(file_with(*alike), known))


@pytest.mark.parametrize("name", ["philips-r53-enhanced-fmap", "siemens-xa60-interrupted-bold"])
def test_real_frames_are_read_the_same(name: str, shared_data: Callable[[str], Path]) -> None:
    known = Passages()
    hits = 0
    for path in sorted(path for path in shared_data(name).rglob("*") if path.is_file()):
        content = path.read_bytes()
        try:
            plain = read_frames(content, None)
        except (NotUnderstoodError, KeyError):
            continue  # no DICOM: what a set says of itself
        frames = read_frames(content, known)
        hits += sum(one.layout is not None for one in frames[1])
        assert [everything(frames[0], one) for one in frames[1]] == [
            everything(plain[0], one) for one in plain[1]
        ]
    assert hits
