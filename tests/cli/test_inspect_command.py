"""``bidsanon inspect`` as people meet it: four forms of one table, and nobody named in them."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from in_process import ask_in_process
from sessions import MARA, bold_mosaic, burned_in_capture, identifying_strings
from tree_digests import tree_digest

from bidsanon.bids.tables import read_table
from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.pipeline import inspect as inspection
from bidsanon.pipeline.inspect import Inspection, inspect_source
from bidsanon.pipeline.request import make_request
from bidsanon.progress import Silent

FORMATS = ("text", "tsv", "json", "html")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    bold_mosaic(folder / "a", person=MARA, protocol=f"ep2d_bold_rest_{MARA.family_name}")
    burned_in_capture(folder / "b", person=MARA)
    return folder


@pytest.fixture(scope="module")
def found(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Inspection:
    nowhere = tmp_path_factory.mktemp("nowhere") / "ds"
    request = make_request((source,), dataset=nowhere, subject="01")
    with pytest.MonkeyPatch.context() as patch:
        ask_in_process(patch)
        return inspect_source(request, identified=True, progress=Silent())


@pytest.fixture(autouse=True)
def _read_once(monkeypatch: pytest.MonkeyPatch, found: Inspection) -> None:
    def again(*_: object, identified: bool, **__: object) -> Inspection:
        return found if identified else Inspection(plan=found.plan)

    monkeypatch.setattr(inspection, "inspect_source", again)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(cli, ["inspect", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("form", FORMATS)
def test_nobody_is_named_unless_that_is_asked_for(
    source: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tree_digest(source)
    text = shown(capsys, str(source), "--format", form)
    assert not [v for v in identifying_strings(MARA) if v.lower() in text.lower()]
    assert "sub-01/func/sub-01_task-rest_bold.nii.gz" in text
    identified = shown(capsys, str(source), "--format", form, "--identified")
    assert MARA.family_name in identified
    assert MARA.study_date in identified
    assert "identified" in identified.lower()
    assert tree_digest(source) == before


def test_json_is_as_its_schema_says_by_either_option(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = json.loads(shown(capsys, str(source), "--json"))
    assert record == json.loads(shown(capsys, str(source), "--format", "json"))
    identified = json.loads(shown(capsys, str(source), "--json", "--identified"))
    assert [one["index"] for one in identified["identified"]] == [1]
    (series,) = record["series"]
    assert series["sure"] == "headers"
    assert series["volumes"] == series["files"]


def test_a_spreadsheet_has_a_row_for_each_series_and_each_reason(
    source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series, quarantined = read_table(shown(capsys, str(source), "--format", "tsv")).rows
    assert series["bids"].endswith("_bold.nii.gz")
    assert (series["sure"], series["left_out"]) == ("headers", "n/a")
    assert (quarantined["files"], quarantined["left_out"]) == ("1", "quarantine: burned-in")


class Reader(HTMLParser):
    """Follows a page's tags, and collects what it would fetch."""

    VOID = frozenset({"meta", "link", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in {"src", "href"} and not (value or "").startswith("#"):
                self.fetched.append(value or "")
            elif name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("options", [(), ("--identified",)])
def test_a_page_is_whole_and_needs_nothing_else(
    source: Path, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    page = shown(capsys, str(source), "--format", "html", *options)
    reader = Reader()
    reader.feed(page)
    assert page.startswith("<!DOCTYPE html>")
    assert (reader.open, reader.fetched) == ([], [])
    assert len(set(reader.ids)) == len(reader.ids)
    assert "By its headers" in page


def test_a_table_goes_into_a_file_and_nothing_else_is_written(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "table.tsv"
    assert shown(capsys, str(source), "--format", "tsv", "-o", str(place)) == ""
    assert list(tmp_path.iterdir()) == [place]
    assert read_table(place.read_text()).rows
    identified = tmp_path / "named.html"
    shown(capsys, str(source), "--format", "html", "-o", str(identified), "--identified")
    assert identified.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("place", "code"), [("there.tsv", 7), ("in/table.tsv", 2), ("no/folder/t.tsv", 2)]
)
def test_a_table_goes_nowhere_where_it_does_harm(
    tmp_path: Path, place: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    bold_mosaic(tmp_path / "in", volumes=1)
    (tmp_path / "there.tsv").write_text("mine")
    before = tree_digest(tmp_path)
    assert run(cli, ["inspect", str(tmp_path / "in"), "-o", str(tmp_path / place)]) == code
    assert capsys.readouterr().out == ""
    assert tree_digest(tmp_path) == before


def test_no_text_of_a_header_commands_a_terminal_a_spreadsheet_or_a_browser(
    source: Path,
    found: Inspection,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evil = '=1+1\x1b]0;x\x07\n<b>\u202e"'
    index = found.plan.source.series[0].index
    plan = replace(found.plan, descriptions={**found.plan.descriptions, index: evil})
    originals = (replace(found.originals[0], patient_name=evil, series_description=evil),)
    mined = Inspection(plan=plan, originals=originals)
    monkeypatch.setattr(inspection, "inspect_source", lambda *_, **__: mined)
    for form in ("text", "tsv"):
        text = shown(capsys, str(source), "--format", form, "--identified")
        assert all(line.replace("\t", "").isprintable() for line in text.split("\n"))
    cells = [cell for line in text.split("\n") for cell in line.split("\t")]
    assert sum("1+1" in cell for cell in cells) == 3
    assert not any(cell.startswith("=") for cell in cells)
    assert "<b>" not in shown(capsys, str(source), "--format", "html", "--identified")


def test_two_forms_at_once_are_refused(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(cli, ["inspect", str(source), "--json", "--format", "html"]) == 2
    assert "contradict" in capsys.readouterr().err
