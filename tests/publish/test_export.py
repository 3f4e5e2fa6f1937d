"""An archive holds just what would be shared, the same bytes every time, or does not appear."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsanon.errors import ConflictError, StorageError, UsageError
from bidsanon.publish import (
    Exported,
    Packing,
    export_archive,
    packing_of_out,
    publishing_folder,
    select_files,
)
from bidsanon.publish import export as module

FILES = {
    "dataset_description.json": "{}",
    ".bidsignore": "*.txt\n",
    "README": "nobody\n",
    "sub-01/anat/sub-01_T1w.nii.gz": "\x1f\x8b" + "voxels" * 1000,
    "sub-01/anat/sub-01_T1w.json": "{}",
    "sourcedata/notes.tsv": "a\tb\n",
    "derivatives/x/y.json": "{}",
    "code/run.sh": "true\n",
}
HIDDEN = {
    ".git/config": "[core]",
    ".DS_Store": "x",
    ".heudiconv/01/info.txt": "x",
    "sub-01/.DS_Store": "x",
    "code/.git/HEAD": "x",
    "sub-01/anat/._sub-01_T1w.json": "x",
    "sub-01/.bidsignore": "x",
}


def a_dataset(folder: Path, files: dict[str, str] = FILES) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("latin-1"))
    return folder


def pack(dataset: Path, out: Path, *, overwrite: bool = False, jobs: int = 1) -> Exported:
    return export_archive(
        select_files(dataset),
        out=out,
        packing=packing_of_out(out)[0],
        overwrite=overwrite,
        jobs=jobs,
        packed=lambda: None,
    )


def contents(archive: Path) -> dict[str, bytes]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            assert packed.testzip() is None
            return {n: packed.read(n) for n in packed.namelist() if not n.endswith("/")}
    with tarfile.open(archive) as packed:
        files = [member for member in packed.getmembers() if not member.isdir()]
        assert all(member.isfile() for member in files)
        streams = {member.name: packed.extractfile(member) for member in files}
        return {name: stream.read() for name, stream in streams.items() if stream}


@pytest.mark.parametrize("name", ["out.zip", "out.tar.gz"])
def test_everything_goes_but_what_is_hidden(tmp_path: Path, name: str) -> None:
    dataset = a_dataset(tmp_path / "study", FILES | HIDDEN)
    pack(dataset, tmp_path / name)
    packed = contents(tmp_path / name)
    manifest = packed.pop("manifest-sha256.txt").decode()
    assert packed == {f"dataset/{n}": text.encode("latin-1") for n, text in FILES.items()}
    assert dict(reversed(line.split("  ", 1)) for line in manifest.splitlines()) == {
        n: hashlib.sha256(content).hexdigest() for n, content in packed.items()
    }


def modes(archive: Path) -> dict[str, int]:
    """Return the permissions of each file in an archive, by its name in the dataset."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            found = {one.filename: one.external_attr >> 16 & 0o777 for one in packed.infolist()}
    else:
        with tarfile.open(archive) as packed:
            found = {one.name: one.mode for one in packed.getmembers() if one.isfile()}
    return {n.removeprefix("dataset/"): mode for n, mode in found.items() if not n.endswith("/")}


@pytest.mark.parametrize("name", ["out.zip", "out.tar.gz"])
def test_what_can_be_run_in_folders_of_code_can_be_run_when_unpacked(
    tmp_path: Path, name: str
) -> None:
    programs = {"code/run.sh", "code/deep/tool", "derivatives/x/code/run.py", "code/link"}
    plain = {"code/data.txt", "code.sh", "stimuli/run.sh"}
    dataset = a_dataset(tmp_path / "study", FILES | dict.fromkeys((programs | plain), "true\n"))
    (dataset / "code/link").unlink()
    (dataset / "code/link").symlink_to("run.sh")
    for path in dataset.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o600)
    for one in (*programs, "code.sh", "stimuli/run.sh", "sub-01/anat/sub-01_T1w.nii.gz"):
        (dataset / one).chmod(0o700)
    digest = pack(dataset, tmp_path / name).digest
    packed = modes(tmp_path / name)
    assert {one for one, mode in packed.items() if mode == 0o755} == programs
    assert {mode for one, mode in packed.items() if one not in programs} == {0o644}
    (dataset / "code/run.sh").chmod(0o777)
    (dataset / "README").chmod(0o666)
    assert pack(dataset, tmp_path / name, overwrite=True).digest == digest
    (dataset / "code/run.sh").chmod(0o644)
    assert pack(dataset, tmp_path / name, overwrite=True).digest != digest


