"""``deidentify --deface`` on real heads: classic, enhanced, mosaic, and scouts beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian
from runs import run_deidentify
from tree_digests import tree_digest

from bidsanon.deface import DefaceOptions
from bidsanon.deface.options import Also
from bidsanon.files import files_below
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.session import DefaceVerdict

pytestmark = pytest.mark.slow

HEAD = "siemens-ve11-t1w-face"
WITH_DIFFUSION = "siemens-ve11-dwi-head"
_MARKS = {"(0012,0063)", "(0012,0064)", "(0028,0302)"}
_PIXELS = "(7FE0,0010)"


def verdicts(run: DeidentifyRun) -> list[DefaceVerdict]:
    assert run.refusal is None
    return [face.verdict for face in run.faces]


def changed(plain: Path, defaced: Path) -> Iterator[tuple[set[str], int, set[int]]]:
    """Yield for each file what differs: elements, the share of pixels, and what these became."""
    names = [path.relative_to(plain) for path in files_below(plain)]
    assert names == [path.relative_to(defaced) for path in files_below(defaced)]
    for name in names:
        one, other = dcmread(plain / name), dcmread(defaced / name)
        assert one.file_meta == other.file_meta
        tags = {*one.keys(), *other.keys()}
        elements = {f"({t.group:04X},{t.element:04X})" for t in tags if one.get(t) != other.get(t)}
        gone = one.pixel_array != other.pixel_array
        yield elements, int(gone.sum()), set(np.unique(other.pixel_array[gone]).tolist())


def require_removed(plain: Path, defaced: Path, *, least: int) -> None:
    pixels = 0
    for elements, gone, became in changed(plain, defaced):
        assert elements - {_PIXELS} in (_MARKS, set())
        assert became <= {0}
        pixels += gone
    assert pixels >= least


def test_a_head_loses_its_face_and_nothing_else(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    source, private = shared_data(HEAD), tmp_path / "private"
    run_deidentify(source, out=tmp_path / "plain", private=private)
    run = run_deidentify(source, out=tmp_path / "out", private=private, deface=DefaceOptions())
    assert verdicts(run) == [DefaceVerdict.DEFACED]
    require_removed(tmp_path / "plain", tmp_path / "out", least=1_000_000)
    again = run_deidentify(
        tmp_path / "out", out=tmp_path / "again", private=private, deface=DefaceOptions()
    )
    assert verdicts(again) == [DefaceVerdict.ALREADY_DEFACED]
    assert tree_digest(tmp_path / "again") == tree_digest(tmp_path / "out")


def test_slices_and_mosaics_are_the_same_bytes_however_many_work(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    source, private = shared_data(WITH_DIFFUSION), tmp_path / "private"
    asked = DefaceOptions(also=frozenset({Also.DWI}))
    run_deidentify(source, out=tmp_path / "plain", private=private)
    for jobs in (1, 2):
        run = run_deidentify(
            source, out=tmp_path / f"{jobs}", private=private, deface=asked, jobs=jobs
        )
        assert verdicts(run) == [DefaceVerdict.DEFACED] * 2
    assert tree_digest(tmp_path / "1") == tree_digest(tmp_path / "2")
    require_removed(tmp_path / "plain", tmp_path / "1", least=500_000)


def enhanced(slices: list[Dataset], path: Path) -> None:
    """Write slices as frames of one enhanced image, in no order."""
    first = slices[0]
    image = Dataset()
    for element in first:
        if not element.tag.is_private and element.tag < 0x00280000:
            image.add(element)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "SliceLocation"):
        del image[keyword]
    image.SOPClassUID, image.SOPInstanceUID = EnhancedMRImageStorage, first.SeriesInstanceUID + ".1"
    image.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    for keyword in ("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns"):
        image.add(first[keyword])
    for keyword in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        image.add(first[keyword])
    order = np.random.default_rng(3).permutation(len(slices))
    frames = [slices[place] for place in order]
    image.NumberOfFrames = len(frames)
    shared = Dataset()
    shared.PixelMeasuresSequence = one(
        SliceThickness=first.SliceThickness,
        SpacingBetweenSlices=first.SliceThickness,
        PixelSpacing=first.PixelSpacing,
    )
    shared.PlaneOrientationSequence = one(ImageOrientationPatient=first.ImageOrientationPatient)
    image.SharedFunctionalGroupsSequence = Sequence([shared])
    dimensions = first.SeriesInstanceUID + ".2"
    image.DimensionOrganizationSequence = one(DimensionOrganizationUID=dimensions)
    pointers = [
        one(DimensionOrganizationUID=dimensions, DimensionIndexPointer=Tag(keyword))[0]
        for keyword in ("StackID", "InStackPositionNumber")
    ]
    image.DimensionIndexSequence = Sequence(pointers)
    groups = []
    for place, frame in zip((order + 1).tolist(), frames, strict=True):
        group = Dataset()
        group.FrameContentSequence = one(
            StackID="1", InStackPositionNumber=place, DimensionIndexValues=[1, place]
        )
        group.PlanePositionSequence = one(ImagePositionPatient=frame.ImagePositionPatient)
        groups.append(group)
    image.PerFrameFunctionalGroupsSequence = Sequence(groups)
    image.add_new(0x7FE00010, "OW", b"".join(frame.PixelData for frame in frames))
    image.ensure_file_meta()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.save_as(path, enforce_file_format=True)


def one(**attributes: object) -> Sequence:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return Sequence([item])


def slices_of(folder: Path) -> list[Dataset]:
    return sorted(map(dcmread, files_below(folder)), key=lambda image: int(image.InstanceNumber))


def test_an_enhanced_head_with_its_frames_in_no_order(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    enhanced(slices_of(shared_data(HEAD)), tmp_path / "in" / "head.dcm")
    private = tmp_path / "private"
    run_deidentify(tmp_path / "in", out=tmp_path / "plain", private=private)
    run = run_deidentify(
        tmp_path / "in", out=tmp_path / "out", private=private, deface=DefaceOptions()
    )
    assert verdicts(run) == [DefaceVerdict.DEFACED]
    require_removed(tmp_path / "plain", tmp_path / "out", least=1_000_000)


def test_a_scout_loses_the_profile_that_it_shows(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    slices = slices_of(shared_data(HEAD))
    middle = slices[len(slices) // 2]
    for number, image in enumerate(slices):
        target = tmp_path / "in" / f"{number}.dcm"
        target.parent.mkdir(exist_ok=True)
        image.save_as(target)
    middle.SeriesInstanceUID += ".9"
    middle.SOPInstanceUID = middle.file_meta.MediaStorageSOPInstanceUID = middle.SeriesInstanceUID
    middle.SeriesNumber = 99
    middle.save_as(tmp_path / "in" / "scout.dcm")
    run = run_deidentify(tmp_path / "in", out=tmp_path / "out", deface=DefaceOptions())
    assert sorted(verdicts(run)) == [DefaceVerdict.DEFACED, DefaceVerdict.UNCHECKED]
    written = [dcmread(path) for path in files_below(tmp_path / "out")]
    (scout,) = (image for image in written if image.SeriesNumber == 99)
    (slice_,) = (
        image
        for image in written
        if image.SeriesNumber != 99 and image.ImagePositionPatient == scout.ImagePositionPatient
    )
    assert np.array_equal(scout.pixel_array, slice_.pixel_array)
    assert "RecognizableVisualFeatures" not in scout
    assert slice_.RecognizableVisualFeatures == "NO"
