"""Where the data files that ship with bidsanon are: in the wheel, or beside an editable install."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bidsanon.errors import BidsanonError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

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


def schema_errors(name: str, content: Any) -> list[ValidationError]:
    """Return where content is not as a file in ``schemas`` has it, sorted by place."""
    return sorted(_validator(name).iter_errors(content), key=lambda error: error.json_path)


def heuristics_folder() -> Path:
    """Return the folder of the bundled heuristics."""
    return _existing(_top_level("heuristics"))


@cache
def _validator(schema: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # slow, and --help checks nothing

    return Draft202012Validator(json.loads(schema_path(schema).read_text("utf-8")))


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
