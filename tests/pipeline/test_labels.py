"""A label that is a number of the hospital's is refused, and a study's own code is pointed at."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import run_convert
from sessions import MARA

from bidsanon.findings import Gate
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.pipeline.labels import label_findings, out_name_findings, reason_findings
from bidsanon.publish import Delivery, Packing, SessionPlace

PATIENT_ID, STUDY_ID = "(0010,0020)", "(0020,0010)"


def codes(
    text: str,
    *,
    subject: str = "01",
    session: str | None = None,
    origin: str = PATIENT_ID,
    kind: ValueKind = ValueKind.IDENTIFIER,
) -> list[str]:
    place = SessionPlace(dataset=Path("ds"), subject=subject, session=session)
    value = IdentifyingValue(kind=kind, text=text, origin=origin)
    return [one.code for one in label_findings(place, [value])]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("77192034", "77192034"),
        ("77192034", "0077192034"),
        ("77192034", "77-19-2034"),
        ("P77192034b", "77192034"),
        ("QF771920KX", "QF-771920-KX"),
    ],
)
def test_a_record_number_is_no_label(subject: str, text: str) -> None:
    assert codes(text, subject=subject) == ["LABEL_IDENTIFIES"]


@pytest.mark.parametrize(
    ("subject", "text"),
    [("S017", "S017"), ("S017", "s_017"), ("S017", "S017^^^"), ("PAR12", "PAR 12")],
)
def test_what_may_be_a_code_of_the_study_is_pointed_at(subject: str, text: str) -> None:
    kind = ValueKind.NAME if "^" in text else ValueKind.IDENTIFIER
    assert codes(text, subject=subject, kind=kind) == ["LABEL_AS_IN_SOURCE"]


def test_a_number_of_the_visit_or_the_device_is_no_label() -> None:
    assert codes("VIS48", session="VIS48", origin=STUDY_ID) == ["LABEL_IDENTIFIES"]
    assert codes("45123", subject="scanner45123", origin="(0018,1000)") == ["LABEL_IDENTIFIES"]


@pytest.mark.parametrize("text", ["01", "001", "1", "Doe^Jane", "S018", "", "0"])
def test_what_leads_nowhere_is_let_pass(text: str) -> None:
    assert codes(text, subject="01") == []
    assert codes(text, subject="S017") == []


@pytest.mark.parametrize(
    ("out", "text", "kind", "identifies"),
    [
        ("Ketterlein_out.zip", "Ketterlein^Odo", ValueKind.NAME, True),
        ("scan of odo", "Ketterlein^Odo", ValueKind.NAME, True),
        ("visit.77192034.tgz", "77-19-2034", ValueKind.IDENTIFIER, True),
        ("s_017", "S017", ValueKind.IDENTIFIER, True),
        ("code", "Ketterlein^Odo", ValueKind.NAME, False),
        ("visit_1.zip", "1", ValueKind.IDENTIFIER, False),
        ("mri-2023", "20230417", ValueKind.DATE, False),
    ],
)
def test_a_name_of_out_that_identifies_is_pointed_at(
    out: str, text: str, kind: ValueKind, identifies: bool
) -> None:
    delivery = Delivery(out=Path("/data") / out, packing=Packing.FOLDER, record=Path("/r.json"))
    found = out_name_findings(
        delivery, [IdentifyingValue(kind=kind, text=text, origin="(0010,0010)")]
    )
    assert [one.code for one in found] == ["OUT_NAME_IDENTIFIES"] * identifies
    assert text.partition("^")[0] not in str(found)


def test_nothing_is_published_under_a_number_of_the_visit(source: Path, tmp_path: Path) -> None:
    run = run_convert(source, dataset=tmp_path / "ds", session=MARA.accession_number)
    assert run.refusal is not None
    assert run.gates.results[-1].gate is Gate.DEIDENTIFY
    assert {one.code for one in run.refusal.findings} == {"LABEL_IDENTIFIES"}
    assert not (tmp_path / "ds").exists()


@pytest.mark.parametrize(
    ("because", "text", "kind"),
    [
        ("Mrs Quillon-Abend said yes", "Quillon-Abend^Mara", ValueKind.NAME),
        ("mara agreed", "Quillon-Abend^Mara", ValueKind.NAME),
        ("consent of QF-771920", "QF771920", ValueKind.IDENTIFIER),
    ],
)
def test_a_reason_that_names_somebody_is_refused(because: str, text: str, kind: ValueKind) -> None:
    value = IdentifyingValue(kind=kind, text=text, origin=PATIENT_ID)
    (found,) = reason_findings(because, [value])
    assert found.code == "REASON_IDENTIFIES"
    assert text not in found.message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Quillon-Abend^Mara", ValueKind.NAME),
        ("Fac^Ng", ValueKind.NAME),
        ("17", ValueKind.IDENTIFIER),
        ("consent", ValueKind.TEXT),
    ],
)
def test_a_reason_that_names_nobody_passes(text: str, kind: ValueKind) -> None:
    value = IdentifyingValue(kind=kind, text=text, origin=PATIENT_ID)
    assert reason_findings("consent for faces of 17", [value]) == ()
    assert reason_findings("", [value]) == ()
