"""Which heuristic is meant, and whether it can be used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bidsanon.convert import Heuristic, list_heuristics, resolve_heuristic
from bidsanon.convert.job import Origin
from bidsanon.errors import PolicyError

GOOD = "def infotodict(seqinfo):\n    return {}\n"


def test_the_bundled_heuristic_and_heudiconvs_own_are_listed_with_a_summary() -> None:
    rows = {row.name: row for row in list_heuristics()}
    assert rows["auto"].origin is Origin.BUNDLED
    assert rows["auto"].summary.startswith("Name the series")
    assert rows["reproin"].origin is Origin.HEUDICONV
    assert not any(name.startswith("test_") for name in rows)


@pytest.mark.parametrize(("name", "origin"), [("auto", "bidsanon"), ("reproin", "heudiconv")])
def test_a_heuristic_is_found_by_its_name(name: str, origin: str) -> None:
    found = resolve_heuristic(name)
    assert (found.name, found.origin) == (name, origin)
    assert found.digest == hashlib.sha256(found.path.read_bytes()).hexdigest()


def test_a_heuristic_is_found_by_its_file(tmp_path: Path) -> None:
    file = tmp_path / "our lab.py"
    file.write_text(GOOD)
    found = resolve_heuristic(str(file))
    assert (found.name, found.origin) == ("our lab", Origin.FILE)


def test_a_file_hides_no_module_of_its_name_and_imports_what_lies_beside_it(
    heuristic: Callable[..., Heuristic],
) -> None:
    folder = heuristic(GOOD, "random.py").path.parent
    (folder / "ourwords.py").write_text("WORD = 'rest'\n")
    heuristic("import random\nfrom ourwords import WORD\nrandom.seed(1)\n" + GOOD, "json.py")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def infotodict(seqinfo:\n    pass\n", ["does not parse", "line 1"]),
        ("x = 1\n", ["defines no function infotodict"]),
        ("class infotodict:\n    pass\n", ["defines no function infotodict"]),
        ("import no_such_module\n" + GOOD, ["ModuleNotFoundError", "no_such_module", "line 1"]),
        (GOOD + "\n1 / 0\n", ["cannot be loaded", "ZeroDivisionError", "line 4"]),
        (GOOD + "import sys\nsys.exit(3)\n", ["SystemExit", "line 4"]),
        ("infotodict = 5\n", ["no function infotodict"]),
    ],
)
def test_a_heuristic_that_cannot_be_used_is_refused_with_its_line_and_a_cure(
    heuristic: Callable[..., Heuristic], code: str, said: list[str]
) -> None:
    with pytest.raises(PolicyError) as refusal:
        heuristic(code)
    assert refusal.value.exit_code == 5
    assert refusal.value.cure
    assert all(part in refusal.value.message for part in ["ourlab", *said]), refusal.value.message


@pytest.mark.parametrize("name", ["nosuch", "no/such.py"])
def test_a_heuristic_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(PolicyError, match="such"):
        resolve_heuristic(name)


def test_a_binary_file_is_no_heuristic(tmp_path: Path) -> None:
    file = tmp_path / "image.py"
    file.write_bytes(b"\0\xff\xfe")
    with pytest.raises(PolicyError, match=r"no Python file|does not parse"):
        resolve_heuristic(str(file))
