"""Where files come from: folders, links, archives, media, compressed members."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import sessions
from instances import Read, Write

from bidsanon.errors import MissingToolError, SourceError
from bidsanon.source import archive as archives
from bidsanon.source.medium import references


@pytest.mark.parametrize("kind", ["zip", "tar", "gztar", "xztar"])
def test_an_archive_gives_what_its_folder_gives(tmp_path: Path, read: Read, kind: str) -> None:
    folder = tmp_path / "source"
    sessions.siemens_t1w(folder)
    packed = sessions.archive(folder, kind=kind)
    from_folder, from_archive = read(folder), read(packed)
    assert [[i.sop_instance_uid for i in s.instances] for s in from_archive.series] == [
        [i.sop_instance_uid for i in s.instances] for s in from_folder.series
    ]
    assert all(root.is_relative_to(tmp_path / "private") for root in from_archive.roots)
    assert packed.name in from_archive.given


def test_what_is_unpacked_is_private(tmp_path: Path, read: Read) -> None:
    folder = tmp_path / "source"
    sessions.siemens_t1w(folder)
    for path in read(sessions.archive(folder)).roots[0].rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)


def test_several_sources_are_one_session(write: Write, read: Read) -> None:
    first = write("one/a")
    second = write("two/b", SeriesInstanceUID="1.2.3.4")
    session = read(first.parent, second)
    assert len(session.series) == 2
    assert len(session.roots) == 2


def test_a_file_given_twice_is_taken_once(tmp_path: Path, write: Write, read: Read) -> None:
    image = write("one/a")
    (tmp_path / "source" / "two").mkdir()
    (tmp_path / "source" / "two" / "link").symlink_to(image)
    session = read(image.parent, image, tmp_path / "source")
    assert sum(len(s.instances) for s in session.series) == 1
    assert session.quarantine == ()


def test_links_are_followed_and_loops_end(tmp_path: Path, write: Write, read: Read) -> None:
    image = write("a")
    elsewhere = tmp_path / "annex" / "object"
    elsewhere.parent.mkdir()
    image.rename(elsewhere)
    image.symlink_to(elsewhere)
    (tmp_path / "source" / "again").symlink_to(tmp_path / "source", target_is_directory=True)
    assert [i.path.name for s in read().series for i in s.instances] == ["a"]


def test_names_below_the_sources_are_given_and_those_above_are_not(
    tmp_path: Path, write: Write, read: Read
) -> None:
    write("Quist_Mara/T1/0001.MRDC.7")
    given = set(read(tmp_path / "source" / "Quist_Mara").given)
    assert given == {"Quist_Mara", "T1", "0001.MRDC.7", "0001.MRDC", "0001"}


def test_compressed_members_of_a_folder_are_unpacked(
    tmp_path: Path, write: Write, read: Read
) -> None:
    image = write("a.dcm")
    packed = image.with_name("b.dcm.gz")
    packed.write_bytes(gzip.compress(write("b.dcm", InstanceNumber=2).read_bytes()))
    (tmp_path / "source" / "b.dcm").unlink()
    session = read()
    names = [i.path.name for s in session.series for i in s.instances]
    assert names == ["a.dcm", "b.dcm"]
    assert not (tmp_path / "source" / "b.dcm").exists()
    assert session.findings == ()


def test_a_damaged_compressed_member_is_an_error(write: Write, read: Read) -> None:
    write("a.dcm")
    other = write("b.dcm")
    content = gzip.compress(other.read_bytes() * 40)
    other.rename(other.with_name("b.dcm.gz")).write_bytes(content[: len(content) // 2])
    assert {f.code for f in read().findings} == {"UNREADABLE_FILES"}


def test_one_compressed_file_can_be_a_source(write: Write, read: Read) -> None:
    image = write("a.dcm")
    packed = image.with_name("a.dcm.gz")
    packed.write_bytes(gzip.compress(image.read_bytes()))
    assert len(read(packed).series) == 1


def test_archives_inside_folders_are_said_and_not_opened(
    tmp_path: Path, write: Write, read: Read
) -> None:
    write("a.dcm")
    with zipfile.ZipFile(tmp_path / "source" / "old.zip", "w") as packed:
        packed.writestr("b.dcm", b"")
    with tarfile.open(tmp_path / "source" / "old.tgz", "w:gz") as packed_too:
        packed_too.add(tmp_path / "source" / "a.dcm", "a.dcm")
    session = read()
    assert [(f.code, f.message[:9]) for f in session.findings] == [("ARCHIVES_INSIDE", "2 archive")]
    assert session.other_files == 2


def test_a_medium_gives_what_it_references(tmp_path: Path, read: Read) -> None:
    sessions.dicomdir_medium(tmp_path / "medium")
    directory = next((tmp_path / "medium").rglob("DICOMDIR"))
    session = read(directory)
    assert session.series
    assert [f.reason.value for f in session.quarantine] == ["dicomdir"]
    assert {p.name for p in references(directory).found} == {
        i.path.name for s in session.series for i in s.instances
    }


def test_a_medium_without_its_files_is_a_warning(tmp_path: Path, read: Read) -> None:
    sessions.dicomdir_medium(tmp_path / "medium")
    directory = next((tmp_path / "medium").rglob("DICOMDIR"))
    references(directory).found[0].unlink()
    assert {f.code for f in read(directory).findings} >= {"DANGLING_REFERENCES"}


def test_a_directory_of_nothing_is_no_source(tmp_path: Path, read: Read) -> None:
    sessions.dicomdir_only(tmp_path / "medium")
    with pytest.raises(SourceError):
        read(tmp_path / "medium")


def test_a_reference_does_not_leave_the_medium(tmp_path: Path, write: Write) -> None:
    outside = write("a.dcm")
    sessions.dicomdir_medium(tmp_path / "medium")
    directory = next((tmp_path / "medium").rglob("DICOMDIR"))
    first = references(directory).found[0].relative_to(directory.parent)
    written = "\\".join(first.parts).encode()
    astray = f"..\\{outside.parent.name}\\a.dcm".encode()
    content = directory.read_bytes()
    assert written in content
    padded = astray[: len(written)].ljust(len(written))
    directory.write_bytes(content.replace(written, padded))
    assert references(directory).dangling >= 1
    assert outside not in references(directory).found


def _tar(path: Path, **changes: object) -> Path:
    with tarfile.open(path, "w") as packed:
        member = tarfile.TarInfo("a.dcm")
        member.size = 4
        for name, value in changes.items():
            setattr(member, name, value)
        packed.addfile(member, io.BytesIO(b"DICM" if member.isreg() else b""))
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../outside.dcm"},
        {"name": "/srv/outside.dcm"},
        {"name": "a/../../outside.dcm"},
        {"name": "..\\outside.dcm"},
        {"name": "C:\\outside.dcm"},
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0},
        {"type": tarfile.SYMTYPE, "linkname": "../../etc/passwd", "size": 0},
        {"type": tarfile.LNKTYPE, "linkname": "../passwd", "size": 0},
        {"type": tarfile.CHRTYPE, "size": 0},
        {"type": tarfile.FIFOTYPE, "size": 0},
    ],
)
def test_an_archive_that_leads_elsewhere_is_refused(
    tmp_path: Path, read: Read, changes: dict[str, object]
) -> None:
    with pytest.raises(SourceError, match="lead outside"):
        read(_tar(tmp_path / "bad.tar", **changes))
    assert not list(tmp_path.rglob("outside.dcm"))


def test_a_zip_that_leads_elsewhere_is_refused(tmp_path: Path, read: Read) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as packed:
        packed.writestr("../outside.dcm", b"DICM")
    with pytest.raises(SourceError, match="lead outside"):
        read(tmp_path / "bad.zip")


def test_a_link_to_another_member_is_harmless(tmp_path: Path, write: Write, read: Read) -> None:
    image = write("a.dcm")
    packed = tmp_path / "linked.tar"
    with tarfile.open(packed, "w") as tar:
        tar.add(image, "t1/a.dcm")
        link = tarfile.TarInfo("latest/a.dcm")
        link.type, link.linkname = tarfile.SYMTYPE, "../t1/a.dcm"
        tar.addfile(link)
    assert sum(len(s.instances) for s in read(packed).series) == 1


def test_members_of_one_name_are_all_unpacked(tmp_path: Path, write: Write, read: Read) -> None:
    packed = tmp_path / "twice.tar"
    with tarfile.open(packed, "w") as tar:
        for number in (1, 2):
            tar.add(write(f"{number}.dcm", InstanceNumber=number), "image.dcm")
    assert sum(len(s.instances) for s in read(packed).series) == 2


def test_a_decompression_bomb_is_refused(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_HARMLESS_SIZE", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.dcm", bytes(8 << 20))
    with pytest.raises(SourceError, match="unpacks to more"):
        read(tmp_path / "bomb.zip")


def test_an_archive_of_too_many_members_is_refused(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_MOST_MEMBERS", 3)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as packed:
        for number in range(4):
            packed.writestr(f"{number}.dcm", b"")
    with pytest.raises(SourceError, match="more than 3 members"):
        read(tmp_path / "many.zip")


@pytest.mark.parametrize("kind", ["zip", "gztar", "xztar"])
def test_a_damaged_archive_is_said_to_be_damaged(tmp_path: Path, read: Read, kind: str) -> None:
    folder = tmp_path / "source"
    sessions.siemens_t1w(folder)
    packed = sessions.archive(folder, kind=kind)
    content = packed.read_bytes()
    packed.write_bytes(content[: len(content) // 2])
    with pytest.raises(SourceError, match="SOURCE number 1 is an archive that is damaged"):
        read(packed)


def test_an_encrypted_archive_is_said_to_be_encrypted(tmp_path: Path, read: Read) -> None:
    packed = tmp_path / "locked.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.dcm", b"DICM")
    content = bytearray(packed.read_bytes())
    content[6] |= 1
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    packed.write_bytes(content)
    with pytest.raises(SourceError, match="SOURCE number 1 is encrypted"):
        read(packed)


def test_zstandard_without_a_decompressor_is_a_missing_tool(
    tmp_path: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(name: str) -> object:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr("importlib.import_module", nothing)
    packed = tmp_path / "session.tar.zst"
    packed.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(300))
    with pytest.raises(MissingToolError, match="Zstandard"):
        read(packed)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_would_fill_the_memory_is_not_read(
    tmp_path: Path, read: Read, kind: bytes
) -> None:
    header = tarfile.TarInfo("a.dcm")
    header.type, header.size = kind, 64 << 20
    member = tarfile.TarInfo("b.dcm")
    with gzip.open(tmp_path / "long.tar.gz", "wb", compresslevel=1) as packed:
        packed.write(header.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(64):
            packed.write(bytes(1 << 20))
        packed.write(member.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    tracemalloc.start()
    with pytest.raises(SourceError, match="damaged"):
        read(tmp_path / "long.tar.gz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_long_name_is_unpacked(tmp_path: Path, write: Write, read: Read) -> None:
    image = write("image.dcm")
    name = "/".join(["a" * 90] * 4) + "/image.dcm"
    with tarfile.open(tmp_path / "long.tar", "w", format=tarfile.PAX_FORMAT) as packed:
        packed.add(image, arcname=name)
    (series,) = read(tmp_path / "long.tar").series
    assert series.instances[0].path.as_posix().endswith(name)
