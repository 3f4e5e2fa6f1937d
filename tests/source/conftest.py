"""Fixtures that write tiny DICOM files and read them as a source."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from bidsanon.progress import Silent
from bidsanon.session import SourceSession
from bidsanon.source import read_source

sys.path.insert(0, str(Path(__file__).resolve().parent))

from instances import Read, Write, write_instance


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an instance below ``tmp_path/source``."""
    return lambda name, **attributes: write_instance(tmp_path / "source" / name, **attributes)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read ``tmp_path/source``, or the SOURCE arguments given."""

    def read_sources(
        *sources: Path, modalities: Iterable[str] = ("MR",), **options: Any
    ) -> SourceSession:
        return read_source(
            sources or [tmp_path / "source"],
            unpack_into=tmp_path / "private" / "unpacked",
            modalities=frozenset(modalities),
            progress=Silent(),
            **options,
        )

    return read_sources
