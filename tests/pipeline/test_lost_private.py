"""A private folder that is not where it is looked for is told, before anybody is harmed by it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bidsanon.errors import StorageError, UsageError
from bidsanon.pipeline.lost_private import check_private, require_known
from bidsanon.pipeline.remove import make_remove_request
from bidsanon.pipeline.report_request import make_report_request
from bidsanon.pipeline.request import make_request
from bidsanon.pipeline.review import make_review_request
from bidsanon.pipeline.validate import make_validate_request
from bidsanon.vault import VAULT_NAME


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return a_dataset(tmp_path / "ds", "bidsanon")


def a_dataset(root: Path, program: str) -> Path:
    (root / "sub-01").mkdir(parents=True)
    made_by = [{"Name": "another"}, {"Name": program}]
    (root / "dataset_description.json").write_text(json.dumps({"GeneratedBy": made_by}))
    return root


def with_vault(private: Path) -> Path:
    private.mkdir()
    (private / VAULT_NAME).touch()
    return private


def test_nothing_is_added_without_the_vault_that_knows_the_datasets_persons(
    dataset: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with pytest.raises(UsageError, match="other labels and dates") as caught:
        make_request((source,), dataset=dataset, subject="02")
    assert "--private" in caught.value.cure

    moved = with_vault(tmp_path / "moved")
    assert make_request((source,), dataset=dataset, subject="02", private=moved).private == moved


def test_pages_in_a_new_private_folder_are_no_vault(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "ds.private" / "reports").mkdir(parents=True)
    with pytest.raises(UsageError):
        require_known(dataset, tmp_path / "ds.private")


def test_an_empty_folder_begins_anew(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    require_known(dataset, tmp_path / "new")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"GeneratedBy": 1}', '{"GeneratedBy": ["bidsanon", {}]}']
)
def test_what_others_made_and_what_holds_nobody_needs_no_vault(
    dataset: Path, tmp_path: Path, text: str
) -> None:
    private = tmp_path / "ds.private"
    require_known(a_dataset(tmp_path / "others", "heudiconv"), private)
    (dataset / "sub-01").rmdir()
    require_known(dataset, private)
    (dataset / "sub-01").mkdir()
    (dataset / "dataset_description.json").write_text(text)
    require_known(dataset, private)
    assert not check_private(dataset, private)


def test_validating_says_that_the_private_folder_is_missing(dataset: Path, tmp_path: Path) -> None:
    private = tmp_path / "ds.private"
    (found,) = check_private(dataset, private)
    assert (found.code, "ds.private" in found.message) == ("PRIVATE_FOLDER_MISSING", True)
    with_vault(private)
    assert not check_private(dataset, private)


def test_a_private_folder_that_is_named_and_not_there_is_refused(
    dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no private folder at --private"):
        make_validate_request(dataset, private=tmp_path / "mistyped")


def test_a_private_folder_of_somebody_else_is_told_before_anything_is_read(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = with_vault(tmp_path / "ds.private")
    monkeypatch.setattr(os, "access", lambda path, _: path != private)
    for make in (make_validate_request, make_report_request, make_review_request):
        with pytest.raises(StorageError, match="may not be entered"):
            make(dataset)
    with pytest.raises(StorageError, match="may not be entered"):
        make_remove_request(dataset, subject="01", session=None, private=None)
