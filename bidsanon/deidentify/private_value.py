"""What the cleaning of one private value asks for and cuts out.

A method asks for replacements through a :class:`PrivateCleaning`, which remembers every question
and answer. A value that is the same in the next file (a series' protocol stands in each of its
files) need not be cleaned again where the same questions still get the same answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from bidsanon.deidentify.descriptors import CleanedText
from bidsanon.dicom.private import PrivateRule
from bidsanon.identity import ValueKind
from bidsanon.notes import NoteReason

_UID = re.compile(r"(?<![\d.])(?:[0-2](?:\.\d{1,40}){4,}|2\.25\.\d{20,39})(?![\d.])")


class Replacer(Protocol):
    """What gives replacements for identifying values (``deidentify.replacements``)."""

    def uid(self, text: str) -> str:
        """Return the consistent replacement of a UID."""
        ...

    def date(self, text: str) -> str:
        """Return a DA value, shifted; empty where it is no date."""
        ...

    def datetime(self, text: str) -> str:
        """Return a DT value, shifted; empty where it is no date and time."""
        ...

    def clean_text(self, text: str) -> CleanedText:
        """Return a text without what says who, where and when."""
        ...

    def text_of_vocabulary(self, text: str) -> CleanedText:
        """Return what is left of a text by the vocabulary."""
        ...

    def without_known(self, text: str) -> CleanedText:
        """Return a text without what the headers say elsewhere about who, where and when."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivateValue:
    """A private attribute's value, as the file holds it.

    Attributes
    ----------
    rule
        What is to become of it.
    content
        Its bytes.
    vr
        The value representation that the file gives; "" or "UN" where it gives none.
    little_endian
        The byte order of the data set that holds it.
    """

    rule: PrivateRule
    content: bytes
    vr: str
    little_endian: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A replacement that was asked for, and the answer.

    Attributes
    ----------
    kind
        "uid", "date", "datetime", "text", "vocabulary" or "term".
    text
        The value to be replaced.
    answer
        What replaces it, and what was cut from it.
    """

    kind: str
    text: str
    answer: CleanedText


class PrivateCleaning:
    """The cleaning of one value: asks for replacements and notes what is cut.

    Parameters
    ----------
    replace
        Gives the replacements.
    by_vocabulary
        Whether of texts only words of the vocabulary stay.
    """

    def __init__(self, replace: Replacer, *, by_vocabulary: bool = False) -> None:
        self._replace = replace
        self._text_kind = "vocabulary" if by_vocabulary else "text"
        self._questions: dict[tuple[str, str], Question] = {}
        self._cut: dict[tuple[ValueKind, str], None] = {}
        self._reasons: dict[NoteReason, None] = {}

    @property
    def questions(self) -> tuple[Question, ...]:
        """What was asked, each once, in its order."""
        return tuple(self._questions.values())

    @property
    def cut(self) -> tuple[tuple[ValueKind, str], ...]:
        """The identifying values that were taken out, each once, in their order."""
        return tuple(self._cut)

    @property
    def reasons(self) -> tuple[NoteReason, ...]:
        """Why something was cut from a text, or a date was emptied, each once."""
        return tuple(self._reasons)

    def uid(self, text: str) -> str:
        """Return what replaces a UID."""
        return self._replaced("uid", text, ValueKind.UID)

    def uids(self, text: str) -> str:
        """Return a text with every UID in it replaced."""
        return _UID.sub(lambda found: self.uid(found[0]), text)

    def date(self, text: str) -> str:
        """Return what replaces a DA value."""
        return self._replaced("date", text, ValueKind.DATE)

    def datetime(self, text: str) -> str:
        """Return what replaces a DT value."""
        return self._replaced("datetime", text, ValueKind.DATE)

    def text(self, text: str) -> str:
        """Return a text without what says who, where and when.

        One that is not ASCII is dropped: private values do not say reliably in which character
        set they are, and a name read in the wrong one would not be recognised.
        """
        if not text.isascii():
            self.note(ValueKind.TEXT, text)
            self._reasons[NoteReason.NOT_ASCII] = None
            return ""
        return self._cleaned(self._text_kind, text)

    def text_or(self, text: str, known: re.Pattern[str]) -> str:
        """Return a text as it is where it is a known term that names nobody, or else cleaned."""
        if known.fullmatch(text.strip(" ")) and not self.repeats(text.strip(" ")):
            return text
        return self.text(text)

    def says_who(self, term: str) -> bool:
        """Tell whether a term that the scanner sets says who, where or when."""
        return self._cleaned("text", term) != term

    def repeats(self, code: str) -> bool:
        """Tell whether a code of a known form repeats what the headers say elsewhere."""
        return self._cleaned("term", code) != code

    def note(self, kind: ValueKind, text: str) -> None:
        """Note an identifying value that was taken out."""
        if text:
            self._cut[(kind, text)] = None

    def note_uids(self, text: str) -> None:
        """Note the UIDs of a text that is dropped, but for those that are never replaced."""
        for found in _UID.findall(text):
            if self._answer("uid", found).text != found:
                self.note(ValueKind.UID, found)

    def _cleaned(self, kind: str, text: str) -> str:
        answer = self._answer(kind, text)
        for piece in answer.cut:
            self.note(ValueKind.TEXT, piece)
        self._reasons.update(dict.fromkeys(answer.reasons))
        return answer.text

    def _replaced(self, kind: str, text: str, value_kind: ValueKind) -> str:
        answer = self._answer(kind, text)
        if answer.text != text:
            self.note(value_kind, text)
            if value_kind is ValueKind.DATE and not answer.text.strip("\\"):
                self._reasons[NoteReason.INVALID_DATE] = None
        return answer.text

    def _answer(self, kind: str, text: str) -> CleanedText:
        question = self._questions.get((kind, text))
        if question is None:
            answer = ask(self._replace, kind, text)
            question = self._questions[kind, text] = Question(kind=kind, text=text, answer=answer)
        return question.answer


def ask(replace: Replacer, kind: str, text: str) -> CleanedText:
    """Ask for a replacement.

    Parameters
    ----------
    replace
        Gives the replacements.
    kind
        As :class:`Question` has it.
    text
        The value to be replaced.
    """
    if kind == "text":
        return replace.clean_text(text)
    if kind == "vocabulary":
        return replace.text_of_vocabulary(text)
    if kind == "term":
        return replace.without_known(text)
    change = {"uid": replace.uid, "date": replace.date, "datetime": replace.datetime}[kind]
    return CleanedText(text=change(text))
