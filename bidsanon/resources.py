"""Where the data files that ship with bidsanon are: in the wheel, or beside an editable install."""

from __future__ import annotations

from pathlib import Path

from bidsanon.errors import BidsanonError

_PACKAGE = Path(__file__).resolve().parent


def data_path(name: str) -> Path:
    """Return the path of a file in ``bidsanon/data``.

    Raises
    ------
    BidsanonError
        If the installation lacks it.
    """
    return _existing(_PACKAGE / "data" / name)


def schema_path(name: str) -> Path:
    """Return the path of a file in ``schemas``."""
    return _existing(_top_level("schemas") / name)


def heuristics_folder() -> Path:
    """Return the folder of the bundled heuristics."""
    return _existing(_top_level("heuristics"))


def _top_level(name: str) -> Path:
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def _existing(path: Path) -> Path:
    if not path.exists():
        raise BidsanonError(
            f"the installation of bidsanon lacks {path.parent.name}/{path.name}",
            cure="install it again with pip",
        )
    return path
