"""Pseudonyms made of the vault's key: what stands for a person or a device without a label.

A pseudonym is "anon-" and characters of base 32, of which the first are a keyed hash of the
original and the last a keyed hash of the first. With the key it tells itself from anything else, so
that a pseudonym does not get a pseudonym.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from enum import Enum

_PREFIX = "anon-"
_CHARACTERS = re.compile(r"[a-z2-7]+")


class PseudonymForm(Enum):
    """How many characters are the hash of the original, and how many the check."""

    SHORT = (7, 4)
    """Sixteen characters in all: what SH and AE hold. Two of a thousand originals share one with a
    probability of 1.5e-5; what was made without the key is taken for one with 1e-6, if it has the
    form."""
    LONG = (10, 6)
    """Two of ten thousand originals share one with a probability of 4e-8; what was made without
    the key is taken for one with 1e-9, if it has the form."""


def make_pseudonym(kind: str, text: str, *, key: bytes, form: PseudonymForm) -> str:
    """Return the pseudonym of a value; a pseudonym of the same kind and form stays.

    Parameters
    ----------
    kind
        What it is a pseudonym of: the same text gives another pseudonym for another kind.
    text
        The value.
    key
        The vault's label key.
    form
        How long it is.
    """
    if is_pseudonym(text, kind, key=key, form=form):
        return text
    characters, _ = form.value
    body = _keyed(f"{kind}\0{text}", key, characters)
    return f"{_PREFIX}{body}{_check(kind, body, key, form)}"


def is_pseudonym(text: str, kind: str, *, key: bytes, form: PseudonymForm) -> bool:
    """Tell whether a value is a pseudonym that :func:`make_pseudonym` made with this key."""
    characters, checked = form.value
    start = len(_PREFIX)
    if len(text) != start + characters + checked or not text.startswith(_PREFIX):
        return False
    if not _CHARACTERS.fullmatch(text, start):
        return False
    body = text[start : start + characters]
    return text[start + characters :] == _check(kind, body, key, form)


def _check(kind: str, body: str, key: bytes, form: PseudonymForm) -> str:
    return _keyed(f"\0check\0{kind}\0{body}", key, form.value[1])


def _keyed(text: str, key: bytes, characters: int) -> str:
    digest = hmac.digest(key, text.encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().lower()[:characters]
