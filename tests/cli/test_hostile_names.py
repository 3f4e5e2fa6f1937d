"""Names of files that forge lines or steer a terminal: what is printed stays one line, and text."""

from __future__ import annotations

from pathlib import Path

import pytest
from foreign import foreign_dataset

from bidsanon.cli import cli
from bidsanon.cli.outcome import run

FORGED = "a\nerror: no file can be read"
NAMES = (f"{FORGED}.json", "\x1b]0;title\x07.json", "\N{RIGHT-TO-LEFT OVERRIDE}nosj.json")


@pytest.mark.parametrize(
    "command",
    [
        ["scrub", "DATASET", "--dry-run"],
        ["validate", "DATASET"],
        ["export", "DATASET", "out.zip"],
        ["report", "DATASET", "-o", "pages"],
        ["deface", "DATASET", "--check-only"],
    ],
    ids=lambda command: command[0],
)
def test_no_name_begins_a_line_or_steers_a_terminal(
    command: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = foreign_dataset(tmp_path / "ds")
    for name in NAMES:
        (dataset / "sub-01/func" / name).write_text('{"PatientID": "4711081"}')
    image = dataset / "sub-01/func/sub-01_task-rest_bold.nii.gz"
    image.rename(image.with_name(f"{FORGED}_bold.nii.gz"))
    head = dataset / "sub-01/anat/sub-01_T1w.nii"
    head.unlink()
    head.with_name(f"{FORGED}_T1w.nii").write_bytes(b"no image")
    monkeypatch.chdir(tmp_path)

    run(cli, [part.replace("DATASET", str(dataset)) for part in command])

    said = capsys.readouterr()
    printed = said.out + said.err
    assert not [c for c in printed if not (c.isprintable() or c == "\n")]
    assert not [line for line in printed.split("\n") if line.startswith("error: no file")]
