"""What a person decided about defaced images: ``decisions.json`` in the private folder.

A decision holds for an image's bytes: another image at the same place has none, and the same bytes
at another place have the same one. Where one image was rejected and the same bytes accepted
elsewhere, the rejection holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock

from bidsanon.errors import StorageError
from bidsanon.files import (
    PRIVATE_FILE_MODE,
    file_state,
    make_private_folder,
    sha256,
    storage_errors,
    write_json,
)

DECISIONS_NAME = "decisions.json"
DECISIONS_VERSION = 1

_LOCK_NAME = f".{DECISIONS_NAME}.lock"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class FaceVerdict(StrEnum):
    """What a person says of a defaced image."""

    ACCEPTED = "accepted"
    """It shows no face, and what is to stay of the head is there."""
    REJECTED = "rejected"
    """It is not to be shared as it is."""


@dataclass(frozen=True, kw_only=True)
class FaceDecision:
    """What a person decided about one image.

    Attributes
    ----------
    image
        Where it was in the dataset, with forward slashes.
    sha256
        The SHA-256 of its file's bytes, as it was looked at.
    size
        How many bytes these are.
    verdict
        What was decided.
    when
        When, ISO 8601 in UTC with seconds.
    state
        What :func:`bidsanon.files.file_state` said of the file then: one of which it says the same
        need not be read again to be listed. Empty where nobody kept it.
    """

    image: str
    sha256: str
    size: int
    verdict: FaceVerdict
    when: str
    state: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FaceDecisions:
    """All decisions of one private folder.

    Attributes
    ----------
    by_image
        The last decision about each image, by its path in the dataset.
    """

    by_image: Mapping[str, FaceDecision] = field(default_factory=dict)

    @classmethod
    def read(cls, private: Path) -> FaceDecisions:
        """Read the decisions in a private folder; there are none where there is no file.

        Raises
        ------
        StorageError
            If the file cannot be read or understood: nobody knows what was rejected, then.
        """
        path = private / DECISIONS_NAME
        try:
            found = _decisions(json.loads(path.read_text("utf-8")))
            return cls(by_image={decision.image: decision for decision in found})
        except FileNotFoundError:
            return cls()
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise StorageError(
                f"{DECISIONS_NAME} in the private folder cannot be understood",
                cure="put it back from a backup, or move it away and look at the images again with "
                "`bidsanon review`",
            ) from error
        except OSError as error:
            raise StorageError(
                f"{DECISIONS_NAME} in the private folder cannot be read",
                cure="check the private folder's permissions",
            ) from error

    def verdict_of(self, path: Path) -> FaceVerdict | None:
        """Return what was decided about an image's bytes; None where nobody decided about them.

        A file is digested only where a decision is about one of its size.

        Parameters
        ----------
        path
            The image's file.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        if path.stat().st_size not in self._sizes:
            return None
        return self.verdict_of_bytes(sha256(path))

    def verdict_of_bytes(self, digest: str) -> FaceVerdict | None:
        """Return what was decided about bytes, by their SHA-256."""
        return self._verdicts.get(digest)

    def listed_verdict(self, root: Path, image: str) -> FaceVerdict | None:
        """Return what was decided about an image, for a list of many.

        A file of which the file system says what it said when it was decided about is not read
        again. What is published goes by :meth:`verdict_of`, which reads it.

        Parameters
        ----------
        root
            The dataset's folder.
        image
            Its path in it.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        known = self.by_image.get(image)
        if known and known.state and known.state == file_state(root / image):
            return self.verdict_of_bytes(known.sha256)
        return self.verdict_of(root / image)

    @cached_property
    def _sizes(self) -> frozenset[int]:
        return frozenset(one.size for one in self.by_image.values())

    @cached_property
    def _verdicts(self) -> Mapping[str, FaceVerdict]:
        """What was decided about bytes, by their SHA-256: a rejection holds."""
        # "rejected" comes after "accepted".
        ordered = sorted(self.by_image.values(), key=lambda one: one.verdict)
        return {one.sha256: one.verdict for one in ordered}

    def rejected(self, root: Path, images: Iterable[str]) -> Iterator[str]:
        """Yield the images among some whose bytes were rejected, in their order.

        Parameters
        ----------
        root
            The dataset's folder.
        images
            Their paths in it.

        Raises
        ------
        OSError
            If one of them cannot be read.
        """
        if any(one.verdict is FaceVerdict.REJECTED for one in self.by_image.values()):
            for image in images:
                if self.verdict_of(root / image) is FaceVerdict.REJECTED:
                    yield image


def record_decision(private: Path, decision: FaceDecision) -> FaceDecisions:
    """Put a decision into the private folder in place of the one about the same image.

    It is on the disk when this returns, whole, beside what others decided meanwhile.

    Returns
    -------
    FaceDecisions
        All decisions that stand now.

    Raises
    ------
    StorageError
        If it cannot be written, or what stands there cannot be understood.
    """
    return _change(private, decision.image, decision)


def withdraw_decision(private: Path, image: str) -> FaceDecisions:
    """Take the decision about an image back; where there is none, nothing changes.

    Raises
    ------
    StorageError
        As :func:`record_decision` does.
    """
    return _change(private, image, None)


def _change(private: Path, image: str, decision: FaceDecision | None) -> FaceDecisions:
    with storage_errors("the decisions"):
        make_private_folder(private)
        with FileLock(private / _LOCK_NAME, mode=PRIVATE_FILE_MODE):
            standing = dict(FaceDecisions.read(private).by_image)
            standing.pop(image, None)
            if decision is not None:
                standing[image] = decision
            content = {
                "version": DECISIONS_VERSION,
                "decisions": [asdict(standing[name]) for name in sorted(standing)],
            }
            write_json(private / DECISIONS_NAME, content, mode=PRIVATE_FILE_MODE)
    return FaceDecisions(by_image=standing)


def _decisions(content: Mapping[str, Any]) -> list[FaceDecision]:
    if content["version"] != DECISIONS_VERSION:
        raise ValueError("another version")
    return [_decision(record) for record in content["decisions"]]


def _decision(record: Mapping[str, Any]) -> FaceDecision:
    known = {"state": (), **record}
    state = tuple(known["state"])
    decision = FaceDecision(**{**known, "verdict": FaceVerdict(known["verdict"]), "state": state})
    texts = (decision.image, decision.sha256, decision.when)
    numbers = (decision.size, *state)
    if not all(isinstance(text, str) for text in texts) or not all(
        isinstance(number, int) for number in numbers
    ):
        raise TypeError("a value of another type")
    if not _DIGEST.fullmatch(decision.sha256):
        raise ValueError("no digest")
    return decision
