"""Who uses a vault: many runs at once, or one process that changes it as a whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from bidsanon.errors import ConflictError
from bidsanon.files import PRIVATE_FILE_MODE, storage_errors

LOCK_NAME = ".vault.lock"


@contextlib.contextmanager
def vault_in_use(private: Path) -> Iterator[None]:
    """Hold a vault together with other runs: nobody destroys or protects it meanwhile.

    Raises
    ------
    ConflictError
        If somebody is destroying or protecting it now.
    """
    with _lock(
        private,
        fcntl.LOCK_SH,
        ConflictError(
            "the vault of this private folder is being changed now",
            cure="wait until it is done, and run it again",
        ),
    ):
        yield


@contextlib.contextmanager
def vault_alone(private: Path) -> Iterator[None]:
    """Hold a vault alone.

    Raises
    ------
    ConflictError
        If a run uses it now.
    """
    with _lock(
        private,
        fcntl.LOCK_EX,
        ConflictError(
            "a run uses the vault of this private folder now",
            cure="wait until it has ended, and run it again",
        ),
    ):
        yield


@contextlib.contextmanager
def _lock(private: Path, kind: int, conflict: ConflictError) -> Iterator[None]:
    with storage_errors("the private folder"):
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(private / LOCK_NAME, flags, PRIVATE_FILE_MODE)
    try:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise conflict from error
        yield
    finally:
        os.close(descriptor)
