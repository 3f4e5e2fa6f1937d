"""Resolves what programs write in place of characters: escapes, tags, and text decoded wrongly.

JSON, JavaScript, Python and C, XML and HTML, URLs, mail, RTF, Markdown and PDF each have their way.
Every function gives a text back as it is where there is nothing to resolve.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from functools import lru_cache

_MANY_BACKSLASHES = re.compile(r"\\\\+")
_UNICODE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,5})\}|U000([0-9a-fA-F]{5}))")
_BYTES = re.compile(r"(?>(?:\\x[0-9a-fA-F]{2})+)|(?>(?:\\[0-3][0-7]{2})+)")
_ONE_BYTE = re.compile(r"x([0-9a-fA-F]{2})|([0-3][0-7]{2})")
_PERCENT = re.compile(r"(?>(?:%[0-9a-fA-F]{2})+)")
_PERCENT_UNICODE = re.compile(r"%u([0-9a-fA-F]{4})")
_XML = re.compile(r"&#?\w")
_BEFORE_PUNCTUATION = re.compile(r"\\(?=[!-/:-@\[\]-`{-~ ])")
_MAIL = re.compile(r"(?>(?:=[0-9A-Fa-f]{2})+)")
_MAIL_BREAK = re.compile(r"=[ \t]{0,9}\r?\n")
_MAIL_MARK = re.compile(r"=(?:[89A-Fa-f][0-9A-Fa-f]|3[Dd]|2[0-9A-Fa-f]|\r?\n)")
_RTF_MARK = re.compile(r"\\'[0-9a-fA-F]{2}|\\u-?\d+ ?[?\\]|\\(?:rtf|pard?|ansi)\b", re.ASCII)
_RTF_PAGE = re.compile(r"\\ansicpg(\d{1,5})", re.ASCII)
_RTF_BYTES = re.compile(r"(?>(?:\\'[0-9a-fA-F]{2})+)")
_RTF_UNICODE = re.compile(r"\\u(-?\d{1,5}) ?(?:\\'[0-9a-fA-F]{2}|\?)?", re.ASCII)
_RTF_BREAK = re.compile(r"\\(?:par|line|tab|cell|row|sect|page)\b ?|\\\n", re.ASCII)
_RTF_WORD = re.compile(r"\\[a-z]+-?\d* ?|\\[*~_-]|[{}\r\n]", re.ASCII)
_PLUS = re.compile(r"\+(?=\w)")
_TAG = re.compile(r"<[!/?a-zA-Z][^<>]{0,4096}>")
_BREAKING_TAG = re.compile(
    r"</?(?:\w++:)?(?:p|br|tr|td|th|li|div|h\d|row|c|si|tab|text|title|desc)\b[^<>]{0,4096}>",
    re.IGNORECASE | re.ASCII,
)
_KERNED = re.compile(
    r"\)\s{0,9}(?:T[jJ]\s{1,9}(?:(?:-?[\d.]{1,9}\s{1,9}){2,6}T[dDm]\s{0,9})?|-?\d{0,6}\.?\d{0,6}\s{0,9})\(",
    re.ASCII,
)
_KERNED_MARK = re.compile(r"\)\s?(?:-?\d{1,6}\.?\d{0,6}\s?\(|T[jJ]\s)", re.ASCII)
_TEX_ACCENT = r"\\(?:[\"'`^~=.]\s?|[Hcuvrk](?:\s|(?=\{)))\{?\\?"
_TEX = re.compile(_TEX_ACCENT + r"(?=[A-Za-z](?!\}))", re.ASCII)
_TEX_IN_BRACES = re.compile(_TEX_ACCENT + r"([A-Za-z])\}{1,2}", re.ASCII)
_DIVIDED = re.compile(r"-\r?\n[ \t]{0,80}(?=\w)")
_MARK_OF_UTF_16 = re.compile("\u00fe\u00ff|\u00ff\u00fe")
_LINE_GOES_ON = re.compile(r"\\\r?\n")
_MISREAD_AS = ("cp1252", "latin-1", "mac-roman", "cp850", "cp437")
_LONGEST_REMEMBERED = 64
_MOST_NESTED = 3


def _letters_of(character_set: str, first: int, last: int) -> str:
    """Return a class of the letters that some bytes are in a character set, but ASCII."""
    letters = bytes(range(first, last + 1)).decode(character_set, "ignore")
    return "[" + "".join(f"\\u{ord(c):04x}" for c in letters) + "]"


_MISREAD_MARKS = "|".join(
    _letters_of(name, 0xC2, 0xF4) + _letters_of(name, 0x80, 0xBF) for name in _MISREAD_AS
)
"""How a letter begins that was written in UTF-8: a byte of its head, and one that goes on."""
_MISREAD = re.compile(rf"(?<![\u0080-\uffff])(?={_MISREAD_MARKS})[\u0080-\uffff]{{2,}}")
_MARKS = ("\\", "%", "&", "<", "+", "=", ")", "\x1b", "-\n", "-\r\n")
_NOT_PLAIN = re.compile(
    rf"[\x1b%&\\<]|{_PLUS.pattern}|{_MAIL_MARK.pattern}|{_KERNED_MARK.pattern}|-\r?\n", re.ASCII
)


def is_plain(text: str) -> bool:
    """Whether a text says what it is written as: no escapes, no characters of several forms."""
    if not text.isascii():
        return False
    return not any(mark in text for mark in _MARKS) or _NOT_PLAIN.search(text) is None


def readings(text: str, written_out: str | None = None) -> Iterator[str]:
    """Yield what a text says with its escapes resolved, in each way that gives something else.

    Parameters
    ----------
    text
        A text.
    written_out
        What :func:`resolved` gives for it, where that is known.
    """
    if is_plain(text):
        return
    told = {text}
    for start in dict.fromkeys((text, written_out or resolved(text))):
        for other in (start, _without_zeros(start), *_others(start)):
            if other not in told:
                told.add(other)
                yield other


def _without_zeros(text: str) -> str:
    """Return UTF-16 that was resolved byte by byte without its zeros and its mark."""
    return (text if text.isascii() else _MARK_OF_UTF_16.sub(" ", text)).replace("\0", "")


def resolved(text: str) -> str:
    """Resolve escapes, and those that they hold."""
    for _ in range(_MOST_NESTED):
        before = text
        text = _without_escapes(text)
        if text == before:
            break
    return text


def _others(text: str) -> Iterator[str]:
    """Yield the readings that would spoil another if they were taken together."""
    if "=" in text and _MAIL_MARK.search(text):
        yield _MAIL.sub(_mail_bytes, _MAIL_BREAK.sub("", text))
    if "\\" in text and _RTF_MARK.search(text):
        yield _from_rtf(text)
    if "+" in text:
        yield _PLUS.sub(" ", text)
    if "<" in text and ">" in text:
        yield _TAG.sub("", _BREAKING_TAG.sub("\n", text))
    if "\\" in text:
        bare = _TEX.sub("", text.replace("{\\", "\\"))
        yield _TEX_IN_BRACES.sub(lambda match: match[1], bare) if "}" in bare else bare
    if "-\n" in text or "-\r\n" in text:
        yield _DIVIDED.sub("", text)
        yield _DIVIDED.sub("-", text)
    if ")" in text and _KERNED_MARK.search(text):
        yield _KERNED.sub("", text)
    if not text.isascii():
        yield _MISREAD.sub(_reread, text)


def _without_escapes(text: str) -> str:
    if "\\" in text:
        text = _without_backslashes(text)
    if "%" in text:
        text = _PERCENT_UNICODE.sub(lambda match: chr(int(match[1], 16)), text)
        text = _PERCENT.sub(lambda match: as_text(bytes.fromhex(match[0].replace("%", ""))), text)
    if "&" in text and _XML.search(text):
        text = html.unescape(text)
    return text


def _without_backslashes(text: str) -> str:
    text = _MANY_BACKSLASHES.sub(r"\\", text)
    if _UNICODE.search(text):
        escaped = _UNICODE.sub(_character, text)
        text = escaped.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = _BYTES.sub(_escaped_bytes, text)
    return _BEFORE_PUNCTUATION.sub("", _LINE_GOES_ON.sub("", text))


def _character(match: re.Match[str]) -> str:
    return chr(int(match[1] or match[2] or match[3], 16))


def _escaped_bytes(match: re.Match[str]) -> str:
    digits = _ONE_BYTE.findall(match[0])
    return as_text(bytes(int(x, 16) if x else int(octal, 8) for x, octal in digits))


def _mail_bytes(match: re.Match[str]) -> str:
    """Resolve quoted-printable (RFC 2045, 6.7)."""
    return as_text(bytes.fromhex(match[0].replace("=", "")))


def _from_rtf(text: str) -> str:
    page = _RTF_PAGE.search(text)
    character_set = _known(f"cp{page[1]}") if page else "cp1252"
    text = _RTF_UNICODE.sub(lambda match: chr(int(match[1]) & 0xFFFF), text)
    text = _RTF_BYTES.sub(
        lambda match: bytes.fromhex(match[0].replace("\\'", "")).decode(character_set, "replace"),
        text,
    )
    return _RTF_WORD.sub("", _RTF_BREAK.sub("\t", text))


@lru_cache(maxsize=64)
def _known(character_set: str) -> str:
    try:
        return codecs.lookup(character_set).name
    except LookupError:
        return "cp1252"


def as_text(octets: bytes) -> str:
    """Read bytes that were escaped: as UTF-8, or else as Windows and Latin-1 have it."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("cp1252", "replace")


def _reread(match: re.Match[str]) -> str:
    letters = match[0]
    is_short = len(letters) <= _LONGEST_REMEMBERED
    return _read_rightly(letters) if is_short else _read_rightly.__wrapped__(letters)


@lru_cache(maxsize=1 << 12)
def _read_rightly(letters: str) -> str:
    """Return letters as they were before UTF-8 was read as another character set, if it was."""
    for character_set in _MISREAD_AS:
        try:
            return letters.encode(character_set).decode("utf-8")
        except UnicodeError:
            continue
    return letters
