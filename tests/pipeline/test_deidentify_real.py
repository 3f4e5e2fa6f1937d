"""Every set of real DICOM is de-identified, and none of its files is lost."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.fileset import FileSet
from real_sets import MR_SETS
from runs import run_deidentify
from tree_digests import tree_digest

from bidsanon.errors import SourceError
from bidsanon.files import files_below
from bidsanon.publish import DICOMDIR

SETS = (*MR_SETS, "dicomdir-media-multipatient", "malformed-and-odd")
MEDIA = ("philips-r57-dwi-dicomdir", "dicomdir-media-multipatient")
PROFILES = ("bids", "basic", "strict", "cati", "pmod", "dicomanon")


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_every_file_is_delivered_or_set_aside_with_a_reason(
    name: str, shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    source = shared_data(name)
    given = len(list(files_below(source)))
    done = run_deidentify(source, out=tmp_path / "out")
    assert done.refusal is None
    delivered = [path for path in files_below(tmp_path / "out") if path.name != DICOMDIR]
    assert len(delivered) == done.files
    assert given == done.files + len(done.source.quarantine) + done.source.other_files
    kept = list((done.request.private / "quarantine").rglob("*.dcm"))
    assert len(kept) == len(done.source.quarantine)


def test_a_source_of_text_in_pixels_alone_is_refused_with_the_reasons(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=r"burned-in.*secondary-capture"):
        run_deidentify(shared_data("burned-in-pixels"), out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "name", ["siemens-ve11-epi-mosaic", "siemens-xa10-enhanced-bold", "dicomdir-media-multipatient"]
)
def test_deidentifying_a_delivery_gives_it_again(
    name: str, profile: str, shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    first, again, private = tmp_path / "first", tmp_path / "again", tmp_path / "private"
    run_deidentify(shared_data(name), out=first, private=private, profile=profile)
    run_deidentify(first, out=again, private=private, profile=profile)
    assert tree_digest(again) == tree_digest(first)


@pytest.mark.parametrize("name", MEDIA)
@pytest.mark.slow
def test_a_medium_lists_what_is_on_it(
    name: str, shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    done = run_deidentify(shared_data(name), out=tmp_path / "out")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        medium = FileSet(tmp_path / "out" / DICOMDIR)
    listed = {Path(instance.path) for instance in medium}
    assert listed == {p for p in files_below(tmp_path / "out") if p.name != DICOMDIR}
    assert len(medium.find_values("PatientID")) == len(done.parts)
    for path in sorted(listed)[::50]:
        assert dcmread(path, stop_before_pixels=True).PatientIdentityRemoved == "YES"
    # pydicom leaves its staging folder to the garbage collector, which complains of it.
    medium._stage["t"].cleanup()