def test_others_can_read_the_archive_whatever_is_usual_here(tmp_path: Path) -> None:
    usual = os.umask(0o077)
    try:
        pack(a_dataset(tmp_path / "study"), tmp_path / "out.zip")
    finally:
        os.umask(usual)
    assert (tmp_path / "out.zip").stat().st_mode & 0o777 == 0o644


def test_what_is_left_out_is_named_each_folder_once(tmp_path: Path) -> None:
    selection = select_files(a_dataset(tmp_path / "study", FILES | HIDDEN))
    assert selection.left_out == (
        ".DS_Store",
        ".git/",
        ".heudiconv/",
        "code/.git/",
        "sub-01/.DS_Store",
        "sub-01/.bidsignore",
        "sub-01/anat/._sub-01_T1w.json",
    )
    assert selection.findings == ()
    assert selection.size == sum(len(text.encode("latin-1")) for text in FILES.values())


def test_the_manifest_is_one_that_sha256sum_checks(tmp_path: Path) -> None:
    files = FILES | {"code/two words %0A é.txt": "x"}
    pack(a_dataset(tmp_path / "study", files), tmp_path / "out.tar.gz")
    (tmp_path / "unpacked").mkdir()
    unpack = ["/usr/bin/env", "tar", "-xzf", "../out.tar.gz"]
    subprocess.run(unpack, cwd=tmp_path / "unpacked", check=True)
    command = ["/usr/bin/env", "sha256sum", "--strict", "-c", "manifest-sha256.txt"]
    subprocess.run(command, cwd=tmp_path / "unpacked", check=True, capture_output=True)
    damaged = tmp_path / "unpacked" / "dataset" / "README"
    damaged.write_text("somebody\n")
    again = subprocess.run(command, cwd=tmp_path / "unpacked", check=False, capture_output=True)
    assert again.returncode == 1


@pytest.mark.parametrize("name", ["out.zip", "out.tgz"])
def test_the_same_dataset_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    first = a_dataset(tmp_path / "one")
    second = a_dataset(tmp_path / "another name", dict(reversed(FILES.items())) | HIDDEN)
    for path in second.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o600 if path.match("code/*") and path.is_file() else 0o755)
    (second / "empty").mkdir()
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    exported = pack(first, tmp_path / "x" / name)
    assert pack(second, tmp_path / "y" / name, jobs=3) == exported
    written = (tmp_path / "x" / name).read_bytes()
    assert (tmp_path / "y" / name).read_bytes() == written
    assert hashlib.sha256(written).hexdigest() == exported.digest
    assert len(written) == exported.size


def test_the_manifest_is_the_same_in_either_archive(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path / "study")
    first, second = pack(dataset, tmp_path / "a.zip"), pack(dataset, tmp_path / "a.tgz")
    assert first.manifest_digest == second.manifest_digest
    manifest = contents(tmp_path / "a.zip")["manifest-sha256.txt"]
    assert hashlib.sha256(manifest).hexdigest() == first.manifest_digest


