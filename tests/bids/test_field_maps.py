"""Which field map corrects which image."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.bids.field_maps import (
    USUAL_LINKS,
    Criterion,
    FieldMapOptions,
    Link,
    Linked,
    link_field_maps,
)
from bidsanon.bids.mapped_image import MappedImage
from bidsanon.bids.names import parse_name

FLAT = ((3.0, 0.0, 0.0, -96.0), (0.0, 3.0, 0.0, -96.0), (0.0, 0.0, 3.0, -54.0))
FINE = ((2.0, 0.0, 0.0, -96.0), (0.0, 2.0, 0.0, -96.0), (0.0, 0.0, 2.0, -54.0))
AWAY = ((3.0, 0.0, 0.0, 400.0), (0.0, 3.0, 0.0, 400.0), (0.0, 0.0, 3.0, 400.0))
ONE, OTHER = (1.0, -200.0, 35.0), (5.0, -180.0, 35.0)


def _image(name: str, moment: float = 0.0, **facts: Any) -> MappedImage:
    plain: dict[str, Any] = {"shim": ONE, "shape": (64, 64, 36), "affine": FLAT}
    path = f"sub-01/ses-02/{name}".replace("/_", "/sub-01_ses-02_") + ".nii.gz"
    return MappedImage(name=parse_name(path), moment=moment, **plain | facts)


def _epi(direction: str, moment: float, *, acq: str = "", run: int = 0, **facts: Any) -> Any:
    label = f"_acq-{acq}" if acq else ""
    number = f"_run-{run}" if run else ""
    polarity = {"AP": "j-", "PA": "j", "LR": "i", "RL": "i-"}[direction]
    name = f"fmap/{label}_dir-{direction}{number}_epi".replace("/__", "/_")
    return _image(name, moment, phase_encoding=polarity, **facts)


def _bold(task: str, moment: float, **facts: Any) -> MappedImage:
    return _image(f"func/_task-{task}_bold", moment, **{"phase_encoding": "j-"} | facts)


def _phase(moment: float, *, run: int = 0, **facts: Any) -> list[MappedImage]:
    number = f"_run-{run}" if run else ""
    return [
        _image(f"fmap/{number}_{s}".replace("/__", "/_"), moment, **facts)
        for s in ("magnitude1", "magnitude2", "phasediff")
    ]


def _sources(linked: Linked) -> dict[str, object]:
    """Return the field that each image is corrected by, by the image's short name."""
    return {
        path.rpartition("ses-02_")[2].removesuffix(".nii.gz"): said["B0FieldSource"]
        for path, said in linked.fields.items()
        if "B0FieldSource" in said
    }


def test_both_ways_are_written_and_name_the_same_images() -> None:
    linked = link_field_maps([*_phase(0), _bold("rest", 60), _bold("nback", 90)], USUAL_LINKS)
    targets = [
        "bids::sub-01/ses-02/func/sub-01_ses-02_task-rest_bold.nii.gz",
        "bids::sub-01/ses-02/func/sub-01_ses-02_task-nback_bold.nii.gz",
    ]
    for part in ("magnitude1", "magnitude2", "phasediff"):
        said = linked.fields[f"sub-01/ses-02/fmap/sub-01_ses-02_{part}.nii.gz"]
        assert said == {"B0FieldIdentifier": "phase_ses02_1", "IntendedFor": targets}
    assert _sources(linked) == {
        "task-rest_bold": "phase_ses02_1",
        "task-nback_bold": "phase_ses02_1",
    }
    assert linked.unused == linked.uncorrected == ()


@pytest.mark.parametrize(
    ("links", "keys"),
    [
        ({Link.INTENDED_FOR}, {"IntendedFor"}),
        ({Link.B0_FIELD}, {"B0FieldIdentifier", "B0FieldSource"}),
        (set(), set()),
    ],
)
def test_each_way_can_be_had_alone_and_none_too(links: set[Link], keys: set[str]) -> None:
    options = FieldMapOptions(links=frozenset(links))
    linked = link_field_maps([*_phase(0), _bold("rest", 60)], options)
    assert {key for said in linked.fields.values() for key in said} == keys


def test_the_nearest_of_several_field_maps_is_taken() -> None:
    session = [
        *_phase(0, run=1),
        _bold("rest", 100),
        _bold("nback", 600),
        *_phase(700, run=2),
        _bold("stroop", 900),
    ]
    assert _sources(link_field_maps(session, USUAL_LINKS)) == {
        "task-rest_bold": "phase_ses02_1",
        "task-nback_bold": "phase_ses02_2",
        "task-stroop_bold": "phase_ses02_2",
    }


def test_a_field_map_of_another_shim_is_not_taken_although_it_is_nearer() -> None:
    session = [*_phase(0, run=1), *_phase(90, run=2, shim=OTHER), _bold("rest", 100)]
    assert _sources(link_field_maps(session, USUAL_LINKS)) == {"task-rest_bold": "phase_ses02_1"}
    by_time = FieldMapOptions(by=frozenset({Criterion.TIME}))
    assert _sources(link_field_maps(session, by_time)) == {"task-rest_bold": "phase_ses02_2"}


