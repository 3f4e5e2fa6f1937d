"""A plan shows how the series are and nothing of whose they are, and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

from pydicom import dcmread
from sessions import MARA, bold_mosaic, identifying_strings

from bidsanon.pipeline.plan import plan_session
from bidsanon.pipeline.request import make_request
from bidsanon.pipeline.summary import inspect_summary, plan_summary
from bidsanon.progress import Silent


def test_what_a_plan_shows_names_nobody(tmp_path: Path) -> None:
    for path in bold_mosaic(tmp_path / "in", protocol=f"ep2d_bold_rest_{MARA.family_name}"):
        header = dcmread(path)
        header.ImageType = [*header.ImageType, MARA.family_name.upper(), MARA.station]
        header.save_as(path)
    request = make_request((tmp_path / "in",), dataset=tmp_path / "ds", subject="01")
    plan = plan_session(request, progress=Silent())
    series = plan_summary(plan)["series"][0]
    assert series["image_type"][:3] == ["ORIGINAL", "PRIMARY", "M"]
    assert series["description"] == "ep2d_bold_rest"
    shown = json.dumps([plan_summary(plan), inspect_summary(plan)]).lower()
    assert not [value for value in identifying_strings(MARA) if value.lower() in shown]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
