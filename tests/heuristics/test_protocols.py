"""How the bundled heuristic names the protocols of large studies and of clinics, by vendor.

The rows of ``protocols.tsv`` are made up for this test. They follow what is publicly told of these
studies' and clinics' protocols (how series are called, echo, repetition and inversion times), and
none is copied from a scanner's file or a shared sidecar: many numbers are guesses. That it
names real files is tested in ``test_auto.py``, and told in ``docs/conversion.md``.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from heudiconv.utils import SeqInfo
from protocols import Row, protocols, wrapped

from bidsanon.bids.names import check_name
from bidsanon.convert import resolve_heuristic
from bidsanon.convert.loading import load_heuristic
from bidsanon.convert.naming import check_prefix

ENOUGH_ROWS = 150


@pytest.fixture(scope="module", name="auto")
def _auto() -> ModuleType:
    return load_heuristic(resolve_heuristic("auto"), timeout_s=60)


def _named(auto: ModuleType, rows: list[Row], folder: Path) -> list[str]:
    """Name a session's series as the table writes it: a path, or a hyphen and the reason."""
    described = []
    for number, row in enumerate(rows, start=1):
        facts = auto.custom_seqinfo(*wrapped(row, folder / str(number)))
        empty = dict.fromkeys(SeqInfo._fields) | {"custom": facts}
        described.append(SeqInfo(**empty | {"series_id": f"{number}-{row.description}"}))
    names = {ids[0]: key[0] for key, ids in auto.infotodict(described).items()}
    reasons = auto.why_skipped(described)
    prefix = "{bids_subject_session_prefix}_"
    return [
        names[one.series_id].partition("/")[2].replace(prefix, "")
        if one.series_id in names
        else f"- {reasons[one.series_id]}"
        for one in described
    ]


@pytest.mark.parametrize("session", protocols())
def test_the_protocols_of_known_studies_are_named(
    auto: ModuleType, tmp_path: Path, session: str
) -> None:
    rows = protocols()[session]
    named = _named(auto, rows, tmp_path)
    expected = [row.expected for row in rows]
    close = [
        want if want.startswith("- ") and got.startswith("- ") and want[2:] in got else got
        for got, want in zip(named, expected, strict=True)
    ]
    assert close == expected


def test_the_table_is_large_and_each_name_in_it_is_bids() -> None:
    rows = [row for rows in protocols().values() for row in rows]
    names = [row.expected for row in rows if not row.expected.startswith("- ")]
    assert len(rows) >= ENOUGH_ROWS
    for name in names:
        folder, _, rest = name.partition("/")
        prefix = f"sub-01/{folder}/sub-01_{rest}"
        completed = rest.endswith(("phase1", "PDT2"))  # these are renamed once converted
        assert completed or check_prefix(prefix) is None or check_name(prefix) is None, name


def test_each_vendor_has_its_share() -> None:
    counts = {
        vendor: sum(len(rows) for session, rows in protocols().items() if session.endswith(vendor))
        for vendor in ("-siemens", "-xa", "-ge", "-ph")
    }
    assert min(counts.values()) > 5, counts
