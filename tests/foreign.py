"""A dataset as other tools leave it, with a name and a number wherever they leave one."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

from recordings import NEW_SEGMENT, edf, fif, markers
from sessions.converted import named_gzip, nifti

NAME, NUMBER, PLACE, SERIAL = "Quillfeather", "4512998177", "Aldwyn", "999217"
PLANTED = (NAME, NUMBER, PLACE, SERIAL, "2018", "10:00:00", "100000")
SHAPE = (40, 40, 30)
SIDECAR = {
    "Modality": "MR",
    "EchoTime": 0.0300,
    "RepetitionTime": 2,
    "TaskName": "rest",
    "SliceTiming": [0, 0.5, 1],
    "DeviceSerialNumber": SERIAL,
    "InstitutionName": f"St {PLACE} Infirmary",
    "PatientName": f"{NAME}^Mara",
    "AcquisitionTime": "10:00:00.000000",
    "AcquisitionDateTime": "2018-09-13T10:00:00",
    "TaskDescription": "lie still, says Dr. Quillfeather, 18 September 2018",
    "global": {"const": {"AccessionNumber": NUMBER}},
    "EchoTrainLength": {"nested": {"PatientID": NUMBER}},
}


def foreign_dataset(root: Path) -> Path:
    """Make the dataset."""
    described = {
        "Name": "study",
        "BIDSVersion": "1.9.0",
        "Authors": ["A. Author"],
        "License": "CC0",
    }
    _write(root / "dataset_description.json", json.dumps(described | {"PatientID": NUMBER}))
    _write(root / "README", "about the study\n")
    _write(
        root / "participants.tsv",
        f"participant_id\tage\tlast_name\tvisited\nsub-01\t94\t{NAME}\t2018-09-13\n",
    )
    definitions = {"age": {"Units": "year"}, "last_name": {"Description": "surname"}}
    _write(root / "participants.json", json.dumps(definitions))
    _write(root / "task-rest_bold.json", json.dumps(SIDECAR, indent="\t"))
    _write(root / ".heudiconv/01/info/dicominfo.tsv", f"{NAME}\t{NUMBER}\n")
    _write(root / "sourcedata/sub-01/a.dcm", NAME)
    _write(root / "code/convert.sh", f"convert {NAME}\n")
    session = root / "sub-01"
    stem = "sub-01_task-rest"
    texts = {"descrip": b"TE=30;Time=100000.000", "aux_file": NAME.encode()}
    _write(session / f"func/{stem}_bold.nii.gz", named_gzip(nifti(SHAPE, texts=texts)))
    _write(session / f"func/{stem}_bold.json", json.dumps(SIDECAR, indent=4))
    _write(session / f"func/{stem}_events.tsv", "onset\tduration\n0\t1\n")
    _write(session / f"func/{stem}_physio.tsv.gz", gzip.compress(b"1\t2\n", mtime=99))
    _write(session / "anat/sub-01_T1w.nii", nifti(SHAPE, version=2, texts=texts))
    _write(session / "anat/sub-01_T1w.json", json.dumps(SIDECAR))
    _write(session / "dwi/sub-01_dwi.bval", "0 1000 1000\n")
    _write(session / "dwi/sub-01_dwi.bvec", "0 1 0\n0 0 1\n0 0 0\n")
    _write(
        session / "sub-01_scans.tsv",
        "filename\tacq_time\toperator\trandstr\r\n"
        f"func/{stem}_bold.nii.gz\t2018-09-13T10:00:00\t{NAME}\t0badc0de\r\n",
    )
    _archives(session / "anat")
    comment = f"Mk2=Comment,Dr. {NAME} came in,8,1,0"
    _write(session / "eeg/sub-01_task-rest_eeg.edf", edf())
    _write(session / "eeg/sub-01_task-rest_eeg.vmrk", markers(NEW_SEGMENT, comment))
    _write(session / "meg/sub-01_task-rest_meg.fif", fif())
    return root


def _archives(folder: Path) -> None:
    content = json.dumps(SIDECAR).encode()
    with zipfile.ZipFile(folder / "sub-01_extra.zip", "w") as packed:
        packed.writestr("sub-01_T1w.json", content)
    with tarfile.open(folder / "sub-01_extra.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("sub-01_T1w.json")
        info.size, info.uname, info.mtime = len(content), NAME, 1_537_264_800
        tar.addfile(info, io.BytesIO(content))


def told(root: Path) -> dict[str, set[str]]:
    """Return what of the planted values each file still tells, packed or not."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            raw = _unpacked(path)
            left = {value for value in PLANTED if value.encode() in raw}
            if left:
                found[path.relative_to(root).as_posix()] = left
    return found


def _unpacked(path: Path) -> bytes:
    raw = path.read_bytes()
    with contextlib.suppress(EOFError, zipfile.BadZipFile):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as packed:
                return raw + b"".join(map(packed.read, packed.namelist()))
        return raw + (gzip.decompress(raw) if path.suffix == ".gz" else b"")
    return raw


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o444)
