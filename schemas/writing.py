"""How the generated files are written: JSON that people can read, and tables."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from conditions import Kind, Schema

Row = tuple[str, str, str, str]
"""What cannot be expressed: rule, level, what, reason."""


def write_schema(path: Path, schema: Schema) -> None:
    """Write a schema."""
    path.write_text(_compact(schema) + "\n", "utf-8")


def _compact(value: Any, indent: int = 0, *, key: str = "", width: int = 100) -> str:
    """Format JSON with short values on one line: readable, and a quarter of the lines."""
    label = f"{json.dumps(key)}: " if key else ""
    line = label + json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or len(line) + indent < width:
        return line
    if isinstance(value, dict):
        parts = [_compact(part, indent + 1, key=name) for name, part in value.items()]
        brackets = "{}"
    else:
        parts = [_compact(part, indent + 1) for part in value]
        brackets = "[]"
    body = ",".join(f"\n{' ' * (indent + 1)}{part}" for part in parts)
    return f"{label}{brackets[0]}{body}\n{' ' * indent}{brackets[1]}"


def write_kinds(path: Path, kinds: Iterable[Kind], raw: Collection[tuple[str, str]]) -> None:
    """Write the table of the kinds of data; ``raw`` are those that raw datasets may hold."""
    lines = ["datatype\tsuffix\tmodality\textensions\traw"]
    for kind in kinds:
        is_raw = "yes" if (kind.datatype, kind.suffix) in raw else "no"
        extensions = " ".join(kind.extensions)
        lines.append(f"{kind.datatype}\t{kind.suffix}\t{kind.modality}\t{extensions}\t{is_raw}")
    path.write_text("\n".join(lines) + "\n", "utf-8")


def write_not_expressed(path: Path, rows: Mapping[Row, set[str]], root: Collection[str]) -> None:
    """Write the table of what cannot be expressed; ``root`` are the kinds at a dataset's root."""
    lines = ["rule\tlevel\twhat\treason\tholds_for"]
    for row, kinds in sorted(rows.items()):
        lines.append("\t".join([*row, _summarise(kinds, root)]))
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _summarise(kinds: set[str], root: Collection[str]) -> str:
    by_datatype: dict[str, list[str]] = {}
    for kind in sorted(kinds):
        datatype, _, suffix = kind.rpartition("_") if kind not in root else ("", "", kind)
        by_datatype.setdefault(datatype or "root", []).append(suffix)
    return "; ".join(f"{d}: {' '.join(suffixes)}" for d, suffixes in by_datatype.items())
