"""An archive in a dataset: its JSON is cleaned, and it does not say who packed it."""

from __future__ import annotations

import bz2
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from bidsanon.scrub import stored_archives
from bidsanon.scrub.stored_archives import ArchiveError, ScrubbedArchive, scrub_stored_archive

MEMBERS = {"a/sub-01_T1w.json": b'{"PatientName": 1}', "a/b.nii": b"voxels" * 999}
CLEAN = {"a/sub-01_T1w.json": b"{}", "a/b.nii": MEMBERS["a/b.nii"]}


def _member(_: str, raw: bytes) -> bytes | None:
    return None if raw == b"{}" else b"{}"


def _zip(path: Path, members: dict[str, bytes], **options: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.comment = options.get("comment", "").encode()
        for name, content in members.items():
            packed.writestr(name, content)


def _tar(path: Path, members: dict[str, bytes], *, mode: str = "w:gz") -> None:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.uname, info.mtime = len(content), "mdoe", 1_500_000_000
            tar.addfile(info, io.BytesIO(content))


def _held(path: Path) -> dict[str, bytes]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as packed:
            return {n: packed.read(n) for n in packed.namelist() if not n.endswith("/")}
    with tarfile.open(path) as tar:
        return {i.name: tar.extractfile(i).read() for i in tar if i.isfile()}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "x.tgz"])
def test_the_json_is_cleaned_and_the_rest_copied(tmp_path: Path, name: str) -> None:
    source, target = tmp_path / name, tmp_path / f"out-{name}"
    (_zip if name == "x.zip" else _tar)(source, MEMBERS)

    found = scrub_stored_archive(source, target, _member)

    assert found == ScrubbedArchive(members=1, packer_told=True, not_cleaned=1)
    assert _held(target) == CLEAN
    again = scrub_stored_archive(target, None, _member)
    assert (again.words, again.not_cleaned) == ((), 1)
    if name != "x.zip":
        with tarfile.open(target) as tar:
            assert {(i.uname, i.mtime) for i in tar} == {("", 0)}


def test_nothing_is_written_where_nothing_changes(tmp_path: Path) -> None:
    _zip(tmp_path / "a.zip", CLEAN)
    scrub_stored_archive(tmp_path / "a.zip", tmp_path / "b.zip", _member)
    scrub_stored_archive(tmp_path / "b.zip", tmp_path / "c.zip", _member)
    assert not (tmp_path / "c.zip").exists()


def test_a_comment_of_an_archive_goes(tmp_path: Path) -> None:
    _zip(tmp_path / "a.zip", CLEAN, comment="packed by Mara")
    scrub_stored_archive(tmp_path / "a.zip", tmp_path / "b.zip", _member)
    assert b"Mara" not in (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("mode", ["w", "w:xz", "w:bz2"])
def test_a_form_that_is_only_read_is_refused_where_it_would_change(
    tmp_path: Path, mode: str
) -> None:
    path = tmp_path / f"x.tar{mode[1:].replace(':', '.')}"
    _tar(path, MEMBERS, mode=mode)
    with pytest.raises(ArchiveError, match="only"):
        scrub_stored_archive(path, tmp_path / "out", _member)


def _bomb(path: Path) -> None:
    _zip(path, {f"{number}.bin": bytes(1 << 20) for number in range(3)})


def _linking(path: Path) -> None:
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo("a.json")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)


def _encrypted(path: Path) -> None:
    _zip(path, MEMBERS)
    raw = bytearray(path.read_bytes())
    place = raw.index(b"PK\x01\x02")
    raw[place + 8] |= 1
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("x.zip", lambda path: path.write_bytes(b"PK\x03\x04"), "damaged"),
        ("x.zip", lambda path: path.write_bytes(b""), "damaged"),
        ("x.tar.gz", lambda path: path.write_bytes(b"\x1f\x8b\x08" + bytes(9)), "damaged"),
        ("x.tar.bz2", lambda path: path.write_bytes(bz2.compress(b"no tar")), "damaged"),
        ("x.zip", _bomb, "far more"),
        ("x.tar.gz", _linking, "links"),
        ("x.zip", _encrypted, "encrypted"),
        ("x.zip", lambda path: _zip(path, {"a.json": bytes(2 << 10)}), "larger than"),
    ],
)
def test_what_cannot_be_cleaned_is_refused(
    tmp_path: Path, name: str, make: object, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_archives, "_HARMLESS_BYTES", 1 << 20)
    monkeypatch.setattr(stored_archives, "LARGEST_JSON", 1 << 10)
    make(tmp_path / name)  # type: ignore[operator]
    with pytest.raises(ArchiveError, match=words):
        scrub_stored_archive(tmp_path / name, tmp_path / "out", _member)
