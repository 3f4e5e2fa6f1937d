"""What a person decided about defaced images: ``decisions.json`` in the private folder.

A decision holds for an image's bytes: another image at the same place has none, and the same bytes
at another place have the same one. Where one image was rejected and the same bytes accepted
elsewhere, the rejection holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
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
    made
        The last one about each image's bytes, sorted by the image's path in its dataset. About
        other bytes that stood there before, or in another dataset of the private folder, there may
        be others.
    """

    made: tuple[FaceDecision, ...] = ()

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
            return cls(made=tuple(_decisions(json.loads(path.read_text("utf-8")))))
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
        known = self._by_image.get(image, [])
        state = file_state(root / image) if known else ()
        digest = next((one.sha256 for one in known if one.state and one.state == state), "")
        return self.verdict_of_bytes(digest) if digest else self.verdict_of(root / image)

    @cached_property
    def _by_image(self) -> Mapping[str, list[FaceDecision]]:
        found: dict[str, list[FaceDecision]] = {}
        for one in self.made:
            found.setdefault(one.image, []).append(one)
        return found

    @cached_property
    def _sizes(self) -> frozenset[int]:
        return frozenset(one.size for one in self.made)

    @cached_property
    def _verdicts(self) -> Mapping[str, FaceVerdict]:
        """What was decided about bytes, by their SHA-256: a rejection holds."""
        # "rejected" comes after "accepted".
        ordered = sorted(self.made, key=lambda one: one.verdict)
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
        if any(one.verdict is FaceVerdict.REJECTED for one in self.made):
            for image in images:
                if self.verdict_of(root / image) is FaceVerdict.REJECTED:
                    yield image


def record_decision(private: Path, decision: FaceDecision) -> FaceDecisions:
    """Put a decision into the private folder in place of the one about the same image's bytes.

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
    return _change(private, decision.image, decision.sha256, decision)


def withdraw_decision(private: Path, image: str, digest: str) -> FaceDecisions:
    """Take the decision about an image's bytes back; where there is none, nothing changes.

    Parameters
    ----------
    digest
        Their SHA-256.

    Raises
    ------
    StorageError
        As :func:`record_decision` does.
    """
    return _change(private, image, digest, None)


def _change(private: Path, image: str, digest: str, decision: FaceDecision | None) -> FaceDecisions:
    with storage_errors("the decisions"):
        make_private_folder(private)
        with FileLock(private / _LOCK_NAME, mode=PRIVATE_FILE_MODE):
            standing = [
                one
                for one in FaceDecisions.read(private).made
                if (one.image, one.sha256) != (image, digest)
            ]
            if decision is not None:
                standing.append(decision)
            standing.sort(key=lambda one: (one.image, one.sha256))
            content = {
                "version": DECISIONS_VERSION,
                "decisions": [asdict(one) for one in standing],
            }
            write_json(private / DECISIONS_NAME, content, mode=PRIVATE_FILE_MODE)
    return FaceDecisions(made=tuple(standing))


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
