"""What holds for an image once inheritance is resolved."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bidsanon.bids.sidecars import (
    LARGEST_JSON,
    SidecarError,
    SidecarTree,
    read_json_file,
    read_json_object,
)

IMAGE = "sub-01/ses-01/func/sub-01_ses-01_task-rest_run-1_bold.nii.gz"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, object], None]:
    def _write(path: str, content: object) -> None:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content if isinstance(content, str) else json.dumps(content))

    return _write


def test_what_stands_closer_overrules(tmp_path: Path, write: Callable[[str, object], None]) -> None:
    write("task-rest_bold.json", {"TaskName": "rest", "EchoTime": 1})
    write("sub-01/sub-01_task-rest_bold.json", {"EchoTime": 2, "FlipAngle": 3})
    write(IMAGE.replace(".nii.gz", ".json"), {"FlipAngle": 4})

    merged = SidecarTree(tmp_path).merged(IMAGE)

    assert merged.content == {"TaskName": "rest", "EchoTime": 2, "FlipAngle": 4}
    assert merged.origins["EchoTime"] == "sub-01/sub-01_task-rest_bold.json"
    assert merged.origins["TaskName"] == "task-rest_bold.json"


@pytest.mark.parametrize(
    "other",
    [
        "task-motor_bold.json",
        "task-rest_sbref.json",
        "sub-01/ses-01/func/sub-01_ses-01_task-rest_run-2_bold.json",
        "sub-02/sub-02_task-rest_bold.json",
        "dataset_description.json",
    ],
)
def test_what_is_about_another_image_does_not_hold(
    tmp_path: Path, write: Callable[[str, object], None], other: str
) -> None:
    write(other, {"EchoTime": 9})

    assert SidecarTree(tmp_path).merged(IMAGE).content == {}


def test_at_one_level_the_more_special_name_overrules(
    tmp_path: Path, write: Callable[[str, object], None]
) -> None:
    write("bold.json", {"EchoTime": 1})
    write("task-rest_run-1_bold.json", {"EchoTime": 3})
    write("task-rest_bold.json", {"EchoTime": 2})

    assert SidecarTree(tmp_path).merged(IMAGE).content == {"EchoTime": 3}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "line 1, column 2"),
        (b"[1]", "not a JSON object"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_refused_with_the_place(content: bytes, said: str) -> None:
    with pytest.raises(SidecarError, match=said):
        read_json_object(content)


def test_a_broken_sidecar_is_named(tmp_path: Path, write: Callable[[str, object], None]) -> None:
    write("task-rest_bold.json", "{")

    with pytest.raises(SidecarError, match=r"^task-rest_bold\.json: "):
        SidecarTree(tmp_path).merged(IMAGE)


def test_a_file_too_large_for_a_sidecar_is_not_read_whole(tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    with huge.open("wb") as stream:
        stream.truncate(LARGEST_JSON + 1)

    with pytest.raises(SidecarError, match="larger than 8 MB"):
        read_json_file(huge)


def test_a_file_that_is_not_there_is_an_error_of_the_sidecar(tmp_path: Path) -> None:
    with pytest.raises(SidecarError, match="cannot be read"):
        read_json_file(tmp_path / "missing.json")
