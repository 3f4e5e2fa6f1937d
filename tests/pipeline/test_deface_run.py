"""Faces removed from images and datasets: what is written where, and what stays as it was."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from template_head import Knowing, cut_the_front, has_face, write_head, write_thing
from tree_digests import tree_digest

from bidsanon.audit import Journal, JournalEntry, Outcome, now
from bidsanon.deface import USUAL, DefaceOptions, stage
from bidsanon.deface.image import deface_acquisition
from bidsanon.errors import ConflictError, SourceError, StorageError, UsageError
from bidsanon.pipeline import deface as pipeline_deface
from bidsanon.pipeline import deface_content, deface_staging
from bidsanon.pipeline.deface import deface
from bidsanon.pipeline.deface_content import list_dataset
from bidsanon.pipeline.deface_request import make_deface_request
from bidsanon.pipeline.deface_run import DefaceRun, Verdict
from bidsanon.progress import Silent
from bidsanon.publish import dataset_lock, publishing_folder, session_claim
from bidsanon.validate.privacy import check_privacy

T1W = "sub-01/anat/sub-01_T1w.nii.gz"
T2W = "sub-01/anat/sub-01_T2w.nii.gz"
BOLD = "sub-01/func/sub-01_task-rest_bold.nii.gz"
ASTRAY = "sub-02/anat/sub-02_T1w.nii.gz"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait until a head is found."""
    monkeypatch.setattr(stage, "choose_engine", lambda *_args, **_kwargs: Knowing())
    monkeypatch.setattr(stage, "deface_acquisition", cut_the_front)


