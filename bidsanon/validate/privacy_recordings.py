"""What recordings of EEG and MEG say of people: EDF, BDF, BrainVision's texts and FIF.

Other kinds of recordings are not read; :mod:`bidsanon.validate.privacy_content` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from bidsanon.bids.brainvision import (
    LARGEST,
    SAMPLES_OF,
    TEXTS,
    FileNamed,
    Marker,
    decoded,
    read_line,
)
from bidsanon.bids.edf import (
    EDF_EXTENSIONS,
    HEADER_BYTES,
    EdfError,
    read_edf_header,
    texts_among_signals,
)
from bidsanon.bids.fif import EXTENSION as FIF
from bidsanon.bids.fif import FifError, read_fif, tells_somebody
from bidsanon.bids.identifying import labels_in
from bidsanon.bids.written import (
    holds_unshifted_day,
    is_unshifted,
    names_somebodys_address,
    names_somebodys_folder,
    words_in_a_row,
)
from bidsanon.dicom_names import holds_name
from bidsanon.plain_names import names_in_words
from bidsanon.validate.privacy_spots import Spot

_DATE, _TEXT = "PRIVACY_DATE", "PRIVACY_HEADER_TEXT"
_BEGAN = "the recording's date"


def is_recording(name: str) -> bool:
    """Tell a recording that is read here, by its name."""
    return PurePosixPath(name).suffix.lower() in _READERS


def is_of_samples(path: Path) -> bool:
    """Tell a file that holds samples and no header, since another one beside it describes them."""
    described = SAMPLES_OF.get(path.suffix.lower())
    return described is not None and path.with_suffix(described).exists()


def recording_spots(name: str, path: Path) -> Iterator[Spot]:
    """Yield what is private in a recording.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    problem = ""
    try:
        yield from _READERS[path.suffix.lower()](name, path)
    except (EdfError, FifError) as error:
        problem = str(error)
    if problem:
        yield Spot(code="PRIVACY_NOT_READ", location=name, details={"problem": problem})


def _edf(name: str, path: Path) -> Iterator[Spot]:
    with path.open("rb") as stream:
        header = read_edf_header(stream.read(HEADER_BYTES))
    for field in header.told(labels_in(name)):
        if field == "the start date":
            yield Spot(code=_DATE, location=name, details={"field": _BEGAN})
        else:
            yield Spot(code=_TEXT, location=name, details={"field": f"what it says of {field}"})
    with path.open("rb") as stream:
        yield from _in_texts(name, texts_among_signals(stream))


def _brainvision(name: str, path: Path) -> Iterator[Spot]:
    with path.open("rb") as stream:
        text, _ = decoded(stream.read(LARGEST))
    told: set[str] = set()
    for line in text.splitlines():
        read = read_line(line)
        for spot in _line(name, path, read) if read else _comment(name, line):
            if spot.code not in told:
                told.add(spot.code)
                yield spot


def _comment(name: str, line: str) -> Iterator[Spot]:
    if holds_unshifted_day(line):
        yield Spot(code="PRIVACY_DATE_PERHAPS", location=name, details={"field": "a comment"})


def _line(name: str, path: Path, line: Marker | FileNamed) -> Iterator[Spot]:
    if isinstance(line, FileNamed):
        there = line.is_own(path.stem) or (path.parent / PurePosixPath(line.name).name).exists()
        if not there:
            field = {"field": "the name of a file that is not there"}
            yield Spot(code=_TEXT, location=name, details=field)
        return
    if line.began and is_unshifted(line.began.date()):
        yield Spot(code=_DATE, location=name, details={"field": _BEGAN})
    if line.is_comment and words_in_a_row(line.description) > 1:
        details = {"key": "a comment among the markers"}
        yield Spot(code="PRIVACY_FREE_TEXT", location=name, details=details)


def _fif(name: str, path: Path) -> Iterator[Spot]:
    with path.open("rb") as stream:
        facts = read_fif(stream)
    own = labels_in(name)
    for field, value in facts.people:
        if tells_somebody(value) and value not in own:
            yield Spot(code=_TEXT, location=name, details={"field": field})
    if any(map(is_unshifted, facts.measured)):
        yield Spot(code=_DATE, location=name, details={"field": _BEGAN})
    made_up = any("anonym" in value.lower() for _, value in facts.people)
    if not made_up and any(map(is_unshifted, facts.born)):
        yield Spot(code="PRIVACY_BIRTH_DATE", location=name, details={"field": "the header"})
    if any(map(is_unshifted, facts.written)):
        details = {"field": "the file's own number"}
        yield Spot(code="PRIVACY_DATE_PERHAPS", location=name, details=details)
    yield from _in_texts(name, facts.texts)


def _in_texts(name: str, texts: Iterable[str]) -> Iterator[Spot]:
    """Yield what is private in the texts of a recording, each kind once."""
    asked: dict[str, Callable[[str], bool]] = {
        "PRIVACY_NAME": holds_name,
        "PRIVACY_NAME_PERHAPS": lambda text: bool(names_in_words(text)),
        "PRIVACY_FOLDER": names_somebodys_folder,
        "PRIVACY_CONTACT": names_somebodys_address,
    }
    for text in texts:
        for code in [code for code, tells in asked.items() if tells(text)]:
            del asked[code]
            yield Spot(code=code, location=name, details={"field": "a note in the recording"})


_READERS: dict[str, Callable[[str, Path], Iterator[Spot]]] = {
    **dict.fromkeys(EDF_EXTENSIONS, _edf),
    **dict.fromkeys(TEXTS, _brainvision),
    FIF: _fif,
}