@settings(max_examples=15)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,2}[.-]?[0-9é]{0,2}", fullmatch=True), st.binary()))
def test_what_is_packed_comes_out_as_it_was(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, content in files.items():
            (folder / "d" / name).mkdir(parents=True)
            (folder / "d" / name / "file").write_bytes(content)
        (folder / "d").mkdir(exist_ok=True)
        for out in (folder / "o.zip", folder / "o.tar.gz"):
            pack(folder / "d", out)
            packed = contents(out)
            del packed["manifest-sha256.txt"]
            assert packed == {f"dataset/{name}/file": text for name, text in files.items()}


def test_a_link_within_the_dataset_becomes_the_file_it_leads_to(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path / "study", FILES | {".git/annex/objects/k": "annexed"})
    link = dataset / "sub-01" / "anat" / "sub-01_T2w.nii.gz"
    link.symlink_to("../../.git/annex/objects/k")
    pack(dataset, tmp_path / "out.tar.gz")
    assert contents(tmp_path / "out.tar.gz")["dataset/sub-01/anat/sub-01_T2w.nii.gz"] == b"annexed"


def test_what_cannot_be_read_or_unpacked_everywhere_is_an_error(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path / "study")
    (tmp_path / "elsewhere").write_text("secret")
    (dataset / "out").symlink_to("../elsewhere")
    (dataset / "broken").symlink_to("nowhere")
    (dataset / "loop").symlink_to("loop")
    (dataset / "folder").symlink_to("code")
    (dataset / ".hidden").symlink_to("../elsewhere")
    os.mkfifo(dataset / "pipe")
    (dataset / "two\nlines").write_text("x")
    (dataset / "back\\slash").write_text("x")
    (dataset / os.fsdecode(b"latin-\xe9")).write_text("x")
    findings = select_files(dataset).findings
    assert {(found.code, found.location) for found in findings} == {
        *(("FILE_UNREADABLE", n) for n in ("out", "broken", "loop", "folder", "pipe")),
        ("FILE_UNREADABLE", "latin-\N{REPLACEMENT CHARACTER}"),
        ("EXPORT_NAME_NOT_PORTABLE", "two\\nlines"),
        ("EXPORT_NAME_NOT_PORTABLE", "back\\\\slash"),
    }
    assert {found.severity for found in findings} == {"error"}


def test_what_stands_at_out_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path / "study")
    out = tmp_path / "out.zip"
    out.write_text("mine")
    with pytest.raises(ConflictError, match="exists"):
        pack(dataset, out)
    assert out.read_text() == "mine"
    pack(dataset, out, overwrite=True)
    assert zipfile.is_zipfile(out)
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(UsageError, match="no file"):
        pack(dataset, tmp_path / "folder.zip", overwrite=True)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("change", ["grows", "shrinks", "another", "goes"])
@pytest.mark.parametrize("name", ["out.zip", "out.tar.gz"])
def test_a_dataset_that_changes_meanwhile_is_not_packed(
    tmp_path: Path, name: str, change: str
) -> None:
    dataset = a_dataset(tmp_path / "study")
    selection = select_files(dataset)
    path = dataset / "sub-01" / "anat" / "sub-01_T1w.json"
    texts = {"grows": "{        }", "shrinks": "{", "another": "[]"}
    path.write_text(texts[change]) if change != "goes" else path.unlink()
    with pytest.raises((ConflictError, StorageError), match=r"changed|grew or shrank|any more"):
        export_archive(
            selection,
            out=tmp_path / name,
            packing=packing_of_out(tmp_path / name)[0],
            overwrite=False,
            packed=lambda: None,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


def test_only_one_process_writes_an_out(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path / "study")
    out = tmp_path / "out.zip"
    with module.out_lock(out), pytest.raises(ConflictError, match="another process"):
        pack(dataset, out)
    pack(dataset, out)


def test_a_kill_leaves_what_was_there_and_the_next_run_cleans_up(tmp_path: Path) -> None:
    dataset = a_dataset(tmp_path / "study")
    out = tmp_path / "out.tar.gz"
    out.write_text("old")
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from bidsanon.publish import Packing, export_archive, select_files\n"
        "calls = []\n"
        "def packed():\n"
        "    calls.append(1)\n"
        "    if len(calls) == 3: os.kill(os.getpid(), 9)\n"
        "export_archive(select_files(Path(sys.argv[1])), out=Path(sys.argv[2]),\n"
        "    packing=Packing.TAR_GZ, overwrite=True, packed=packed)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, dataset, out], check=False)
    assert killed.returncode == -9
    assert out.read_text() == "old"
    assert (publishing_folder(out) / "change" / "new").exists()
    pack(dataset, out, overwrite=True)
    assert "dataset/README" in contents(out)
    assert not publishing_folder(out).exists()


def test_the_kinds_of_archive_that_are_written_have_a_packing() -> None:
    assert {packing_of_out(Path(f"o{s}"))[0] for s in (".zip", ".tgz", ".tar.gz")} == {
        Packing.ZIP,
        Packing.TAR_GZ,
    }
