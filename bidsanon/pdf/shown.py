"""What a page of a PDF, or a drawing within one, shows: letters in their order, and pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pypdf.generic import ArrayObject, DictionaryObject, NameObject

from bidsanon.pdf.letters import Letters, resolved

_PAINTS = frozenset(
    {b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"S", b"s", b"sh", b"c", b"v", b"y"}
)
_LINES = frozenset({b"T*", b"'", b'"', b"BT", b"ET"})
_SHOWS = frozenset({b"Tj", b"'", b'"', b"TJ"})
_PARENTS = 64

_Scale = tuple[float, float, float, float]
_AS_IT_IS: _Scale = (1.0, 0.0, 0.0, 1.0)


@dataclass(kw_only=True)
class Shown:
    """What a page or a drawing shows.

    Attributes
    ----------
    texts
        What is written, line by line; what stands side by side is joined.
    pictures
        How large each picture is, in square units of its own.
    drawings
        The drawings that it holds, and how many times their area they are enlarged.
    strokes
        How many curves and areas it paints.
    """

    texts: list[str] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    drawings: list[tuple[Any, float]] = field(default_factory=list)
    strokes: int = 0


@dataclass(frozen=True, kw_only=True)
class _State:
    """What ``q`` keeps and ``Q`` brings back."""

    scale: _Scale = _AS_IT_IS
    font: Letters | None = None


def inherited(unit: DictionaryObject, key: str) -> Any:
    """Return what a page or a drawing has; a page may have its parents' (7.7.3.4)."""
    holder: Any = unit
    for _ in range(_PARENTS):
        found = resolved(holder, key)
        if found is not None or not isinstance(holder, DictionaryObject):
            return found
        holder = resolved(holder, "/Parent")
    return None


def read_shown(operations: Any, resources: Any, letters: Callable[[Any], Letters]) -> Shown:
    """Read what a row of operations shows (ISO 32000-1, Annex A).

    Parameters
    ----------
    operations
        As pypdf gives them: operands, and the operator.
    resources
        What they name.
    letters
        Gives what the codes of a font stand for.
    """
    return _Reading(resources, letters).read(operations)


class _Reading:
    def __init__(self, resources: Any, letters: Callable[[Any], Letters]) -> None:
        self._resources = resources
        self._letters = letters
        self._state = _State()
        self._kept: list[_State] = []
        self._line: list[str] = []
        self._place: Any = None
        self._shown = Shown()

    def read(self, operations: Any) -> Shown:
        for operands, operator in operations:
            self._operation(operands, operator)
        self._end_line()
        return self._shown

    def _operation(self, operands: Any, operator: bytes) -> None:
        if operator in _LINES:
            self._end_line()
        if operator in _SHOWS:
            self._show(operands)
        elif operator in {b"Td", b"TD"}:
            if operands[1:] and float(operands[1]):
                self._end_line()
        elif operator == b"Tm":
            if operands[5:] != self._place:
                self._end_line()
            self._place = operands[5:]
        elif operator in _PAINTS:
            self._shown.strokes += 1
        else:
            self._other(operands, operator)

    def _other(self, operands: Any, operator: bytes) -> None:
        if operator == b"q":
            self._kept.append(self._state)
        elif operator == b"Q" and self._kept:
            self._state = self._kept.pop()
        elif operator == b"cm":
            scale = _multiplied(operands, self._state.scale)
            self._state = _State(scale=scale, font=self._state.font)
        elif operator == b"Tf" and operands:
            self._use(self._named("/Font", operands[0]))
        elif operator == b"gs" and operands:
            font = resolved(self._named("/ExtGState", operands[0]), "/Font")
            if font:
                self._use(font[0].get_object())
        elif operator == b"Do" and operands:
            self._draw(operands[0])
        elif operator == b"INLINE IMAGE":
            self._shown.pictures.append(_area(self._state.scale))
        elif operator in {b"BDC", b"DP"}:
            self._shown.texts += _strings(operands)

    def _named(self, kind: str, name: Any) -> Any:
        return resolved(resolved(self._resources, kind), str(name))

    def _use(self, font: Any) -> None:
        self._state = _State(scale=self._state.scale, font=self._letters(font))

    def _draw(self, name: Any) -> None:
        drawn = self._named("/XObject", name)
        if resolved(drawn, "/Subtype") == "/Image":
            self._shown.pictures.append(_area(self._state.scale))
        else:
            self._shown.drawings.append((drawn, _area(self._state.scale)))

    def _show(self, operands: Any) -> None:
        """Take what is shown; how far apart the parts stand is for pypdf's own reading."""
        font = self._state.font or self._letters(None)
        for part in (
            operands[-1] if operands and isinstance(operands[-1], ArrayObject) else operands
        ):
            octets = getattr(part, "original_bytes", None)
            if octets is not None and not isinstance(part, NameObject):
                self._line.append(font.read(octets))

    def _end_line(self) -> None:
        if self._line:
            self._shown.texts.append("".join(self._line))
            self._line = []


def _strings(operands: Any) -> Iterator[str]:
    """Yield what is said of marked content: the text that it stands for, say (14.9.4)."""
    for operand in operands:
        if isinstance(operand, DictionaryObject):
            yield from (str(text) for text in operand.values() if isinstance(text, str))


def _multiplied(operands: Any, scale: _Scale) -> _Scale:
    a, b, c, d = map(float, operands[:4])
    e, f, g, h = scale
    return (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)


def _area(scale: _Scale) -> float:
    """Return how large a square of one unit becomes."""
    return abs(scale[0] * scale[3] - scale[1] * scale[2])
