"""What the user asks for becomes one record, however it is spelled."""

from pathlib import Path

import pytest

from bidsanon.pipeline.request import make_request


@pytest.mark.parametrize("named", ["ds", "ds/.", "ds/sub-01/..", "link"])
def test_a_dataset_has_one_private_folder_however_it_is_named(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    dataset = tmp_path / "ds"
    (dataset / "sub-01").mkdir(parents=True)
    (dataset / "dataset_description.json").write_text("{}")
    (tmp_path / "link").symlink_to(dataset)
    monkeypatch.chdir(tmp_path)
    request = make_request((Path("in"),), dataset=Path(named), subject="01")
    assert request.place.dataset == dataset
    assert request.private == tmp_path / "ds.private"
