"""What bidsanon changes of what it published stays its own; what somebody edited is theirs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from additions import add, remove

from bidsanon.errors import ConflictError
from bidsanon.publish import keeping_own, private_beside

SIDECAR = "sub-01/anat/sub-01_T1w.json"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    add(tmp_path / "ds", "01")
    return tmp_path / "ds"


def test_what_was_ours_is_removed_with_its_session_after_we_changed_it(dataset: Path) -> None:
    with keeping_own(private_beside(dataset), dataset, [SIDECAR]):
        (dataset / SIDECAR).write_text("defaced")
    remove(dataset, "01")
    assert not dataset.exists()


def test_what_somebody_edited_before_is_theirs_still(dataset: Path) -> None:
    (dataset / SIDECAR).write_text("by hand")
    with keeping_own(private_beside(dataset), dataset, [SIDECAR]):
        (dataset / SIDECAR).write_text("by hand, defaced")
    with pytest.raises(ConflictError, match="added or changed"):
        remove(dataset, "01")


def test_what_is_changed_by_hand_afterwards_is_theirs(dataset: Path) -> None:
    with keeping_own(private_beside(dataset), dataset, [SIDECAR]):
        (dataset / SIDECAR).write_text("defaced")
    (dataset / SIDECAR).write_text("by hand")
    with pytest.raises(ConflictError, match="added or changed"):
        remove(dataset, "01")


def test_what_was_changed_before_an_interruption_is_ours(dataset: Path) -> None:
    with suppress(KeyboardInterrupt), keeping_own(private_beside(dataset), dataset, [SIDECAR]):
        (dataset / SIDECAR).write_text("defaced")
        raise KeyboardInterrupt
    remove(dataset, "01")
    assert not dataset.exists()


def test_a_dataset_of_somebody_else_gets_no_ledger(tmp_path: Path) -> None:
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds" / "README").write_text("theirs")
    with keeping_own(private_beside(tmp_path / "ds"), tmp_path / "ds", ["README"]):
        (tmp_path / "ds" / "README").write_text("changed")
    assert [path.name for path in tmp_path.iterdir()] == ["ds"]
