"""What a dataset asks validators not to look at: ``.bidsignore``, and hidden files.

The file is written as git's ``.gitignore``; of its patterns the last one that fits decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bidsanon.bids.sharing import BIDSIGNORE

_LARGEST = 1 << 20
_MOST_WILD = 10
_TOKEN = re.compile(r"/?\*\*/?|\*|\?|\[!?[^]]+\]|.", re.DOTALL)
_WILD = {"*": "[^/]*", "?": "[^/]"}
_DEEP = {"**/": "(?:.*/)?", "/**": "/.*", "/**/": "/(?:.*/)?", "**": ".*"}


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """What is not looked at.

    Attributes
    ----------
    patterns
        In their order: whether what fits is looked at again, and the pattern.
    """

    patterns: tuple[tuple[bool, re.Pattern[str]], ...] = ()

    def hides(self, name: str) -> bool:
        """Tell whether a file is not looked at.

        Parameters
        ----------
        name
            Its place within the dataset, with forward slashes.
        """
        if name.startswith(".") or "/." in name:
            return True
        hidden = False
        for again, pattern in self.patterns:
            if pattern.fullmatch(name):
                hidden = not again
        return hidden


def read_ignored(root: Path) -> Ignored:
    """Read what a dataset asks not to be looked at; hidden files only where it says nothing.

    A pattern with very many asterisks hides nothing: to try it could take for ever.
    """
    try:
        with (root / BIDSIGNORE).open("rb") as stream:
            lines = stream.read(_LARGEST).decode("utf-8", "replace").splitlines()
    except OSError:
        return Ignored()
    written = [line.strip() for line in lines]
    patterns = [line for line in written if line.strip("!/") and not line.startswith("#")]
    tame = (line for line in patterns if line.count("*") <= _MOST_WILD)
    return Ignored(patterns=tuple(map(_pattern, tame)))


def _pattern(line: str) -> tuple[bool, re.Pattern[str]]:
    again = line.startswith("!")
    text = line.removeprefix("!")
    below = "/.*" if text.endswith("/") else "(?:/.*)?"
    text = text.rstrip("/")
    anywhere = "" if "/" in text else "(?:.*/)?"
    parts = (_translated(token) for token in _TOKEN.findall(text.removeprefix("/")))
    return again, re.compile(f"{anywhere}{''.join(parts)}{below}")


def _translated(token: str) -> str:
    known = _WILD.get(token) or _DEEP.get(token)
    if known:
        return known
    if len(token) == 1:
        return re.escape(token)
    body = re.sub(r"([\\[&~|])", r"\\\1", token[1:-1].removeprefix("!"))
    characters = f"[{'^' if token[1] == '!' else ''}{body}]"
    try:
        re.compile(characters)
    except re.error:
        return re.escape(token)
    return characters
