"""The documentation says what the program does, because it is made of the same data."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bidsanon.findings import finding_codes
from bidsanon.profile import load_profile
from bidsanon.resources import schema_path

ROOT = Path(__file__).parents[2]
CODE = re.compile(r'\b(?:finding|note)\(\s*"([A-Z][A-Z0-9_]+)"')
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
QUOTED = re.compile(r'"([A-Z][A-Z0-9_]{3,})"')


def sources() -> str:
    return "\n".join(p.read_text("utf-8") for p in sorted((ROOT / "bidsanon").rglob("*.py")))


def test_the_generated_pages_are_up_to_date(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "docs" / "generate.py", "--into", tmp_path], check=True)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    names = [path.relative_to(tmp_path).as_posix() for path in written]
    assert {"README.md", "docs/conformance.md", "docs/profile_bids.md"} <= set(names)
    for path, name in zip(written, names, strict=True):
        text = path.read_text("utf-8")
        assert (ROOT / name).read_text("utf-8") == text, f"run docs/generate.py: {name}"


@pytest.mark.parametrize(
    ("page", "name"),
    [("profiles.md", "our-lab"), ("lab_file.md", "own"), ("../README.md", "own")],
)
def test_the_profile_that_is_shown_is_valid(tmp_path: Path, page: str, name: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    (written,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "lab.toml"
    path.write_text(written, "utf-8")
    assert load_profile(str(path)).name == name


def test_every_key_of_the_dataset_table_is_explained() -> None:
    page = (ROOT / "docs" / "lab_file.md").read_text("utf-8")
    schema = json.loads(schema_path("profile.schema.json").read_text("utf-8"))
    keys = schema["properties"]["dataset"]["properties"]
    assert [key for key in keys if f"`{key}" not in page] == []


def test_every_key_of_a_profile_is_explained() -> None:
    page = (ROOT / "docs" / "profiles.md").read_text("utf-8")
    keys = json.loads(schema_path("profile.schema.json").read_text("utf-8"))["properties"]
    assert [key for key in keys if f"`{key}`" not in page] == ["variations"]


def test_the_readme_names_no_option_that_no_command_has() -> None:
    named = set(OPTION.findall((ROOT / "README.md").read_text("utf-8")))
    there = set(OPTION.findall((ROOT / "docs" / "commands.md").read_text("utf-8")))
    assert named - there <= {"--help", "--quiet"}  # every command's own, and pip's


def test_every_code_that_is_raised_is_in_the_table() -> None:
    assert set(CODE.findall(sources())) <= set(finding_codes())


def test_every_code_of_the_table_can_be_raised() -> None:
    assert set(finding_codes()) <= set(QUOTED.findall(sources()))


def test_every_code_of_the_table_is_expected_by_a_test() -> None:
    texts = (path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    named = {word for text in texts for word in re.findall(r"\b[A-Z][A-Z0-9_]+\b", text)}
    assert [code for code in finding_codes() if code not in named] == []


def test_every_code_says_what_to_do() -> None:
    assert all(code.meaning and code.cure for code in finding_codes().values())
