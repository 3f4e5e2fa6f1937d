"""Brings text to the one form in which it is searched, whatever encoding and escapes it stands in.

Both what is searched for and what is searched through become lower case without accents. Bytes
give several views: as UTF-8 or Latin-1, without the zeros of UTF-16, with the escapes of JSON, XML
and URLs resolved, and as they are, for character sets that cannot be told from the bytes.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

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
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{MODIFIER LETTER APOSTROPHE}": "'",
    }
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_LONE_ZERO = re.compile(rb"(?<=[^\0])\0(?=[^\0])|\0(?=[^\0]\0)")
_UNICODE_ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})|\\+x([0-9a-fA-F]{2})")
_PERCENT_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
_XML_ESCAPE = re.compile(r"&(?:#\w+|[a-zA-Z]+);")
_MOST_NESTED_ESCAPES = 3
_WRITTEN_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_CHARACTER_SETS = (
    *("utf-8", "utf-16-le", "utf-16-be", "latin-1", "iso8859-2", "iso8859-3", "iso8859-4"),
    *("iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-9", "iso8859-15", "koi8-r"),
    *("cp850", "cp866", "cp1250", "cp1251", "cp1253", "mac-roman", "shift_jis", "euc_jp"),
    *("iso2022_jp", "gb18030", "big5", "euc_kr", "iso2022_kr", "tis_620"),
)
"""Those of PS3.3 C.12.1.1.2, and those of the systems on which protocols are typed."""
_FEWEST_BYTES = 4
_FEWEST_ASCII_BYTES = 8
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
    if text.isascii():
        return text.lower()
    return _NOT_ASCII.sub(_canonical_letters, text.lower())


def _canonical_letters(match: re.Match[str]) -> str:
    return _without_accents(match[0])


@lru_cache(maxsize=1 << 14)
def _without_accents(letters: str) -> str:
    """Return letters that are no ASCII in canonical form."""
    decomposed = unicodedata.normalize("NFKD", letters.casefold().translate(_LETTERS))
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _INVISIBLE.sub("", bare.casefold().translate(_LETTERS))


def text_views(text: str) -> Iterator[View]:
    """Yield the readings of a text: as it is, and with its escapes resolved."""
    yield _view(text)
    for other in _reread(text):
        yield _view(other)


def byte_views(content: bytes) -> Iterator[View]:
    """Yield the readings of bytes of which nobody says how they are encoded."""
    for text in _decoded(content):
        yield from text_views(text)
    if not content.isascii():
        yield View(text=content.lower().decode("latin-1"), exact=True)
    if b"\0" in content:
        narrowed = _LONE_ZERO.sub(b"", content)
        if narrowed != content:
            yield _view(narrowed.decode("latin-1"))


def _view(text: str) -> View:
    form = canonical(text)
    return View(text=form, cased=text if len(form) == len(text) else "", exact=text.isascii())


def _decoded(content: bytes) -> list[str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return [content.decode("utf-16", "replace")]
    try:
        return [content.decode("utf-8")]
    except UnicodeDecodeError:
        return [content.decode("utf-8", "replace"), content.decode("latin-1")]


def _reread(text: str) -> Iterator[str]:
    """Yield a text with escapes resolved, and as it was before a wrong decoding."""
    resolved = text
    for _ in range(_MOST_NESTED_ESCAPES):
        before = resolved
        resolved = _without_escapes(resolved)
        if resolved == before:
            break
    if resolved != text:
        yield resolved
    if not text.isascii():
        try:
            yield text.encode("cp1252").decode("utf-8")
        except UnicodeError:
            return


def _without_escapes(text: str) -> str:
    if "\\" in text and _UNICODE_ESCAPE.search(text):
        escaped = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)
        text = escaped.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "\\/" in text:
        text = text.replace("\\/", "/")
    if "%" in text and _PERCENT_ESCAPE.search(text):
        text = unquote(text, errors="replace")
    if "&" in text and _XML_ESCAPE.search(text):
        text = html.unescape(text)
    return text


def spellings(text: str) -> tuple[str, ...]:
    """Return a text in canonical form, with umlauts written out, and as cautious tools leave it."""
    plain = canonical(text)
    if text.isascii():
        return (plain,)
    composed = unicodedata.normalize("NFC", text).lower()
    forms = [plain, canonical(composed.translate(_WRITTEN_OUT))]
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
