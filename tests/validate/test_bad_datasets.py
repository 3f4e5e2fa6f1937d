"""What a dataset from elsewhere can hold: findings, and never a traceback or a hang."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from sessions.converted import nifti

from bidsanon.bids.tree import list_tree
from bidsanon.external import Completed
from bidsanon.findings import errors
from bidsanon.validate import OfficialReport, check_layout, check_schemas, validate_dataset
from bidsanon.validate.files import check_files
from bidsanon.validate.images import check_images

Spoil = Callable[[Path], object]
ANAT = "sub-01/ses-01/anat/"
SIDECAR = f"{ANAT}sub-01_ses-01_T1w.json"
OTHER = f"{ANAT}sub-01_ses-01_T2w.json"
IMAGE = f"{ANAT}sub-01_ses-01_T2w.nii.gz"
MARA = "Mara"


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let the official validator find nothing; return for which datasets it was asked."""
    asked: list[Path] = []

    def silent(root: Path, **_: object) -> OfficialReport:
        asked.append(root)
        return OfficialReport(issues=())

    monkeypatch.setattr("bidsanon.validate.dataset.ask_official", silent)
    return asked


def said(dataset: Path) -> set[tuple[str, str]]:
    return {(found.code, found.location) for found in errors(validate_dataset(dataset))}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"Mara": ', "line 1"),
        (b'["Mara"]', "not a JSON object"),
        (b'{"Mara": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        ('{"EchoTime": 1, "Mara": "é"}'.encode("latin-1"), "not UTF-8"),
        (b'{"EchoTime": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"EchoTime": NaN}', "not JSON"),
        (b"\0" * 100, "not JSON"),
        (b"", "not JSON"),
    ],
)
def test_json_that_is_none_is_named_and_not_quoted(
    dataset: Path, content: bytes, words: str
) -> None:
    (dataset / SIDECAR).write_bytes(content)

    (found,) = errors(check_schemas(list_tree(dataset)))

    assert (found.code, found.location) == ("SCHEMA_NOT_JSON", SIDECAR)
    assert words in found.message
    assert MARA not in str(found)


def test_json_beside_no_image_is_read_too(dataset: Path) -> None:
    (dataset / OTHER).write_text("{")

    (found,) = errors(check_schemas(list_tree(dataset)))

    assert (found.code, found.location) == ("SCHEMA_NOT_JSON", OTHER)


@pytest.mark.slow
def test_json_of_100_mb_is_a_finding_in_little_memory(dataset: Path, official: list[Path]) -> None:
    with (dataset / SIDECAR).open("wb") as stream:
        stream.write(b'{"a": [')
        stream.truncate(100 << 20)
    tracemalloc.start()

    found = said(dataset)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == {("SCHEMA_NOT_JSON", SIDECAR), ("OFFICIAL_VALIDATOR_FAILED", "")}
    assert official == []  # it takes 3.5 GB for such a file
    assert peak < 50 << 20


@pytest.mark.parametrize(
    ("spoil", "place", "problem"),
    [
        (lambda d: (d / OTHER).symlink_to("nowhere.json"), OTHER, "not here"),
        (lambda d: (d / IMAGE).symlink_to("nowhere"), IMAGE, "not here"),
        (lambda d: (d / OTHER).symlink_to(Path(OTHER).name), OTHER, "in a circle"),
        (lambda d: (d / OTHER).symlink_to("/etc/passwd"), OTHER, "leaves the dataset"),
        (lambda d: os.mkfifo(d / OTHER), OTHER, "is no file"),
        (lambda d: os.mkfifo(d / IMAGE), IMAGE, "is no file"),
        (lambda d: os.mkfifo(d / "task-rest_bold.json"), "task-rest_bold.json", "is no file"),
    ],
)
def test_what_cannot_be_read_is_named(
    dataset: Path, spoil: Spoil, place: str, problem: str
) -> None:
    spoil(dataset)
    tree = list_tree(dataset)

    (found,) = check_files(tree)

    assert (found.code, found.location) == ("FILE_UNREADABLE", place)
    assert problem in found.message
    assert place in {f.location for f in check_schemas(tree)} or not _is_asked_for(place)


def _is_asked_for(place: str) -> bool:
    """Whether the sidecars of an image are put together from it, unread as it is."""
    return place == "task-rest_bold.json"


@pytest.mark.usefixtures("official")
def test_each_check_says_what_it_cannot_read(dataset: Path) -> None:
    (dataset / SIDECAR).write_text("{")
    os.mkfifo(dataset / OTHER)

    assert said(dataset) == {("SCHEMA_NOT_JSON", SIDECAR), ("FILE_UNREADABLE", OTHER)}


