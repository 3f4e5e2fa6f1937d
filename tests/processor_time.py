"""How much of the processor's time something may take; what else runs meanwhile does not count."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def within_cpu_seconds(most: float) -> Iterator[None]:
    """Fail where what is done takes longer: by far more than it needs, and far less than a hang."""
    began = time.process_time()
    yield
    assert time.process_time() - began < most
