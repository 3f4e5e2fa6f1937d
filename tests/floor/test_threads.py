"""Files are worked on in their order, large ones side by side."""

import threading
import time

import pytest

from bidsanon.threads import in_turn

LARGE = 1 << 20


@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_what_became_of_files_is_told_in_their_order(jobs: int) -> None:
    sizes = [LARGE if n % 3 else n for n in range(50)]

    def work(number: int) -> int:
        time.sleep(0.001 * (number % 4))
        return number

    assert list(in_turn(work, range(50), size=sizes.__getitem__, jobs=jobs)) == list(range(50))


def test_large_files_are_worked_on_side_by_side() -> None:
    together = threading.Barrier(2, timeout=60)

    def work(_: int) -> None:
        together.wait()

    assert len(list(in_turn(work, range(4), size=lambda _: LARGE, jobs=2))) == 4


def test_small_files_are_worked_on_by_the_thread_that_asks() -> None:
    threads = set(in_turn(lambda _: threading.get_ident(), range(9), size=lambda _: 1, jobs=2))

    assert threads == {threading.get_ident()}


def test_an_error_ends_the_work_and_what_has_not_begun_never_begins() -> None:
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        if not number:
            raise ValueError("broken")
        time.sleep(0.05)

    with pytest.raises(ValueError, match="broken"):
        list(in_turn(work, range(1000), size=lambda _: LARGE, jobs=2))
    assert len(begun) < 20


def test_files_are_taken_a_few_at_a_time() -> None:
    files = iter(range(1000))

    next(in_turn(int, files, size=lambda _: LARGE, jobs=2))

    assert next(files) < 20
