"""What a few tests need and a fresh environment does not bring: programs and extras."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Skip the test, saying what it needs; in continuous integration, which installs it, fail it.

    Parameters
    ----------
    what
        The program or extra that is not installed, and how to get it.
    """
    if os.environ.get("CI"):
        pytest.fail(f"{what} has to be installed here")
    pytest.skip(f"{what} is not installed")