def _loop(dataset: Path) -> str:
    (dataset / ANAT / "loop").symlink_to(dataset / "sub-01")
    (dataset / ANAT / "loop2").symlink_to(dataset / "sub-01")
    return f"{ANAT}loop"


def _leaves(dataset: Path) -> str:
    (dataset / "sub-02").symlink_to("/")
    return "sub-02"


def _name(dataset: Path) -> str:
    with open(os.fsencode(dataset / ANAT) + b"/sub-01_ses-01_acq-\xe9_T1w.json", "w") as stream:  # noqa: PTH123 - a name of bytes
        stream.write("{}")
    return f"{ANAT}sub-01_ses-01_acq-\N{REPLACEMENT CHARACTER}_T1w.json"


@pytest.mark.parametrize("spoil", [_loop, _leaves, _name])
def test_other_programs_are_not_asked_where_they_would_lose_their_way(
    dataset: Path, official: list[Path], spoil: Callable[[Path], str]
) -> None:
    place = spoil(dataset)

    found = said(dataset)

    assert ("FILE_UNREADABLE", place) in found
    assert ("OFFICIAL_VALIDATOR_FAILED", "") in found
    assert official == []


def test_a_crash_of_the_official_validator_is_an_error_among_the_others(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = Completed(returncode=1, stdout="", stderr=f"at {MARA}")
    monkeypatch.setattr("bidsanon.validate.official.run_program", lambda *_, **__: crashed)
    (dataset / SIDECAR).write_text("{")

    found = errors(validate_dataset(dataset))

    assert [f.code for f in found] == ["SCHEMA_NOT_JSON", "OFFICIAL_VALIDATOR_FAILED"]
    assert "ended with code 1" in found[1].message
    assert MARA not in str(found)


@pytest.mark.usefixtures("official")
def test_a_description_that_is_a_folder_stops_pybids_and_nothing_else(dataset: Path) -> None:
    (dataset / "dataset_description.json").unlink()
    (dataset / "dataset_description.json").mkdir()

    unreadable = ("FILE_UNREADABLE", "dataset_description.json")
    assert said(dataset) == {unreadable, ("LAYOUT_NOT_READ", "")}


def test_keys_are_shown_so_that_no_terminal_heeds_them(dataset: Path) -> None:
    key = "\\ud800\\u001b[31m/~"
    (dataset / "participants.json").write_text(f'{{"{key}": 1, "{"x" * 5000}": 2}}')

    found = [f for f in check_schemas(list_tree(dataset)) if f.code == "SCHEMA_COLUMN_INVALID"]

    assert len(found) == 2
    assert all(str(f.location).isprintable() and len(f.location) < 200 for f in found)
    assert any(f.location.endswith("[31m~1~0") for f in found)


def test_a_list_with_very_many_wrong_items_is_told_in_few_findings(dataset: Path) -> None:
    items = ",".join(['"x"'] * 50_000)
    (dataset / "task-rest_bold.json").write_text(f'{{"SliceTiming": [{items}]}}')
    own = next((dataset / "sub-01").rglob("*task-rest_bold.json"))
    own.write_text(own.read_text().replace("SliceTiming", "Before"))

    found = check_schemas(list_tree(dataset))

    assert len([f for f in found if f.code == "SCHEMA_VALUE_INVALID"]) == 20
    assert any(f.code == "SCHEMA_MORE_PLACES" for f in found)


@pytest.mark.parametrize("content", [b"", b"hello", nifti()[:200]])
def test_images_that_are_none_stop_no_check(dataset: Path, content: bytes) -> None:
    (dataset / IMAGE).write_bytes(content)

    assert errors(check_schemas(list_tree(dataset))) == ()
    assert check_layout(dataset) == ()


def test_what_a_mac_leaves_and_what_is_ignored_is_not_looked_at(dataset: Path) -> None:
    (dataset / ANAT / "._sub-01_ses-01_T1w.json").write_bytes(b"\0\5\x16\7")
    (dataset / ANAT / "._sub-01_ses-01_T1w.nii.gz").write_bytes(b"\0\5\x16\7")
    (dataset / OTHER).write_text("{")
    (dataset / IMAGE).write_bytes(b"")
    (dataset / ".bidsignore").write_text("*_T2w.*\n")
    tree = list_tree(dataset)

    assert errors(check_schemas(tree)) == ()
    assert list(check_images(tree)) == []
