"""``bidsanon heuristic new`` and ``check``, as somebody who is no programmer uses them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from in_process import ask_in_process
from pydicom import dcmread
from sessions import MARA, TOBIAS, bold_mosaic, field_map, identifying_strings, scout, siemens_t1w

from bidsanon.cli import cli
from bidsanon.cli.outcome import run
from bidsanon.pipeline import heuristic

Bidsanon = Callable[..., int]


@pytest.fixture(autouse=True)
def _in_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ask_in_process(monkeypatch)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(name="bidsanon")
def _bidsanon(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(cli, ["heuristic", *map(str, arguments)])
        out, err = capsys.readouterr()
        for value in identifying_strings(MARA):
            assert value not in out + err
        return code, out, err

    return call


@pytest.fixture(name="session")
def _session() -> Path:
    """Write a scout, a T1w, a field map and two runs of one task."""
    scout(Path("in/1"))
    siemens_t1w(Path("in/2"))
    field_map(Path("in/3"))
    bold_mosaic(Path("in/5"))
    bold_mosaic(Path("in/6"), number=6)
    return Path("in")


def _json(printed: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(printed)
    return record


def test_a_draft_is_read_changed_and_used(
    bidsanon: Callable[..., tuple[int, str, str]], session: Path
) -> None:
    code, out, _ = bidsanon("new", session, "-o", "heuristics/ourlab.py")
    assert code == 0
    assert "5 rules were written" in out
    assert "-> sub-01/func/sub-01_task-rest_run-2_bold.nii.gz" in out
    file = Path("heuristics/ourlab.py")
    text = file.read_text()
    _holds_nothing_of_anybody(text)
    rules = text[text.index("RULES = [") : text.index("\n]\n")].splitlines()[1:]
    assert [line[4] for line in rules] == list("#{" * 5)
    assert rules[-2].startswith("    # series 5, 6: ")
    assert rules[-1].split() == [
        '{"bids":',
        '"func/task-rest_bold",',
        '"called":',
        '"ep2d_bold_rest"},',
    ]
    assert "no" not in {rule.partition('"leave_out": "')[2] for rule in rules}
    assert '"leave_out": "a scout: its name says so"' in rules[1]

    file.write_text(text.replace("task-rest_bold", "task-stopsignal_bold"))
    record = _json(bidsanon("check", file, session, "-s", "x7", "-ss", "b", "--json")[1])
    assert record["series"][4]["bids"] == [
        "sub-x7/ses-b/func/sub-x7_ses-b_task-stopsignal_run-1_bold.nii.gz"
    ]
    assert [rule["series"] for rule in record["rules"]] == [[1], [2], [3], [4], [5, 6]]
    assert all(text.splitlines()[rule["line"] - 1][4] == "{" for rule in record["rules"])


def _holds_nothing_of_anybody(text: str) -> None:
    assert not [value for value in identifying_strings(MARA) if value.lower() in text.lower()]
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {"__future__", "ast", "collections", "collections.abc", "contextlib"} | {
        "json", "pathlib", "re", "typing", "shutil"
    }  # fmt: skip


def test_a_draft_holds_no_name_that_an_operator_typed(
    bidsanon: Callable[..., tuple[int, str, str]],
) -> None:
    for path in bold_mosaic(Path("in"), protocol=f"ep2d_bold_rest_{MARA.family_name}"):
        header = dcmread(path)
        header.ImageType = [*header.ImageType, MARA.family_name.upper(), MARA.station]
        header.save_as(path)
    assert bidsanon("new", "in", "-o", "ourlab.py", "--json")[0] == 0
    text = Path("ourlab.py").read_text()
    _holds_nothing_of_anybody(text)
    assert '"called": "ep2d_bold_rest"' in text


def test_a_draft_that_would_identify_is_not_written(
    bidsanon: Callable[..., tuple[int, str, str]],
    session: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drafting = heuristic.draft_heuristic

    def leaking(*arguments: Any, **more: Any) -> Any:
        draft = drafting(*arguments, **more)
        object.__setattr__(draft, "lines", (*draft.lines, f"# of {MARA.family_name}"))
        return draft

    monkeypatch.setattr(heuristic, "draft_heuristic", leaking)
    code, _, err = bidsanon("new", session, "-o", "ourlab.py")
    assert code == 4
    assert "would hold what identifies" in err
    assert not Path("ourlab.py").exists()


@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        ("ourlab.txt", 2, "cannot have that name"),
        ("our lab.py", 2, "cannot have that name"),
        ("my.heuristic.py", 2, "cannot have that name"),
        ("class.py", 2, "cannot have that name"),
        ("json.py", 2, "part of Python"),
        ("auto.py", 2, "another heuristic"),
        ("folder.py", 2, "is no file"),
        ("in/ourlab.py", 2, "within SOURCE"),
        ("file/ourlab.py", 2, "below a file"),
        ("there.py", 7, "there already"),
    ],
)
def test_a_place_where_no_draft_can_stand(
    bidsanon: Callable[..., tuple[int, str, str]], place: str, code: int, said: str
) -> None:
    Path("in").mkdir()
    Path("folder.py").mkdir()
    Path("file").touch()
    Path("there.py").write_text("mine")
    got, out, err = bidsanon("new", "in", "-o", place, "--json")
    assert (got, _json(out)["exit_code"]) == (code, code)
    assert said in err
    assert "what to do" in err
    assert Path("there.py").read_text() == "mine"


def test_what_is_there_is_replaced_if_that_is_asked_for(
    bidsanon: Callable[..., tuple[int, str, str]],
) -> None:
    bold_mosaic(Path("in"))
    Path("ourlab.py").write_text("mine")
    record = _json(bidsanon("new", "in", "-o", "ourlab.py", "--overwrite", "--json")[1])
    assert (record["outcome"], record["file"]) == ("drafted", str(Path.cwd() / "ourlab.py"))
    assert "task-rest_bold" in Path("ourlab.py").read_text()
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["in", "ourlab.py"]


def _edited(old: str, new: str) -> None:
    file = Path("ourlab.py")
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.slow
def test_check_says_what_is_wrong_with_each_name_and_rule(
    bidsanon: Callable[..., tuple[int, str, str]], session: Path
) -> None:
    bidsanon("new", session, "-o", "ourlab.py")
    draft = Path("ourlab.py").read_text()

    _edited('"bids": "anat/T1w"', '"bids": "anat/T1W"')
    code, out, _ = bidsanon("check", "ourlab.py", session)
    assert code == 5
    line = 1 + draft[: draft.index('"bids": "anat/T1w"')].count("\n")
    assert f"INVALID_BIDS_NAME [series 2, line {line} of the heuristic]" in out
    assert "the nearest that is: sub-01/anat/sub-01_T1w" in out

    Path("ourlab.py").write_text(draft)
    _edited("func/task-rest_bold", "func/task-rest_run-1_bold")
    code, out, _ = bidsanon("check", "ourlab.py", session)
    assert code == 5
    assert "REPEATED_BIDS_NAME [series 5, series 6, line" in out

    Path("ourlab.py").write_text(draft)
    _edited('"called": "AAHead_Scout"', '"called": "*"')
    _edited("t1_mprage_sag_p2_iso", "t1_mprage_of_old")
    code, out, _ = bidsanon("check", "ourlab.py", session)
    assert code == 5
    assert "NOTHING_NAMED" in out
    assert "RULES_OVERLAP [series 5]" in out
    assert re.search(r"RULE_UNUSED \[line \d+\]: the rule for anat/T1w matches none", out)
    assert re.search(r"line +\d+  anat/T1w +nothing", out)

    Path("ourlab.py").write_text(draft)
    _edited('"called": "ep2d_bold_rest"', '"caled": "ep2d_bold_rest"')
    code, out, err = bidsanon("check", "ourlab.py", session, "--json")
    assert (code, _json(out)["exit_code"]) == (5, 5)
    edited = Path("ourlab.py").read_text()
    line = 1 + edited[: edited.index('"caled"')].count("\n")
    assert f"line {line} of ourlab.py" in err
    assert "cannot ask for ['caled']" in err


def test_a_new_series_is_not_matched_and_the_rules_of_others_say_that_they_match_nothing(
    bidsanon: Callable[..., tuple[int, str, str]], session: Path
) -> None:
    bidsanon("new", session, "-o", "ourlab.py")
    bold_mosaic(Path("next"), number=9)
    bold_mosaic(Path("next/more"), number=3, protocol="ep2d_bold_faces")
    code, out, _ = bidsanon("check", "ourlab.py", "next", "--json")
    record = _json(out)
    assert (code, record["outcome"]) == (0, "checked")
    assert [(one["bids"], one["skipped"]) for one in record["series"]] == [
        ([], "no rule of the heuristic matches it"),
        (["sub-01/func/sub-01_task-rest_bold.nii.gz"], None),
    ]
    codes = [finding["code"] for finding in record["findings"]]
    assert codes == ["RULE_UNUSED"] * 4


def test_check_says_too_what_another_gate_would_refuse(
    bidsanon: Callable[..., tuple[int, str, str]],
) -> None:
    bold_mosaic(Path("in"))
    bold_mosaic(Path("in/other"), person=TOBIAS, number=6)
    code, out, _ = bidsanon("check", "auto", "in", "--json")
    assert code == 4
    assert _json(out)["outcome"] == "refused"
    assert "PERSONS" in out
