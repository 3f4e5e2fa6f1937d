"""How large a series is: its matrix, its slices, its volumes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from sessions import MARA, bold_mosaic

from bidsanon.progress import Silent
from bidsanon.session import SourceInstance, SourceSeries
from bidsanon.source import identified_series, read_source, series_facts


def series_of(files: list[Path]) -> SourceSeries:
    instances = tuple(
        SourceInstance(
            path=path,
            sop_class_uid="",
            sop_instance_uid="",
            transfer_syntax_uid="",
            instance_number=number,
        )
        for number, path in enumerate(files)
    )
    return SourceSeries(
        index=1,
        series_instance_uid="",
        series_number=1,
        modality="MR",
        description="",
        study_date="",
        start="",
        instances=instances,
    )


def at_places(folder: Path, places: list[int | None]) -> SourceSeries:
    header = dcmread(bold_mosaic(folder / "one", volumes=1)[0])
    header.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    files = []
    for number, place in enumerate(places):
        header.ImagePositionPatient = None if place is None else [0, 0, place]
        files.append(folder / f"{number:03d}.dcm")
        header.save_as(files[-1])
    return series_of(files)


@pytest.mark.parametrize(
    ("places", "slices", "volumes"),
    [
        ([0, 1, 2], 3, 1),
        ([0, 1, 2] * 4, 3, 4),
        ([0, 2, 1] * 2, 3, 2),
        ([0, 0, 1, 1, 2, 2], 3, 2),
        ([0, 1, 2, 0, 1], 3, None),
        ([0, 0, 0, 1, 1], None, None),
        ([5], 1, 1),
        ([5, 5, 5], 1, 3),
        ([None, None], None, None),
    ],
)
def test_slices_and_volumes_are_counted_by_where_files_lie(
    tmp_path: Path, places: list[int | None], slices: int | None, volumes: int | None
) -> None:
    facts = series_facts(at_places(tmp_path, places))
    assert (facts.slices, facts.volumes) == (slices, volumes)


def test_a_mosaic_is_a_volume(tmp_path: Path) -> None:
    facts = series_facts(series_of(bold_mosaic(tmp_path, volumes=3)))
    assert facts.volumes == 3
    assert facts.slices is not None
    assert facts.slices > 1
    assert facts.rows < dcmread(next(tmp_path.glob("*"))).Rows


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("philips-r53-enhanced-fmap", {(64, 64, 32, 2)}),
        ("siemens-ve11-fmap-gre", {(64, 64, 36, 2), (64, 64, 36, 1)}),
        ("ge-mr750-epi", {(64, 64, 15, 10)}),
    ],
)
def test_real_series_have_their_sizes(
    name: str,
    sizes: set[tuple[int, ...]],
    shared_data: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    source = read_source(
        [shared_data(name)], unpack_into=tmp_path, modalities={"MR"}, progress=Silent()
    )
    facts = [series_facts(series) for series in source.series]
    assert {(f.columns, f.rows, f.slices, f.volumes) for f in facts} == sizes


def test_the_originals_say_whose_they_are_to_whoever_asks(tmp_path: Path) -> None:
    original = identified_series(series_of(bold_mosaic(tmp_path, person=MARA)))
    assert MARA.family_name in original.patient_name
    assert original.study_date == MARA.study_date
    assert MARA.family_name not in repr(original)
