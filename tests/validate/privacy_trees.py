"""Small datasets made by code, as other people publish them: clean, unless a test spoils them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image
from sessions.converted import nifti

HEAD = (64, 64, 40)
"""Voxels of 2 mm: large enough for a head."""


def write(root: Path, name: str, content: str | bytes) -> Path:
    """Write a file of a dataset, with its folders."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_json(root: Path, name: str, content: Any) -> Path:
    """Write a JSON file of a dataset."""
    return write(root, name, json.dumps(content))


def write_image(root: Path, name: str, *, shape: tuple[int, ...] = (4, 5, 6), **parts: Any) -> Path:
    """Write an image, compressed without name and time."""
    return write(root, name, gzip.compress(nifti(shape, **parts), 1, mtime=0))


def raw_dataset(root: Path, *, whole: bool = True) -> Path:
    """Write a dataset as bids-examples has them; a whole one is of several modalities."""
    write_json(
        root,
        "dataset_description.json",
        {
            "Name": "Balloons",
            "BIDSVersion": "1.8.0",
            "Authors": ["Ada Lovelace <ada@somewhere.org>"],
            "ReferencesAndLinks": ["Published on 2021-05-17, doi:10.1000/1234567"],
            "DatasetDOI": "10.18112/openneuro.ds000001.v1.0.0",
            "GeneratedBy": [{"Name": "heudiconv", "Version": "1.0", "Date": "2021-05-17"}],
        },
    )
    write(root, "README", "Scanned on a 3 T scanner in 2016. Licence: CC0.\n")
    write(root, "CHANGES", "1.0.1 2021-05-17\n  - Corrected participants.tsv\n")
    write(root, ".bidsignore", "*_extra.json\n")
    write(
        root,
        "participants.tsv",
        "participant_id\tage\tsex\tgroup\thandedness\nsub-01\t26\tF\tcontrol\tleft\n"
        "sub-02\t89\tM\tHealthy Control\tright\nsub-control03\tn/a\tn/a\tpatient\tn/a\n",
    )
    write_json(
        root,
        "participants.json",
        {
            "age": {"Description": "age in years", "Units": "year", "Maximum": 89},
            "name": {"Description": "not published"},
            "date_of_birth": {"Description": "not published", "LongName": "born"},
        },
    )
    write_json(root, "task-balloon_bold.json", {"TaskName": "balloon", "RepetitionTime": 2.0})
    for label in ("01", "02", "control03"):
        _subject(root, f"sub-{label}")
    if whole:
        _others(root)
    return root


def _subject(root: Path, subject: str) -> None:
    write_image(root, f"{subject}/anat/{subject}_T1w.nii.gz")
    write_json(
        root,
        f"{subject}/anat/{subject}_T1w.json",
        {
            "Manufacturer": "Siemens",
            "SoftwareVersions": "syngo MR B17",
            "ProtocolName": "MPRAGE 20 March setup",
            "SeriesDescription": "t1_mpr_sag_2016",
            "ConversionSoftwareVersion": "v1.0.20190902",
            "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
            "TimeZero": "12:00:00",
            "EchoTime": 0.00298,
        },
    )
    write_image(root, f"{subject}/func/{subject}_task-balloon_bold.nii.gz", shape=(4, 5, 6, 3))
    write(
        root,
        f"{subject}/func/{subject}_task-balloon_events.tsv",
        "onset\tduration\tname\tstage\timage\tresponse_time\n0.5\t1\tA\t120\tJohn.png\t20160512\n",
    )
    write(
        root,
        f"{subject}/{subject}_scans.tsv",
        f"filename\tacq_time\nanat/{subject}_T1w.nii.gz\t1877-06-15T13:45:30\n",
    )


def _others(root: Path) -> None:
    """Write what lies in datasets beside MRI: channels, stimuli, phenotypes, derivatives, code."""
    write(
        root,
        "sub-01/ieeg/sub-01_task-rest_channels.tsv",
        "name\ttype\tunits\tdescription\nFp1\tEEG\tuV\tGrant Amplifier\nJohn\tMISC\tn/a\tn/a\n",
    )
    write(root, "stimuli/2016-05-12_face.jpg", b"\xff\xd8\xff\xe0 a stimulus")
    write(root, "phenotype/bdi.tsv", "participant_id\tbdi_total\tage_of_onset\nsub-01\t3\t17\n")
    write_json(root, "phenotype/bdi.json", {"bdi_total": {"Description": "sum", "Levels": {}}})
    derived = "derivatives/fmriprep"
    write_json(
        root,
        f"{derived}/dataset_description.json",
        {
            "Name": "fMRIPrep",
            "BIDSVersion": "1.8.0",
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "fMRIPrep", "Version": "23.1", "Container": {"Tag": "x"}}],
        },
    )
    write_image(root, f"{derived}/sub-01/anat/sub-01_desc-brain_mask.nii.gz", shape=HEAD)
    write(
        root,
        f"{derived}/sub-01/anat/sub-01_dseg.tsv",
        "index\tname\tvolume\n1\tLeft-Cerebral Cortex\t1234567\n",
    )
    write(
        root, f"{derived}/volumes.tsv", "participant_id\tbrain\nsub-01\t1234567\nsub-02\t1345678\n"
    )
    write(root, f"{derived}/logs/CITATION.md", "See the paper of 2019.\n")
    write(root, "code/run.sh", "#!/bin/sh\n# TODO: speed it up\ncd /home/user/study && make\n")
    write(root, "code/email.py", "git clone git@github.com:somebody/code\n")


def findings_of(found: tuple[Any, ...]) -> Mapping[str, list[str]]:
    """Return the places of findings, by code."""
    places: dict[str, list[str]] = {}
    for one in found:
        places.setdefault(one.code, []).append(one.location)
    return places


def small_picture() -> bytes:
    """Return a PNG that says nothing beside its pixels."""
    made = io.BytesIO()
    Image.new("L", (4, 3), 9).save(made, "PNG")
    return made.getvalue()


def small_volume() -> bytes:
    """Return a volume of FreeSurfer's that says nothing behind its voxels."""
    made = io.BytesIO()
    image = nib.MGHImage(np.zeros((3, 3, 3), np.float32), np.eye(4))
    image.to_file_map({"image": nib.FileHolder(fileobj=made)})
    return gzip.compress(made.getvalue(), mtime=0)
