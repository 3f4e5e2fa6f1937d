"""Keeps results as lines of JSON, so that a benchmark can be resumed and its table made again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


def read_records(kind: type[Record], path: Path | None) -> list[Record]:
    """Read records of a dataclass; none where there is no such file."""
    if path is None or not path.exists():
        return []
    return [kind(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def write_records(path: Path | None, records: Iterable[Record]) -> None:
    """Write records in the place of what a file held; nowhere if None."""
    if path is None:
        return
    written = path.with_name(f".{path.name}")
    written.write_text("".join(f"{json.dumps(asdict(each))}\n" for each in records), "utf-8")
    written.replace(path)
