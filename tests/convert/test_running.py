"""What heudiconv leaves beside the images it was asked for is found and named."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import heudiconv.convert
import pytest

from bidsanon.convert import drive, running
from bidsanon.convert.job import (
    Acquisition,
    Advance,
    Answer,
    Heuristic,
    Item,
    Mode,
    Origin,
    Request,
)

NAME = "sub-01/dwi/sub-01_dwi"


@pytest.fixture(name="convert")
def _convert(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Item]:
    """Run one item through a heudiconv that only writes files of the given names."""
    request = Request(
        mode=Mode.CONVERT,
        heuristic=Heuristic(name="x", path=tmp_path / "x.py", digest="", origin=Origin.FILE),
        subject="01",
        output=tmp_path / "out",
        acquisitions=(Acquisition(series=(1,), folder=tmp_path, files=()),),
    )

    def run(*names: str, log: str = "", error: Exception | None = None) -> Item:
        def write(items: list[tuple[str, Any, Any]], **_: object) -> None:
            prefix = Path(items[0][0])
            prefix.parent.mkdir(parents=True, exist_ok=True)
            for name in names:
                prefix.with_name(prefix.name + name).write_text("")
            if log:
                logging.getLogger("heudiconv.convert").warning(log)
            if error:
                raise error

        monkeypatch.setattr(heudiconv.convert, "convert", write)
        item = Item(name=NAME, acquisitions=(0,))
        return running._convert_item(request, ModuleType("heuristic"), item, [])

    return run


def test_an_image_that_dcm2niix_makes_besides_is_removed_and_named(
    convert: Callable[..., Item], tmp_path: Path
) -> None:
    item = convert(".nii.gz", ".json", "_heudiconv123_ADC.nii.gz", "_heudiconv123_ADC.json")
    assert item.outputs == (f"{NAME}.json", f"{NAME}.nii.gz")
    assert item.asides == ("ADC",)
    assert not list(tmp_path.rglob("*ADC*"))


def test_an_incomplete_volume_that_heudiconv_drops_is_named(convert: Callable[..., Item]) -> None:
    item = convert(".nii.gz", log="dropped /x partial volume from interrupted series")
    assert item.asides == ("an incomplete volume",)


def test_what_a_failed_conversion_left_is_removed(
    convert: Callable[..., Item], tmp_path: Path
) -> None:
    item = convert(".nii.gz", "_heudiconv001.nii.gz", error=RuntimeError("dcm2niix"))
    assert (item.outputs, item.asides) == ((), ())
    assert not list(tmp_path.rglob("*.nii.gz"))


def test_the_word_date_is_hidden_from_heudiconvs_search_and_comes_back(tmp_path: Path) -> None:
    sidecar = tmp_path / "x.json"
    content = {
        "SeriesDescription": "UpDated",
        "DeidentificationMethodCodeSequence": [{"CodeMeaning": "With Modified Dates Option"}],
        "DateOfSomething": ["Date", 1, None],
        "AcquisitionDate": "x",
    }
    sidecar.write_text(json.dumps(content))
    running._allowing_the_word_date(heudiconv.convert.tuneup_bids_json_files)([str(sidecar)])
    tuned = json.loads(sidecar.read_text())
    del content["AcquisitionDate"]
    assert tuned.pop("HeudiconvVersion")
    assert tuned == content


def test_requests_and_answers_survive_the_journey(tmp_path: Path) -> None:
    request = Request(
        mode=Mode.PLAN,
        heuristic=Heuristic(name="x", path=tmp_path / "x.py", digest="d", origin=Origin.BUNDLED),
        subject="01",
        session=None,
        output=tmp_path / "out",
        acquisitions=(Acquisition(series=(1, 2), folder=tmp_path, files=(tmp_path / "é.dcm",)),),
    )
    assert Request.from_json(request.to_json()) == request
    answer = Answer(items=(Item(name=NAME, acquisitions=(0,), asides=("ADC",)),))
    assert Answer.from_json(answer.to_json()) == answer
    advance = Advance(item=answer.items[0], to_come=(NAME, "é"))
    assert advance.to_line().count("\n") == 1
    assert Advance.from_line(advance.to_line()) == advance


def test_files_that_fill_a_folder_need_no_links(tmp_path: Path) -> None:
    files = [tmp_path / "a" / name for name in ("1.dcm", "2.dcm")]
    files[0].parent.mkdir()
    for file in files:
        file.touch()
    assert running._fill_their_folder([str(file) for file in files])
    assert not running._fill_their_folder([str(files[0])])
    assert not running._fill_their_folder([*map(str, files), str(tmp_path / "3.dcm")])


def test_what_the_worker_has_done_is_told_while_it_works(tmp_path: Path) -> None:
    advances = tmp_path / "progress"
    lines = [
        Advance(item=Item(name=name, acquisitions=(0,)), to_come=to_come).to_line()
        for name, to_come in (("a", ("b", "c")), ("b", ("c",)), ("c", ()))
    ]
    told: list[str] = []
    heard = threading.Event()

    def tell(advance: Advance) -> None:
        told.append(advance.item.name)
        heard.set()

    with drive._watching(advances, tell):
        advances.write_text(lines[0] + lines[1][:9])
        assert heard.wait(10)
        assert told == ["a"]
        advances.write_text("".join(lines))
    assert told == ["a", "b", "c"]
