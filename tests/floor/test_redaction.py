"""What identifies stays out of what is logged or shown."""

from __future__ import annotations

import logging

import pytest

from bidsanon.redaction import REDACTED, RedactionFilter, Redactor


def test_known_values_are_replaced_wherever_they_stand() -> None:
    redactor = Redactor()
    redactor.add(["Quillfeather", "1.2.3", "QU"])
    redactor.add(["Quillfeather^Mara"])
    text = "cannot read QUILLFEATHER^Mara/1.2.3 of qu"
    assert redactor.redact(text) == f"cannot read {REDACTED}/{REDACTED} of qu"


def test_a_redactor_that_knows_nothing_changes_nothing() -> None:
    redactor = Redactor()
    redactor.add(["", "  ", "ab"])
    assert redactor.redact("abc ab") == "abc ab"


def test_a_log_record_is_redacted_with_its_exception(caplog: pytest.LogCaptureFixture) -> None:
    redactor = Redactor()
    redactor.add(["Quillfeather"])
    logger = logging.getLogger("bidsanon.test")
    caplog.handler.addFilter(RedactionFilter(redactor))
    try:
        int("no Quillfeather here")
    except ValueError:
        logger.exception("failed on %s", "Quillfeather")
    assert "Quillfeather" not in caplog.text
    assert f"failed on {REDACTED}" in caplog.text
