"""Which letters the codes of a PDF's font stand for (ISO 32000-1, 9.6 to 9.10).

A font says so itself by a table (ToUnicode) or by the names of its signs. Where it does neither, a
text is a row of numbers of signs that only their drawings explain, and nobody can read it here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

from fontTools import agl
from fontTools.encodings.MacRoman import MacRoman
from fontTools.encodings.StandardEncoding import StandardEncoding
from pypdf.generic import DictionaryObject, NameObject, NullObject, StreamObject

_SECTIONS = re.compile(rb"begin(codespacerange|bfchar|bfrange)(.*?)end\1", re.DOTALL)
_TOKENS = re.compile(rb"<([0-9A-Fa-f\s]*)>|(\[)|(\])")
_MOST_CODES = 1 << 17
_LONGEST_CODE = 4
_PRIVATE = ((0xE000, 0xF8FF), (0xF0000, sys.maxunicode))
_NO_LETTER = "\0\ufffd"
_IN_TYPE_1 = re.compile(rb"dup\s+(\d{1,3})\s*/([\w.]{1,64})\s+put")
_CODECS = (
    (re.compile(r"/Uni\w+-(?:UCS2|UTF16)-[HV]"), "utf-16-be"),
    (re.compile(r"/(?:90ms|90msp|90pv)-RKSJ-[HV]|/(?:RKSJ)-[HV]"), "cp932"),
    (re.compile(r"/(?:EUC)-[HV]"), "euc-jp"),
    (re.compile(r"/(?:GB-EUC|GBpc-EUC|GBK-EUC|GBKp-EUC|GBK2K)-[HV]"), "gb18030"),
    (re.compile(r"/(?:B5pc|ETen-B5|ETenms-B5)-[HV]"), "cp950"),
    (re.compile(r"/(?:KSC-EUC|KSCms-UHC|KSCms-UHC-HW|KSCpc-EUC)-[HV]"), "cp949"),
)
"""Tables of codes that are Unicode, or a character set that Python knows (Table 118)."""
_UNKNOWN_SIGNS_OF_FONT = 4
"""Bullets and ticks of a font of signs are fewer. A name of three letters could be, in theory."""

Signs = list[str | None]


@dataclass(kw_only=True)
class Letters:
    """What the codes of one font stand for.

    Attributes
    ----------
    table
        What codes stand for, by their bytes.
    lengths
        How many bytes a code may have, longest first.
    codec
        The character set that its codes are of, where they are of one.
    unknown
        The codes that were shown, and stand for no letter that is known.
    is_broken_by_unknown
        Whether one of them was shown beside letters, within a word.
    """

    table: Mapping[bytes, str]
    lengths: tuple[int, ...] = (1,)
    codec: str = ""
    unknown: set[bytes] = field(default_factory=set)
    is_broken_by_unknown: bool = False

    @property
    def are_known(self) -> bool:
        """Whether what is shown in the font can be read."""
        return not self.is_broken_by_unknown and len(self.unknown) < _UNKNOWN_SIGNS_OF_FONT

    def read(self, shown: bytes) -> str:
        """Return what a string says; a blank for what nobody knows."""
        if self.codec:
            return shown.decode(self.codec, "replace")
        signs = list(self._signs(shown))
        for before, sign in pairwise(signs):
            one_unknown = (before is None) != (sign is None)
            self.is_broken_by_unknown |= one_unknown and (before or sign or " ").isalpha()
        return "".join(" " if sign is None else sign for sign in signs)

    def _signs(self, shown: bytes) -> Iterator[str | None]:
        position = 0
        while position < len(shown):
            codes = (shown[position : position + length] for length in self.lengths)
            code = next((one for one in codes if one in self.table), None)
            if code is None:
                code = shown[position : position + self.lengths[0]]
                self.unknown.add(code)
                yield None
            else:
                yield self.table[code]
            position += len(code)


def letters_of(font: Any) -> Letters:
    """Return what the codes of a font stand for.

    Parameters
    ----------
    font
        Its dictionary; anything else is taken for a font of the usual letters.
    """
    if not isinstance(font, DictionaryObject):
        return Letters(table=_of_names(StandardEncoding))
    told = _told_by_table(resolved(font, "/ToUnicode"))
    if resolved(font, "/Subtype") == "/Type0":
        encoding = resolved(font, "/Encoding")
        if told is not None:
            return _of_two_bytes(told) if str(encoding).startswith("/Identity") else told
        codec = next((c for p, c in _CODECS if p.fullmatch(str(encoding))), "")
        return Letters(table={}, lengths=(2,), codec=codec)
    named = _told_by_names(font)
    return Letters(table={**named, **(told.table if told else {})})


def _of_two_bytes(letters: Letters) -> Letters:
    """Return letters of a font whose codes have two bytes, as some programs forget to write."""
    table = {code.rjust(2, b"\0"): text for code, text in letters.table.items()}
    return Letters(table=table, lengths=(2,), codec=letters.codec)


def resolved(holder: Any, key: str) -> Any:
    """Return what a dictionary has, resolved; None where that is nothing."""
    found: Any = holder.get(key) if isinstance(holder, DictionaryObject) else None
    value = found.get_object() if hasattr(found, "get_object") else found
    return None if isinstance(value, NullObject) else value


def _told_by_table(table: Any) -> Letters | None:
    """Read a table ToUnicode (9.10.3); None where there is none."""
    if not isinstance(table, StreamObject):
        if isinstance(table, NameObject) and table.startswith("/Identity"):
            return Letters(table={}, lengths=(2,), codec="utf-16-be")
        return None
    found: dict[bytes, str] = {}
    lengths: set[int] = set()
    for section in _SECTIONS.finditer(table.get_data()):
        tokens = _TOKENS.findall(section[2])
        if section[1] == b"codespacerange":
            lengths |= {len(_octets(digits)) for digits, *_ in tokens}
            continue
        entries = _characters(tokens) if section[1] == b"bfchar" else _ranges(tokens)
        for code, text in entries:
            if len(found) >= _MOST_CODES:
                break
            if not _says_nothing(text):
                found[code] = text
    sizes = sorted({size for size in lengths | set(map(len, found)) if 0 < size <= _LONGEST_CODE})
    return Letters(table=found, lengths=tuple(reversed(sizes)) or (2,))


def _octets(digits: bytes) -> bytes:
    plain = b"".join(digits.split())
    return bytes.fromhex((plain + b"0" * (len(plain) % 2)).decode("ascii"))


def _text(digits: bytes) -> str:
    octets = _octets(digits)
    if len(octets) > 2 and not any(octets[1::2]):  # noqa: PLR2004 (Ghostscript swaps ligatures)
        return octets.decode("utf-16-le", "replace")
    return octets.decode("utf-16-be" if len(octets) > 1 else "latin-1", "replace")


def _says_nothing(text: str) -> bool:
    """Tell what stands for no letter: nothing, and numbers that a font gave its own signs."""
    if not text.strip(_NO_LETTER):
        return True
    return all(any(first <= ord(sign) <= last for first, last in _PRIVATE) for sign in text)


_Tokens = list[tuple[bytes, bytes, bytes]]


def _characters(tokens: _Tokens) -> Iterator[tuple[bytes, str]]:
    digits = [token[0] for token in tokens]
    for code, text in zip(digits[::2], digits[1::2], strict=False):
        yield _octets(code), _text(text)


def _ranges(tokens: _Tokens) -> Iterator[tuple[bytes, str]]:
    """Yield codes of ranges: each text follows the one before, or stands in a list."""
    waiting = iter(tokens)
    for first, opened, closed in waiting:
        if opened or closed:
            continue
        last, text = next(waiting, (b"", b"", b"")), next(waiting, (b"", b"", b""))
        low, size = int.from_bytes(_octets(first)), len(_octets(first))
        count = min(int.from_bytes(_octets(last[0])) - low + 1, _MOST_CODES)
        codes = (number.to_bytes(size) for number in range(low, low + max(count, 0)))
        if text[1]:
            listed = iter(partial(next, waiting, (b"", b"", b"]")), (b"", b"", b"]"))
            yield from zip(codes, (_text(one[0]) for one in listed), strict=False)
            continue
        begin = _text(text[0])
        for number, code in enumerate(codes):
            following = ord(begin[-1]) + number if begin else 0
            yield code, begin[:-1] + chr(following) if following <= sys.maxunicode else ""


def _told_by_names(font: DictionaryObject) -> dict[bytes, str]:
    """Return what the codes of a simple font stand for, by the names of its signs (9.6.6)."""
    encoding = resolved(font, "/Encoding")
    names = _base(font, encoding)
    if isinstance(encoding, DictionaryObject):
        code = 0
        for part in resolved(encoding, "/Differences") or ():
            if isinstance(part, NameObject):
                names[code] = str(part)[1:]
                code += 1
            elif isinstance(part, int):
                code = int(part)
    return _of_names(names)


def _base(font: DictionaryObject, encoding: Any) -> dict[int, str]:
    """Return the names of signs from which the differences of an encoding begin."""
    name = (
        resolved(encoding, "/BaseEncoding") if isinstance(encoding, DictionaryObject) else encoding
    )
    if name == "/WinAnsiEncoding":
        names = {n: agl.UV2AGL.get(ord(sign), "") for n, sign in enumerate(_cp1252())}
        return {**names, 0xA0: "space", 0xAD: "hyphen"}
    if name == "/MacRomanEncoding":
        return dict(enumerate(MacRoman))
    standard = dict(enumerate(StandardEncoding))
    descriptor = resolved(font, "/FontDescriptor")
    programs = ("/FontFile", "/FontFile2", "/FontFile3")
    own = [program for program in programs if resolved(descriptor, program) is not None]
    if name is not None or not own:
        is_type_3 = resolved(font, "/Subtype") == "/Type3"
        return {} if is_type_3 else standard
    is_symbolic = bool(int(resolved(descriptor, "/Flags") or 0) & 4)
    if own[0] == "/FontFile":
        begin = resolved(descriptor, "/FontFile").get_data()[: 1 << 16].partition(b"eexec")[0]
        written = _IN_TYPE_1.findall(begin)
        if written:
            return {int(code): name.decode("latin-1") for code, name in written}
    return {} if is_symbolic else standard


def _cp1252() -> str:
    return bytes(range(256)).decode("cp1252", "replace").replace("\ufffd", "\u2022")


def _of_names(names: Any) -> dict[bytes, str]:
    """Return what names of signs stand for; ``.notdef`` stands for nothing that is shown."""
    items = names.items() if isinstance(names, Mapping) else enumerate(names)
    found = {}
    for code, name in items:
        text = " " if name in {".notdef", "space", "nbspace"} else agl.toUnicode(name)
        if 0 <= code < 256 and not _says_nothing(text):  # noqa: PLR2004
            found[bytes([code])] = text
    return found
