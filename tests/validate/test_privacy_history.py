"""What the history of a dataset keeps of files that are gone, or stood otherwise."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from privacy_trees import findings_of, raw_dataset, write, write_json

from bidsanon.external import GIT, find_program
from bidsanon.validate import privacy_history
from bidsanon.validate.privacy import check_privacy

NAME = "Quillfeather"
SIDECAR = "sub-01/anat/sub-01_T1w.json"
IMAGE = "sub-01/anat/sub-01_T1w.nii.gz"

pytestmark = pytest.mark.skipif(find_program(GIT) is None, reason="git is not installed")


def git(root: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    command = [str(find_program(GIT)), *settings, "-C", str(root), *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A clean dataset with a repository that holds it as it is."""
    root = raw_dataset(tmp_path / "ds", whole=False)
    git(root, "init")
    commit(root)
    return root


def commit(root: Path) -> None:
    git(root, "add", "--all", "--force")
    git(root, "commit", "--allow-empty", "-m", "as it is")


def found(root: Path) -> dict[str, list[str]]:
    codes = dict(findings_of(check_privacy(root)))
    assert codes.pop("PRIVACY_HISTORY") == [".git"]
    return codes


def messages(root: Path) -> list[str]:
    return [f.message for f in check_privacy(root) if f.code.startswith("PRIVACY_HISTORY_")]


def test_a_history_of_the_files_as_they_are_is_no_fault(dataset: Path) -> None:
    assert found(dataset) == {}


def test_a_file_that_changed_without_telling_anything_is_no_fault(dataset: Path) -> None:
    write_json(dataset, SIDECAR, {"EchoTime": 0.004})
    write(dataset, "README", "Another text.\n")
    write(dataset, ".datalad/config", "[a]\n")
    commit(dataset)
    write(dataset, ".datalad/config", "[b]\n")
    commit(dataset)
    codes = dict(findings_of(check_privacy(dataset)))
    assert set(codes) == {"PRIVACY_HISTORY"}


def scrubbed(root: Path) -> None:
    write_json(root, SIDECAR, {"PatientName": NAME})
    commit(root)
    write_json(root, SIDECAR, {"EchoTime": 0.003})


def originals_removed(root: Path) -> None:
    write(root, "sourcedata/sub-01/a.dcm", b"DICM")
    write(root, "sourcedata/sub-01/a.xml", b"<a/>")
    write(root, ".heudiconv/01/info/dicominfo.tsv", "PatientID\n4711\n")
    write(root, "code/deident.map", "x")
    commit(root)
    git(root, "rm", "-r", "sourcedata", ".heudiconv", "code")
    commit(root)


def dates_removed(root: Path) -> None:
    write(root, "sub-01/sub-01_scans.tsv", "filename\tacq_time\na\t2019-05-17T08:00:00\n")
    commit(root)
    write(root, "sub-01/sub-01_scans.tsv", "filename\tacq_time\na\t1907-05-17T12:00:00\n")
    commit(root)


def elsewhere(root: Path) -> None:
    git(root, "checkout", "-b", "other")
    write_json(root, SIDECAR, {"PatientID": "4711"})
    commit(root)
    git(root, "checkout", "-")


def reset(root: Path) -> None:
    write_json(root, SIDECAR, {"PatientID": "4711"})
    commit(root)
    git(root, "reset", "--hard", "HEAD~1")


TEXTS = "JSON or tables with what identifies, in 1 former"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (scrubbed, [TEXTS]),
        (dates_removed, [TEXTS]),
        (elsewhere, [TEXTS]),
        (reset, [TEXTS]),
        (originals_removed, ["DICOM", "originals", "what other tools left", "keys, or lists"]),
    ],
)
def test_what_was_removed_or_changed_is_found(
    dataset: Path, spoil: Callable[[Path], None], said: list[str]
) -> None:
    spoil(dataset)
    assert found(dataset)["PRIVACY_HISTORY_HOLDS"] == [".git"] * len(said)
    told = messages(dataset)
    assert all(any(words in one and "in 1 former" in one for one in told) for words in said)
    assert not [one for one in check_privacy(dataset) if NAME in repr(one)]


def test_an_image_that_was_changed_since_is_named(dataset: Path) -> None:
    write(dataset, IMAGE, b"\x1f\x8b with a face")
    commit(dataset)
    write(dataset, IMAGE, b"\x1f\x8b defaced")
    commit(dataset)
    assert found(dataset)["PRIVACY_HISTORY_IMAGES"] == [".git"]


def test_a_file_that_was_renamed_is_no_fault(dataset: Path) -> None:
    write(dataset, IMAGE, b"\x1f\x8b of one")
    commit(dataset)
    git(dataset, "mv", IMAGE, IMAGE.replace("_T1w", "_run-1_T1w"))
    commit(dataset)
    assert messages(dataset) == []


def test_a_former_file_that_git_annex_keeps_is_looked_into(dataset: Path) -> None:
    key = "MD5E-s20--0123.json"
    write(dataset, f".git/annex/objects/aa/bb/{key}/{key}", json.dumps({"PatientName": NAME}))
    link = dataset / "sub-01/anat/sub-01_T2w.json"
    link.symlink_to(f"../../.git/annex/objects/aa/bb/{key}/{key}")
    commit(dataset)
    assert "PRIVACY_HISTORY_HOLDS" not in found(dataset)
    link.unlink()
    commit(dataset)
    assert found(dataset)["PRIVACY_HISTORY_HOLDS"] == [".git"]


def test_the_history_of_a_dataset_within_is_looked_through(dataset: Path) -> None:
    inner = dataset / "derivatives/a"
    write(inner, "sub-01/anat/sub-01_desc-x_mask.json", f'{{"PatientName": "{NAME}"}}')
    git(inner, "init")
    commit(inner)
    write(inner, "sub-01/anat/sub-01_desc-x_mask.json", '{"Type": "Brain"}')
    codes = dict(findings_of(check_privacy(dataset)))
    assert codes["PRIVACY_HISTORY"] == [".git", "derivatives/a/.git"]
    assert codes["PRIVACY_HISTORY_HOLDS"] == ["derivatives/a/.git"]


def test_a_history_that_cannot_be_read_is_named(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy_history, "_LONGEST_S", -10.0)
    assert found(dataset) == {"PRIVACY_HISTORY_NOT_READ": [".git"]}
    monkeypatch.undo()
    (dataset / ".git/HEAD").write_text("damaged")
    assert found(dataset) == {"PRIVACY_HISTORY_NOT_READ": [".git"]}
    monkeypatch.setattr(privacy_history, "find_program", lambda _: None)
    assert "git is not installed" in messages(dataset)[0]


def test_former_files_that_are_too_large_are_named(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy_history, "_LARGEST", 40)
    write_json(dataset, SIDECAR, {"a": "b" * 100})
    commit(dataset)
    write_json(dataset, SIDECAR, {})
    commit(dataset)
    assert found(dataset) == {"PRIVACY_HISTORY_NOT_READ": [".git"]}


def test_nothing_that_a_repository_configures_is_run(dataset: Path) -> None:
    told = dataset.parent / "told"
    script = dataset / ".git/told.sh"
    script.write_text(f"#!/bin/sh\ntouch {told}\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand"):
        git(dataset, "config", key, str(script))
    hook = dataset / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(script.read_text())
    hook.chmod(0o755)
    scrubbed_text = '{"EchoTime": 0.1}'
    write(dataset, SIDECAR, scrubbed_text)
    told.unlink(missing_ok=True)
    check_privacy(dataset)
    assert not told.exists()
