"""A planted session, converted and de-identified: nothing of it reaches what other people see."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
import sessions
from pydicom import dcmread
from sessions.people import identifying_strings

from bidsanon.demo.person import MARA, clock

pytestmark = pytest.mark.slow


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A session that names the person in files' names, private blocks, pixels, text and codes."""
    folder = tmp_path / f"{MARA.family_name} {MARA.given_name} {MARA.patient_id}"
    named = sessions.bold_mosaic(folder / f"{MARA.family_name} bold {MARA.study_date}")
    for path in named:
        dataset = dcmread(path)
        dataset.SeriesDescription = f"ep2d_bold_rest {MARA.given_name} {MARA.study_date}"
        dataset.ProtocolName = f"ep2d_bold_rest_{MARA.family_name}"
        dataset.ImageType = [*dataset.ImageType, MARA.family_name.upper()]
        dataset.SequenceName = f"ep_{MARA.patient_id}"
        dataset.SoftwareVersions = f"E11 {MARA.given_name} {MARA.family_name}".upper()
        dataset.preamble = MARA.family_name.encode().ljust(128, b"\0")
        dataset.save_as(path, enforce_file_format=True)
    sessions.enhanced_mr_names_in_functional_groups(folder / "enhanced")
    sessions.burned_in_capture(folder / "screen")
    sessions.structured_report(folder / f"{MARA.given_name}_report")
    truncated = sessions.dwi_mosaic(folder / "dwi")[0]
    (folder / f"{MARA.given_name}.dcm").write_bytes(truncated.read_bytes()[:3000])
    (folder / f"{MARA.family_name}.txt").write_text(MARA.family_name)
    return folder


def run(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "bidsanon", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True)


def said_in(content: bytes, *, times_stay: bool = False) -> list[str]:
    if content.startswith(b"\x1f\x8b"):
        content += gzip.decompress(content)
    time = clock(MARA.study_time_s)[:6]
    needles = [text for text in identifying_strings(MARA) if not (times_stay and text == time)]
    return [text for text in needles if text.lower().encode() in content.lower()]


def leaks(root: Path, *, times_stay: bool = False) -> dict[str, list[str]]:
    """List what is said in the names and bytes below a folder, but for what is in quarantine."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        said = said_in(name.encode())
        if path.is_file() and "quarantine" not in path.parts:
            said += said_in(path.read_bytes(), times_stay=times_stay)
        if said:
            found[name] = said
    return found


def test_convert_lets_nothing_out_but_into_quarantine(source: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "out" / "study"
    done = run("convert", source, "-o", dataset, "-s", "01", "--withhold")
    assert done.returncode == 0, done.stderr.decode()
    assert list(dataset.rglob("*_bold.nii.gz"))
    assert said_in(done.stdout + done.stderr) == []
    assert leaks(dataset.parent) == {}
    assert list((dataset.with_name("study.private") / "quarantine").rglob("*.dcm"))


def test_convert_says_nothing_where_a_gate_refuses(source: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "out" / "study"
    done = run("convert", source, "-o", dataset, "-s", "01", "--json")
    assert done.returncode == 4
    assert said_in(done.stdout + done.stderr) == []
    assert leaks(dataset.parent) == {}


def test_deidentify_lets_nothing_out_but_into_quarantine(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "clean"
    done = run("deidentify", source, out)
    assert said_in(done.stdout + done.stderr) == []
    assert leaks(out.parent, times_stay=True) == {}
    assert list(out.rglob("*.dcm"))
