"""A dataset that somebody writes while it is looked at: nothing crashes, whatever vanishes."""

from pathlib import Path

import pytest
from privacy_trees import raw_dataset

from bidsanon.bids.names import parse_name
from bidsanon.validate.privacy_faces import may_be_head

T1W = "sub-01/anat/sub-01_T1w.nii"


@pytest.mark.parametrize("becomes_folder", [True, False])
def test_an_image_that_is_gone_may_be_a_head(becomes_folder: bool, tmp_path: Path) -> None:
    raw_dataset(tmp_path)
    path = tmp_path / T1W
    path.unlink(missing_ok=True)
    if becomes_folder:
        path.mkdir()

    assert may_be_head(parse_name(T1W), path)
