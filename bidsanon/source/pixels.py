"""Burned-in text, found by looking: which images have words in their pixels.

**Which images.** Burned-in text comes with what makes the picture, so images of one series that
are alike in all that a header says of their pixels (SOP class, image type, size, samples,
photometric interpretation, bits, transfer syntax) are taken to be made alike. Of each such group
the first, the middle and the last instance are looked at, and every one of a group of four or
fewer; of an instance with several frames the same ones. A single odd image among many (another
size, another image type, colour) is a group of its own. One that its header does not tell from its
neighbours shows itself by its brightest value: in an image that was measured hardly two voxels
share it, in one that was written into all letters do. So in groups of grey images that are not
compressed the frames in which it repeats most are looked at, too. What words are found in one
instance holds for its group: the whole group goes to quarantine.

**What counts.** An orientation letter, a scale mark or a slice number identifies nobody, and rows
of round slices in a mosaic are read as rows of zeros. So only characters that no round shape
resembles count, in words that hold three of them, if the reader is sure of them; four in all are
text. A date, a name, a hospital or a record number have more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bidsanon.dicom.frames import FrameNotDecodedError, enlarged, render_frames
from bidsanon.ocr import TextReader, Word, text_reader
from bidsanon.progress import Progress
from bidsanon.source.brightness import most_uniform
from bidsanon.source.reading import Readable

__all__ = ["LookedAt", "holds_text", "look_at_pixels", "text_reader"]

_SMALL_GROUP = 4
_ROUND = frozenset("0OoQD8○●◯〇口日")
_SURE = 0.7
_LEAST_IN_WORD = 3
_LEAST_IN_ALL = 4


@dataclass(frozen=True, kw_only=True)
class LookedAt:
    """What looking at the pixels gave.

    Attributes
    ----------
    frames
        How many frames were looked at.
    with_text
        The images that hold text, and those that are made as they are.
    undecoded
        The images of groups of which a frame could not be decoded.
    """

    frames: int
    with_text: frozenset[Path]
    undecoded: frozenset[Path]


def look_at_pixels(
    images: Iterable[Readable], *, reader: TextReader, progress: Progress
) -> LookedAt:
    """Look for text in the pixels of images.

    Parameters
    ----------
    images
        The images that are to be converted, in any order.
    reader
        Finds the words.
    progress
        Who listens.
    """
    groups = _alike(images)
    seen, with_text, undecoded = 0, set[Path](), set[Path]()
    with progress.step("looking for text in pixels", total=len(groups)) as step:
        for group in groups:
            paths = [image.path for image in group]
            for image, chosen in _chosen(group):
                try:
                    frames, found = _look_at(image, chosen, reader)
                except FrameNotDecodedError:
                    undecoded.update(paths)
                    continue
                seen += frames
                if found:
                    with_text.update(paths)
                    break
            step.advance()
    return LookedAt(
        frames=seen,
        with_text=frozenset(with_text),
        undecoded=frozenset(undecoded - with_text),
    )


def holds_text(words: Iterable[Word]) -> bool:
    """Tell whether words are text that might identify, and no mark or image of round things."""
    counts = [_telling(word.text) for word in words if word.certainty >= _SURE]
    return sum(count for count in counts if count >= _LEAST_IN_WORD) >= _LEAST_IN_ALL


def _telling(text: str) -> int:
    return sum(character.isalnum() and character not in _ROUND for character in text)


def _alike(images: Iterable[Readable]) -> list[list[Readable]]:
    """Group images whose headers tell nothing apart about how their pixels were made."""
    groups: dict[object, list[Readable]] = defaultdict(list)
    for image in images:
        header = image.header
        kind = (header.sop_class_uid, header.image_type, header.photometric)
        written = (replace(header.form, frames=1), header.transfer_syntax_uid)
        key = (header.series_uid, kind, written)
        groups[key].append(image)
    for group in groups.values():
        group.sort(key=lambda image: (image.header.instance_number or 0, str(image.path)))
    return list(groups.values())


def _sample(count: int) -> Sequence[int]:
    """Choose among so many instances or frames: a few are all looked at."""
    return range(count) if count <= _SMALL_GROUP else (0, count // 2, count - 1)


def _chosen(group: Sequence[Readable]) -> Iterator[tuple[Readable, Sequence[int]]]:
    """Yield the images of a group that are looked at, and which of their frames."""
    for index in _sample(len(group)):
        yield group[index], _sample(group[index].header.form.frames)
    if len(group) > _SMALL_GROUP or any(i.header.form.frames > _SMALL_GROUP for i in group):
        for image, frame in most_uniform(group):
            yield image, [frame]


def _look_at(image: Readable, frames: Sequence[int], reader: TextReader) -> tuple[int, bool]:
    """Look at frames of an image: at how many, and whether one of them holds text."""
    uid = image.header.transfer_syntax_uid
    pictures = render_frames(image.path, frames, transfer_syntax_uid=uid)
    seen = 0
    for picture in pictures:
        seen += 1
        if holds_text(reader.read(enlarged(picture))):
            return seen, True
    return seen, False
