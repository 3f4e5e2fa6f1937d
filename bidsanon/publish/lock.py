"""Who may write: one process on a session, one at a time on a dataset, and one on an OUT."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from bidsanon.errors import ConflictError
from bidsanon.files import PRIVATE_FILE_MODE, make_private_folder

DATASET_LOCK_TIMEOUT_S = 600.0


def publishing_folder(dataset: Path) -> Path:
    """Return the hidden folder beside a dataset where what is to be published waits.

    It is beside the dataset, not in it, so that a refusal leaves the dataset as it was, and on
    the same file system, so that publishing is a matter of renaming.
    """
    dataset = dataset.resolve()
    return dataset.parent / f".{dataset.name}.bidsanon"


@contextlib.contextmanager
def dataset_lock(dataset: Path, *, timeout_s: float = DATASET_LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the dataset alone, waiting for whoever holds it now.

    Raises
    ------
    ConflictError
        If somebody else holds it for longer than `timeout_s`.
    """
    folder = make_private_folder(publishing_folder(dataset))
    lock = FileLock(folder / "lock", mode=PRIVATE_FILE_MODE)
    try:
        lock.acquire(timeout=timeout_s)
    except Timeout as error:
        raise ConflictError(
            f"somebody else has been writing the dataset for more than {timeout_s:.0f} s",
            cure="wait until they are done, and run it again",
        ) from error
    try:
        yield
    finally:
        lock.release()


def lock_file(work: Path) -> Path:
    """Return the file on which the claim of a work folder is held."""
    return work.parent / f".{work.name}.lock"


@contextlib.contextmanager
def session_claim(work: Path, *, doing: str = "converting this session") -> Iterator[None]:
    """Hold one session's work folder alone; whoever comes second is told at once.

    Parameters
    ----------
    work
        The folder.
    doing
        What is done with it, for the message.

    Raises
    ------
    ConflictError
        If another process holds it.
    """
    make_private_folder(work.parent)
    lock = FileLock(lock_file(work), mode=PRIVATE_FILE_MODE)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ConflictError(
            f"another process is {doing} now",
            cure="wait until it is done, and run it again if it failed",
        ) from error
    try:
        yield
    finally:
        lock.release()


def change_folder(out: Path) -> Path:
    """Return the hidden folder beside an OUT in which a change of it is prepared."""
    return publishing_folder(out) / "change"


@contextlib.contextmanager
def out_lock(out: Path) -> Iterator[None]:
    """Hold OUT alone; whoever comes second is told at once. The hidden folder goes at the end.

    Raises
    ------
    ConflictError
        If another process is writing there.
    """
    folder = publishing_folder(out)
    descriptor = _locked(folder / "lock")
    try:
        yield
    finally:
        if not change_folder(out).exists():
            (folder / "lock").unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                folder.rmdir()
        os.close(descriptor)


def _locked(path: Path) -> int:
    """Lock a file of which whoever held it last may just have removed the name."""
    while True:
        make_private_folder(path.parent)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE_MODE)
        except FileNotFoundError:
            continue  # the folder went in this moment
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise ConflictError(
                "another process is writing OUT now",
                cure="wait until it is done, and run it again if it failed",
            ) from error
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)
