"""What the scrub knows of persons, and where it heeds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.pipeline import scrub_policy as policies
from bidsanon.pipeline.scrub_request import make_scrub_request
from bidsanon.pipeline.validate_identity import Known
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor
from bidsanon.scrub import list_dataset


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("MULTI COIL", "MULTI COIL"),
        ("Quillfeather array", "array"),
        ("array 4711902", "array"),
        ("", ""),
        ("17.9.2024", ""),
        ("MULTI COIL 17.9.2024", "MULTI COIL"),
        ("of 17 September 2024 here", "of here"),
        ("of UXVpbGxmZWF0aGVy here", "of here"),
        ("<b>Q</b>uillfeather", ""),
        ("20240917143752", ""),
        ("20240917_143752", ""),
        ("4711902", ""),
        ("04711902", ""),
        ("47.11902", "47.11902"),
        ("4711902.25", "4711902.25"),
        ("20240917.5", ""),
        ("143752", "143752"),
        ("14:37:52", ""),
        ("green", "green"),
        ("Green", "Green"),
        ("press left for green", "press left for green"),
        ("Green was late", "was late"),
        ("Green, Mary", ""),
        ("greenmary", ""),
    ],
)
def test_technical_texts_lose_what_is_known_and_keep_words_of_acquisitions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, left: str
) -> None:
    (tmp_path / "ds" / "sub-01").mkdir(parents=True)
    identity = (
        IdentifyingValue(kind=ValueKind.NAME, text="PRESCAN_COIL_PARS", origin="(2005,private,37)"),
        IdentifyingValue(kind=ValueKind.NAME, text="Quillfeather^Mara", origin="(0010,0010)"),
        IdentifyingValue(kind=ValueKind.NAME, text="Green^Mary", origin="(0008,1070)"),
        IdentifyingValue(kind=ValueKind.IDENTIFIER, text="4711902", origin="(0010,0020)"),
        IdentifyingValue(kind=ValueKind.DATE, text="20240917", origin="(0008,0020)"),
        IdentifyingValue(kind=ValueKind.TIME, text="143752", origin="(0008,0030)"),
    )
    monkeypatch.setattr(policies, "_of_sources", lambda *_: Known(identity=identity))
    request = make_scrub_request(tmp_path / "ds")
    tree = list_dataset(request.dataset)
    policy = policies.scrub_policy(request, tree, progress=Silent(), redactor=Redactor())
    assert policy.without_known is not None
    assert policy.without_known(text) == left
