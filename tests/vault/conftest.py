"""Vaults whose passphrases cost little to guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from bidsanon.vault import passphrase


@pytest.fixture(autouse=True)
def _cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "RECOMMENDED_COST", passphrase.CHEAP_COST)
    monkeypatch.delenv(passphrase.PASSPHRASE_VARIABLE, raising=False)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    """Give a file that holds a passphrase."""
    path = tmp_path / "passphrase"
    path.write_text("correct horse battery staple\n")
    return path
