"""``bidsanon report`` and ``bidsanon review`` as people meet them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from made_pages import T1W, T2W, a_foreign_dataset, a_published_dataset, rejected, say
from tree_digests import tree_digest

from bidsanon.cli import cli
from bidsanon.cli.outcome import run


def test_report_says_where_the_pages_are_and_what_is_left_to_decide(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, rejected(T1W))
    dataset = a_published_dataset(tmp_path / "ds")
    assert run(cli, ["report", str(dataset), "--jobs", "1"]) == 0
    printed = capsys.readouterr().out
    assert "1 session(s), 4 image(s): 1 error(s), 0 warning(s)" in printed
    assert "2 image(s) may show a face and nobody has decided" in printed
    assert "keep them private" in printed
    assert printed.splitlines()[-1] == f"report: {tmp_path}/ds.private/reports/index.html"


def test_report_prints_one_object_as_its_schema_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch)
    dataset = a_foreign_dataset(tmp_path / "ds")
    arguments = ["report", str(dataset), "-o", str(tmp_path / "out"), "--jobs", "1", "--json"]
    assert run(cli, arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["report"] == str(tmp_path / "out" / "index.html")
    assert not printed["shows_faces"]
    assert [one["path"] for one in printed["hidden"]] == [T1W, T2W]
    assert run(cli, arguments[:-1]) == 0
    assert "2 image(s) are not shown on these pages" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["report", "review"])
def test_what_is_no_dataset_is_a_usage_error(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(cli, [command, str(tmp_path / "not-there"), "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)
    assert "what to do:" in captured.err


def test_review_lists_what_is_decided_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = a_published_dataset(tmp_path / "ds")
    before = tree_digest(tmp_path)
    assert run(cli, ["review", str(dataset), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"undecided  {T1W}"
    assert lines[-1] == "0 accepted, 0 rejected, 2 undecided"
    assert run(cli, ["review", str(dataset), "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)
    assert tree_digest(tmp_path) == before


def test_there_may_be_nothing_to_review(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ds" / "sub-01").mkdir(parents=True)
    assert run(cli, ["review", str(tmp_path / "ds")]) == 0
    assert "nothing to decide" in capsys.readouterr().out


@pytest.mark.enable_socket
def test_review_serves_until_it_is_ended_and_then_says_what_was_decided(tmp_path: Path) -> None:
    dataset = a_published_dataset(tmp_path / "ds")
    command = [sys.executable, "-m", "bidsanon", "review", str(dataset)]
    past_any_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as served:
        assert served.stderr is not None
        try:
            url = served.stderr.readline().split()[-1]
            with past_any_proxy.open(url, timeout=60) as page:
                assert T1W in page.read().decode()
        finally:  # it serves for ever
            served.send_signal(signal.SIGTERM)
        out, err = served.communicate(timeout=60)
    assert served.returncode == 0
    assert out.splitlines()[-1] == "0 accepted, 0 rejected, 2 undecided"
    assert "Traceback" not in err
