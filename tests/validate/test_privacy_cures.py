"""The cures of privacy findings are true: doing what one says makes the finding go away."""

import json
from pathlib import Path

import pytest
from privacy_trees import raw_dataset, write

from bidsanon.validate.privacy import check_privacy


@pytest.mark.parametrize(("folder", "by_hand"), [("code", True), ("sub-01", False)])
def test_a_cure_does_not_promise_what_scrub_leaves_alone(
    folder: str, by_hand: bool, tmp_path: Path
) -> None:
    raw_dataset(tmp_path)
    write(tmp_path, f"{folder}/a.json", json.dumps({"PatientID": "4711081"}))

    (found,) = (f for f in check_privacy(tmp_path) if f.code == "PRIVACY_IDENTIFYING_KEY")

    assert ("by hand" in found.cure) is by_hand
