"""Brings text to the one form in which it is searched, whatever encoding and escapes it stands in.

Both what is searched for and what is searched through become lower case without accents. Bytes
give several views: as UTF-8 or Latin-1, without the zeros of UTF-16 and UTF-32, with escapes and
codes resolved, and as they are, for character sets that cannot be told from the bytes.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress

import numpy as np

from bidsanon.validate.residue_codes import coded_texts
from bidsanon.validate.residue_escapes import is_plain, readings, resolved

_LETTERS = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ħ": "h",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "ł": "l",
        "\N{HYPHEN}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
        "\N{FIGURE DASH}": "-",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{PRIME}": "'",
        "\N{ACUTE ACCENT}": "'",
        "\N{MODIFIER LETTER APOSTROPHE}": "'",
        "\N{REPLACEMENT CHARACTER}": "?",
    }
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]{1,64}")
"""No more letters than can be remembered; each has its canonical form by itself."""
_LONG, _FEW_LETTERS = 1 << 12, 64
"""In a long text, few different letters are faster replaced one after the other."""
_INVISIBLE = frozenset({"Mn", "Me", "Cf"})
"""Accents, and what joins, parts or turns letters without being seen."""
_FOUR_ZEROS = re.compile(rb"\0\0\0\0+")
_TWO_ZEROS = re.compile(rb"\0\0+")
_HIRAGANA = {number: number - 0x60 for number in range(0x30A1, 0x30F7)}
_KATAKANA = {hiragana: katakana for katakana, hiragana in _HIRAGANA.items()}
"""The two sets of Japanese syllables, each of which is written as the other."""
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_CHARACTER_SETS = (
    *("utf-8", "utf-16-le", "utf-16-be", "latin-1", "iso8859-2", "iso8859-3", "iso8859-4"),
    *("iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15", "koi8-r"),
    *("cp850", "cp866", "cp1250", "cp1251", "cp1253", "mac-roman", "shift_jis", "euc_jp"),
    *("iso2022_jp", "gb18030", "big5", "euc_kr", "iso2022_kr", "tis_620"),
)
"""Those of PS3.3 C.12.1.1.2, and those of the systems on which protocols are typed."""
_MARKS_OF_UTF_32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_BYTES_OF_UTF_32 = 4
_MOST_OF_WIDE = 1.5
"""UTF-16 and UTF-32 of most alphabets are so many times as long as without their zeros."""
_MOST_CODED = 3
"""So many times over may a text be written in base64 or as hexadecimal numbers."""
_FEWEST_BYTES = 4
_FEWEST_ASCII_BYTES = 8
_AROUND = 64
"""What stands so near to a line that differs may be part of the same value."""
_MOST_APART = 3
"""Where every third line differs, all are searched."""
_ASCII_TEXT = re.compile(rb"[ -~]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """One reading of a piece of content.

    Attributes
    ----------
    text
        In canonical form.
    cased
        The same with its cases, character by character; empty where that is not kept.
    exact
        Whether a position in it is an offset within the piece.
    """

    text: str
    cased: str = ""
    exact: bool = False


def canonical(text: str) -> str:
    """Return a text in lower case, without accents, in compatibility forms."""
    lowered = text.lower()
    if text.isascii():
        return lowered
    if len(lowered) > _LONG:
        letters = [letter for letter in set(lowered) if not letter.isascii()]
        if len(letters) <= _FEW_LETTERS:
            for letter in letters:
                lowered = lowered.replace(letter, _without_accents(letter))
            return lowered
    return _NOT_ASCII.sub(_canonical_letters, lowered)


def _canonical_letters(match: re.Match[str]) -> str:
    return _without_accents(match[0])


@lru_cache(maxsize=1 << 14)
def _without_accents(letters: str) -> str:
    """Return letters that are no ASCII in canonical form."""
    decomposed = unicodedata.normalize("NFKD", letters.casefold().translate(_LETTERS))
    bare = "".join(map(_plain, decomposed))
    return bare.casefold().translate(_LETTERS)


def _plain(letter: str) -> str:
    """Return a letter, a digit of any script as ASCII's, and nothing for what is not seen."""
    category = unicodedata.category(letter)
    if category == "Nd":
        return str(unicodedata.decimal(letter))
    return "" if category in _INVISIBLE else letter


def text_views(text: str, *, exact: bool = True) -> Iterator[View]:
    """Yield the readings of a text: as it is, and with its escapes and codes resolved.

    Parameters
    ----------
    text
        A text.
    exact
        Whether positions in it say where something stands.
    """
    waiting = [text]
    for times in range(_MOST_CODED + 1):
        coded = []
        for one in waiting:
            yield _view(one, exact=exact and not times)
            coded.append(coded_texts(one))
            if not is_plain(one):
                written_out, told = resolved(one), _Lines(one)
                coded.append(coded_texts(told.new_in(written_out)))
                for other in readings(one, written_out):
                    new = told.new_in(other)
                    told.add(new)
                    yield _view(new, exact=exact and not times and new is other)
        waiting = list(dict.fromkeys(filter(None, coded)))


