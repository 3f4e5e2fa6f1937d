"""``deidentify --deface``: which pixels of DICOM files go, and that nothing else of them changes.

Where the face is is not asked here: a box in the scanner stands in for it, uneven in every
direction, so that a flip, a shift or a swapped slice would show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from jsonschema import Draft202012Validator
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, RLELossless
from runs import run_deidentify
from sessions import (
    MARA,
    big_endian,
    bold_mosaic,
    dwi_mosaic,
    enhanced_mr_names_in_functional_groups,
    implicit_vr,
    scout,
    siemens_t1w,
)
from sessions.siemens import small, t1w_slices
from sessions.writing import write_series
from template_head import Knowing
from tree_digests import tree_digest

from bidsanon.convert import fidelity
from bidsanon.deface import DefaceOptions, stage
from bidsanon.deface.acquisition import Acquisition
from bidsanon.deface.image import DefacedAcquisition
from bidsanon.deface.masks import write_mask
from bidsanon.deface.options import Also
from bidsanon.deface.voxels import remove
from bidsanon.demo import session as demo
from bidsanon.demo.scan import Scan
from bidsanon.demo.siemens import slice_image
from bidsanon.errors import UsageError
from bidsanon.files import files_below
from bidsanon.findings import Gate
from bidsanon.pipeline import deidentify_write_back
from bidsanon.pipeline.deidentify_faces import method_words
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.deidentify_summary import deidentify_report_path, deidentify_summary
from bidsanon.profile import Amendment
from bidsanon.resources import schema_path
from bidsanon.session import DefaceOutcome, DefaceVerdict, QuarantineReason

SUMMARY = Draft202012Validator(json.loads(schema_path("summary.schema.json").read_text("utf-8")))
ALL = DefaceOptions(also=frozenset(Also))
_MARKS = {"(0012,0063)", "(0012,0064)", "(0028,0302)"}
_PIXELS = "(7FE0,0010)"
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])

Array = NDArray[np.float64]


def in_box(places: Array, middle: Array) -> NDArray[np.bool_]:
    """Tell which places, shape (..., 3) in RAS+ mm, lie in the box that goes."""
    x, y, z = np.moveaxis(places - middle, -1, 0)
    return np.asarray((x > -4.1) & (y > 0.3) & (z < 2.3))


class Cutting:
    """Stands in for the stage's work on an acquisition: the box goes, whatever is in it.

    What has no more than `refused` slices fails.
    """

    def __init__(self) -> None:
        self.verdict = DefaceVerdict.DEFACED
        self.middle = np.zeros(3)
        self.refused = 0

    def __call__(
        self, acquisition: Acquisition, *, look_only: bool = False, **_others: object
    ) -> DefacedAcquisition:
        del look_only
        thin = acquisition.shown.nifti.space[2] <= self.refused
        verdict = DefaceVerdict.FAILED if thin else self.verdict
        for member in acquisition.members:
            if verdict is DefaceVerdict.DEFACED:
                nifti = member.nifti
                index = np.moveaxis(np.indices(nifti.space), 0, -1)
                places = index @ nifti.affine[:3, :3].T + nifti.affine[:3, 3]
                goes = np.asfortranarray(in_box(places, self.middle))
                remove(nifti, goes)
                write_mask(acquisition.file("mask.nii.gz"), goes, acquisition)
        outcomes = tuple(
            DefaceOutcome(
                path=member.path,
                verdict=verdict,
                engine="bidsanon",
                engine_version="bidsanon 1",
                reason="because",
                figures={"face_tissue_ml": 1.0},
                mask="mask.nii.gz" if verdict is DefaceVerdict.DEFACED else "",
            )
            for member in acquisition.members
        )
        return DefacedAcquisition(outcomes=outcomes, to_head=None)


@pytest.fixture
def cutting(monkeypatch: pytest.MonkeyPatch) -> Cutting:
    cut = Cutting()
    monkeypatch.setattr(stage, "choose_engine", lambda *_args, **_kwargs: Knowing())
    monkeypatch.setattr(stage, "deface_acquisition", cut)
    return cut


def both(
    source: Path, tmp_path: Path, *, deface: DefaceOptions = ALL, **options: object
) -> tuple[Path, Path, DeidentifyRun]:
    """De-identify a source with faces and without, for the same person."""
    plain, defaced = tmp_path / "plain", tmp_path / "defaced"
    private = tmp_path / "private"
    assert run_deidentify(source, out=plain, private=private, **options).refusal is None
    run = run_deidentify(source, out=defaced, private=private, deface=deface, **options)
    return plain, defaced, run


def pairs(plain: Path, defaced: Path) -> Iterator[tuple[Dataset, Dataset]]:
    names = [path.relative_to(plain) for path in files_below(plain)]
    assert names == [path.relative_to(defaced) for path in files_below(defaced)]
    assert names
    for name in names:
        yield dcmread(plain / name), dcmread(defaced / name)


def changed(one: Dataset, other: Dataset) -> set[str]:
    """Return which elements differ, come or go."""
    tags = set(one.keys()) | set(other.keys())
    return {f"({t.group:04X},{t.element:04X})" for t in tags if one.get(t) != other.get(t)}


def classic_places(header: Dataset) -> Array:
    """Return where the pixels of a classic slice lie, RAS+ mm, shape (rows, columns, 3)."""
    return plane_places(
        header, header.ImagePositionPatient, header.ImageOrientationPatient, header.PixelSpacing
    )


def plane_places(header: Dataset, first: Any, orientation: Any, spacing: Any) -> Array:
    along, down = np.array(orientation[:3], float), np.array(orientation[3:], float)
    row, column = np.indices((header.Rows, header.Columns))
    places = (
        np.array(first, float)
        + column[..., np.newaxis] * along * float(spacing[1])
        + row[..., np.newaxis] * down * float(spacing[0])
    )
    return places @ _LPS_TO_RAS


def middle_of(source: Path, places: Callable[[Dataset], Array] = classic_places) -> Array:
    """Return a place within what was scanned."""
    middles = [places(dcmread(path)).reshape(-1, 3).mean(axis=0) for path in files_below(source)]
    return np.mean(middles, axis=0)


def place_of(image: Dataset) -> tuple[object, ...]:
    """Return what tells a classic slice from the others of its source, whatever it is called."""
    return (*image.ImagePositionPatient, image.get("EchoNumbers"), image.SeriesNumber)


def require_cut(source: Path, defaced: Path, cut: Cutting, *, nothing: int = 0) -> None:
    """Compare classic slices with what their own headers say must go."""
    originals = {place_of(image): image for image in map(dcmread, files_below(source))}
    gone, written = 0, [dcmread(path) for path in files_below(defaced)]
    assert len(written) == len(originals)
    for after in written:
        before = originals[place_of(after)]
        goes = in_box(classic_places(before), cut.middle)
        expected = np.where(goes, nothing, before.pixel_array)
        assert np.array_equal(after.pixel_array, expected)
        gone += int(np.count_nonzero(after.pixel_array != before.pixel_array))
    assert gone


def textured(scan: Scan, *, seed: int = 1) -> NDArray[np.floating]:
    """Return a volume no two slices of which are alike."""
    return np.random.default_rng(seed).uniform(100, 3000, scan.grid.shape)


def series_of(scan: Scan, volume: NDArray[np.floating], *, first: int = 1) -> list[Dataset]:
    return [
        slice_image(MARA, scan, picture, slice_index=i, instance_number=first + i)
        for i, picture in enumerate(volume)
    ]


OBLIQUE = small(
    replace(
        demo.FIELD_MAP,
        number=9,
        grid=replace(demo.FIELD_MAP.grid, spacing_mm=(2.0, 1.5, 1.0)),
    ),
    shape=(6, 14, 18),
)


def test_only_the_face_and_the_marks_change(tmp_path: Path, cutting: Cutting) -> None:
    write_series(tmp_path / "in", series_of(OBLIQUE, textured(OBLIQUE)))
    cutting.middle = middle_of(tmp_path / "in")
    plain, defaced, run = both(tmp_path / "in", tmp_path)
    assert run.refusal is None
    require_cut(tmp_path / "in", defaced, cutting)
    for before, after in pairs(plain, defaced):
        assert changed(before, after) - {_PIXELS} == _MARKS
        assert after.file_meta == before.file_meta
        assert after.RecognizableVisualFeatures == "NO"
        codes = [item.CodeValue for item in after.DeidentificationMethodCodeSequence]
        assert codes == sorted({*codes, "113102"})
        assert after.DeidentificationMethod[-1].endswith("face removed")
        assert len(after.DeidentificationMethod[-1]) <= 64


def test_slices_in_any_order_and_direction_are_found(tmp_path: Path, cutting: Cutting) -> None:
    slices = series_of(OBLIQUE, textured(OBLIQUE))
    for number, image in zip((4, 2, 6, 1, 5, 3), slices, strict=True):
        image.InstanceNumber = number
    write_series(tmp_path / "in", [slices[place] for place in (3, 0, 5, 2, 4, 1)])
    cutting.middle = middle_of(tmp_path / "in")
    defaced = tmp_path / "out"
    run = run_deidentify(tmp_path / "in", out=defaced, deface=ALL)
    assert run.refusal is None
    require_cut(tmp_path / "in", defaced, cutting)


def test_every_volume_of_a_series_is_cut(tmp_path: Path, cutting: Cutting) -> None:
    second = replace(OBLIQUE, echo_number=2, echo_ms=9.0)
    echoes = [
        *series_of(OBLIQUE, textured(OBLIQUE)),
        *series_of(second, textured(second, seed=2), first=7),
    ]
    write_series(tmp_path / "in", echoes)
    cutting.middle = middle_of(tmp_path / "in")
    defaced = tmp_path / "out"
    run = run_deidentify(tmp_path / "in", out=defaced, deface=ALL)
    assert run.refusal is None
    assert [face.path for face in run.faces] == ["series 1, image 1 of 2", "series 1, image 2 of 2"]
    require_cut(tmp_path / "in", defaced, cutting)


def test_in_a_phase_the_face_becomes_a_phase_of_nothing(tmp_path: Path, cutting: Cutting) -> None:
    phase = replace(OBLIQUE, image_type=("ORIGINAL", "PRIMARY", "P", "ND"), rescale=(2.0, -4096.0))
    write_series(tmp_path / "in", series_of(phase, textured(phase)))
    cutting.middle = middle_of(tmp_path / "in")
    defaced = tmp_path / "out"
    run = run_deidentify(tmp_path / "in", out=defaced, deface=ALL)
    assert run.refusal is None
    require_cut(tmp_path / "in", defaced, cutting, nothing=2048)


@pytest.mark.parametrize("builder", [implicit_vr, big_endian])
def test_the_encoding_stays(
    builder: Callable[[Path], list[Path]], tmp_path: Path, cutting: Cutting
) -> None:
    builder(tmp_path / "in")
    cutting.middle = middle_of(tmp_path / "in")
    plain, defaced, run = both(tmp_path / "in", tmp_path)
    assert run.refusal is None
    require_cut(tmp_path / "in", defaced, cutting)
    for before, after in pairs(plain, defaced):
        assert after.file_meta.TransferSyntaxUID == before.file_meta.TransferSyntaxUID
        assert changed(before, after) - {_PIXELS} == _MARKS


def test_what_dcm2niix_cannot_read_is_refused(tmp_path: Path, cutting: Cutting) -> None:
    del cutting
    write_series(tmp_path / "in", t1w_slices(), transfer_syntax=DeflatedExplicitVRLittleEndian)
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL)
    assert refused_by(run) == [Gate.DEFACE]
    assert "dcm2niix makes no image of it" in run.faces[0].reason


def test_compressed_pixels_are_written_as_they_are(tmp_path: Path, cutting: Cutting) -> None:
    for path in siemens_t1w(tmp_path / "in"):
        image = dcmread(path)
        image.compress(RLELossless, generate_instance_uid=False)
        image.save_as(path)
    cutting.middle = middle_of(tmp_path / "in")
    plain, defaced, run = both(tmp_path / "in", tmp_path)
    assert run.refusal is None
    require_cut(tmp_path / "in", defaced, cutting)
    for before, after in pairs(plain, defaced):
        if not np.array_equal(before.pixel_array, after.pixel_array):
            assert after.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
            assert after["PixelData"].VR == "OW"
        assert changed(before, after) - {_PIXELS} == _MARKS


def converted(folder: Path, into: Path) -> list[nibabel.Nifti1Image]:
    files = list(files_below(folder))
    into.mkdir()
    for number, file in enumerate(files):
        (into / f"{number}.dcm").symlink_to(file)
    made = fidelity.convert_folder(into, into.with_name(f"{into.name}-images"), files)
    return [nibabel.load(made.folder / f"{name}.nii") for name in made.names()]


@pytest.mark.parametrize(
    "builder", [bold_mosaic, dwi_mosaic, enhanced_mr_names_in_functional_groups]
)
def test_mosaics_and_enhanced_images_are_cut_where_dcm2niix_has_the_box(
    builder: Callable[[Path], list[Path]], tmp_path: Path, cutting: Cutting
) -> None:
    builder(tmp_path / "in")
    run_deidentify(tmp_path / "in", out=tmp_path / "look")
    (image,) = converted(tmp_path / "look", tmp_path / "first")
    cutting.middle = image.affine[:3, :3] @ (np.array(image.shape[:3]) / 2) + image.affine[:3, 3]
    plain, defaced, run = both(tmp_path / "in", tmp_path)
    assert run.refusal is None
    (one,) = converted(plain, tmp_path / "one")
    (other,) = converted(defaced, tmp_path / "other")
    index = np.moveaxis(np.indices(one.shape[:3]), 0, -1)
    goes = in_box(index @ one.affine[:3, :3].T + one.affine[:3, 3], cutting.middle)
    before, after = np.asarray(one.dataobj), np.asarray(other.dataobj)
    assert np.array_equal(other.affine, one.affine)
    assert np.array_equal(after[~goes], before[~goes])
    assert not after[goes].any()
    assert before[goes].any()
    for first, second in pairs(plain, defaced):
        assert changed(first, second) - {_PIXELS} == _MARKS


def test_what_shows_no_face_by_its_kind_stays_byte_for_byte(tmp_path: Path) -> None:
    bold_mosaic(tmp_path / "in")
    plain, defaced, run = both(tmp_path / "in", tmp_path, deface=DefaceOptions())
    assert run.refusal is None
    assert [face.verdict for face in run.faces] == [DefaceVerdict.NOT_NEEDED]
    assert tree_digest(plain) == tree_digest(defaced)


@pytest.mark.parametrize("verdict", [DefaceVerdict.NO_FACE, DefaceVerdict.ALREADY_DEFACED])
def test_what_is_proved_to_show_no_face_says_so_and_keeps_its_pixels(
    verdict: DefaceVerdict, tmp_path: Path, cutting: Cutting
) -> None:
    siemens_t1w(tmp_path / "in")
    cutting.verdict = verdict
    plain, defaced, run = both(tmp_path / "in", tmp_path)
    assert run.refusal is None
    for before, after in pairs(plain, defaced):
        assert changed(before, after) == {"(0012,0064)", "(0028,0302)"}
        assert after.RecognizableVisualFeatures == "NO"


def deflated(image: Dataset) -> None:
    image.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian


def in_floating_point(image: Dataset) -> None:
    image.FloatPixelData = image.pixel_array.astype("<f4").tobytes()
    image.BitsAllocated = 32
    del image.PixelData


def coloured(image: Dataset) -> None:
    image.SamplesPerPixel, image.PlanarConfiguration = 3, 0
    image.PhotometricInterpretation = "RGB"
    image.BitsAllocated, image.BitsStored, image.HighBit = 8, 8, 7
    image.PixelData = bytes(image.Rows * image.Columns * 3)


@pytest.mark.parametrize("odd", [deflated, in_floating_point, coloured])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_nothing_is_claimed_of_files_that_dcm2niix_passed_over(
    odd: Callable[[Dataset], None], elsewhere: bool, tmp_path: Path, cutting: Cutting
) -> None:
    paths = siemens_t1w(tmp_path / "in")
    for path, other in zip(paths[:2], paths[2:4], strict=True):
        image = dcmread(path)
        if not elsewhere:
            image.ImagePositionPatient = dcmread(other).ImagePositionPatient
        odd(image)
        image.save_as(path)
    cutting.verdict = DefaceVerdict.NO_FACE
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL)
    assert refused_by(run) == [Gate.DEFACE]
    assert not (tmp_path / "out").exists()


def test_what_dcm2niix_passed_over_is_no_bold_run_because_the_rest_is_one(tmp_path: Path) -> None:
    run_files = bold_mosaic(tmp_path / "in" / "bold")
    series = dcmread(run_files[0])
    for number, path in enumerate(siemens_t1w(tmp_path / "in" / "t1w"), start=100):
        image = dcmread(path)
        image.SeriesInstanceUID, image.SeriesNumber = series.SeriesInstanceUID, series.SeriesNumber
        image.InstanceNumber = number
        deflated(image)
        image.save_as(path)
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=DefaceOptions())
    assert refused_by(run) == [Gate.DEFACE]
    assert "stored in several ways" in run.faces[0].reason


def test_a_scout_of_two_places_is_refused(tmp_path: Path, cutting: Cutting) -> None:
    write_series(tmp_path / "in" / "head", series_of(OBLIQUE, textured(OBLIQUE)))
    cutting.middle = middle_of(tmp_path / "in")
    thin = small(replace(demo.SCOUT, grid=replace(OBLIQUE.grid)), shape=(2, 40, 40))
    slices = series_of(thin, textured(thin))
    slices[1].FrameOfReferenceUID = MARA.uid("another place")
    write_series(tmp_path / "in" / "scout", slices)
    cutting.refused = 2
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL)
    assert refused_by(run) == [Gate.DEFACE]


def codes(run: DeidentifyRun) -> set[str]:
    return {found.code for result in run.gates.results for found in result.findings}


def refused_by(run: DeidentifyRun) -> list[Gate]:
    return [result.gate for result in run.gates.results if not result.passed]


def test_a_face_that_cannot_be_removed_refuses_the_run(tmp_path: Path, cutting: Cutting) -> None:
    siemens_t1w(tmp_path / "in")
    cutting.verdict = DefaceVerdict.FAILED
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL)
    assert refused_by(run) == [Gate.DEFACE]
    assert "DEFACE_FAILED" in codes(run)
    assert not (tmp_path / "out").exists()
    SUMMARY.validate(json.loads(json.dumps(deidentify_summary(run))))


def test_what_fails_is_left_out_where_that_is_asked_for(tmp_path: Path, cutting: Cutting) -> None:
    siemens_t1w(tmp_path / "in" / "t1w")
    bold_mosaic(tmp_path / "in" / "bold")
    cutting.verdict = DefaceVerdict.FAILED
    run = run_deidentify(
        tmp_path / "in", out=tmp_path / "out", deface=DefaceOptions(), withhold=True
    )
    assert run.refusal is None
    assert {"DEFACE_WITHHELD"} <= codes(run)
    assert "DEFACE_FAILED" not in codes(run)
    left = [file for file in run.source.quarantine if file.reason is QuarantineReason.FACE]
    assert len(left) == len(list((tmp_path / "in" / "t1w").iterdir()))
    kept = tmp_path / "out.private" / "quarantine"
    assert len(list(kept.rglob("face/*.dcm"))) == len(left)
    shown = {dcmread(path).SeriesDescription for path in files_below(tmp_path / "out")}
    assert shown == {"ep2d_bold_rest"}
    assert run.files == len(list(files_below(tmp_path / "out")))
    assert "left out: its face could not" in deidentify_report_path(run.request).read_text("utf-8")
    SUMMARY.validate(json.loads(json.dumps(deidentify_summary(run))))


def test_nothing_left_is_a_refusal(tmp_path: Path, cutting: Cutting) -> None:
    siemens_t1w(tmp_path / "in")
    cutting.verdict = DefaceVerdict.FAILED
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL, withhold=True)
    assert "ALL_WITHHELD" in codes(run)
    assert not (tmp_path / "out").exists()


def test_a_series_of_one_slice_is_not_claimed_to_show_no_face(tmp_path: Path) -> None:
    scout(tmp_path / "in")
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=DefaceOptions())
    assert refused_by(run) == [Gate.DEFACE]
    assert "too small to find a head in" in run.faces[0].reason


def test_a_scout_is_cut_where_another_image_has_the_face_and_claims_nothing(
    tmp_path: Path, cutting: Cutting
) -> None:
    head = textured(OBLIQUE)
    head[:, ::2] = 0  # what was air in one image may be face in another
    write_series(tmp_path / "in" / "head", series_of(OBLIQUE, head))
    cutting.middle = middle_of(tmp_path / "in")
    thin = small(replace(demo.SCOUT, grid=replace(OBLIQUE.grid)), shape=(1, 40, 40))
    write_series(tmp_path / "in" / "scout", series_of(thin, textured(thin)))
    cutting.refused = 1
    plain, defaced, run = both(tmp_path / "in", tmp_path)
    assert run.refusal is None
    assert {face.path: face.verdict for face in run.faces} == {
        "series 1": DefaceVerdict.UNCHECKED,
        "series 2": DefaceVerdict.DEFACED,
    }
    assert "FACE_CUT_UNCHECKED" in codes(run)
    SUMMARY.validate(json.loads(json.dumps(deidentify_summary(run))))
    for before, after in pairs(plain, defaced):
        if before.SeriesNumber != thin.number:
            continue
        assert changed(before, after) == {_PIXELS, "(0012,0063)"}
        assert after.DeidentificationMethod[-1].endswith("face cut, not checked")
        gone = before.pixel_array != after.pixel_array
        assert gone.any()
        assert not after.pixel_array[gone].any()
        # Beyond the head's image the cut goes on as at its edge.
        sure = in_box(classic_places(before), cutting.middle + np.array([1.5, 1.5, -1.0]))
        assert sure.any()
        assert not after.pixel_array[sure].any()


def test_a_scout_of_another_place_is_refused(tmp_path: Path, cutting: Cutting) -> None:
    write_series(tmp_path / "in" / "head", series_of(OBLIQUE, textured(OBLIQUE)))
    cutting.middle = middle_of(tmp_path / "in")
    thin = small(replace(demo.SCOUT, grid=replace(OBLIQUE.grid)), shape=(1, 40, 40))
    elsewhere = series_of(thin, textured(thin))
    for image in elsewhere:
        image.FrameOfReferenceUID = MARA.uid("another place")
    write_series(tmp_path / "in" / "scout", elsewhere)
    cutting.refused = 1
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL)
    assert refused_by(run) == [Gate.DEFACE]


def test_a_slice_that_lies_elsewhere_than_the_images_is_refused(
    tmp_path: Path, cutting: Cutting, monkeypatch: pytest.MonkeyPatch
) -> None:
    siemens_t1w(tmp_path / "in")
    cutting.middle = middle_of(tmp_path / "in")
    known = deidentify_write_back.planes_of

    def moved(path: Path) -> object:
        shift = np.eye(4)
        shift[:3, 3] = (0.4, 0.4, 0.4)
        return tuple(replace(plane, affine=shift @ plane.affine) for plane in known(path))

    monkeypatch.setattr(deidentify_write_back, "planes_of", moved)
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL)
    assert refused_by(run) == [Gate.DEFACE]
    assert "where none of its images has one" in run.faces[0].reason


def test_a_cut_at_the_wrong_place_does_not_pass(
    tmp_path: Path, cutting: Cutting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof is what dcm2niix makes of what was written, not what was meant."""
    write_series(tmp_path / "in", series_of(OBLIQUE, textured(OBLIQUE)))
    cutting.middle = middle_of(tmp_path / "in")
    known = deidentify_write_back.planes_of

    def turned(path: Path) -> object:
        (plane,) = known(path)
        flip = np.diag([-1.0, 1.0, 1.0, 1.0])
        flip[0, 3] = plane.columns - 1
        return (replace(plane, affine=plane.affine @ flip),)

    monkeypatch.setattr(deidentify_write_back, "planes_of", turned)
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL)
    assert refused_by(run) == [Gate.DEFACE]
    assert "is not the defaced image" in run.faces[0].reason
    assert not (tmp_path / "out").exists()


