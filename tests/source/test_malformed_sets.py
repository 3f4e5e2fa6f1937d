"""Every file of the malformed, burned-in and media sets: de-identified, or set aside rightly.

What is expected of each file stands here with what the file is. Nothing is lost: a file without an
expectation fails, and so does an expectation without a file.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from instances import Read
from persons import PLAN
from pydicom import dcmread

from bidsanon.deidentify import deidentify_instance
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.identity import ValueKind
from bidsanon.profile import amend_profile, load_profile
from bidsanon.session import SourceSession

IMAGES = ("MR", "CT", "PT")
CONVERTED, OTHER = "converted", "no DICOM"
MALFORMED = {
    "ExplVR_BigEndNoMeta.dcm": ("not-an-image", "an RT plan, big-endian and without file meta"),
    "ExplVR_LitEndNoMeta.dcm": ("not-an-image", "an RT plan without file meta"),
    "J2K_pixelrep_mismatch.dcm": (CONVERTED, "a CT image whose compressed pixels are unsigned"),
    "JPEG2000-embedded-sequence-delimiter.dcm": ("secondary-capture", "a capture, by its class"),
    "MR-SIEMENS-DICOM-WithOverlays.dcm": (CONVERTED, "an MR image with an overlay plane"),
    "MR_small.dcm": (CONVERTED, "an MR image"),
    "MR_small_padded.dcm": ("duplicate", "the same MR image with bytes behind its pixels"),
    "MR_truncated.dcm": ("truncated", "an MR image that ends within its pixels"),
    "README.txt": (OTHER, "a text"),
    "SC_rgb_jpeg.dcm": ("secondary-capture", "a capture, by its class, with damaged elements"),
    "UN_sequence.dcm": ("truncated", "a private sequence and nothing else, by its meta a CT image"),
    "US1_UNCR.dcm": ("modality", "an ultrasound image with text in its pixels"),
    "badVR.dcm": ("not-an-image", "an RT dose with invalid values"),
    "bad_sequence.dcm": (CONVERTED, "a CT image with items that are written in another way"),
    "empty_charset_LEI.dcm": ("unreadable", "a few elements of no class"),
    "emri_small.dcm": (CONVERTED, "an enhanced MR image"),
    "emri_small_jpeg_2k_lossless_too_short.dcm": ("truncated", "one that lacks frames"),
    "examples_overlay.dcm": (CONVERTED, "an MR image with an overlay plane, cropped"),
    "explicit_VR-UN.dcm": ("secondary-capture", "a CT image that says it was captured"),
    "gdcm-US-ALOKA-16.dcm": ("modality", "an ultrasound image with text in its pixels"),
    "image_dfl.dcm": ("secondary-capture", "a deflated capture"),
    "meta_missing_tsyntax.dcm": ("unreadable", "a few elements of no class"),
    "nested_priv_SQ.dcm": ("unreadable", "private sequences and no class"),
    "no_meta.dcm": ("unreadable", "a CT image of which the group numbers are damaged"),
    "no_meta_group_length.dcm": ("truncated", "by its meta an RT image, without any pixels"),
    "priv_SQ.dcm": ("truncated", "by its meta an MR image, without any pixels"),
    "reportsi.dcm": ("not-an-image", "a structured report"),
    "reportsi_with_empty_number_tags.dcm": ("not-an-image", "a structured report"),
    "rtplan_truncated.dcm": ("not-an-image", "an RT plan that ends early"),
    "test-SR.dcm": ("not-an-image", "a structured report"),
    "zipMR.gz": ("duplicate", "the MR image, compressed as a file"),
}
BURNED_IN = {
    "GREYSCALE_IMAGE.dcm": ("burned-in", "an ultrasound image that says so"),
    "ctbrain1.dcm": ("secondary-capture", "a CT slice, captured by an archive"),
    "ctbrain2.dcm": ("secondary-capture", "a CT slice, captured by an archive"),
    "image1.dcm": ("secondary-capture", "a photograph"),
}
DATA_SETS = [name for name, (_, what) in (MALFORMED | BURNED_IN).items() if what != "a text"]


def verdicts(session: SourceSession, folder: Path) -> dict[str, str]:
    """Return what became of each file of a folder, by name."""
    found = {path.name: OTHER for path in folder.iterdir()}
    found |= {i.path.name: CONVERTED for series in session.series for i in series.instances}
    found |= {file.path.name: file.reason.value for file in session.quarantine}
    unpacked = found.pop("zipMR", None)  # a copy of the one file that is compressed
    return found | ({"zipMR.gz": unpacked} if unpacked else {})


@pytest.mark.parametrize(
    ("name", "expected"), [("malformed-and-odd", MALFORMED), ("burned-in-pixels", BURNED_IN)]
)
def test_each_file_is_what_it_is(
    name: str,
    expected: dict[str, tuple[str, str]],
    shared_data: Callable[[str], Path],
    read: Read,
) -> None:
    folder = shared_data(name)
    found = verdicts(read(folder, modalities=[*IMAGES, "OT"]), folder)
    assert found == {file: verdict for file, (verdict, _) in expected.items()}


def test_a_medium_of_several_persons_is_counted_to_its_last_file(
    shared_data: Callable[[str], Path], read: Read
) -> None:
    folder = shared_data("dicomdir-media-multipatient")
    session = read(folder, modalities=[*IMAGES, "CR"])
    files = [path for path in folder.rglob("*") if path.is_file()]
    directories = sum(path.name.startswith("DICOMDIR") for path in files)
    texts = sum(path.name.startswith("README") for path in files)
    counts = Counter(file.reason.value for file in session.quarantine)
    images = sum(len(series.instances) for series in session.series)
    assert counts["dicomdir"] == directories
    assert session.other_files == texts
    bare = sum(
        "PixelData" not in dcmread(path)
        for path in files
        if not path.name.startswith(("DICOMDIR", "README"))
    )
    assert counts["truncated"] == bare
    assert images == len(files) - directories - texts - bare
    assert "SEVERAL_PERSONS" in {finding.code for finding in session.findings}


@pytest.mark.parametrize("name", DATA_SETS)
@pytest.mark.parametrize("profile", ["bids", "basic", "strict"])
def test_what_can_be_de_identified_says_no_longer_whose_it_is(
    name: str, profile: str, shared_data: Callable[[str], Path]
) -> None:
    folder = shared_data("malformed-and-odd" if name in MALFORMED else "burned-in-pixels")
    content = (folder / name).read_bytes()
    try:
        instance = deidentify_instance(content, profile=load_profile(profile), plan=PLAN)
    except NotUnderstoodError:
        assert (MALFORMED | BURNED_IN)[name][0] != CONVERTED
        return
    cleaned = dcmread(io.BytesIO(instance.content))
    assert cleaned.PatientIdentityRemoved == "YES"
    assert cleaned.file_meta.MediaStorageSOPInstanceUID == cleaned.SOPInstanceUID
    for value in instance.identity:
        if value.kind in {ValueKind.NAME, ValueKind.UID} and len(value.text) > 4:
            assert value.text.encode() not in instance.content, value.origin


def test_reports_stay_where_their_content_is_cleaned(
    shared_data: Callable[[str], Path], read: Read
) -> None:
    profile = amend_profile(load_profile("bids"), add_options=["clean-structured-content"])
    folder = shared_data("malformed-and-odd")
    session = read(folder, modalities=profile.modalities, structured_content=True)
    found = verdicts(session, folder)
    reports = {name for name, (_, what) in MALFORMED.items() if what == "a structured report"}
    assert {found[name] for name in reports} <= {CONVERTED, "duplicate"}
    assert found["rtplan_truncated.dcm"] == "not-an-image"