class _Lines:
    """The lines that are searched already: the readings of a text differ in few.

    Parameters
    ----------
    text
        What is searched already.
    """

    def __init__(self, text: str) -> None:
        self._known = set(text.split("\n"))

    def add(self, text: str) -> None:
        """Take note of more that is searched."""
        self._known.update(text.split("\n"))

    def new_in(self, text: str) -> str:
        """Return the lines of a text that are new, and those beside them."""
        lines = text.split("\n")
        new = [number for number, line in enumerate(lines) if line not in self._known]
        if len(new) * _MOST_APART > len(lines):
            return text
        kept = bytearray(len(lines))
        for number in new:
            kept[number] = 1
            _keep_beside(kept, lines, range(number - 1, -1, -1))
            _keep_beside(kept, lines, range(number + 1, len(lines)))
        return "\n".join(compress(lines, kept))


def _keep_beside(kept: bytearray, lines: list[str], numbers: range) -> None:
    """Keep the lines next to one, until they are long enough for what goes over several."""
    missing = _AROUND
    for number in numbers:
        if missing <= 0:
            return
        kept[number] = 1
        missing -= len(lines[number]) + 1


def byte_views(content: bytes) -> Iterator[View]:
    """Yield the readings of bytes of which nobody says how they are encoded."""
    narrowed = _narrowed(content)
    is_wide = len(narrowed) * _MOST_OF_WIDE < len(content)
    for text in _decoded(content):
        yield from [_view(text)] if is_wide and "\0" in text else text_views(text)
    if not content.isascii():
        yield View(text=content.lower().decode("latin-1"), exact=True)
    if narrowed != content:
        yield from text_views(narrowed.decode("latin-1"), exact=False)


def _narrowed(content: bytes) -> bytes:
    """Return bytes without the zeros that UTF-16 and UTF-32 have between Latin letters."""
    if b"\0" not in content:
        return content
    narrowed = _FOUR_ZEROS.sub(b"\n", content).replace(b"\0\0\0", b"")
    return _TWO_ZEROS.sub(b"\n", narrowed).replace(b"\0", b"")


def _view(text: str, *, exact: bool = True) -> View:
    form = canonical(text)
    return View(
        text=form, cased=text if len(form) == len(text) else "", exact=exact and text.isascii()
    )


def _decoded(content: bytes) -> list[str]:
    if content.startswith(_MARKS_OF_UTF_32):
        return [content.decode("utf-32", "replace")]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return [content.decode("utf-16", "replace")]
    wide = _as_utf_32(content)
    try:
        return [content.decode("utf-8"), *wide]
    except UnicodeDecodeError:
        return [content.decode("utf-8", "replace"), content.decode("latin-1"), *wide]


def _as_utf_32(content: bytes) -> list[str]:
    """Return what bytes say if they are UTF-32 without a mark, wherever a character begins."""
    if content.count(0) * _BYTES_OF_UTF_32 < len(content):
        return []
    read = []
    for start in range(_BYTES_OF_UTF_32):
        aligned = content[start : len(content) - (len(content) - start) % _BYTES_OF_UTF_32]
        for character_set, highest in (("utf-32-le", aligned[3::4]), ("utf-32-be", aligned[::4])):
            if aligned and not highest.strip(b"\0"):
                read.append(_characters(aligned, character_set))
    return read


def _characters(content: bytes, character_set: str) -> str:
    """Return the characters of UTF-32 there are in bytes, and a line's end for what is none."""
    numbers = np.frombuffer(content, "<u4" if character_set == "utf-32-le" else ">u4").copy()
    is_none = numbers > sys.maxunicode
    numbers[is_none] = ord("\n")
    is_none[1:] &= is_none[:-1].copy()
    is_none[:1] = False
    return numbers[~is_none].tobytes().decode(character_set, "replace")


def spellings(text: str) -> tuple[str, ...]:
    """Return a text in canonical form, with umlauts written out, and as cautious tools leave it.

    Japanese syllables come in both sets.
    """
    plain = canonical(text)
    if text.isascii():
        return (plain,)
    composed = unicodedata.normalize("NFC", text).lower()
    forms = [plain, canonical(composed.translate(_WRITTEN_OUT))]
    forms += [canonical(composed.translate(kana)) for kana in (_HIRAGANA, _KATAKANA)]
    if sum(c.isascii() for c in composed) * 2 > len(composed):
        forms += ["".join(c if c.isascii() else other for c in composed) for other in "_?"]
    return tuple(dict.fromkeys(forms))


def encodings(text: str) -> Iterator[str]:
    """Yield a text that is not ASCII as the bytes of character sets, read as Latin-1.

    ASCII letters are in lower case, as :func:`byte_views` has them.
    """
    composed = unicodedata.normalize("NFC", text)
    if composed.isascii():
        return
    for variant in dict.fromkeys((composed, composed.upper(), composed.lower(), composed.title())):
        for character_set in _CHARACTER_SETS:
            try:
                encoded = variant.encode(character_set)
            except UnicodeEncodeError:
                continue
            encoded = encoded.removesuffix(b"\x1b(B")
            fewest = _FEWEST_ASCII_BYTES if _ASCII_TEXT.fullmatch(encoded) else _FEWEST_BYTES
            if len(encoded) >= fewest:
                yield encoded.lower().decode("latin-1")
