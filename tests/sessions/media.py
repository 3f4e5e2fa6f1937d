"""How sessions arrive: on a medium with a DICOMDIR, in an archive, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from pydicom.fileset import FileSet

from bidsanon.demo.person import MARA, Person
from sessions.siemens import siemens_t1w


def dicomdir_medium(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A medium: a DICOMDIR and the T1w that it lists, under names of eight characters."""
    medium = FileSet()
    medium.ID = "ALDWYN_CD"
    with tempfile.TemporaryDirectory() as elsewhere:
        for path in siemens_t1w(Path(elsewhere), person=person):
            medium.add(path)
        folder.mkdir(parents=True, exist_ok=True)
        medium.write(folder)
        # pydicom leaves its staging folder to the garbage collector, which complains of it.
        medium._stage["t"].cleanup()
    return sorted(path for path in folder.rglob("*") if path.is_file())


def dicomdir_only(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A DICOMDIR whose files were not copied with it."""
    paths = dicomdir_medium(folder, person=person)
    for path in paths:
        if path.name != "DICOMDIR":
            path.unlink()
    return [folder / "DICOMDIR"]


def archive(source: Path, *, kind: str = "zip") -> Path:
    """Pack a folder into an archive beside it: "zip", "tar", "gztar" or "xztar"."""
    packed = shutil.make_archive(
        str(source.with_name(f"{source.name}_packed")), kind, source.parent, source.name
    )
    return Path(packed)


def not_dicom(folder: Path) -> list[Path]:
    """Files that are no DICOM: a text, a picture's beginning, an empty file."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {"README.txt": b"exported by hand\n", "photo.jpg": b"\xff\xd8\xff\xe0", "empty": b""}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]
