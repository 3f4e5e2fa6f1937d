"""What a session's page says can be kept, and read back as it was."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from session_records import BOLD, T1W, a_record, a_refusal, write_png

from bidsanon.report import keep_record, read_record, stored
from bidsanon.resources import schema_path
from bidsanon.session import DefaceOutcome, DefaceVerdict, PixelReading


def defaced(folder: Path) -> tuple[DefaceOutcome, ...]:
    shown = DefaceOutcome(
        path=T1W,
        verdict=DefaceVerdict.DEFACED,
        engine="bidsanon",
        reason="600 ml of tissue were removed",
        figures={"sharp": 0.05, "views_before": 5},
        pictures={
            "before-front": write_png(folder / "T1w_before-front.png"),
            "after-front": folder / "not-drawn.png",
        },
    )
    spared = DefaceOutcome(path=BOLD, verdict=DefaceVerdict.NOT_NEEDED, engine="", reason="EPI")
    return shown, spared


def test_a_record_is_read_back_as_it_was_kept(tmp_path: Path) -> None:
    pixels = PixelReading(reader="a reader", frames=3, undecoded=0)
    record = a_record(defaced=defaced(tmp_path), pixels=pixels)
    folder = tmp_path / "reports" / "sub-01" / "published"
    keep_record(record, folder)

    written = json.loads((folder / "record.json").read_text("utf-8"))
    schema = json.loads(schema_path("session_record.schema.json").read_text("utf-8"))
    assert not list(Draft202012Validator(schema).iter_errors(written))
    again = read_record(folder)
    assert again is not None
    (shown, spared) = again.defaced
    assert list(shown.pictures) == ["before-front"]
    assert shown.pictures["before-front"].read_bytes().startswith(b"\x89PNG")
    assert shown.pictures["before-front"].is_relative_to(folder)
    assert replace(again, defaced=()) == replace(record, defaced=())
    assert spared == record.defaced[1]
    assert shown.figures == record.defaced[0].figures


def test_a_refusal_is_kept_too_and_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "refused"
    keep_record(a_record(defaced=defaced(tmp_path)), folder)
    keep_record(a_refusal(), folder)
    assert read_record(folder) == a_refusal()
    (pictures,) = folder.glob("pictures-*")
    assert not list(pictures.iterdir())


def test_what_was_kept_stands_until_the_new_record_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "published"
    keep_record(a_record(defaced=defaced(tmp_path)), folder)
    before = read_record(folder)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stored, "write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            keep_record(a_refusal(), folder)
    assert read_record(folder) == before
    assert before is not None
    assert before.defaced[0].pictures["before-front"].is_file()

    keep_record(a_refusal(), folder)
    assert len(list(folder.glob("pictures-*"))) == 1


def test_what_is_kept_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    keep_record(a_record(defaced=defaced(tmp_path)), folder)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*.*")}
    assert modes == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"record": 1}', '{"record": 2}', '{"record": 1, "nonsense": 3}']
)
def test_a_record_that_cannot_be_understood_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    assert read_record(tmp_path) is None
    assert read_record(tmp_path / "not-there") is None
