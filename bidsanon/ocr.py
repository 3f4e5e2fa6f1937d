"""Reads words in pictures, where the extra ``ocr`` is installed: rapidocr and onnxruntime.

Neither may use the network. rapidocr brings its models along; they are named by their paths here,
because it downloads what it is not given: without its own files it counts as not installed.
onnxruntime reports to its maker from version 1.29 on: the extra asks for an older one, and in a
newer one reporting is switched off before it is imported.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PACKAGE = "rapidocr"
ENGINE = "onnxruntime"
INSTALL = "pip install 'bidsanon[ocr]'"

_LONGEST_SIDE = 1280
"""Larger pictures are made smaller before words are looked for: time grows with their area."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A piece of text in a picture. Identified, for all that anybody knows.

    Attributes
    ----------
    text
        What it reads.
    certainty
        How sure the reader is of it, 0 to 1.
    """

    text: str
    certainty: float


class TextReader(Protocol):
    """Whatever finds words in a picture."""

    @property
    def name(self) -> str:
        """What it is and in which version, for reports."""
        ...

    def read(self, picture: NDArray[np.uint8], /) -> tuple[Word, ...]:
        """Return the words of a picture.

        Parameters
        ----------
        picture
            Rows, columns and RGB.
        """
        ...


def text_reader(*, threads: int) -> TextReader | None:
    """Return what reads words in pictures; None where the extra ``ocr`` is not installed.

    Parameters
    ----------
    threads
        How many threads it may use.
    """
    models = _models()
    if models is None or find_spec(ENGINE) is None:
        return None
    return _RapidOcr(*models, threads=threads)


def reader_version() -> str | None:
    """Return the version of the reader; None where it is not installed whole."""
    if _models() is None or find_spec(ENGINE) is None:
        return None
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None


def _models() -> tuple[Path, Path] | None:
    """Find the models that find lines of text and that read them, among rapidocr's own files."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "models"
    finders, readers = (sorted(folder.glob(f"*_{task}_*.onnx")) for task in ("det", "rec"))
    return (finders[0], readers[0]) if finders and readers else None


class _RapidOcr:
    """rapidocr, with its own models and without its third one, which turns upside-down text."""

    def __init__(self, finder: Path, reader: Path, *, threads: int) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when onnxruntime is imported, and once
        from rapidocr import RapidOCR  # noqa: PLC0415 (an extra, and a second to import)

        logging.getLogger("RapidOCR").disabled = True  # it repeats what it reads
        engine = "EngineConfig.onnxruntime"
        self._engine: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.use_cls": False,
                "Det.model_path": str(finder),
                "Rec.model_path": str(reader),
                "Det.limit_type": "max",
                "Det.limit_side_len": _LONGEST_SIDE,
                # More than there are processors would count as no limit at all.
                f"{engine}.intra_op_num_threads": max(1, min(threads, os.cpu_count() or 1)),
                f"{engine}.inter_op_num_threads": 1,
            }
        )

    @property
    def name(self) -> str:
        return f"{PACKAGE} {version(PACKAGE)}"

    def read(self, picture: NDArray[np.uint8], /) -> tuple[Word, ...]:
        found = self._engine(picture, use_cls=False)
        return tuple(
            Word(text=text, certainty=float(score))
            for text, score in zip(found.txts or (), found.scores or (), strict=True)
        )
