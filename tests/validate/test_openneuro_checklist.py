"""Of what OpenNeuro asks to affirm, each point says what is known, and never more than that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from bidsanon.audit import FaceDecision, FaceDecisions, FaceVerdict
from bidsanon.bids.sharing import list_shared
from bidsanon.files import sha256
from bidsanon.findings import finding
from bidsanon.validate.openneuro import openneuro_checklist
from bidsanon.validate.openneuro_evidence import Affirmation, Evidence, Knowledge, Point
from bidsanon.validate.openneuro_faces import FaceState, face_states
from bidsanon.validate.residue import ResidueSearch
from bidsanon.validate.residue_needles import IgnoredValues
from bidsanon.vault import VaultContents

T1W = "sub-01/anat/sub-01_T1w.nii.gz"
REMOVED = {"DeidentificationMethod": ["Face removed by something 1.0"]}
KEPT = {"DeidentificationMethod": ["Face not removed: consent"]}
VAULT = VaultContents(schema_version=2, protected=False, destroyed=None, persons=3, labels=())


def an_image(root: Path, name: str, sidecar: Mapping[str, Any] | None = None) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.zeros((40, 40, 40), np.uint8)
    nibabel.Nifti1Image(voxels, np.diag([4.0, 4.0, 4.0, 1.0])).to_filename(path)
    if sidecar is not None:
        path.with_name(f"{path.name.partition('.')[0]}.json").write_text(json.dumps(sidecar))
    return path


def decided(path: Path, verdict: FaceVerdict, image: str = T1W) -> FaceDecisions:
    decision = FaceDecision(
        image=image,
        sha256=sha256(path),
        size=path.stat().st_size,
        verdict=verdict,
        when="2026-01-01T00:00:00Z",
    )
    return FaceDecisions(made=(decision,))


def evidence(root: Path, **more: Any) -> Evidence:
    return Evidence(description={}, shared=list_shared(root), **more)


def point(root: Path, which: Point, said: Evidence) -> Affirmation:
    checklist = openneuro_checklist(root, said)
    assert [one.point for one in checklist.affirmations] == list(Point)
    return next(one for one in checklist.affirmations if one.point is which)


def words(affirmation: Affirmation) -> str:
    return "\n".join(f"{s.knowledge}: {s.text}" for s in affirmation.statements)


def test_a_defaced_image_as_it_was_published_is_known(tmp_path: Path) -> None:
    path = an_image(tmp_path, T1W, REMOVED)
    said = evidence(tmp_path, published={T1W: sha256(path)})
    assert face_states(tmp_path, said) == {T1W: FaceState.CHECKED}
    faces = point(tmp_path, Point.FACES, said)
    assert faces.knowledge is Knowledge.KNOWN
    assert T1W in words(faces)


def test_a_sidecar_alone_proves_nothing(tmp_path: Path) -> None:
    an_image(tmp_path, T1W, REMOVED)
    said = evidence(tmp_path, published={T1W: "0" * 64})
    assert face_states(tmp_path, said) == {T1W: FaceState.CLAIMED}
    assert point(tmp_path, Point.FACES, said).knowledge is Knowledge.NOT_KNOWN


@pytest.mark.parametrize("sidecar", [None, {}, {"DeidentificationMethod": "names"}])
def test_where_nothing_is_said_nothing_is_known(
    tmp_path: Path, sidecar: dict[str, Any] | None
) -> None:
    path = an_image(tmp_path, T1W, sidecar)
    said = evidence(tmp_path, published={T1W: sha256(path)})
    assert face_states(tmp_path, said) == {T1W: FaceState.SILENT}
    assert point(tmp_path, Point.FACES, said).knowledge is Knowledge.NOT_KNOWN


def test_what_a_person_accepted_is_known_for_these_bytes_only(tmp_path: Path) -> None:
    path = an_image(tmp_path, T1W, {})
    said = evidence(tmp_path, decisions=decided(path, FaceVerdict.ACCEPTED))
    assert face_states(tmp_path, said) == {T1W: FaceState.ACCEPTED}
    assert point(tmp_path, Point.FACES, said).knowledge is Knowledge.KNOWN
    path.write_bytes(path.read_bytes() + b"\0")
    assert face_states(tmp_path, said) == {T1W: FaceState.SILENT}


def test_what_a_person_rejected_is_contradicted_whatever_else_is_said(tmp_path: Path) -> None:
    path = an_image(tmp_path, T1W, REMOVED)
    said = evidence(
        tmp_path,
        decisions=decided(path, FaceVerdict.REJECTED),
        published={T1W: sha256(path)},
    )
    assert face_states(tmp_path, said) == {T1W: FaceState.REJECTED}
    assert point(tmp_path, Point.FACES, said).knowledge is Knowledge.CONTRADICTED


def test_what_was_rejected_counts_whatever_its_kind(tmp_path: Path) -> None:
    an_image(tmp_path, T1W, REMOVED)
    found = finding("FACE_REJECTED", location="sub-01/func/sub-01_task-rest_bold.nii.gz")
    told = point(tmp_path, Point.FACES, evidence(tmp_path, findings=(found,)))
    assert told.knowledge is Knowledge.CONTRADICTED
    assert f"1 other file(s) were rejected in `bidsanon review`: {found.location}" in words(told)


def test_a_face_that_was_kept_is_contradicted_and_consent_is_asked_for(tmp_path: Path) -> None:
    path = an_image(tmp_path, T1W, KEPT)
    said = evidence(tmp_path, decisions=decided(path, FaceVerdict.ACCEPTED))
    faces = point(tmp_path, Point.FACES, said)
    assert faces.knowledge is Knowledge.CONTRADICTED
    assert "consent" in words(faces)


def test_the_gravest_image_decides_and_each_kind_is_counted(tmp_path: Path) -> None:
    known = an_image(tmp_path, T1W, REMOVED)
    an_image(tmp_path, "sub-02/anat/sub-02_T1w.nii.gz", REMOVED)
    an_image(tmp_path, "sub-02/anat/sub-02_T2w.nii", {})
    an_image(tmp_path, "sub-02/func/sub-02_task-rest_bold.nii.gz")
    faces = point(tmp_path, Point.FACES, evidence(tmp_path, published={T1W: sha256(known)}))
    assert [s.knowledge for s in faces.statements].count(Knowledge.NOT_KNOWN) == 2
    assert words(faces).count("1 of 3 image(s)") == 3
    assert "bold" not in words(faces)


@pytest.mark.parametrize(
    "name",
    [
        "derivatives/x/sub-01/anat/sub-01_T1w.nii.gz",
        "sourcedata/head.mgz",
        "sub-01/anat/head.NII.GZ",
        "sub-01/anat/sub-01_photo.jpg",
        "code/t1.hdr",
    ],
)
def test_images_elsewhere_are_shared_and_nobody_looked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(b"x")
    faces = point(tmp_path, Point.FACES, evidence(tmp_path))
    assert faces.knowledge is Knowledge.NOT_KNOWN
    assert name in words(faces)


def test_hidden_images_are_not_shared_and_not_asked_for(tmp_path: Path) -> None:
    an_image(tmp_path, ".bidsanon/sub-01/anat/sub-01_T1w.nii.gz")
    an_image(tmp_path, "sub-01/.old/sub-01_T1w.nii.gz")
    faces = point(tmp_path, Point.FACES, evidence(tmp_path))
    assert faces.knowledge is Knowledge.KNOWN
    assert "no image" in words(faces)


def test_images_that_are_not_here_are_not_known(tmp_path: Path) -> None:
    (tmp_path / "sub-01" / "anat").mkdir(parents=True)
    (tmp_path / T1W).symlink_to("../../.git/annex/objects/x")
    faces = point(tmp_path, Point.FACES, evidence(tmp_path))
    assert faces.knowledge is Knowledge.NOT_KNOWN
    assert T1W in words(faces)


def a_search(**changes: Any) -> ResidueSearch:
    search = ResidueSearch(
        findings=(), searched={"name": 4, "uid": 2}, ignored=(), files=1, bytes_searched=1
    )
    return replace(search, **changes)


def test_identifiers_are_never_known_for_certain(tmp_path: Path) -> None:
    said = point(tmp_path, Point.IDENTIFIERS, evidence(tmp_path, residue=a_search()))
    assert said.knowledge is Knowledge.NOT_KNOWN
    assert "none of 6 value(s)" in words(said)
    assert words(said).count("not-known") == 1


def test_what_was_found_where_it_may_belong_or_not_searched_for_is_not_known(
    tmp_path: Path,
) -> None:
    in_document = finding("RESIDUE_IN_DOCUMENT", location="README", kind="name", origin="x")
    ignored = IgnoredValues(kind="name", reason="short", origin="(0010,0010)", count=3)
    search = a_search(findings=(in_document,), ignored=(ignored,))
    said = words(point(tmp_path, Point.IDENTIFIERS, evidence(tmp_path, residue=search)))
    assert "RESIDUE_IN_DOCUMENT" in said
    assert "not-known: 3 value(s)" in said
    assert "none of" not in said


@pytest.mark.parametrize("code", ["PRIVACY_NOT_READ", "FILE_UNREADABLE", "RESIDUE_NOT_SEARCHED"])
def test_where_not_everything_can_be_read_nothing_is_claimed(tmp_path: Path, code: str) -> None:
    found = finding(code, location="sub-01/x.json", problem="is broken")
    said = point(tmp_path, Point.IDENTIFIERS, evidence(tmp_path, findings=(found,)))
    assert said.knowledge is Knowledge.NOT_KNOWN
    assert "sub-01/x.json" in words(said)
    assert not [s for s in said.statements if s.knowledge is Knowledge.KNOWN]


@pytest.mark.parametrize("code", ["PRIVACY_AGE", "PRIVACY_DATE", "RESIDUE_FOUND"])
def test_an_error_of_privacy_or_residue_contradicts(tmp_path: Path, code: str) -> None:
    details = dict.fromkeys(("field", "count", "kind", "origin"), "x")
    found = finding(code, location="participants.tsv", **details)
    said = point(tmp_path, Point.IDENTIFIERS, evidence(tmp_path, findings=(found,)))
    assert said.knowledge is Knowledge.CONTRADICTED
    assert code in words(said)
    assert ("no date after 1925" in words(said)) is (code != "PRIVACY_DATE")


def test_a_warning_of_privacy_is_a_persons_to_judge_and_one_of_faces_is_not_said_twice(
    tmp_path: Path,
) -> None:
    found = (
        finding("PRIVACY_FREE_TEXT", key="ImageComments", count=2),
        finding("PRIVACY_FACE", location=T1W, count=1),
    )
    said = words(point(tmp_path, Point.IDENTIFIERS, evidence(tmp_path, findings=found)))
    assert "PRIVACY_FREE_TEXT" in said
    assert "PRIVACY_FACE" not in said


def test_files_that_changed_since_they_were_published_were_not_searched(tmp_path: Path) -> None:
    names = ("sub-01/a.tsv", "sub-01/b.tsv", "sub-01/c.tsv", "README")
    (tmp_path / "sub-01").mkdir()
    for name in names:
        (tmp_path / name).write_text(name)
    published = {name: sha256(tmp_path / name) for name in names[:2]}
    (tmp_path / names[1]).write_text("changed")
    said = words(point(tmp_path, Point.IDENTIFIERS, evidence(tmp_path, published=published)))
    assert "known: 1 of 3 file(s)" in said
    assert "not-known: 2 file(s)" in said
    assert "--against" in said


@pytest.mark.parametrize(
    ("more", "knowledge", "said"),
    [
        ({}, Knowledge.NOT_KNOWN, "no private folder"),
        ({"private": True}, Knowledge.NOT_KNOWN, "no vault"),
        ({"private": True, "vault": VAULT}, Knowledge.CONTRADICTED, "3 person(s)"),
        (
            {"private": True, "vault": replace(VAULT, protected=True)},
            Knowledge.CONTRADICTED,
            "behind a passphrase",
        ),
        (
            {"private": True, "vault": replace(VAULT, destroyed="2026-02-03T04:05:06+00:00")},
            Knowledge.NOT_KNOWN,
            "destroyed on 2026-02-03",
        ),
        (
            {"private": True, "identified": ("deident.map",)},
            Knowledge.CONTRADICTED,
            "deident.map",
        ),
    ],
)
def test_the_key_is_known_to_be_gone_only_as_far_as_it_was_ours(
    tmp_path: Path, more: dict[str, Any], knowledge: Knowledge, said: str
) -> None:
    key = point(tmp_path, Point.KEY, evidence(tmp_path, **more))
    assert key.knowledge is knowledge
    assert said in words(key)
    assert "consent forms" in words(key)


@pytest.mark.parametrize(
    ("licence", "knowledge"),
    [
        (None, Knowledge.NOT_KNOWN),
        ("", Knowledge.NOT_KNOWN),
        ("TODO: choose a license, e.g. PDDL", Knowledge.NOT_KNOWN),
        ("CC0", Knowledge.KNOWN),
        ("cc0-1.0", Knowledge.KNOWN),
        ("CC-0", Knowledge.KNOWN),
        ("CC0 1.0 Universal", Knowledge.KNOWN),
        ("Creative Commons Zero", Knowledge.KNOWN),
        ("CC-BY 4.0", Knowledge.CONTRADICTED),
        ("not CC0", Knowledge.CONTRADICTED),
        ("CC01", Knowledge.CONTRADICTED),
        (["CC0"], Knowledge.CONTRADICTED),
    ],
)
def test_the_licence_is_what_the_description_says(
    tmp_path: Path, licence: object, knowledge: Knowledge
) -> None:
    said = replace(evidence(tmp_path), description={"License": licence})
    stated = point(tmp_path, Point.LICENCE, said)
    assert stated.knowledge is knowledge
    assert "BY" not in words(stated), "what stands there is not repeated"


@pytest.mark.parametrize(
    ("citation", "licence", "knowledge"),
    [
        ("license: CC0-1.0\n", None, Knowledge.KNOWN),
        ('title: x\nlicense: "CC0-1.0"\n', None, Knowledge.KNOWN),
        ("license: CC-BY-4.0\n", None, Knowledge.CONTRADICTED),
        ("license: CC-BY-4.0\n", "CC0", Knowledge.CONTRADICTED),
        ("title: x\n", None, Knowledge.NOT_KNOWN),
        ("title: x\n", "CC0", Knowledge.KNOWN),
    ],
)
def test_a_licence_may_stand_in_the_citation(
    tmp_path: Path, citation: str, licence: str | None, knowledge: Knowledge
) -> None:
    (tmp_path / "CITATION.cff").write_text(citation)
    said = replace(evidence(tmp_path), description={"License": licence})
    assert point(tmp_path, Point.LICENCE, said).knowledge is knowledge


def test_a_description_that_cannot_be_read_names_no_licence(tmp_path: Path) -> None:
    stated = point(tmp_path, Point.LICENCE, replace(evidence(tmp_path), description=None))
    assert stated.knowledge is Knowledge.NOT_KNOWN
    assert "cannot be read" in words(stated)


@pytest.mark.parametrize("name", ["LICENSE", "datacite.yml"])
def test_a_file_of_the_licence_is_to_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("license: CC0")
    said = replace(evidence(tmp_path), description={"License": "CC0"})
    assert point(tmp_path, Point.LICENCE, said).knowledge is Knowledge.NOT_KNOWN


@pytest.mark.parametrize("which", [Point.PERMISSION, Point.GDPR, Point.ONE_ARCHIVE, Point.MADE_UP])
def test_what_no_file_can_say_is_never_known(tmp_path: Path, which: Point) -> None:
    said = replace(evidence(tmp_path), description={"EthicsApprovals": ["a board (1)"]})
    assert point(tmp_path, which, said).knowledge is Knowledge.NOT_KNOWN


def test_each_point_that_is_not_known_is_a_finding(tmp_path: Path) -> None:
    checklist = openneuro_checklist(tmp_path, evidence(tmp_path, private=True, vault=VAULT))
    codes = {one.point: one.knowledge for one in checklist.affirmations}
    for one in Point:
        found = [f for f in checklist.findings if f'"{one}"' in f.cure]
        expected = {
            Knowledge.KNOWN: [],
            Knowledge.NOT_KNOWN: ["OPENNEURO_AFFIRM"],
            Knowledge.CONTRADICTED: ["OPENNEURO_CONTRADICTED"],
        }[codes[one]]
        assert [f.code for f in found] == expected