def test_pixels_that_cannot_be_decoded_are_refused(
    tmp_path: Path, cutting: Cutting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in siemens_t1w(tmp_path / "in"):
        image = dcmread(path)
        image.compress(RLELossless, generate_instance_uid=False)
        image.save_as(path)
    cutting.middle = middle_of(tmp_path / "in")

    def missing(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("no decoder")

    monkeypatch.setattr("pydicom.pixels.utils.pixel_array", missing)
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL)
    assert refused_by(run) == [Gate.DEFACE]
    assert "cannot be decoded here" in run.faces[0].reason


def test_images_come_without_faces_too(tmp_path: Path, cutting: Cutting) -> None:
    siemens_t1w(tmp_path / "in")
    cutting.middle = middle_of(tmp_path / "in")
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", output="nifti", deface=ALL)
    assert run.refusal is None
    (path,) = (tmp_path / "out").rglob("*.nii.gz")
    image = nibabel.load(path)
    index = np.moveaxis(np.indices(image.shape), 0, -1)
    goes = in_box(index @ image.affine[:3, :3].T + image.affine[:3, 3], cutting.middle)
    assert goes.any()
    assert not np.asarray(image.dataobj)[goes].any()
    sidecar = json.loads(path.with_suffix("").with_suffix(".json").read_text("utf-8"))
    assert method_words("bidsanon", ALL) in sidecar["DeidentificationMethod"]
    values = [code["CodeValue"] for code in sidecar["DeidentificationMethodCodeSequence"]]
    assert "113102" in values


def test_a_face_that_is_kept_is_kept_for_a_reason_on_record(tmp_path: Path) -> None:
    siemens_t1w(tmp_path / "in")
    consent = DefaceOptions(engine="none", because="consent for faces")
    plain, defaced, run = both(tmp_path / "in", tmp_path, deface=consent)
    assert run.refusal is None
    assert tree_digest(plain) == tree_digest(defaced)
    assert "FACE_KEPT" in codes(run)
    line = (tmp_path / "private" / "journal.jsonl").read_text("utf-8").splitlines()[-1]
    assert json.loads(line)["faces_kept"] == "consent for faces"


def test_a_reason_that_names_the_person_is_not_written_down(tmp_path: Path) -> None:
    siemens_t1w(tmp_path / "in")
    named = DefaceOptions(engine="none", because=f"{MARA.family_name} does not mind")
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=named)
    assert refused_by(run) == [Gate.DEIDENTIFY]
    kept = (tmp_path / "out.private" / "journal.jsonl").read_text("utf-8")
    assert MARA.family_name not in kept


