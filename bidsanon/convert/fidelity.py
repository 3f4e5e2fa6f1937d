"""The fidelity check: dcm2niix says the same of the originals and of the de-identified copies.

Stripping one private tag too many corrupts images in silence: b-values become zero, a mosaic is
cut into the wrong number of slices, slice times vanish, and dcm2niix exits with 0. So both sides of
every series are converted, and compared: the images bit for bit, the gradient tables, and every
sidecar key but those in ``data/fidelity_exempt.tsv``, each with the reason why it may differ, and
those that come from an attribute out of which a name was cut.

What is made of the originals is identified. It lies in the private folder while it is compared.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import signal
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bidsanon.convert.acquisition import join_series
from bidsanon.convert.job import Acquisition
from bidsanon.convert.plan import series_place
from bidsanon.convert.room import require_room
from bidsanon.errors import ToolFailedError
from bidsanon.external import DCM2NIIX, require_program, run_program
from bidsanon.files import fresh_folder, remove_tree
from bidsanon.findings import Finding, finding
from bidsanon.notes import Note, NoteReason
from bidsanon.progress import Progress
from bidsanon.resources import data_path
from bidsanon.session import ConvertedImage, DeidentifiedSession

NOT_COMPARED = "FIDELITY_NOT_COMPARED"
_TIMEOUT_S = 600.0
_TIMEOUT_PER_FILE_S = 0.2
_KILLED = (-signal.SIGKILL, -signal.SIGTERM)
_CHUNK = 1 << 20
_HEADER_SIZE = 348
_VOXELS_AT = 108
_FREE_TEXT = ((14, 32), (148, 228), (228, 252), (328, 344))
"""Bytes of the NIfTI header that hold texts: db_name, descrip, aux_file, intent_name."""
_PARTS_OF_HEADER = {
    "shape": ((40, 56),),
    "data type": ((70, 74),),
    "voxel size or repetition time": ((76, 108),),
    "scaling": ((112, 120),),
    "phase encoding or slice order": ((39, 40), (74, 76), (120, 123), (132, 136)),
    "position": ((252, 328),),
}
_KEYS_OF_WORDS = {
    "(0008,0008)": ("ImageType", "ImageTypeText"),
    "(0008,9007)": ("ImageType",),
    "(0018,0022)": ("ScanOptions",),
    "(0018,0024)": ("SequenceName",),
    "(0018,1020)": ("SoftwareVersions",),
    "(0018,1250)": ("ReceiveCoilName",),
    "(0018,1251)": ("TransmitCoilName",),
    "(0018,9005)": ("PulseSequenceName", "SequenceName"),
    "(0008,1090)": ("ManufacturersModelName",),
}
"""What dcm2niix makes of attributes whose words stay unless they name somebody."""
_OVERLAY = re.compile(r"_ROI\d+$")
_COMMAND = (
    "-b", "y", "-ba", "n", "-z", "n", "-x", "n", "-t", "n", "-m", "n", "-w", "2", "-f", "image",
)  # fmt: skip
"""As heudiconv runs it, but with all that the sidecar can say, and without compression."""


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """What the check found, and of which series it can speak.

    Attributes
    ----------
    findings
        Where originals and copies differ, and which series could not be compared.
    compared
        The indices of the series of which images were compared.
    """

    findings: tuple[Finding, ...]
    compared: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Converted:
    """What dcm2niix made of one folder of DICOM.

    Attributes
    ----------
    folder
        Where it lies.
    status
        dcm2niix's exit status: 1 where it made nothing, 8 where it made a part.
    """

    folder: Path
    status: int

    def names(self) -> tuple[str, ...]:
        """Return what its images are called, without extension."""
        return tuple(sorted(path.stem for path in self.folder.glob("*.nii")))


def check_fidelity(
    deidentified: DeidentifiedSession, *, work: Path, jobs: int, progress: Progress
) -> Fidelity:
    """Convert originals and copies of each series, and say where they differ.

    Parameters
    ----------
    deidentified
        The copies, and through their source the originals.
    work
        A private folder to work in; nothing is left in it.
    jobs
        How many conversions may run at once.
    progress
        Told of each series that has been compared.

    Raises
    ------
    MissingToolError
        If dcm2niix is not installed.
    StorageError
        If there is no room for what it makes.
    """
    require_program(DCM2NIIX)
    fresh_folder(work)
    try:
        acquisitions = join_series(deidentified.series, links=fresh_folder(work / "joined"))
        originals = _link_originals(deidentified, acquisitions, fresh_folder(work / "originals"))
        with (
            progress.step("checking fidelity", total=len(acquisitions)) as step,
            ThreadPoolExecutor(max_workers=max(1, jobs)) as pool,
        ):
            pairs = [
                (
                    acquisition,
                    pool.submit(
                        convert_folder, original, work / f"{place}-original", acquisition.files
                    ),
                    pool.submit(
                        convert_folder,
                        acquisition.folder,
                        work / f"{place}-copy",
                        acquisition.files,
                    ),
                )
                for place, (acquisition, original) in enumerate(
                    zip(acquisitions, originals, strict=True)
                )
            ]
            findings: list[Finding] = []
            compared: set[int] = set()
            cleaned = cleaned_keys(deidentified.notes)
            try:
                for acquisition, original_run, copy_run in pairs:
                    found = _compare_pair(acquisition, original_run, copy_run, cleaned)
                    findings += found
                    if not any(one.code == NOT_COMPARED for one in found):
                        compared.update(acquisition.series)
                    step.advance()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return Fidelity(findings=tuple(findings), compared=frozenset(compared))
    finally:
        remove_tree(work)


def find_uncompared(images: Iterable[ConvertedImage], fidelity: Fidelity) -> tuple[Finding, ...]:
    """Refuse images of series that the check could not speak of: nothing goes out unproved.

    Parameters
    ----------
    images
        What heudiconv made.
    fidelity
        What the check said.
    """
    return tuple(
        finding("IMAGE_NOT_COMPARED", location=image.path)
        for image in images
        if image.series_index not in fidelity.compared
    )


def convert_folder(folder: Path, out: Path, files: Sequence[Path]) -> Converted:
    """Convert a folder of DICOM as heudiconv does, but with all that the sidecar can say.

    Parameters
    ----------
    folder
        Holds `files` and nothing else.
    out
        Where the images go; emptied first.
    files
        What is converted: says how long it may take, and how much room it needs.

    Raises
    ------
    MissingToolError
        If dcm2niix is not installed.
    StorageError
        If there is no room.
    ToolFailedError
        If dcm2niix was ended from outside.
    """
    require_room(fresh_folder(out), files)
    completed = run_program(
        [require_program(DCM2NIIX), *_COMMAND, "-o", out, folder],
        timeout_s=_TIMEOUT_S + _TIMEOUT_PER_FILE_S * len(files),
        cwd=out,
    )
    if completed.returncode:
        require_room(out, files)
    if completed.returncode in _KILLED:
        raise ToolFailedError(
            "dcm2niix was ended from outside", cure="see that there is memory, and run it again"
        )
    return Converted(folder=out, status=completed.returncode)


def _link_originals(
    deidentified: DeidentifiedSession, acquisitions: Sequence[Acquisition], links: Path
) -> tuple[Path, ...]:
    """Make folders of links to the originals, named as the copies are: both sort alike.

    The links lead through a link to the originals' own folder, so that they are short: a link of 60
    characters or more takes a block of the disk, and thousands of those take seconds.
    """
    series = {one.source.index: one.source for one in deidentified.series}
    origins: dict[Path, Path] = {}
    folders = []
    for acquisition in acquisitions:
        folder = fresh_folder(links / f"{acquisition.series[0]:04d}")
        instances = [i for index in acquisition.series for i in series[index].instances]
        for copy, instance in zip(acquisition.files, instances, strict=True):
            origin = instance.path.parent.absolute()
            if origin not in origins:
                origins[origin] = Path(f"origin-{len(origins)}")
                (links / origins[origin]).symlink_to(origin, target_is_directory=True)
            (folder / copy.name).symlink_to(".." / origins[origin] / instance.path.name)
        folders.append(folder)
    return tuple(folders)


def _compare_pair(
    acquisition: Acquisition,
    original_run: Future[Converted],
    copy_run: Future[Converted],
    cleaned: frozenset[str],
) -> list[Finding]:
    original, copy = original_run.result(), copy_run.result()
    try:
        return list(compare(original, copy, place=series_place(acquisition), cleaned=cleaned))
    finally:
        remove_tree(original.folder)
        remove_tree(copy.folder)


def cleaned_keys(notes: Iterable[Note]) -> frozenset[str]:
    """Return the sidecar keys that come from attributes out of which something was cut.

    Where somebody is named in a sequence's name, that it differs is what was asked for.
    """
    return frozenset(
        key
        for note in notes
        if note.reason is not NoteReason.OTHER_THAN_MEANT
        for key in _KEYS_OF_WORDS.get(note.place, ())
    )


def compare(
    original: Converted, copy: Converted, *, place: str, cleaned: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """Say where two conversions of one series differ.

    dcm2niix makes an image of each overlay plane too; that it is missing where overlays were
    removed is no loss.

    Parameters
    ----------
    original, copy
        What dcm2niix made of both.
    place
        Which series it is, for people.
    cleaned
        The sidecar keys that may differ, as :func:`cleaned_keys` gives them.
    """
    left = copy.names()
    names = tuple(name for name in original.names() if name in left or not _OVERLAY.search(name))
    if names != left:
        what = f"the number of images ({len(names)} became {len(left)})"
        if len(names) == len(left):
            what = "what dcm2niix calls its images (echo, phase or the like)"
        yield finding("FIDELITY_IMAGE_CHANGED", location=place, what=what)
        return
    if original.status or not names:
        yield finding(NOT_COMPARED, location=place, status=original.status)
    elif copy.status:
        what = f"what dcm2niix can read (it stops with status {copy.status})"
        yield finding("FIDELITY_IMAGE_CHANGED", location=place, what=what)
    for number, name in enumerate(names, start=1):
        where = f"{place}, image {number} of {len(names)}" if len(names) > 1 else place
        yield from _compare_image(original.folder, copy.folder, name, where, cleaned)


def _compare_image(
    original: Path, copy: Path, name: str, where: str, cleaned: frozenset[str]
) -> Iterator[Finding]:
    for what in _image_differences(original / f"{name}.nii", copy / f"{name}.nii"):
        yield finding("FIDELITY_IMAGE_CHANGED", location=where, what=what)
    for table in ("bval", "bvec"):
        tables = [_text(folder / f"{name}.{table}") for folder in (original, copy)]
        if tables[0] != tables[1]:
            yield finding("FIDELITY_GRADIENTS_CHANGED", location=where, table=table)
    before, after = (_sidecar(folder / f"{name}.json") for folder in (original, copy))
    for key in sorted(before.keys() | after.keys()):
        if key in exempt_keys() or key in cleaned:
            continue
        if key not in after:
            yield finding("FIDELITY_KEY_LOST", location=where, key=key)
        elif key not in before or before[key] != after[key]:
            yield finding("FIDELITY_KEY_CHANGED", location=where, key=key)


def _image_differences(original: Path, copy: Path) -> Iterator[str]:
    with original.open("rb") as first, copy.open("rb") as second:
        headers = [stream.read(_HEADER_SIZE) for stream in (first, second)]
        if _without_texts(headers[0]) != _without_texts(headers[1]):
            parts = [
                part
                for part, ranges in _PARTS_OF_HEADER.items()
                if any(headers[0][start:end] != headers[1][start:end] for start, end in ranges)
            ]
            yield " and ".join(parts) or "the header"
        digests = []
        for stream, header in zip((first, second), headers, strict=True):
            stream.seek(int(struct.unpack_from("=f", header, _VOXELS_AT)[0]))
            digest = hashlib.blake2b()
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
            digests.append(digest.digest())
        if digests[0] != digests[1]:
            yield "voxels"


def _without_texts(header: bytes) -> bytes:
    blanked = bytearray(header)
    for start, end in _FREE_TEXT:
        blanked[start:end] = bytes(end - start)
    return bytes(blanked)


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _sidecar(path: Path) -> dict[str, object]:
    """Read a sidecar, without the series number that dcm2niix makes of the UID where there is none.

    A replaced UID gives another one.
    """
    content = json.loads(path.read_text(errors="replace")) if path.exists() else {}
    if not isinstance(content, dict):
        return {}
    made_up = zlib.crc32(str(content.get("SeriesInstanceUID", "")).encode())
    if content.get("SeriesNumber") == made_up:
        del content["SeriesNumber"]
    return content


@cache
def exempt_keys() -> dict[str, str]:
    """Read which sidecar keys may differ, and why."""
    with data_path("fidelity_exempt.tsv").open(newline="", encoding="utf-8") as stream:
        rows = csv.DictReader(stream, delimiter="\t")
        return {row["key"]: row["reason"] for row in rows}
