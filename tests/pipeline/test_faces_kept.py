"""The reason for which faces stay is refused where it leads to somebody by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bidsanon.deface import DefaceOptions
from bidsanon.errors import UsageError
from bidsanon.pipeline.deface_request import make_deface_request
from bidsanon.pipeline.deidentify_request import make_deidentify_request
from bidsanon.pipeline.faces_kept import require_defacing
from bidsanon.pipeline.request import make_request


@pytest.mark.parametrize(
    ("because", "kind"),
    [
        ("Mrs Quillon-Abend said yes", "title-with-name"),
        ("as Quillon^Mara wishes", "name"),
        ("as Anna Quillon wishes", "name"),
        ("consent of 2020-03-12", "date"),
        ("consent given on 12 March 2020", "date"),
        ("record 77192044", "record-number"),
        ("MRN 4711", "labelled"),
        ("ask mara@hospital.example", "e-mail"),
        ("tel. 47 12 34 56 78", "telephone"),
    ],
)
def test_a_reason_that_leads_to_somebody_by_itself_is_refused_and_not_repeated(
    because: str, kind: str
) -> None:
    with pytest.raises(UsageError) as refused:
        require_defacing(DefaceOptions(engine="none", because=because))
    assert kind in refused.value.message
    said = (refused.value.message + refused.value.cure).casefold()
    telling = ("quillon", "mara", "anna", "2020", "march", "7719", "4711", "hospital", "34 56")
    assert not any(part in said for part in telling)


@pytest.mark.parametrize(
    "because",
    [
        "consent for faces",
        "explicit consent, GDPR article 9(2)(a)",
        "ethics approval 12/345, consent form B, question 4, version 3.2",
        "a phantom: there is no face",
        "the brains were skull-stripped before, with FSL 6.0.7",
        "data use agreement of 2024, controlled access only",
    ],
)
def test_a_reason_as_people_give_it_passes(because: str) -> None:
    options = DefaceOptions(engine="none", because=because)
    assert require_defacing(options) == options


def _convert(root: Path, deface: DefaceOptions) -> object:
    return make_request((root / "in.nii.gz",), dataset=root / "ds", subject="01", deface=deface)


def _deidentify(root: Path, deface: DefaceOptions) -> object:
    return make_deidentify_request((root / "in.nii.gz",), out=root / "out", deface=deface)


def _deface(root: Path, deface: DefaceOptions) -> object:
    return make_deface_request([root / "in.nii.gz"], out=root / "out.nii.gz", options=deface)


@pytest.mark.parametrize(
    "make", [_convert, _deidentify, _deface], ids=["convert", "dicom", "deface"]
)
def test_every_command_that_keeps_faces_asks_for_a_reason_of_nobody(
    make: Callable[[Path, DefaceOptions], object], tmp_path: Path
) -> None:
    (tmp_path / "in.nii.gz").write_bytes(b"")
    with pytest.raises(UsageError, match="--because"):
        make(tmp_path, DefaceOptions(engine="none", because="as Doe^Mara wishes"))
    make(tmp_path, DefaceOptions(engine="none", because="consent for faces"))
