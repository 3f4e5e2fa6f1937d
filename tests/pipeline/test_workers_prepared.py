"""What workers work with is loaded before they are needed, and only where there are some."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from runs import run_convert, run_deidentify
from template_head import write_thing

from bidsanon.deface import DefaceOptions
from bidsanon.pipeline import convert as pipeline_convert
from bidsanon.pipeline import deface as pipeline_deface
from bidsanon.pipeline import deidentify as pipeline_deidentify
from bidsanon.pipeline.deface_request import make_deface_request
from bidsanon.pipeline.deface_run import DefaceRun
from bidsanon.progress import Silent

DEFACING = {"bidsanon.deface.stage", "bidsanon.pipeline.deidentify_write_back"}


class PreparedError(Exception):
    """Ends a run once its workers are prepared; holds what they load, and how many there are."""

    def __init__(self, *modules: str, jobs: int) -> None:
        super().__init__()
        self.modules, self.jobs = set(modules), jobs


@pytest.fixture(autouse=True)
def until_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*modules: str, jobs: int) -> None:
        raise PreparedError(*modules, jobs=jobs)

    for command in (pipeline_convert, pipeline_deface, pipeline_deidentify):
        monkeypatch.setattr(command, "prepare_workers", stop)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    return [write_thing(tmp_path / f"{name}.nii.gz") for name in "ab"]


def prepared_by(run: Callable[[], Any]) -> PreparedError:
    with pytest.raises(PreparedError) as caught:
        run()
    return caught.value


def deface(*places: Path, jobs: int) -> None:
    request = make_deface_request(places, in_place=True, jobs=jobs)
    pipeline_deface.deface(DefaceRun(request=request), progress=Silent())


def test_convert_loads_what_defaces_for_its_workers(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()

    prepared = prepared_by(lambda: run_convert(tmp_path / "in", dataset=tmp_path / "out", jobs=2))

    assert prepared.jobs == 2
    assert "bidsanon.deface.stage" in prepared.modules
    assert all(map(find_spec, prepared.modules))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, set()),
        (DefaceOptions(), DEFACING),
        (DefaceOptions(engine="none", because="consent"), set()),
    ],
)
def test_deidentify_loads_what_defaces_where_faces_go(
    tmp_path: Path, asked: DefaceOptions | None, expected: set[str]
) -> None:
    (tmp_path / "in").mkdir()

    prepared = prepared_by(
        lambda: run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=asked, jobs=2)
    )

    assert prepared.jobs == 2
    assert prepared.modules & DEFACING == expected
    assert all(map(find_spec, prepared.modules))


def test_deface_loads_what_defaces_for_as_many_workers_as_there_are_images(
    images: list[Path],
) -> None:
    prepared = prepared_by(lambda: deface(*images, jobs=8))

    assert prepared.jobs == 2
    assert prepared.modules == {"bidsanon.deface.stage"}


def test_deface_of_one_image_loads_nothing_for_workers(images: list[Path]) -> None:
    assert prepared_by(lambda: deface(images[0], jobs=8)).jobs == 1
