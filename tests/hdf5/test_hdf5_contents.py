"""All texts of an HDF5 file are told, and what cannot be read is a problem."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsanon.apart import Kind
from bidsanon.hdf5 import contents, is_hdf5


def made(fill: Callable[[Any], None], **options: int) -> bytes:
    written = io.BytesIO()
    with h5py.File(written, "w", **options) as file:
        fill(file)
    return written.getvalue()


def told(content: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """Return the texts by their places, and the problems."""
    texts, problems = [], []
    for record in contents.read_hdf5(io.BytesIO(content)):
        if record.kind is Kind.PROBLEM:
            problems.append(record.content.decode())
        else:
            *names, text = json.loads(record.content)
            texts.append(("/".join(names), text))
    return texts, problems


def everything(file: Any) -> None:
    file.attrs["by"] = "Mara"
    file.attrs["lines"] = ["one", "two"]
    file["nirs/metaDataTags/SubjectID"] = "Quillfeather"
    file["nirs/data"] = np.arange(99.0)
    file["fixed"] = np.array([b"Quill", b"feather"])
    file["rows"] = np.array([(1, b"typed")], dtype=[("n", "i4"), ("note", "S9")])
    chars = file.create_dataset("EEG/comments", data=np.array([[81], [252]], np.uint16))
    chars.attrs["MATLAB_class"] = np.bytes_(b"char")
    file["again"] = file["nirs"]
    file["soft"] = h5py.SoftLink("/nirs")
    file["far"] = h5py.ExternalLink("/home/mara/other.h5", "/a")


def test_texts_are_told_wherever_they_stand() -> None:
    texts, problems = told(made(everything))
    assert problems == []
    assert sorted(texts) == [
        ("EEG/comments", "Qü"),
        ("EEG/comments/MATLAB_class", "char"),
        ("again/metaDataTags/SubjectID", "Quillfeather"),
        ("by", "Mara"),
        ("far", "/home/mara/other.h5"),
        ("fixed", "Quill"),
        ("fixed", "feather"),
        ("lines", "one"),
        ("lines", "two"),
        ("rows", "typed"),
        ("soft", "/nirs"),
    ]


def circle(file: Any) -> None:
    file["a/b/c"] = "x"
    file["a/b/up"] = file["a"]


def test_a_circle_ends() -> None:
    assert told(made(circle)) == ([("a/b/c", "x")], [])


def test_many_texts_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_MOST_CHARACTERS", 100)
    assert told(made(lambda file: file.create_dataset("a", data=["x" * 9] * 50)))[1] != []
    monkeypatch.setattr(contents, "_MOST_OBJECTS", 3)
    assert told(made(everything))[1] != []


def deep(file: Any) -> None:
    file["/".join("a" * 100)] = "x"


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", made(everything)[:900], made(deep)])
def test_what_is_damaged_or_too_deep_is_a_problem(content: bytes) -> None:
    assert told(content)[1] != []


def test_hdf5_is_known_by_its_beginning_and_behind_matlabs() -> None:
    assert is_hdf5(made(everything))
    assert is_hdf5(made(everything, userblock_size=512))
    assert not is_hdf5(b"MATLAB 5.0")


WHOLE = made(everything)


@settings(max_examples=50, deadline=None)
@given(place=st.integers(0, len(WHOLE) - 1), other=st.binary(min_size=1, max_size=4))
def test_a_damaged_file_is_read_to_an_end(place: int, other: bytes) -> None:
    texts, problems = told(WHOLE[:place] + other + WHOLE[place + len(other) :])
    assert len(texts) <= 20 or problems
