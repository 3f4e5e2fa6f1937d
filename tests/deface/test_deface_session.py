"""The stage: every image of a session gets an outcome, in place, whoever does the work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from heads import KnowingEngine, pose, posed_head, stored_values, write_image
from sessions.converted import defaced_session
from tree_digests import tree_digest

from bidsanon.bids.names import parse_name
from bidsanon.deface import (
    USUAL,
    DefaceOptions,
    deface_session,
    stage,
    withhold_failed,
    withhold_rejected,
)
from bidsanon.deface.grid import Grid
from bidsanon.deface.template import face_template
from bidsanon.errors import MissingToolError
from bidsanon.findings import Severity, errors
from bidsanon.progress import Silent
from bidsanon.session import (
    ConvertedImage,
    ConvertedSession,
    DefacedSession,
    DefaceOutcome,
    DefaceVerdict,
)

FOLDER = "sub-01/ses-01"
T1W = f"{FOLDER}/anat/sub-01_ses-01_T1w.nii.gz"
T2W = f"{FOLDER}/anat/sub-01_ses-01_T2w.nii.gz"
BOLD = f"{FOLDER}/func/sub-01_ses-01_task-rest_bold.nii.gz"


class Counting:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0

    @contextmanager
    def step(self, name: str, *, total: int | None = None) -> Iterator[Counting]:
        del name
        self.total = total
        yield self

    def advance(self, count: int = 1) -> None:
        self.done += count


def session_of(root: Path, paths: list[str]) -> ConvertedSession:
    """Make the record of images that stand below `root`."""
    images = []
    for path in paths:
        name = parse_name(path)
        images.append(
            ConvertedImage(path=path, series_index=1, datatype=name.datatype, suffix=name.suffix)
        )
    return replace(defaced_session(root, paths).converted, images=tuple(images))


def write_session(root: Path, head: Grid, paths: list[str]) -> ConvertedSession:
    for path in paths:
        image = write_image(root / path, head.values, head.affine)
        image.with_name(f"{parse_name(path).stem}.json").write_text("{}")
        image.chmod(0o444)
    return session_of(root, paths)


def deface(converted: ConvertedSession, private: Path, *, jobs: int = 1) -> DefacedSession:
    return deface_session(converted, options=USUAL, pictures=private, jobs=jobs, progress=Silent())


@pytest.fixture
def knowing(
    monkeypatch: pytest.MonkeyPatch, knowing_engine: KnowingEngine, without_opencv: None
) -> None:
    """Let the stage find heads where the template lies."""
    del without_opencv
    monkeypatch.setattr(stage, "choose_engine", lambda *_args, **_kwargs: knowing_engine)


@pytest.mark.usefixtures("knowing")
def test_faces_go_from_anatomical_images_and_others_stay(
    tmp_path: Path, upright_head: Grid
) -> None:
    root = tmp_path / "root"
    converted = write_session(root, upright_head, [T1W, BOLD])
    bold = (root / BOLD).read_bytes()
    counting = Counting()
    defaced = deface_session(
        converted, options=USUAL, pictures=tmp_path / "private", jobs=1, progress=counting
    )
    assert [o.path for o in defaced.outcomes] == [T1W, BOLD]
    assert [o.verdict for o in defaced.outcomes] == [
        DefaceVerdict.DEFACED,
        DefaceVerdict.NOT_NEEDED,
    ]
    assert defaced.findings == ()
    assert (root / BOLD).read_bytes() == bold
    assert (stored_values(root / T1W)[:, 50:, 20] == 0).all()
    assert (counting.total, counting.done) == (2, 2)
    left = sorted(p.name for p in (root / FOLDER / "anat").iterdir())
    assert left == ["sub-01_ses-01_T1w.json", "sub-01_ses-01_T1w.nii.gz"]
    digest = tree_digest(root)
    assert withhold_failed(defaced) == defaced
    assert tree_digest(root) == digest, "nothing is withheld where nothing failed"


def write_refused(root: Path, head: Grid) -> ConvertedSession:
    """Write a T1w where the engine expects it, and a T2w 30 mm from there."""
    write_session(root, head, [T1W])
    affine = head.affine.copy()
    affine[2, 3] += 30
    write_session(root, Grid(values=head.values, affine=affine), [T2W])
    return session_of(root, [T1W, T2W])


@pytest.mark.usefixtures("knowing")
def test_a_refused_image_is_an_error_and_can_be_withheld_with_all_that_bears_its_name(
    tmp_path: Path, upright_head: Grid
) -> None:
    converted = write_refused(tmp_path / "root", upright_head)
    before = (converted.root / T2W).read_bytes()
    defaced = deface(converted, tmp_path / "private")
    assert [o.verdict for o in defaced.outcomes] == [DefaceVerdict.DEFACED, DefaceVerdict.FAILED]
    (refused,) = defaced.findings
    assert (refused.code, refused.location) == ("DEFACE_FAILED", T2W)
    assert refused.severity is Severity.ERROR
    assert "sharp" in refused.message
    assert "--withhold" in refused.cure
    assert (converted.root / T2W).read_bytes() == before

    withheld = withhold_failed(defaced)
    left = sorted(p.name for p in (converted.root / T1W).parent.iterdir())
    assert left == ["sub-01_ses-01_T1w.json", "sub-01_ses-01_T1w.nii.gz"]
    assert withheld.withheld == (T2W,)
    assert [(f.code, f.severity, f.location) for f in withheld.findings] == [
        ("DEFACE_WITHHELD", Severity.WARNING, T2W)
    ]
    assert [o.path for o in withheld.outcomes] == [T1W, T2W]


@pytest.mark.parametrize(
    ("failed", "codes"),
    [((T2W,), ["DEFACE_WITHHELD"]), ((T1W, T2W), [*["DEFACE_WITHHELD"] * 2, "ALL_WITHHELD"])],
)
def test_what_failed_goes_and_a_session_of_which_nothing_is_left_is_refused(
    tmp_path: Path, failed: tuple[str, ...], codes: list[str]
) -> None:
    for path in (T1W, T2W):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    defaced = defaced_session(tmp_path, [T1W, T2W])
    outcomes = (
        DefaceOutcome(
            path=path,
            verdict=DefaceVerdict.FAILED if path in failed else DefaceVerdict.DEFACED,
            engine="bidsanon",
            reason="",
        )
        for path in (T1W, T2W)
    )
    withheld = withhold_failed(replace(defaced, outcomes=tuple(outcomes)))
    assert withheld.withheld == failed
    assert [f.code for f in withheld.findings] == codes
    assert bool(errors(withheld.findings)) is (len(failed) == 2)
    assert [(tmp_path / path).exists() for path in (T1W, T2W)] == [
        path not in failed for path in (T1W, T2W)
    ]


@pytest.mark.parametrize(
    ("rejected", "withheld"),
    [
        ((), ()),
        (("a", "b", "c"), ()),  # nothing would be left: the gate refuses what was rejected
        (("a",), ("a",)),
        (("b", "c"), ("b", "c", "mask")),  # the last images that the mask is of
    ],
)
def test_what_a_person_rejected_goes_with_its_mask(
    tmp_path: Path, rejected: tuple[str, ...], withheld: tuple[str, ...]
) -> None:
    outcomes = tuple(
        DefaceOutcome(path=path, verdict=DefaceVerdict.DEFACED, engine="", reason="", mask=mask)
        for path, mask in (("a", ""), ("b", "mask"), ("c", "mask"))
    )
    defaced = DefacedSession(converted=session_of(tmp_path, []), outcomes=outcomes)
    assert withhold_rejected(defaced, rejected).withheld == withheld


@pytest.mark.usefixtures("knowing")
def test_an_image_without_a_face_is_said_to_be_untouched(tmp_path: Path) -> None:
    template = face_template()
    stripped = Grid(values=template.head.values * template.brain, affine=template.head.affine)
    converted = write_session(tmp_path / "root", stripped, [T1W])
    (said,) = deface(converted, tmp_path / "private").findings
    assert (said.code, said.severity, said.location) == ("NO_FACE", Severity.INFO, T1W)


def test_a_damaged_image_is_refused_whatever_it_is(tmp_path: Path, upright_head: Grid) -> None:
    converted = write_session(tmp_path / "root", upright_head, [BOLD])
    (converted.root / BOLD).unlink()
    (converted.root / BOLD).write_bytes(b"no image")
    (refused,) = deface(converted, tmp_path / "private").findings
    assert (refused.code, refused.location) == ("DEFACE_FAILED", BOLD)


def test_an_engine_that_is_not_there_is_missed_before_anything_is_done(
    tmp_path: Path, upright_head: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    converted = write_session(tmp_path / "root", upright_head, [T1W])
    digest = tree_digest(converted.root)
    with pytest.raises(MissingToolError):
        deface_session(
            converted,
            options=DefaceOptions(engine="pydeface"),
            pictures=tmp_path / "private",
            jobs=1,
            progress=Silent(),
        )
    assert tree_digest(converted.root) == digest


@pytest.mark.slow
def test_serial_and_parallel_give_the_same_bytes(tmp_path: Path) -> None:
    head = posed_head(pose(shift_mm=(5, 8, -6), turn_deg=(7, -5, 9)))
    other = Grid(values=np.clip(1 - head.values, 0, 1) * (head.values > 0.1), affine=head.affine)
    digests, outcomes = [], []
    for jobs in (1, 2):
        root = tmp_path / f"root{jobs}"
        write_session(root, head, [T1W])
        write_session(root, other, [T2W])
        defaced = deface(session_of(root, [T1W, T2W]), tmp_path / f"private{jobs}", jobs=jobs)
        digests.append(tree_digest(root))
        outcomes.append([(o.path, o.verdict, o.figures) for o in defaced.outcomes])
        shutil.rmtree(root)
    assert outcomes[0] == outcomes[1]
    assert {verdict for _, verdict, _ in outcomes[0]} == {DefaceVerdict.DEFACED}
    assert digests[0] == digests[1]


def test_faces_that_are_kept_are_told_with_the_reason(tmp_path: Path, upright_head: Grid) -> None:
    converted = write_session(tmp_path, upright_head, [T1W, BOLD])
    before = tree_digest(tmp_path)
    options = DefaceOptions(engine="none", because="consent for faces")
    defaced = deface_session(
        converted, options=options, pictures=tmp_path / "x", jobs=1, progress=Silent()
    )
    kept, bold = defaced.outcomes
    assert (kept.verdict, kept.reason) == (DefaceVerdict.KEPT, "consent for faces")
    assert (kept.engine, kept.pictures) == ("", {})
    assert bold.verdict is DefaceVerdict.NOT_NEEDED
    (said,) = defaced.findings
    assert (said.code, said.severity, said.location) == ("FACE_KEPT", Severity.WARNING, T1W)
    assert "consent for faces" in said.message
    assert tree_digest(tmp_path) == before
