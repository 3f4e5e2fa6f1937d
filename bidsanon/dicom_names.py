"""Names of people within texts, as DICOM writes them (``Family^Given``, PS3.5 6.2.1.2).

One rule for who finds names and who takes them out, so that nothing is found that cannot go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bidsanon.bids.identifying import is_usual_name
from bidsanon.bids.written import written_names
from bidsanon.dicom.terms import is_acquisition_term, is_in_vocabulary

_WITHIN = re.compile(r"['-]")
_JOINED_BEFORE = re.compile(r"(?:[^\W\d_]+['\u2019-])+\Z")
_JOINED_BEHIND = re.compile(r"(?:['\u2019-][^\W\d_]+)+")
_COMPONENT = re.compile(r"\^+([^\W\d_]*)\.?")
_FURTHER_WORD = re.compile(r" ([A-ZÀ-Þ][^\W\d_]+)(?![^\W_])")
_LONGEST_JOINED = 64
_MOST_FURTHER = 4
_SEPARATORS = " ,;:_"


def holds_name(text: str) -> bool:
    """Tell whether a name stands in a text; scanners write "Brain^Head" of a body's region."""
    return any(map(_is_of_person, written_names(text)))


def without_dicom_names(text: str) -> str:
    """Return a text without the names in it: :func:`holds_name` finds none any more."""
    while spans := list(_spans(text)):
        ends = [0, *(end for _, end in spans)]
        begins = [*(begin for begin, _ in spans), len(text)]
        left = [text[end:begin] for end, begin in zip(ends, begins, strict=True)]
        kept = "".join([*(part.rstrip(" ") for part in left[:-1]), left[-1]])
        text = (kept if left[0].strip(" ") else kept.lstrip(_SEPARATORS)).rstrip(_SEPARATORS)
    return text


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where names begin and end, with what belongs to them on both sides."""
    position = 0
    for name in written_names(text):
        if name.start() >= position and _is_of_person(name):
            position = _end(text, name.end())
            yield _begin(text, name), position


def _is_of_person(name: re.Match[str]) -> bool:
    """Tell a name by the words beside its caret: of "rest Doe^Mara", "Doe" and "Mara"."""
    family, _, given = name[0].partition("^")
    beside = (family.rpartition(" ")[2], given.lstrip("^"))
    return not any(is_acquisition_term(word) for part in beside for word in _WITHIN.split(part))


def _begin(text: str, name: re.Match[str]) -> int:
    """Return where a name begins: "Van Doe^Mara" is one, and so is what follows "rest" in a text.

    A first word in capitals that is no word of an experiment is taken for a part of the name.
    """
    first, space, _ = name[0].partition("^")[0].partition(" ")
    if space and (not first[0].isupper() or is_in_vocabulary(first)):
        return name.start() + len(first) + len(space)
    joined = _JOINED_BEFORE.search(text, max(0, name.start() - _LONGEST_JOINED), name.start())
    return joined.start() if joined else name.start()


def _end(text: str, end: int) -> int:
    """Return where a name ends: with other components, second given names, what a hyphen joins."""
    for _ in range(_MOST_FURTHER):
        component = _COMPONENT.match(text, end)
        further = _FURTHER_WORD.match(text, end)
        if joined := _JOINED_BEHIND.match(text, end):
            end = joined.end()
        elif component and not is_acquisition_term(component[1]):
            end = component.end()
        elif further and is_usual_name(further[1]) and not is_in_vocabulary(further[1]):
            end = further.end()
        else:
            break
    return end
