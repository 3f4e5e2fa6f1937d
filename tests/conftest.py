"""What all tests share: the builders in ``tests/sessions``, and real DICOM where it is present.

Real data are no part of the repository. They lie in ``../shared/data`` beside the project's root,
or where the environment variable ``BIDSANON_SHARED_DATA`` says. A test that needs them is skipped
where they are absent, except in continuous integration beside which there is a ``../shared``: a
set that is missing there is a failure, since a skipped test proves nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator

from bidsanon import ocr
from bidsanon.audit import Journal
from bidsanon.cli import outcome
from bidsanon.resources import schema_path

# How long an example takes to make or to check says how busy the machine is, not whether the
# promise holds. All examples of a test have one folder, which each of them overwrites. In
# continuous integration the same examples are tried each time; elsewhere others each time.
settings.register_profile(
    "bidsanon",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("bidsanon")

_TESTS = Path(__file__).resolve().parent
_SHARED = _TESTS.parent.parent / "shared"

if str(_TESTS) not in sys.path:
    sys.path.insert(0, str(_TESTS))


@pytest.fixture(autouse=True)
def _what_is_written_as_json_is_as_its_schema_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold every line of a journal and everything that ``--json`` prints to its schema."""
    append, printed = Journal._append, outcome.print_json

    def checked_append(journal: Journal, text: str) -> None:
        _schema("journal").validate(json.loads(text))
        append(journal, text)

    def checked_print(content: object) -> None:
        _schema("summary").validate(json.loads(json.dumps(content)))
        printed(content)

    monkeypatch.setattr(Journal, "_append", checked_append)
    monkeypatch.setattr(outcome, "print_json", checked_print)


@cache
def _schema(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_path(f"{name}.schema.json").read_text("utf-8")))


@pytest.fixture(scope="session", autouse=True)
def _models_of_words_are_loaded_once() -> Iterator[None]:
    """Give all tests of a process one reader: it remembers nothing of what it read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ocr, "_RapidOcr", cache(ocr._RapidOcr))
        yield


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