@pytest.fixture
def thorough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stage do all its work, on a head of which it knows where it lies."""
    monkeypatch.setattr(stage, "deface_acquisition", deface_acquisition)


@pytest.fixture(scope="session")
def head(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_head(tmp_path_factory.mktemp("head") / "head.nii.gz").read_bytes()


@pytest.fixture(scope="session")
def thing(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_thing(tmp_path_factory.mktemp("thing") / "thing.nii.gz").read_bytes()


@pytest.fixture
def dataset(tmp_path: Path, head: bytes) -> Path:
    """Make a dataset with a face, an image that needs nothing, and what else datasets hold."""
    root = tmp_path / "study"
    put(root / T1W, head)
    put(root / BOLD, head)
    put(root / "sub-01/anat/sub-01_T1w.json", b'{\n    "Zoom": 1.5,\n    "EchoTime": 0.003\n}\n')
    put(root / "sub-01/func/sub-01_task-rest_bold.json", b'{"RepetitionTime": 2}')
    put(root / "dataset_description.json", b"{}")
    put(root / "README", b"made up")
    put(root / ".bidsignore", b"*_x")
    put(root / "code" / "run.sh", b"#!/bin/sh\n")
    (root / "code" / "run.sh").chmod(0o755)
    for left in ("derivatives/fmriprep", "sourcedata", ".git/annex"):
        put(root / left / "sub-01_T1w.nii.gz", head)
    return root


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def run(*places: Path, **asked: object) -> DefaceRun:
    done = DefaceRun(request=make_deface_request(places, **asked))  # type: ignore[arg-type]
    deface(done, progress=Silent())
    return done


def verdicts(done: DefaceRun) -> dict[str, str]:
    return {result.name: result.verdict.value for result in done.results}


def files_in(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}


def test_a_copy_of_a_dataset_holds_no_face_and_the_dataset_stays_as_it_was(
    dataset: Path, tmp_path: Path
) -> None:
    before = tree_digest(tmp_path)
    out = tmp_path / "new" / "shared"
    done = run(dataset, out=out)
    assert verdicts(done) == {T1W: "defaced", BOLD: "not-needed"}
    assert done.refusal is None
    assert has_face(dataset / T1W)
    assert not has_face(out / T1W)
    assert files_in(out) == {
        *(T1W, BOLD, "README", "dataset_description.json", ".bidsignore", "code/run.sh"),
        *("sub-01/anat/sub-01_T1w.json", "sub-01/func/sub-01_task-rest_bold.json"),
    }
    assert not any(path.is_symlink() for path in out.rglob("*"))
    assert (out / BOLD).read_bytes() == (dataset / BOLD).read_bytes()
    assert os.access(out / "code" / "run.sh", os.X_OK)
    assert [p.name for p in out.parent.iterdir()] == ["shared"]
    content = list_dataset(dataset)
    assert content.left_alone == (".git/", "code/", "derivatives/", "sourcedata/")
    assert content.not_copied == (".git/", "derivatives/", "sourcedata/")
    out.rename(tmp_path / "aside")
    out.parent.rmdir()
    (tmp_path / "aside").rename(tmp_path.parent / f"{tmp_path.name}-aside")
    assert tree_digest(tmp_path) == before


def test_in_place_changes_the_image_and_what_its_sidecar_says_of_it_alone(
    dataset: Path, tmp_path: Path
) -> None:
    others = files_in(dataset) - {T1W, "sub-01/anat/sub-01_T1w.json"}
    before = {name: (dataset / name).read_bytes() for name in others}
    done = run(dataset, in_place=True)
    assert verdicts(done) == {T1W: "defaced", BOLD: "not-needed"}
    assert not has_face(dataset / T1W)
    assert {name: (dataset / name).read_bytes() for name in others} == before
    assert files_in(dataset) == {*others, T1W, "sub-01/anat/sub-01_T1w.json"}
    text = (dataset / "sub-01/anat/sub-01_T1w.json").read_text()
    assert text.startswith('{\n    "Zoom": 1.5,\n    "EchoTime": 0.003,\n    "Deidentification')
    assert json.loads(text)["DeidentificationMethod"] == ["Face removed by knowing 1"]
    assert done.repository
    assert [p.name for p in publishing_folder(dataset).iterdir() if p.is_dir()] == []
    assert {p.name for p in tmp_path.iterdir()} == {"study", ".study.bidsanon"}


def test_what_is_checked_is_only_looked_at(dataset: Path, tmp_path: Path) -> None:
    before = tree_digest(tmp_path)
    done = run(dataset, check_only=True)
    assert verdicts(done) == {T1W: "shows-face", BOLD: "not-needed"}
    assert done.refusal is not None
    assert done.refusal.exit_code == 4
    assert tree_digest(tmp_path) == before


@pytest.mark.slow
@pytest.mark.usefixtures("thorough")
def test_what_was_defaced_shows_no_face_any_more(dataset: Path) -> None:
    run(dataset, in_place=True)
    before = tree_digest(dataset)
    assert run(dataset, check_only=True).refusal is None
    again = run(dataset, in_place=True)
    assert again.counts[Verdict.DEFACED] == 0
    assert tree_digest(dataset) == before


def test_an_image_that_cannot_be_defaced_stays_in_place_and_is_told(
    dataset: Path, thing: bytes
) -> None:
    put(dataset / ASTRAY, thing)
    done = run(dataset, in_place=True)
    assert verdicts(done)[ASTRAY] == "failed"
    assert (dataset / ASTRAY).read_bytes() == thing
    assert not has_face(dataset / T1W)
    assert done.refusal is not None
    assert "1 of 3" in done.refusal.message


def test_an_image_that_cannot_be_defaced_does_not_go_into_a_copy(
    dataset: Path, thing: bytes, tmp_path: Path
) -> None:
    put(dataset / ASTRAY, thing)
    put(dataset / "sub-02/anat/sub-02_T1w.json", b"{}")
    put(dataset / "sub-02/anat/sub-02_T2w.mgz", b"what is it")
    rows = b"filename\tx\r\nanat/sub-02_T1w.nii.gz\t1\r\nanat/sub-02_PDw.nii.gz\t2\r\n"
    put(dataset / "sub-02/sub-02_scans.tsv", rows)
    done = run(dataset, out=tmp_path / "out")
    assert verdicts(done)[ASTRAY] == "failed"
    assert verdicts(done)["sub-02/anat/sub-02_T2w.mgz"] == "failed"
    assert done.refusal is not None
    below = {name for name in files_in(tmp_path / "out") if name.startswith("sub-02")}
    assert below == {"sub-02/sub-02_scans.tsv"}
    table = (tmp_path / "out/sub-02/sub-02_scans.tsv").read_bytes()
    assert table == b"filename\tx\r\nanat/sub-02_PDw.nii.gz\t2\r\n"


def test_a_copy_names_no_image_that_was_left_out(
    dataset: Path, head: bytes, thing: bytes, tmp_path: Path
) -> None:
    put(dataset / "sub-01/fmap/sub-01_phasediff.nii.gz", b"no image")
    put(dataset / "sub-01/fmap/sub-01_phasediff.json", b'{"B0FieldIdentifier": "lost"}')
    put(dataset / "sub-01/fmap/sub-01_dir-AP_epi.nii.gz", head)
    put(dataset / ASTRAY.replace("sub-02", "sub-01").replace("T1w", "FLAIR"), thing)
    here, other = "bids::sub-01/anat/sub-01_FLAIR.nii.gz", "bids:other:sub-01/anat/x.nii.gz"
    intended = [here, "anat/sub-01_FLAIR.nii.gz", "anat/sub-01_T1w.nii.gz", other]
    epi = {"B0FieldIdentifier": ["kept"], "IntendedFor": intended}
    bold = {"B0FieldSource": ["lost", "kept"], "IntendedFor": here}
    both = {"sub-01/fmap/sub-01_dir-AP_epi": epi, "sub-01/func/sub-01_task-rest_bold": bold}
    for name, content in both.items():
        put(dataset / f"{name}.json", json.dumps(content, indent=1).encode())
    untouched = b'{"B0FieldSource":"kept"}'
    put(dataset / "sub-01/sub-01_T1w.json", untouched)
    done = run(dataset, out=tmp_path / "out")
    assert done.counts[Verdict.FAILED] == 2
    left = {name: (tmp_path / "out" / f"{name}.json").read_text() for name in both}
    assert [json.loads(text) for text in left.values()] == [
        epi | {"IntendedFor": ["anat/sub-01_T1w.nii.gz", other]},
        {"B0FieldSource": ["kept"]},
    ]
    assert all(text.startswith('{\n "B0') for text in left.values())
    assert done.amended == tuple(f"{name}.json" for name in both)
    assert (tmp_path / "out/sub-01/sub-01_T1w.json").read_bytes() == untouched


def test_images_nobody_looks_at_do_not_go_into_a_copy(
    dataset: Path, head: bytes, tmp_path: Path
) -> None:
    put(dataset / "stimuli" / "face.nii.gz", head)
    put(dataset / "sub-01/eeg/sub-01_photo.jpg", b"a photo")
    put(dataset / "sub-01/anat/.hidden.nii.gz", head)
    done = run(dataset, out=tmp_path / "out")
    assert done.content is not None
    strays = {"stimuli/face.nii.gz", "sub-01/eeg/sub-01_photo.jpg"}
    assert strays <= set(done.content.left_alone) & set(done.content.not_copied)
    assert not (strays | {"sub-01/anat/.hidden.nii.gz"}) & files_in(tmp_path / "out")


@pytest.mark.parametrize("mode", ["in-place", "copy"])
def test_a_linked_image_is_replaced_and_what_it_leads_to_stays(
    dataset: Path, head: bytes, tmp_path: Path, mode: str
) -> None:
    annexed = put(dataset / ".git/annex/objects/key.nii.gz", head)
    annexed.chmod(0o444)
    (dataset / T1W).unlink()
    (dataset / T1W).symlink_to("../../.git/annex/objects/key.nii.gz")
    done = run(dataset, in_place=True) if mode == "in-place" else run(dataset, out=tmp_path / "out")
    assert annexed.read_bytes() == head
    (result,) = (r for r in done.results if r.name == T1W)
    assert result.path is not None
    assert not result.path.is_symlink()
    assert not has_face(result.path)
    assert (dataset / T1W).is_symlink() is (mode == "copy")
    assert bool(result.notes) is (mode == "in-place")


def test_a_link_that_leads_nowhere_is_told_and_the_rest_is_done(dataset: Path) -> None:
    (dataset / T2W).symlink_to("../../.git/annex/objects/elsewhere")
    done = run(dataset, in_place=True)
    (result,) = (r for r in done.results if r.name == T2W)
    assert result.verdict is Verdict.FAILED
    assert "git annex get" in result.reason
    assert not has_face(dataset / T1W)


def test_a_linked_folder_is_refused(dataset: Path, tmp_path: Path) -> None:
    (dataset / "sub-01").rename(tmp_path / "elsewhere")
    (dataset / "sub-01").symlink_to(tmp_path / "elsewhere")
    done = run(dataset, in_place=True)
    assert verdicts(done) == {"sub-01": "failed"}
    assert has_face(tmp_path / "elsewhere/anat/sub-01_T1w.nii.gz")


def test_a_folder_that_cannot_be_opened_is_told(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def access(path: Path, mode: int) -> bool:
        return not (path.name in {"anat", "code"} and mode == os.R_OK | os.X_OK)

    monkeypatch.setattr(deface_content.os, "access", access)
    content = list_dataset(dataset)
    assert list(content.opaque) == ["sub-01/anat"]
    assert "code" in content.not_copied


def test_an_image_that_changes_meanwhile_is_left_as_it_is(
    dataset: Path, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = stage.deface_images

    def while_others_write(*args: object, **kwargs: object) -> Iterator[object]:
        for done in work(*args, **kwargs):  # type: ignore[arg-type]
            os.utime(dataset / T1W, ns=(0, 0))
            yield done

    monkeypatch.setattr(stage, "deface_images", while_others_write)
    done = run(dataset, in_place=True)
    assert verdicts(done)[T1W] == "failed"
    assert (dataset / T1W).read_bytes() == head


def test_a_dataset_that_changes_while_it_is_copied_is_not_copied(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = stage.deface_images

    def while_others_write(*args: object, **kwargs: object) -> Iterator[object]:
        for done in work(*args, **kwargs):  # type: ignore[arg-type]
            put(dataset / "participants.tsv", b"participant_id\n")
            yield done

    monkeypatch.setattr(stage, "deface_images", while_others_write)
    with pytest.raises(ConflictError, match="while it was copied"):
        run(dataset, out=tmp_path / "out")
    assert {p.name for p in tmp_path.iterdir()} == {"study"}


def test_an_interruption_leaves_whole_images_and_no_traces(
    dataset: Path, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(dataset / ASTRAY, head)
    work = stage.deface_images

    def interrupted(*args: object, **kwargs: object) -> Iterator[object]:
        results = work(*args, **kwargs)  # type: ignore[arg-type]
        yield next(results)
        yield next(results)
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "deface_images", interrupted)
    names = files_in(dataset)
    done = DefaceRun(request=make_deface_request((dataset,), in_place=True))
    with pytest.raises(KeyboardInterrupt):
        deface(done, progress=Silent())
    assert done.counts[Verdict.DEFACED] == 1
    assert [has_face(dataset / name) for name in (T1W, ASTRAY)] == [False, True]
    assert files_in(dataset) == names
    assert not (publishing_folder(dataset) / "deface").exists()


def test_two_cannot_deface_one_dataset_at_once(dataset: Path) -> None:
    with (
        session_claim(publishing_folder(dataset) / "deface"),
        pytest.raises(ConflictError, match="defacing this dataset"),
    ):
        run(dataset, in_place=True)


def test_an_image_is_replaced_under_the_lock_of_its_dataset(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[Path] = []

    def lock(place: Path) -> object:
        held.append(place)
        return dataset_lock(place)

    monkeypatch.setattr(pipeline_deface, "dataset_lock", lock)
    run(dataset / T1W, in_place=True)
    run(dataset / BOLD, in_place=True)
    assert held == [dataset, dataset]


def test_single_images_go_where_they_are_sent(tmp_path: Path, head: bytes) -> None:
    first = put(tmp_path / "a" / "head.nii.gz", head)
    second = put(tmp_path / "b" / "bold.nii.gz", head)
    put(tmp_path / "a" / "head.json", b"{}")
    done = run(first, out=tmp_path / "one" / "defaced.nii.gz")
    assert verdicts(done) == {str(first): "defaced"}
    run(first, second, out=tmp_path / "both")
    assert files_in(tmp_path / "one") == {"defaced.nii.gz", "defaced.json"}
    assert files_in(tmp_path / "both") == {"head.nii.gz", "head.json", "bold.nii.gz"}
    written = [tmp_path / "one/defaced.nii.gz", *(tmp_path / "both").glob("*.nii.gz")]
    assert not any(map(has_face, written))
    assert (first.read_bytes(), second.read_bytes()) == (head, head)
    assert json.loads((tmp_path / "both/head.json").read_text())["DeidentificationMethod"]


def test_an_image_of_its_own_is_defaced_whatever_its_name_says(tmp_path: Path, head: bytes) -> None:
    image = put(tmp_path / "func" / "sub-01_task-rest_bold.nii.gz", head)
    run(image, in_place=True)
    assert not has_face(image)
    assert files_in(tmp_path) == {"func/sub-01_task-rest_bold.nii.gz"}


def test_an_image_that_fails_makes_no_folder(tmp_path: Path, thing: bytes) -> None:
    image = put(tmp_path / "thing.nii.gz", thing)
    done = run(image, out=tmp_path / "deep" / "out")
    assert done.refusal is not None
    assert files_in(tmp_path) == {"thing.nii.gz"}
    assert not (tmp_path / "deep").exists()


@pytest.mark.usefixtures("thorough")
def test_echoes_given_together_share_one_mask(tmp_path: Path, head: bytes) -> None:
    echoes = [put(tmp_path / f"sub-01_echo-{n}_MEGRE.nii.gz", head) for n in (1, 2)]
    done = run(*echoes, out=tmp_path / "out", options=DefaceOptions(masks=True))
    assert done.counts[Verdict.DEFACED] == 2
    masks = {name for name in files_in(tmp_path / "out") if "defacemask" in name}
    assert masks == {f"sub-01_mod-MEGRE_defacemask.{kind}" for kind in ("nii.gz", "json")}


@pytest.mark.usefixtures("thorough")
def test_a_second_run_leaves_the_mask_of_the_first_alone(dataset: Path) -> None:
    run(dataset, in_place=True, options=DefaceOptions(masks=True))
    mask = "sub-01/anat/sub-01_mod-T1w_defacemask.nii.gz"
    assert (dataset / mask).is_file()
    assert verdicts(run(dataset, check_only=True))[mask] == "not-needed"


def test_a_sidecar_that_cannot_be_understood_stays_and_is_told(dataset: Path) -> None:
    sidecar = put(dataset / "sub-01/anat/sub-01_T1w.json", b"[1, 2")
    done = run(dataset, in_place=True)
    assert sidecar.read_bytes() == b"[1, 2"
    (result,) = (r for r in done.results if r.name == T1W)
    assert "does not say so" in " ".join(result.notes)


@pytest.mark.parametrize("mode", ["in-place", "copy"])
def test_why_faces_are_kept_is_said_in_sidecars_alone(
    dataset: Path, head: bytes, tmp_path: Path, mode: str
) -> None:
    put(dataset / ASTRAY, head)
    out = dataset if mode == "in-place" else tmp_path / "out"
    asked: dict[str, object] = {"in_place": True} if mode == "in-place" else {"out": out}
    options = DefaceOptions(engine="none", because="consent for faces")
    before = tree_digest(dataset)
    done = run(dataset, options=options, **asked)
    assert verdicts(done) == {T1W: "kept", ASTRAY: "kept", BOLD: "not-needed"}
    reason = ["Face not removed: consent for faces"]
    beside = {name: out / name.replace(".nii.gz", ".json") for name in (T1W, ASTRAY)}
    assert json.loads(beside[T1W].read_text()) == {
        "Zoom": 1.5,
        "EchoTime": 0.003,
        "DeidentificationMethod": reason,
    }
    assert json.loads(beside[ASTRAY].read_text()) == {"DeidentificationMethod": reason}
    assert (out / T1W).read_bytes() == head
    assert not {f.location for f in check_privacy(out) if f.code == "PRIVACY_FACE"}
    if mode == "copy":
        assert tree_digest(dataset) == before
    else:
        again = run(dataset, options=options, in_place=True)
        assert verdicts(again)[T1W] == "kept"
        assert json.loads(beside[T1W].read_text())["DeidentificationMethod"] == reason
        run(dataset, in_place=True)
        assert reason[0] not in beside[T1W].read_text()


def test_an_image_that_cannot_be_written_is_named(
    dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(deface_staging, "move_file", refused)
    with pytest.raises(StorageError, match=f"the image {T1W} cannot be written"):
        run(dataset, in_place=True)


def test_a_journal_that_is_there_is_continued(dataset: Path) -> None:
    private = dataset.with_name("study.private")
    run(dataset, check_only=True)
    assert not private.exists()
    entry = JournalEntry(
        when=now(),
        command="convert",
        outcome=Outcome.PUBLISHED,
        subject="01",
        session=None,
        profile="bids",
        profile_digest="0" * 64,
    )
    Journal(private).append(entry)
    run(dataset, in_place=True)
    _, last = Journal(private).entries()
    assert (last["command"], last["outcome"]) == ("deface", "published")
    assert last["counts"] == {"defaced": 1, "not-needed": 1}
    assert last["tools"]["defacing"] == "knowing 1"


def test_a_run_without_a_journal_begins_none(dataset: Path) -> None:
    run(dataset, in_place=True)
    assert not dataset.with_name("study.private").exists()


def test_where_there_is_nothing_usable_is_said(dataset: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    put(empty / "dataset_description.json", b"{}")
    with pytest.raises(SourceError, match="no NIfTI image"):
        run(empty, check_only=True)
    gone = tmp_path / "gone.nii.gz"
    gone.symlink_to("nowhere")
    with pytest.raises(SourceError, match="git annex get"):
        run(gone, in_place=True)
    put(dataset / "x", b"")
    (dataset / "x").unlink()
    (dataset / "x").symlink_to("nowhere")
    with pytest.raises(SourceError, match="1 file"):
        run(dataset, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "where the defaced images go"),
        ({"in_place": True, "check_only": True}, "exclude each other"),
        ({"out": Path("out"), "in_place": True}, "exclude each other"),
        ({"in_place": True, "options": DefaceOptions(because="x")}, "--because"),
        (
            {"check_only": True, "options": DefaceOptions(engine="none", because="consent")},
            "looked for",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(
    dataset: Path, asked: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        make_deface_request((dataset,), **asked)  # type: ignore[arg-type]


def test_places_that_cannot_be_are_refused(dataset: Path, tmp_path: Path, head: bytes) -> None:
    image = put(tmp_path / "head.nii.gz", head)
    twin = put(tmp_path / "twin" / "head.nii.gz", head)
    twin.parent.chmod(0o755)
    plain = tmp_path / "plain"
    plain.mkdir()
    asked: list[tuple[tuple[Path, ...], dict[str, Path]]] = [
        ((tmp_path / "nowhere",), {"out": tmp_path / "x"}),
        ((plain,), {"out": tmp_path / "x"}),
        ((dataset, image), {"out": tmp_path / "x"}),
        ((dataset,), {"out": dataset / "copy"}),
        ((dataset,), {"out": tmp_path}),
        ((dataset,), {"out": image}),
        ((image,), {"out": tmp_path / "x.nii"}),
        ((image, twin), {"out": tmp_path / "x.nii.gz"}),
        ((image, twin), {"out": tmp_path / "x"}),
        ((image,), {"out": tmp_path / "x", "pictures": dataset / "pictures"}),
        ((image,), {"out": tmp_path / "x", "pictures": tmp_path / "twin"}),
        ((image, twin), {"pictures": tmp_path / "faces"}),
        ((image,), {"out": tmp_path / "x", "pictures": tmp_path / "x" / "faces"}),
    ]
    for places, more in asked:
        in_place = "out" not in more
        with pytest.raises(UsageError):
            make_deface_request(places, in_place=in_place, **more)  # type: ignore[arg-type]


def test_nothing_that_stands_is_replaced_by_a_copy(
    dataset: Path, tmp_path: Path, head: bytes
) -> None:
    image = put(tmp_path / "a" / "head.nii.gz", head)
    put(tmp_path / "a" / "head.json", b"{}")
    put(tmp_path / "full" / "head.nii.gz", b"")
    put(tmp_path / "beside" / "head.json", b"")
    for place, out in ((image, "full"), (image, "a"), (image, "beside"), (dataset, "full")):
        with pytest.raises(ConflictError):
            make_deface_request((place,), out=tmp_path / out)


def test_an_image_that_is_given_twice_is_defaced_once(tmp_path: Path, head: bytes) -> None:
    image = put(tmp_path / "head.nii.gz", head)
    request = make_deface_request((image, tmp_path / "." / "head.nii.gz"), in_place=True)
    assert request.images == (image,)
    assert request.options == USUAL


@pytest.mark.slow
def test_serial_and_parallel_give_the_same_bytes(
    dataset: Path, head: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    put(dataset / ASTRAY, head)
    put(dataset / T2W, head)
    for jobs in (1, 2):
        done = run(dataset, out=tmp_path / f"out{jobs}", jobs=jobs)
        assert done.counts[Verdict.DEFACED] == 3
    assert tree_digest(tmp_path / "out1") == tree_digest(tmp_path / "out2")
