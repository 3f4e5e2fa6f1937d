"""The pages of a dataset, whoever made it and whatever state it is in."""

from __future__ import annotations

import base64
import errno
import gzip
import json
import logging
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from made_pages import (
    BOLD,
    DWI,
    T1W,
    T2W,
    a_foreign_dataset,
    a_published_dataset,
    ball,
    keep_refusal,
    rejected,
    say,
    write_nifti,
)
from nibabel import imageglobals
from session_records import a_refusal
from tree_digests import tree_digest

from bidsanon.audit import FaceDecision, FaceVerdict, now, record_decision
from bidsanon.errors import BidsanonError, ConflictError, StorageError, UsageError
from bidsanon.files import remove_tree, sha256
from bidsanon.pipeline.report import Report, report, report_summary
from bidsanon.pipeline.report_images import describe_image
from bidsanon.pipeline.report_request import make_report_request
from bidsanon.progress import Silent
from bidsanon.redaction import Redactor
from bidsanon.report import keep_record
from bidsanon.resources import schema_path

SCHEMA = json.loads(schema_path("summary.schema.json").read_text("utf-8"))
NAME = "sub-01_ses-a.html"


@pytest.fixture(autouse=True, scope="module")
def at_once() -> Iterator[None]:
    """Validating takes seconds; what it says has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        say(patch, rejected(T1W))
        yield


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    return a_foreign_dataset(tmp_path / "ds")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return a_published_dataset(tmp_path / "ds")


@pytest.fixture(scope="module")
def made(at_once: None, tmp_path_factory: pytest.TempPathFactory) -> Report:  # noqa: ARG001 - order
    """The pages of a dataset with a private folder, for tests that only look at them."""
    return pages(a_published_dataset(tmp_path_factory.mktemp("looked_at") / "ds"))


def pages(dataset: Path, *, out: Path | None = None) -> Report:
    request = make_report_request(dataset, out=out)
    return report(request, progress=Silent(), redactor=Redactor())


class Reader(HTMLParser):
    """Collects what a page refers to, its headings and its text, and checks that it is closed."""

    VOID = frozenset({"meta", "img", "link", "br", "hr", "input"})

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(page.read_text("utf-8"))
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "title"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.found if name in attributes]


def test_pages_go_into_the_private_folder_and_are_its_owners_alone(made: Report) -> None:
    folder = made.request.dataset.with_name("ds.private") / "reports"
    assert made.pages == [folder / "index.html", folder / NAME]
    assert {stat.S_IMODE(page.stat().st_mode) for page in made.pages} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_dataset_is_only_read(published: Path) -> None:
    before = tree_digest(published)
    pages(published)
    assert tree_digest(published) == before


def test_pages_elsewhere_show_no_head_before_its_defacing(published: Path, tmp_path: Path) -> None:
    made = pages(published, out=tmp_path / "out")
    kept = published.with_name("ds.private") / "reports" / "sub-01_ses-a" / "published"
    pictures = {
        path.name: base64.b64encode(path.read_bytes()).decode()
        for path in kept.glob("pictures-*/*.png")
    }
    assert len(pictures) == 12
    html = (tmp_path / "out" / NAME).read_text()
    shown = {name for name, content in pictures.items() if content in html}
    assert shown == {name for name in pictures if name.startswith("after-")}
    assert str(tmp_path) not in "".join(page.read_text() for page in made.pages)
    own = pages(published)
    html = own.pages[1].read_text()
    assert all(content in html for content in pictures.values())


def test_pages_of_a_dataset_of_others_say_that_nothing_is_known(foreign: Path) -> None:
    made = pages(foreign)
    page = Reader(made.pages[1])
    assert "In the dataset" in page.text
    assert "There is no record" in page.text
    assert "Nobody knows: there is no record" in Reader(made.index).text


def test_the_datasets_page_says_what_there_is(made: Report) -> None:
    page = Reader(made.index)
    for words in (
        "bidsanon · A study",
        "1 error",
        "Subjects 1 Sessions 1 Images 4",
        "Licence CC0",
        "FACE_REJECTED",
        "2 images may show a face",
        "sub-01, ses-a",
        "2 anat, 1 dwi, 1 func",
        "In participants.tsv 1 Female 1 Age 33 to 33",
        "burned-in",
        "✓ Passed",
        "Runs, as the journal has them",
    ):
        assert words in page.text, words


def test_a_sessions_page_shows_each_image(made: Report) -> None:
    page = Reader(made.pages[1])
    alts = page.all("alt")
    for image in (T1W, T2W, BOLD, DWI):
        assert any(alt.startswith(image) for alt in alts), image
    for words in (
        "volume 1 of 3",
        "the mean of 6 volumes",
        "6 volumes in 9 s",
        "3 events, from 1 to 4 s : go 2 , stop 1",
        "radiological convention",
        "Defaced, and the self-check passed",
        "Not decided about",
        "FACE_REJECTED",
    ):
        assert words.replace(" ", "") in page.text.replace(" ", ""), words
    assert re.search(r"1,000 ?2", page.text)


def test_pages_can_be_read_by_anybody_and_need_nothing_else(made: Report) -> None:
    for path in made.pages:
        html, page = path.read_text("utf-8"), Reader(path)
        assert not re.search(r"https?://|@import|url\(|<script|<link", html)
        assert all(source.startswith("data:image/") for source in page.all("src"))
        assert all(alt for alt in page.all("alt"))
        tags = [tag for tag, _ in page.found]
        assert tags.count("img") == len(page.all("alt"))
        assert [tags.count(tag) for tag in ("h1", "main", "header", "footer")] == [1, 1, 1, 1]
        headings = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
        assert all(b - a <= 1 for a, b in pairwise(headings))
        assert len(page.all("id")) == len(set(page.all("id")))
        targets = {f"#{name}" for name in page.all("id")}
        links = [link for link in page.all("href") if link.startswith("#")]
        assert links[0] == "#content"
        assert set(links) <= targets
        others = {link for link in page.all("href") if not link.startswith("#")}
        assert all((path.parent / link).is_file() for link in others)


def test_a_decision_is_shown_as_long_as_the_bytes_are_the_same(published: Path) -> None:
    image = published / T1W
    decision = FaceDecision(
        image=T1W,
        sha256=sha256(image),
        size=image.stat().st_size,
        verdict=FaceVerdict.ACCEPTED,
        when=now(),
    )
    record_decision(published.with_name("ds.private"), decision)
    made = pages(published)
    assert "1 accepted by a person, 0 rejected, 1 not yet" in Reader(made.index).text
    assert "Changed since" not in Reader(made.pages[1]).text

    write_nifti(image, ball((20, 24, 22)) + 1)
    made = pages(published)
    assert "0 accepted by a person" in Reader(made.index).text
    assert "Changed since it was published" in Reader(made.pages[1]).text


def test_a_refused_run_of_another_dataset_is_not_on_this_ones_pages(
    published: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    kept = published.with_name(f"{published.name}.private") / "reports" / "sub-08" / "refused"
    keep_record(replace(a_refusal(), dataset=theirs), kept)
    assert "sub-08_refused.html" not in {page.name for page in pages(published).pages}
    theirs.rmdir()  # one that was moved may be this one
    assert "sub-08_refused.html" in {page.name for page in pages(published).pages}


def test_a_later_run_that_was_refused_has_a_page_of_its_own(published: Path) -> None:
    keep_refusal(published, "sub-01_ses-a")
    keep_refusal(published, "sub-07")
    made = pages(published)
    folder = made.index.parent
    assert folder / "sub-01_ses-a_refused.html" in made.pages
    assert "Refused by the gate Deface" in Reader(folder / "sub-07_refused.html").text
    assert "Published" in Reader(folder / NAME).text
    assert NAME in Reader(folder / "sub-01_ses-a_refused.html").all("href")
    assert "sub-07.html" not in Reader(folder / "sub-07_refused.html").all("href")
    assert "A later run of this session was refused" in Reader(folder / NAME).text
    assert "Refused, and not in the dataset: sub-07" in Reader(made.index).text

    for name in ("sub-01_ses-a", "sub-07"):
        remove_tree(folder / name / "refused")
    pages(published)
    assert not list(folder.glob("*_refused.html"))


def test_a_broken_image_gets_a_row_that_says_so(foreign: Path) -> None:
    anat = foreign / "sub-01/ses-a/anat"
    whole = (foreign / T1W).read_bytes()
    (anat / "sub-01_ses-a_PDw.nii.gz").write_bytes(whole[: len(whole) // 2])
    (anat / "sub-01_ses-a_FLAIR.nii.gz").write_bytes(b"")
    (anat / "sub-01_ses-a_T2starw.nii.gz").write_bytes(b"no image")
    (anat / "sub-01_ses-a_T1map.nii.gz").symlink_to("/nowhere/at/all")
    write_nifti(anat / "sub-01_ses-a_inplaneT1.nii", ball((20, 20, 1))[:, :, 0])
    os.mkfifo(anat / "sub-01_ses-a_UNIT1.nii.gz")
    (foreign / "sub-01/ses-a/func/sub-01_ses-a_task-rest_bold.json").write_text("{")
    (foreign / "sub-01/ses-a/dwi/sub-01_ses-a_dwi.bval").write_bytes(b"\xff\xfe")

    made = pages(foreign)

    assert sorted(Path(path).name.split("_")[-1] for path in made.undrawn) == [
        "FLAIR.nii.gz",
        "PDw.nii.gz",
        "T1map.nii.gz",
        "T2starw.nii.gz",
        "UNIT1.nii.gz",
        "inplaneT1.nii",
    ]
    page = Reader(made.pages[1])
    assert page.text.count("Not drawn") == 6
    assert "ends early" in page.text
    assert "There is no .bval file for this image." in page.text


def test_a_description_of_any_kind_is_taken(foreign: Path) -> None:
    described = {"Name": ["x"], "Authors": 3, "GeneratedBy": [7, {"Name": 1}], "License": None}
    (foreign / "dataset_description.json").write_text(json.dumps(described))
    (foreign / "participants.tsv").write_text("participant_id\tage\nsub-01\t1\t2\n")
    page = Reader(pages(foreign).index)
    assert "bidsanon · ds" in page.text
    assert "There is no participants.tsv that could be read" in page.text


def test_names_are_never_markup(tmp_path: Path) -> None:
    root = tmp_path / "<i>ds"
    nasty = "sub-<img src=x onerror=alert(1)>"
    write_nifti(root / nasty / "anat" / "sub-x_T1w.nii.gz", ball((12, 12, 12)))
    write_nifti(root / "sub- img src=x onerror=alert(1) " / "sub-x_T1w.nii.gz", ball((9, 9, 9)))
    made = pages(root)
    assert len({page.name for page in made.pages}) == 3
    assert all(re.fullmatch(r"[a-z0-9_-]+\.html", page.name) for page in made.pages)
    for path in made.pages:
        assert "<img src=x" not in path.read_text()
        assert "<i>ds" not in path.read_text()


def test_an_image_too_large_to_be_looked_at_is_told_at_once(tmp_path: Path) -> None:
    image = write_nifti(tmp_path / "sub-01/anat/sub-01_T1w.nii", ball((8, 8, 8)))
    content = bytearray(image.read_bytes())
    content[40:56] = np.array([4, 32767, 32767, 32767, 9, 1, 1, 1], "<i2").tobytes()
    image.write_bytes(content)
    entry = describe_image(tmp_path, "sub-01/anat/sub-01_T1w.nii")
    assert "too large" in entry.problem
    assert entry.facts["voxels"].startswith("32767")


def test_large_images_are_drawn_coarsely(tmp_path: Path) -> None:
    values = np.zeros((700, 6, 5), np.int16)
    values[200:500] = 100
    write_nifti(tmp_path / "sub-01/anat/sub-01_T1w.nii", values)
    entry = describe_image(tmp_path, "sub-01/anat/sub-01_T1w.nii")
    assert entry.mosaic is not None
    assert not entry.mosaic.is_uniform


def test_an_image_that_says_not_where_left_is_says_so(tmp_path: Path) -> None:
    image = write_nifti(tmp_path / "sub-01/anat/sub-01_T1w.nii", ball((8, 8, 8)))
    content = bytearray(image.read_bytes())
    content[252:256] = bytes(4)
    image.write_bytes(content)
    entry = describe_image(tmp_path, "sub-01/anat/sub-01_T1w.nii")
    assert "guess" in entry.facts["orientation"]


def test_what_is_put_right_in_a_header_is_on_the_page_and_not_on_stderr(foreign: Path) -> None:
    image = write_nifti(foreign / T1W, ball((20, 24, 22)), np.diag([-2.0, 2, 2, 1]))
    content = bytearray(gzip.decompress(image.read_bytes()))
    content[80:84] = np.array([-2], "<f4").tobytes()
    image.write_bytes(gzip.compress(content))
    broken = bytearray(content)
    broken[70:72] = np.array([7], "<i2").tobytes()
    (foreign / T2W).write_bytes(gzip.compress(broken))
    # nibabel's own handler writes to stderr whatever reaches it; this one stands beside it.
    said: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = said.append  # type: ignore[method-assign]
    imageglobals.logger.addHandler(handler)
    try:
        made = pages(foreign)
    finally:
        imageglobals.logger.removeHandler(handler)
    assert not said
    assert "put right to read it: pixdim[1,2,3] should be positive" in Reader(made.pages[1]).text
    assert "pixdim" not in Reader(made.index).text


def test_the_summary_is_as_its_schema_says(published: Path) -> None:
    (published / "sub-01/ses-a/anat/sub-01_ses-a_PDw.nii.gz").write_bytes(b"")
    made = pages(published)
    summary = json.loads(json.dumps(report_summary(made)))
    jsonschema.validate(summary, SCHEMA)
    assert summary["counts"] == {"error": 1, "warning": 0, "info": 0}
    assert [face["verdict"] for face in summary["faces"]] == [None, "defaced", "defaced"]
    assert summary["shows_faces"]
    assert len(summary["undrawn"]) == 1


def test_pages_without_a_head_are_not_said_to_show_faces(foreign: Path) -> None:
    for image in (T1W, T2W):
        (foreign / image).unlink()
    assert not report_summary(pages(foreign))["shows_faces"]
    (foreign / "sub-01/ses-a/anat").mkdir(exist_ok=True)
    write_nifti(foreign / T1W, ball((20, 24, 22)))
    assert report_summary(pages(foreign))["shows_faces"]


def test_no_empty_private_folder_is_left_where_no_page_can_be_written(
    foreign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("bidsanon.pipeline.report_sessions.write_page", full)
    with pytest.raises(StorageError, match="no space left"):
        pages(foreign)
    assert not foreign.with_name("ds.private").exists()


def test_voxels_of_a_kind_that_nobody_knows_are_said_to_be(foreign: Path) -> None:
    image = bytearray(gzip.decompress((foreign / T1W).read_bytes()))
    image[70:72] = (999).to_bytes(2, "little")
    (foreign / T1W).write_bytes(gzip.compress(bytes(image)))
    assert (
        "what NIfTI does not define: the kind of its voxels" in describe_image(foreign, T1W).problem
    )


def test_pages_are_made_again_and_those_of_gone_sessions_go(foreign: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_nifti(foreign / "sub-02/anat/sub-02_T1w.nii", ball((8, 8, 8)))
    assert (out / "sub-02.html") in pages(foreign, out=out).pages
    (out / "notes.html").write_text("somebody's own")
    (foreign / "sub-02/anat/sub-02_T1w.nii").unlink()
    (foreign / "sub-02/anat").rmdir()
    (foreign / "sub-02").rmdir()
    pages(foreign, out=out)
    assert sorted(path.name for path in out.iterdir()) == ["index.html", "notes.html", NAME]


def test_a_dataset_without_a_session_has_a_page(tmp_path: Path) -> None:
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds" / "dataset_description.json").write_text("{}")
    made = pages(tmp_path / "ds")
    assert "There is no session in the dataset" in Reader(made.index).text


def test_pages_are_refused_where_they_do_not_belong(foreign: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<title>a site</title>")
    refused: list[tuple[Path, type[BidsanonError]]] = [
        (foreign / "derivatives" / "report", UsageError),
        (foreign, UsageError),
        (tmp_path, UsageError),
        (tmp_path / "file", UsageError),
        (tmp_path / "site", ConflictError),
    ]
    before = tree_digest(tmp_path)
    for out, error in refused:
        with pytest.raises(error):
            make_report_request(foreign, out=out)
    with pytest.raises(UsageError):
        make_report_request(foreign, private=tmp_path / "not-there")
    for none in ("not-there", "site"):
        with pytest.raises(UsageError):
            make_report_request(tmp_path / none)
    assert tree_digest(tmp_path) == before


@pytest.mark.slow
def test_two_processes_make_the_same_pages(foreign: Path, tmp_path: Path) -> None:
    one = report(
        make_report_request(foreign, out=tmp_path / "one", jobs=1),
        progress=Silent(),
        redactor=Redactor(),
    )
    two = report(
        make_report_request(foreign, out=tmp_path / "two", jobs=2),
        progress=Silent(),
        redactor=Redactor(),
    )
    assert one.pages[1].read_text() == two.pages[1].read_text()


def test_what_a_sidecar_claims_of_a_face_is_shown_as_a_claim(foreign: Path) -> None:
    sidecar = {"DeidentificationMethod": ["Defaced by a program"]}
    (foreign / T1W).with_name("sub-01_ses-a_T1w.json").write_text(json.dumps(sidecar))
    page = Reader(pages(foreign).index)
    assert "No record; its sidecar says that the face was removed" in page.text
    assert "Nobody knows: there is no record" in page.text


def test_tables_that_stand_above_an_image_hold_for_it(foreign: Path) -> None:
    for path in foreign.rglob("*_dwi.bv*"):
        path.rename(foreign / f"dwi{path.suffix}")
    (events,) = foreign.rglob("*_events.tsv")
    events.rename(foreign / "sub-01" / "sub-01_task-rest_events.tsv")
    (foreign / "task-other_events.tsv").write_text("onset\tduration\n1\t1\n")
    dwi, bold = describe_image(foreign, DWI), describe_image(foreign, BOLD)
    assert dwi.gradients is not None
    assert dwi.gradients.shells == ((0, 1), (1000, 2))
    assert not dwi.gradients.problems
    assert bold.events is not None
    assert bold.events.count == 3
