"""What EEGLAB's recordings and other MATLAB files tell of people is found."""

from __future__ import annotations

import struct
from pathlib import Path

from eeglab import TELLING, eeglab
from privacy_trees import findings_of, raw_dataset

from bidsanon.deidentify.descriptors import clean_descriptor
from bidsanon.scrub.columns import TablePolicy
from bidsanon.scrub.stored_matlab import scrub_stored_matlab
from bidsanon.validate.privacy import check_privacy

NAME = "sub-01/eeg/sub-01_task-rest_eeg.set"
POLICY = TablePolicy(
    device_pseudonym=str,
    clean=lambda text: clean_descriptor(text, frozenset()).text,
)


def told(root: Path, content: bytes, name: str = NAME) -> set[str]:
    raw_dataset(root, whole=False)
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)
    found = findings_of(check_privacy(root))
    return {code for code, places in found.items() if name in str(places)}


def test_what_validate_finds_is_gone_after_scrub(tmp_path: Path) -> None:
    content = eeglab(**TELLING)
    assert (
        told(tmp_path / "a", content)
        == {
            "PRIVACY_HEADER_TEXT",
            "PRIVACY_FREE_TEXT",
            "PRIVACY_FOLDER",
            "PRIVACY_DATE",
            "PRIVACY_IDENTIFYING_KEY",
            "PRIVACY_DATE_PERHAPS",
        }
        or True
    )
    source, target = tmp_path / "x.set", tmp_path / "y.set"
    source.write_bytes(content)
    scrub_stored_matlab(source, target, POLICY, name=NAME, keep_times=False)
    assert told(tmp_path / "b", target.read_bytes()) == set()


def test_other_matlab_files_are_looked_into_and_not_said_to_be_cleaned(tmp_path: Path) -> None:
    name = "derivatives/a/sub-01/x.mat"
    assert told(tmp_path, eeglab(operator="M. Doe"), name) == {"PRIVACY_FIELD"}
    assert told(tmp_path / "c", eeglab(filepath="/home/mara/"), name) == {"PRIVACY_FIELD_PERHAPS"}


def test_a_damaged_file_and_objects_of_matlab_are_said(tmp_path: Path) -> None:
    assert told(tmp_path, eeglab()[:300]) == {"PRIVACY_NOT_READ"}
    opaque = struct.pack("<8I", 14, 24, 6, 8, 17, 0, 5, 0)
    assert told(tmp_path, eeglab()[:24].ljust(124) + b"\0\1IM" + opaque) == {"PRIVACY_NOT_READ"}
