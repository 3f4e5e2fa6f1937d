"""The de-identifiers that the suite is put to: bidsanon, and others where they are installed."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tempfile
import warnings
from functools import cache
from pathlib import Path

from pydicom import dcmread

from bidsanon.deidentify import NotUnderstoodError, deidentify_instance
from bidsanon.profile import load_profile
from bidsanon.vault import PersonPlan
from planted.checks import UNREADABLE
from planted.suite import Tool

_SHIFT_DAYS = -33_333
_AN_HOUR_S = 3600
_RUN_S = 5

# Each takes a folder and writes another, file by file: one that it cannot read stops no other.
_EACH_FILE = """
import pathlib, sys
source, out = map(pathlib.Path, sys.argv[1:3])
for path in sorted(source.iterdir()):
    try:
        clean(path, out / path.name)
    except Exception as error:
        (out / path.name).unlink(missing_ok=True)
"""
_SCRIPTS = {
    "dicom-anonymizer": """
from dicomanonymizer.simpledicomanonymizer import anonymize_dicom_file
def clean(path, target):
    anonymize_dicom_file(str(path), str(target))
""",
    "deid": """
import shutil, tempfile, pathlib
from deid.config import DeidRecipe
from deid.dicom import replace_identifiers
recipe = DeidRecipe()
def clean(path, target):
    with tempfile.TemporaryDirectory() as folder:
        written = replace_identifiers([str(path)], deid=recipe, save=True, output_folder=folder)
        shutil.copy(written[0], target)
""",
    "dicognito": """
import pydicom
from dicognito.anonymizer import Anonymizer
anonymizer = Anonymizer(seed="planted")
def clean(path, target):
    dataset = pydicom.dcmread(path)
    anonymizer.anonymize(dataset)
    dataset.save_as(target)
""",
}
PEERS = ("dicom-anonymizer", "gdcmanon", "deid", "dicognito")


def bidsanon(profile: str) -> Tool:
    """Return bidsanon with one of its profiles, file by file."""
    rules = load_profile(profile)

    def clean(files: dict[str, bytes]) -> dict[str, bytes | None]:
        after: dict[str, bytes | None] = {}
        for name, content in files.items():
            try:
                instance = deidentify_instance(content, profile=rules, plan=_plan(_person(content)))
            except NotUnderstoodError:
                after[name] = None
            else:
                after[name] = instance.content
        return after

    return clean


def peer(name: str, python: Path) -> Tool | None:
    """Return another de-identifier with its documented defaults; None where it is missing.

    Parameters
    ----------
    name
        One of :data:`PEERS`.
    python
        A Python in whose environment those of them are installed that are written in it.
    """
    if name == "gdcmanon":
        return _gdcmanon if shutil.which("gdcmanon") and shutil.which("openssl") else None
    script = _SCRIPTS[name]
    imports = "\n".join(line for line in script.splitlines() if line.startswith(("from", "import")))
    found = subprocess.run([python, "-c", imports], check=False, capture_output=True)
    if found.returncode:
        return None

    def clean(files: dict[str, bytes]) -> dict[str, bytes | None]:
        with tempfile.TemporaryDirectory() as folder:
            source, out = _folders(Path(folder), files)
            command = [python, "-W", "ignore", "-c", script + _EACH_FILE, source, out]
            subprocess.run(command, check=False, capture_output=True, timeout=_AN_HOUR_S)
            return _read(out, files)

    return clean


def _gdcmanon(files: dict[str, bytes]) -> dict[str, bytes | None]:
    with tempfile.TemporaryDirectory() as folder:
        source, out = _folders(Path(folder), files)
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x"]
        subprocess.run(
            [*request, "-keyout", key, "-out", certificate], check=True, capture_output=True
        )
        seal = ["gdcmanon", "-e", "-c", certificate]
        for case in sorted({name.partition("-")[0] for name in files}):
            together, there = Path(folder, f"{case}-in"), Path(folder, f"{case}-out")
            together.mkdir()
            for path in source.glob(f"{case}-*"):
                (together / path.name).write_bytes(path.read_bytes())
            # Within one run it remembers UIDs; what stops a run is tried file by file.
            if not _ran([*seal, "-r", "--continue", "-i", together, "-o", there]):
                shutil.rmtree(there, ignore_errors=True)
                there.mkdir()
                for path in together.iterdir():
                    if not _ran([*seal, "-i", path, "-o", there / path.name]):
                        (there / path.name).unlink(missing_ok=True)
            for path in there.rglob("*.dcm"):
                shutil.copy(path, out / path.name)
        return _read(out, files)


def _ran(command: list[str | Path]) -> bool:
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_RUN_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return False
    return True


def _folders(folder: Path, files: dict[str, bytes]) -> tuple[Path, Path]:
    source, out = folder / "in", folder / "out"
    source.mkdir()
    out.mkdir()
    for name, content in files.items():
        (source / name).write_bytes(content)
    return source, out


def _read(out: Path, files: dict[str, bytes]) -> dict[str, bytes | None]:
    return {name: (out / name).read_bytes() if (out / name).is_file() else None for name in files}


def _person(content: bytes) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return str(dcmread(io.BytesIO(content)).get("PatientID", ""))
        except UNREADABLE:
            return ""


@cache
def _plan(person: str) -> PersonPlan:
    number = int.from_bytes(hashlib.sha256(person.encode()).digest()[:2])
    return PersonPlan(
        subject=f"{number}",
        patient_id=f"pseudo-{number}",
        patient_name=f"pseudo-{number}",
        shift_days=_SHIFT_DAYS - number % 100,
        uid_key=b"u" * 32,
        label_key=b"l" * 32,
    )