def test_what_became_of_each_face_is_said(tmp_path: Path, cutting: Cutting) -> None:
    siemens_t1w(tmp_path / "in" / "t1w")
    bold_mosaic(tmp_path / "in" / "bold")
    cutting.middle = middle_of(tmp_path / "in" / "t1w")
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=DefaceOptions())
    assert "FACES_NOT_REMOVED" not in codes(run)
    summary = json.loads(json.dumps(deidentify_summary(run)))
    SUMMARY.validate(summary)
    assert {row["place"]: row["verdict"] for row in summary["deface"]} == {
        "series 1": "defaced",
        "series 2": "not-needed",
    }
    page = deidentify_report_path(run.request).read_text("utf-8")
    assert re.search(r'<h2 id="faces">', page)
    assert "Defaced, and the self-check passed" in page


def test_without_the_option_faces_are_said_to_be_there(tmp_path: Path) -> None:
    siemens_t1w(tmp_path / "in")
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out")
    assert "FACES_NOT_REMOVED" in codes(run)
    assert deidentify_summary(run)["deface"] == []
    assert "faces" not in re.findall(r'id="(\w+)"', deidentify_report_path(run.request).read_text())


def test_what_no_face_is_looked_for_in_is_said(tmp_path: Path, cutting: Cutting) -> None:
    for path in siemens_t1w(tmp_path / "in"):
        image = dcmread(path)
        image.Modality = "OT"
        image.save_as(path)
    del cutting
    asked = Amendment(modalities=("MR", "OT"))
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL, amendment=asked)
    assert "FACES_NOT_REMOVED" in codes(run)
    image = dcmread(next(files_below(tmp_path / "out")))
    assert "RecognizableVisualFeatures" not in image


def test_a_copy_that_was_defaced_keeps_saying_so(tmp_path: Path, cutting: Cutting) -> None:
    siemens_t1w(tmp_path / "in")
    cutting.middle = middle_of(tmp_path / "in")
    run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=ALL)
    run_deidentify(tmp_path / "out", out=tmp_path / "again")
    for path in files_below(tmp_path / "again"):
        header = dcmread(path, stop_before_pixels=True)
        assert header.RecognizableVisualFeatures == "NO"
        assert "113102" in [item.CodeValue for item in header.DeidentificationMethodCodeSequence]
        assert method_words("bidsanon", ALL) in header.DeidentificationMethod


def test_options_that_do_not_go_together_are_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageError, match="reason"):
        run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=DefaceOptions(engine="none"))
