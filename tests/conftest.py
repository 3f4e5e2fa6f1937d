"""What all tests share: the builders in ``tests/sessions``, and real DICOM where it is present.

Real data are no part of the repository. They lie in ``../shared/data`` beside the project's root,
or where the environment variable ``BIDSANON_SHARED_DATA`` says. A test that needs them is skipped
where they are absent, except in continuous integration beside which there is a ``../shared``: a
set that is missing there is a failure, since a skipped test proves nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, not whether the promise holds.
settings.register_profile("bidsanon", deadline=None)
settings.load_profile("bidsanon")

_TESTS = Path(__file__).resolve().parent
_SHARED = _TESTS.parent.parent / "shared"

if str(_TESTS) not in sys.path:
    sys.path.insert(0, str(_TESTS))


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Give a function that finds one set of real DICOM by its name."""
    root = Path(os.environ.get("BIDSANON_SHARED_DATA", _SHARED / "data"))
    must_be_there = os.environ.get("CI") == "true" and _SHARED.exists()

    def find(name: str) -> Path:
        path = root / name
        if path.exists():
            return path
        reason = f"real data are needed: {name} is not below {root} (set BIDSANON_SHARED_DATA)"
        if must_be_there:
            pytest.fail(reason)
        pytest.skip(reason)

    return find