def test_an_image_that_no_field_map_fits_is_named() -> None:
    session = [*_phase(0, shim=OTHER), _bold("rest", 100)]
    linked = link_field_maps(session, USUAL_LINKS)
    assert linked.fields == {}
    assert linked.unused == ("sub-01/ses-02/fmap/sub-01_ses-02_magnitude1.nii.gz",)
    assert linked.uncorrected == (session[-1].name.path,)


def test_a_field_map_that_does_not_cover_the_image_is_not_taken() -> None:
    session = [*_phase(0, affine=AWAY), _bold("rest", 100)]
    assert link_field_maps(session, USUAL_LINKS).fields == {}
    by_time = FieldMapOptions(by=frozenset({Criterion.TIME}))
    assert _sources(link_field_maps(session, by_time))


def test_a_shim_that_is_not_known_does_not_stand_in_the_way() -> None:
    session = [*_phase(0, shim=()), _bold("rest", 100)]
    assert _sources(link_field_maps(session, USUAL_LINKS)) == {"task-rest_bold": "phase_ses02_1"}


def test_epis_of_opposite_polarity_are_one_field_and_repeats_another() -> None:
    session = [
        _epi("AP", 0, run=1), _epi("PA", 30, run=1), _bold("rest", 60),
        _epi("AP", 600, run=2), _epi("PA", 630, run=2), _bold("nback", 660),
    ]  # fmt: skip
    linked = link_field_maps(session, USUAL_LINKS)
    assert _sources(linked) == {
        "task-rest_bold": "pepolar_ses02_1",
        "task-nback_bold": "pepolar_ses02_2",
    }
    identifiers = [linked.fields[s.name.path].get("B0FieldIdentifier") for s in session]
    assert identifiers == [
        "pepolar_ses02_1", "pepolar_ses02_1", None, "pepolar_ses02_2", "pepolar_ses02_2", None,
    ]  # fmt: skip


def test_a_repeated_half_is_paired_with_the_other_half_that_follows_it() -> None:
    session = [
        _epi("AP", 0, run=1), _epi("AP", 40, run=2), _epi("PA", 80), _bold("rest", 120),
    ]  # fmt: skip
    linked = link_field_maps(session, USUAL_LINKS)
    assert linked.unused == (session[0].name.path,)
    assert (
        linked.fields[session[1].name.path]["B0FieldIdentifier"]
        == _sources(linked)["task-rest_bold"]
    )


def test_a_field_map_of_the_same_voxels_is_better_than_a_nearer_one() -> None:
    session = [
        _epi("AP", 0, run=1), _epi("PA", 30, run=1),
        _epi("AP", 60, run=2, affine=FINE, shape=(96, 96, 54)),
        _epi("PA", 90, run=2, affine=FINE, shape=(96, 96, 54)), _bold("rest", 120),
    ]  # fmt: skip
    assert _sources(link_field_maps(session, USUAL_LINKS)) == {"task-rest_bold": "pepolar_ses02_1"}


def test_one_epi_alone_corrects_what_was_encoded_the_other_way() -> None:
    reference = _image("func/_task-rest_sbref", 90, phase_encoding="j-")
    session = [_epi("PA", 0), reference, _bold("rest", 100), _bold("back", 200, phase_encoding="j")]
    linked = link_field_maps(session, USUAL_LINKS)
    assert _sources(linked) == {
        "task-rest_bold": "pepolar_ses02_1",
        "task-rest_sbref": "pepolar_ses02_1",
    }
    assert linked.fields[reference.name.path]["B0FieldIdentifier"] == "pepolar_ses02_1"
    assert linked.uncorrected == (session[-1].name.path,)


def test_a_label_says_whether_diffusion_or_function_is_corrected() -> None:
    dwi = _image("dwi/_dwi", 200, phase_encoding="j-")
    session = [
        _epi("AP", 0, acq="fmri"), _epi("PA", 30, acq="fmri"), dwi,
        _epi("AP", 800, acq="dwi"), _epi("PA", 830, acq="dwi"), _bold("rest", 790),
    ]  # fmt: skip
    assert _sources(link_field_maps(session, USUAL_LINKS)) == {
        "dwi": "pepolar_ses02_2",
        "task-rest_bold": "pepolar_ses02_1",
    }


def test_anatomical_images_are_not_corrected() -> None:
    assert link_field_maps([*_phase(0), _image("anat/_T1w", 9)], USUAL_LINKS).fields == {}


@given(
    moments=st.lists(st.floats(0, 5000), min_size=1, max_size=8, unique=True),
    withheld=st.sets(st.integers(0, 7)),
)
def test_nothing_is_named_that_is_not_there(moments: list[float], withheld: set[int]) -> None:
    kinds = [
        lambda m, n: _epi("AP", m, run=n), lambda m, n: _epi("PA", m, run=n),
        lambda m, n: _bold(f"t{n}", m), lambda m, n: _phase(m, run=n)[2],
    ]  # fmt: skip
    session = [kinds[n % 4](m, n + 1) for n, m in enumerate(moments) if n not in withheld]
    there = {image.name.path for image in session}
    linked = link_field_maps(session, USUAL_LINKS)
    assert linked.fields.keys() <= there
    identifiers = {
        s["B0FieldIdentifier"] for s in linked.fields.values() if "B0FieldIdentifier" in s
    }
    for said in linked.fields.values():
        assert {str(uri).removeprefix("bids::") for uri in said.get("IntendedFor", [])} <= there
        assert said.get("B0FieldSource", next(iter(identifiers))) in identifiers
