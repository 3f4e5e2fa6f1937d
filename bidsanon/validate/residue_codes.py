"""Reads what stands in base64 or as hexadecimal numbers within a text.

A word such as a name takes eight characters of base64, and every long word could be base64: so all
are decoded, and of what comes out only what is text is kept.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from bidsanon.validate.residue_runs import alphabet_table, spans

_BASE64 = alphabet_table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_PADDED = re.compile(r"=(?<=[A-Za-z0-9+/]{6}=)")
_LONGEST_PADDED = 8
_SHORT_BASE64 = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{6}(?:==|[A-Za-z0-9+/]=)")
_LONGEST = 1 << 11
"""What is longer is decoded as it is read, and taken apart."""
_FEWEST = 8
_BETWEEN = "AAAA"
_PADDING = ("", "AAA", "AA", "A")
_ZEROS = b"\0\0\0"
_TEXT = re.compile(
    rb"(?<=\0\0\0)(?:(?>(?:[\t\n\r -~\xa0-\xff]\0){3,})|(?>(?:\0[\t\n\r -~\xa0-\xff]){3,})"
    rb"|(?:\xfe\xff|\xff\xfe)(?>(?:[^\0]++|\0(?!\0\0))+)"
    rb"|(?>(?:[\t\n\r -~]++|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}"
    rb"|[\xa0-\xff](?=[ -~]))+))(?=\0)"
)
"""UTF-16, or ASCII, UTF-8 and Latin-1 with few accents, between zeros."""
_MARKS_OF_UTF_16 = (b"\xfe\xff", b"\xff\xfe")
_WORD = re.compile(r"[^\W_]{3}|[\u2e80-\uffff]{2}")
"""What the shortest of what is searched for looks like: other text comes out by chance."""
_HEX = re.compile(
    r"(?:0?x)?(?:(?>(?:[2-7a-fA-F][0-9a-fA-F]|0[09aAdD]|[c-eC-E][0-9a-fA-F][89][0-9a-fA-F])+)"
    r"|[fF](?:[eE][fF][fF]|[fF][fF][eE])[0-9a-fA-F]+)[0-9a-fA-F]{0,1}"
)
"""Numbers of bytes that could be text."""
_LETTERS_IN_FIGURES = re.compile(r"(?:20|4[1-9]|5\d|6[1-9]|7\d){5,}|(?:[235]\d|[46][1-9]|7\d){8,}")
"""A number without letters among its digits is a code if it is letters, or much text."""
_SIGNS_IN_FIGURES = re.compile(r"(?:[235]\d|[46][1-9]|7\d){5,}")
"""In rows of such numbers less text is enough."""
_DIGITS = b"0123456789abcdefABCDEF"
_IN_WORDS = bytes(byte for byte in range(256) if chr(byte).isalnum()) + b"."
_CLASSES = bytes.maketrans(
    bytes(range(256)),
    bytes(b"-."[byte in _IN_WORDS] if byte not in _DIGITS else b"x"[0] for byte in range(256)),
)
_ROW = re.compile(
    rb"-x(?=x-xx-xx-|x--xx--xx-|\.xx-x\.xx-|\.xx--x\.xx-|xxx-xxxx-|xxxxxxx-xxxxxxxx-)"
)
"""Hexadecimal numbers in a row, as classes of characters."""
_HEX_APART = re.compile(
    r"(?<![0-9A-Za-z])(?>(?:(?:0x)?(?:[0-9A-Fa-f]{2}){1,4}[ ,:;-]{1,2}){2,})\w*"
)
_NO_HEX = re.compile(r"0x|[^0-9A-Fa-f]")


def coded_texts(text: str) -> str:
    """Return the texts that stand in base64 or in hexadecimal numbers in a text, line by line."""
    if len(text) < _FEWEST:
        return ""
    runs = spans(text, _BASE64, _FEWEST)
    tokens = [text[start:end] for start, end in runs if end - start <= _LONGEST]
    coded = _from_base64([*tokens, *_padded(text)])
    numbers = [*filter(_may_be_hex, tokens), *_apart(text)]
    found = _TEXT.findall(coded + _from_hex(numbers)) if coded or numbers else []
    return "\n".join(filter(None, map(_decoded, found)))


def _padded(text: str) -> Iterator[str]:
    """Yield the shortest codes, which are known by what fills them up."""
    for match in _PADDED.finditer(text) if "=" in text else ():
        start = max(0, match.start() - _LONGEST_PADDED)
        yield from _SHORT_BASE64.findall(text, start, match.end() + 1)


def _from_base64(tokens: list[str]) -> bytes:
    """Decode all tokens in one, with zeros between them and after each."""
    parts = [p for t in tokens if "/" in t for p in t.split("/") if len(p) >= _FEWEST]
    words = [
        word.rstrip("=")
        for word in (*tokens, *parts)
        if not (word.isdecimal() or (word.islower() and word.isalpha()))
    ]
    if not words:
        return b""
    padded = _BETWEEN.join(word + _PADDING[len(word) % 4] for word in words)
    return binascii.a2b_base64(f"{_BETWEEN}{padded}{_BETWEEN}")


def _may_be_hex(token: str) -> bool:
    if token.isdecimal():
        return _LETTERS_IN_FIGURES.fullmatch(token) is not None
    return _HEX.fullmatch(token) is not None


def _may_be_text(digits: str) -> bool:
    return not digits.isdecimal() or _SIGNS_IN_FIGURES.fullmatch(digits) is not None


def _from_hex(numbers: list[str]) -> bytes:
    digits = filter(_may_be_text, (_NO_HEX.sub("", number) for number in numbers))
    return _ZEROS + b"".join(bytes.fromhex(d[: len(d) // 2 * 2]) + _ZEROS for d in digits)


def _apart(text: str) -> list[str]:
    """Return the hexadecimal numbers of what is printed byte by byte, or a few bytes at a time."""
    classes = b"-" + text.encode("latin-1", "replace").translate(_CLASSES) + b"-"
    found, row = [], _ROW.search(classes)
    while row:
        match = _HEX_APART.match(text, row.start())
        found += [match[0]] if match else []
        row = _ROW.search(classes, max(row.start() + 1, match.end() if match else 0))
    return found


def _decoded(content: bytes) -> str:
    if content.startswith(_MARKS_OF_UTF_16):
        text = content.decode("utf-16", "replace")
    else:
        narrow = content.replace(b"\0", b"")
        try:
            text = narrow.decode("utf-8")
        except UnicodeDecodeError:
            text = narrow.decode("latin-1")
    return text if _WORD.search(text) else ""
