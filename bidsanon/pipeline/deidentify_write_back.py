"""A face that was removed from images, removed from the DICOM files of which they were converted.

Proved for each series before it counts: pixels outside the face have their bits, other elements
their bytes, and dcm2niix makes of the files what the defaced images are, voxel for voxel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from math import prod
from pathlib import Path

from bidsanon.convert.fidelity import convert_folder
from bidsanon.deface.dicom_cut import (
    SeriesCut,
    frames_without_face,
    read_cut,
    removed_pixels,
    require_cut,
    same_voxels,
)
from bidsanon.deface.voxels import UnreadableImageError, read_header
from bidsanon.deidentify.defaced_copy import (
    FLOATING_PIXELS,
    NewPixels,
    write_without_face,
)
from bidsanon.deidentify.marks import Marks
from bidsanon.dicom.encoding import NotUnderstoodError
from bidsanon.dicom.file_format import DicomFile
from bidsanon.dicom.pixel_data import PIXEL_DATA, form_of
from bidsanon.dicom.planes import NoPlanesError, planes_of
from bidsanon.dicom.reading import read_path
from bidsanon.dicom.stored_frames import stored_frames
from bidsanon.files import fresh_folder, remove_tree
from bidsanon.workers import worker_pool


@dataclass(frozen=True, kw_only=True)
class WriteBack:
    """What is to be written into the files of one acquisition, as it goes to another process.

    Attributes
    ----------
    number
        Which acquisition.
    folder, files
        A folder that holds its files and nothing else, and the files as links or as they are.
    images
        Each image that was made of them, and its defaced copy: the same where it was left alone.
    masks
        The images' defacemasks where they are of other series, in which the face is at the same
        place; empty where they are its own, and passed the self-check.
    method
        For (0012,0063): how the face was removed; empty where none was.
    scratch
        A private folder that is gone afterwards.
    """

    number: int
    folder: Path
    files: tuple[Path, ...]
    images: tuple[tuple[Path, Path], ...]
    masks: tuple[Path, ...]
    method: str
    scratch: Path

    @property
    def proved(self) -> bool:
        """Whether what is written is proved to show no face."""
        return not self.masks


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of the files of one acquisition.

    Attributes
    ----------
    number
        Which acquisition.
    marks
        What each of its files says now of its de-identification.
    trouble
        Why the face may still be in some of them; empty where it is gone.
    """

    number: int
    marks: dict[Path, Marks]
    trouble: str = ""


def write_back(tasks: Sequence[WriteBack], *, jobs: int) -> Iterator[Written]:
    """Write what was removed into the files of each acquisition, in any order.

    Raises
    ------
    MissingToolError, StorageError, ToolFailedError
        If dcm2niix is not there, there is no room, or a process died.
    """
    workers = min(jobs, len(tasks))
    if workers <= 1:
        yield from map(_write, tasks)
        return
    with worker_pool(workers, doing="writes DICOM without faces") as pool:
        for done in as_completed([pool.submit(_write, task) for task in tasks]):
            yield done.result()


def _write(task: WriteBack) -> Written:
    marks: dict[Path, Marks] = {}
    trouble = ""
    try:
        cuts = tuple(
            read_cut(before, after, mask=mask)
            for (before, after), mask in zip_longest(task.images, task.masks)
        )
        cut = SeriesCut(images=cuts)
        whole = all(one.goes is None for one in cuts)
        if whole:
            _require_looked_at(task, cut)
        for file in task.files:
            path = file.resolve()
            marks[path] = _write_marks(path, task) if whole else _write_file(path, cut, task)
        if task.proved and not whole:
            trouble = _compare(task, cut)
    except (NotUnderstoodError, NoPlanesError, UnreadableImageError) as error:
        trouble = str(error)
    return Written(number=task.number, marks=marks, trouble=trouble)


def _require_looked_at(task: WriteBack, cut: SeriesCut) -> None:
    """Refuse files of which the images show only a part: in what is left there may be a face.

    dcm2niix passes over what it cannot read (another transfer syntax, pixels in floating point),
    and reads all files of an image as it reads the first.

    Raises
    ------
    NotUnderstoodError
        If a slice lies where no image has one, there are more pixels than voxels, or pixels are
        stored in several ways.
    """
    pixels, forms = 0, set()
    for file in task.files:
        path = file.resolve()
        copy = read_path(path)
        if not FLOATING_PIXELS.isdisjoint(copy.top):
            raise NotUnderstoodError("dcm2niix makes images of a part of it only")
        if PIXEL_DATA not in copy.top:
            continue
        form = form_of(copy)
        forms.add((form.samples, form.bits_allocated))
        count = form.rows * form.columns * form.frames
        with suppress(NoPlanesError):
            planes = planes_of(path)
            removed_pixels(planes, cut)
            count = sum(plane.rows * plane.columns for plane in planes)
        pixels += count
    voxels = 0
    for before, _ in task.images:
        image = read_header(before)
        voxels += prod(image.space) * image.volume_count
    if len(forms) > 1:
        raise NotUnderstoodError("its pixels are stored in several ways")
    if pixels > voxels:
        raise NotUnderstoodError("dcm2niix makes images of a part of it only")


def _write_marks(path: Path, task: WriteBack) -> Marks:
    return write_without_face(path, read_path(path), method=task.method, proved=task.proved)


def _write_file(path: Path, cut: SeriesCut, task: WriteBack) -> Marks:
    file, planes = read_path(path), planes_of(path)
    frames = stored_frames(path, file)
    if not removed_pixels(planes, cut):
        return write_without_face(path, file, method=task.method, proved=task.proved)

    def judge(written: DicomFile, place: Path) -> None:
        require_cut(frames, stored_frames(place, written), planes, cut)

    pixels = NewPixels(
        parts=frames_without_face(frames, planes, cut),
        length=frames.length,
        decoded=frames.compressed,
        bits_allocated=frames.form.bits_allocated,
    )
    return write_without_face(
        path, file, method=task.method, proved=task.proved, pixels=pixels, judge=judge
    )


def _compare(task: WriteBack, cut: SeriesCut) -> str:
    """Say where dcm2niix makes something else of the files than what was defaced."""
    again = convert_folder(task.folder, fresh_folder(task.scratch), task.files)
    try:
        expected = {
            before.name: (after, one)
            for (before, after), one in zip(task.images, cut.images, strict=True)
        }
        if {f"{name}.nii" for name in again.names()} != set(expected):
            return "dcm2niix makes other images of what was written"
        for name, (after, one) in expected.items():
            defaced, converted = read_header(after), read_header(again.folder / name)
            if not same_voxels(defaced, converted, one):
                return "what dcm2niix makes of what was written is not the defaced image"
    finally:
        remove_tree(task.scratch)
    return ""
