"""What is kept of a session's run, so that its page can be made again: a record and its pictures.

It lies in the private folder: the pictures show heads before their defacing.
"""

from __future__ import annotations

import dataclasses
import json
import secrets
import types
import typing
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from bidsanon.files import (
    PRIVATE_FILE_MODE,
    copy_file,
    make_private_folder,
    remove_tree,
    write_json,
)
from bidsanon.report.record import SessionReport

RECORD_NAME = "record.json"
RECORD_VERSION = 1

_PICTURES = "pictures-"
_MOST_BYTES = 1 << 26


def keep_record(report: SessionReport, folder: Path) -> None:
    """Keep what a page says, in place of what was kept before: the one or the other is there.

    Parameters
    ----------
    report
        What the page says; its pictures are copied.
    folder
        Where to, within the private folder.
    """
    for place in (folder.parent, folder):
        make_private_folder(place)
    pictures = make_private_folder(folder / f"{_PICTURES}{secrets.token_hex(4)}")
    kept = []
    for outcome in report.defaced:
        there = {name: path for name, path in outcome.pictures.items() if path.is_file()}
        for path in there.values():
            copy_file(path, pictures / path.name, mode=PRIVATE_FILE_MODE)
        names = {name: Path(path.name) for name, path in there.items()}
        kept.append(replace(outcome, pictures=names))
    content = {
        "record": RECORD_VERSION,
        "pictures": pictures.name,
        **_plain(replace(report, defaced=tuple(kept))),
    }
    # From here on the pictures are these; those of an earlier run are nobody's.
    write_json(folder / RECORD_NAME, content, mode=PRIVATE_FILE_MODE)
    for earlier in folder.glob(f"{_PICTURES}*"):
        if earlier != pictures:
            remove_tree(earlier)


def read_record(folder: Path) -> SessionReport | None:
    """Read what was kept; None where nothing was, or where it cannot be understood."""
    path = folder / RECORD_NAME
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        content = json.loads(path.read_text("utf-8"))
        if content.pop("record") != RECORD_VERSION:
            return None
        pictures = folder / Path(str(content.pop("pictures"))).name
        report: SessionReport = _restored(SessionReport, content)
    except (OSError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return replace(
        report,
        defaced=tuple(
            replace(
                outcome,
                pictures={n: pictures / p.name for n, p in outcome.pictures.items()},
            )
            for outcome in report.defaced
        ),
    )


def _plain(value: Any) -> Any:
    """Return a record as JSON has it."""
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    return value.as_posix() if isinstance(value, Path) else value


def _restored(kind: Any, value: Any) -> Any:
    """Return what a record's field was, by its annotation.

    Raises
    ------
    TypeError, ValueError, AttributeError, KeyError
        If the value is none of that kind.
    """
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in {typing.Union, types.UnionType}:
        return None if value is None else _restored(inner[0], value)
    if origin is tuple:
        return tuple(_restored(inner[0], one) for one in value)
    if origin is not None:
        return {name: _restored(inner[1], one) for name, one in value.items()}
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        fields = {name: _restored(hints[name], one) for name, one in value.items()}
        return typing.cast("Any", kind)(**fields)
    return _restored_value(kind, value)


def _restored_value(kind: Any, value: Any) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(value)
    if issubclass(kind, Enum | Path):
        return kind(value)
    if not isinstance(value, (int, float) if kind is float else kind):
        raise TypeError("a value of another type")
    return value
