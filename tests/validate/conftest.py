"""A small valid dataset, made once and copied for each test."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sessions.converted import converted_session

from bidsanon.bids.toplevel import dataset_files, participant_row
from bidsanon.scrub import scrub_session


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of one session, as the stages before leave it."""
    tree, root = tmp_path_factory.mktemp("converted"), tmp_path_factory.mktemp("template")
    scrub_session(converted_session(tree), into=root, device_pseudonym=lambda _: "SCANNER")
    files = dataset_files(
        {},
        name="A study",
        tools={"bidsanon": "0.1.0", "heudiconv": "1.5.1"},
        participant=participant_row("01", age_years=94, sex="F"),
    )
    for name, text in files.items():
        (root / name).write_text(text, "utf-8")
    return root


@pytest.fixture
def dataset(_template: Path, tmp_path: Path) -> Path:
    """A valid dataset that the test may spoil."""
    return Path(shutil.copytree(_template, tmp_path / "dataset"))


@pytest.fixture
def edit(dataset: Path) -> Callable[..., None]:
    """Change keys of a JSON file of the dataset; None removes a key."""

    def _edit(name: str, **changes: Any) -> None:
        path = next(dataset.rglob(name))
        content = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))

    return _edit
