"""Which engines there are, and FSL's, played by a script."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from heads import pose, posed_head

from bidsanon import external
from bidsanon.deface import available_engines, engines
from bidsanon.deface.deciding import place_template
from bidsanon.deface.engines import (
    EmbeddedEngine,
    PydefaceEngine,
    choose_engine,
    world_matrix,
)
from bidsanon.deface.grid import Grid, Matrix, transform, voxel_centres_mm
from bidsanon.deface.head import brightness
from bidsanon.deface.options import ENGINES
from bidsanon.deface.registration import Registration, landmarks_apart_mm
from bidsanon.deface.template import template_file
from bidsanon.deface.voxels import mean_volume, read_header
from bidsanon.errors import MissingToolError, ToolFailedError

_FLIRT = """#!{python}
import pathlib, sys
if "-version" in sys.argv:
    print("FLIRT version 6.0")
    raise SystemExit
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
assert given["-cost"] == "mutualinfo" and given["-in"].endswith("mean_reg2mean.nii.gz")
assert pathlib.Path(given["-ref"]).stat().st_size > 352
pathlib.Path(given["-omat"]).write_text({matrix!r})
raise SystemExit({status})
"""


@pytest.fixture
def no_flirt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    external.program_version.cache_clear()


def play_flirt(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, matrix: str, status: int = 0
) -> None:
    script = folder / "flirt"
    script.write_text(_FLIRT.format(python=sys.executable, matrix=matrix, status=status))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    external.program_version.cache_clear()


def template_grid() -> Grid:
    with template_file() as path:
        return mean_volume(read_header(path))


def fsl_matrix(to_head: Matrix, head: Grid) -> str:
    """Write down what flirt would have found."""
    to_fsl = engines._voxels_to_fsl(head) @ np.linalg.inv(head.affine)
    template = template_grid()
    from_fsl = template.affine @ np.linalg.inv(engines._voxels_to_fsl(template))
    return "\n".join("  ".join(map(repr, row)) for row in (to_fsl @ to_head @ from_fsl).tolist())


@pytest.mark.usefixtures("no_flirt")
def test_the_embedded_engine_is_the_default_and_always_there() -> None:
    assert isinstance(choose_engine("auto"), EmbeddedEngine)
    assert isinstance(choose_engine("bidsanon"), EmbeddedEngine)
    embedded, pydeface, none = available_engines()
    assert (embedded.name, embedded.available, embedded.cure) == ("bidsanon", True, "")
    assert "bidsanon" in embedded.version
    assert (pydeface.name, pydeface.available, pydeface.version) == ("pydeface", False, "")
    assert "FSL" in pydeface.cure
    assert (none.name, none.available) == ("none", True)


@pytest.mark.usefixtures("no_flirt")
def test_pydeface_without_fsl_is_a_missing_tool() -> None:
    with pytest.raises(MissingToolError) as missing:
        choose_engine("pydeface")
    assert "FSL" in missing.value.cure


def test_every_engine_that_can_be_asked_for_is_listed() -> None:
    assert {row.name for row in available_engines()} | {"auto"} == set(ENGINES)


def test_flirts_matrix_places_the_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = pose(shift_mm=(8, -5, 12), turn_deg=(6, 3, -8))
    head = posed_head(truth)
    play_flirt(tmp_path, monkeypatch, matrix=fsl_matrix(truth, head))
    engine = choose_engine("pydeface", scratch=tmp_path)
    assert "6.0" in engine.version
    assert available_engines()[1].available
    (attempt,) = engine.attempts(head, brightness(head))
    assert landmarks_apart_mm(attempt.registration.to_head, truth) < 0.01
    assert place_template(head, brightness(head), engine).refusals == ()
    assert [path.name for path in tmp_path.iterdir()] == ["flirt"]


def test_what_flirt_finds_wrongly_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = posed_head(np.eye(4))
    wrong = pose(shift_mm=(0, 0, 25))
    play_flirt(tmp_path, monkeypatch, matrix=fsl_matrix(wrong, head))
    assert place_template(head, brightness(head), PydefaceEngine()).refusals


@pytest.mark.parametrize(("matrix", "status"), [("1 0 0 0", 0), ("words", 0), ("", 3)])
def test_a_failing_flirt_is_a_failed_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, matrix: str, status: int
) -> None:
    play_flirt(tmp_path, monkeypatch, matrix=matrix, status=status)
    head = posed_head(np.eye(4))
    with pytest.raises(ToolFailedError):
        list(PydefaceEngine(scratch=tmp_path).attempts(head, head))


@pytest.mark.parametrize("handed", [1.0, -1.0], ids=["right-handed", "left-handed"])
def test_fsl_measures_x_from_the_side_that_the_affine_says(handed: float) -> None:
    affine = np.diag([handed * 2.0, 3.0, 4.0, 1.0])
    grid = Grid(values=np.zeros((5, 6, 7), dtype=np.float32), affine=affine)
    first = voxel_centres_mm(grid, np.array([[0, 0, 0]]))
    # The identity of FSL's keeps the place in millimetres within the grid.
    assert np.allclose(transform(world_matrix(np.eye(4), moving=grid, fixed=grid), first), first)
    to_the_side = np.eye(4)
    to_the_side[0, 3] = 2.0
    moved = transform(world_matrix(to_the_side, moving=grid, fixed=grid), first)
    assert moved[0, 0] - first[0, 0] == pytest.approx(-2.0)


def test_the_first_attempt_that_passes_is_taken_and_no_further_one_made() -> None:
    head = posed_head(np.eye(4))
    made = []

    class Trying:
        name = version = "trying"

        def attempts(self, reference: Grid, head: Grid) -> object:
            del reference
            for shift in (30, 0, 60):
                made.append(shift)
                found = pose(shift_mm=(0, 0, shift))
                yield engines.Attempt(
                    registration=Registration(
                        to_head=found, similarity=0, starts_apart_mm=None, lead=None
                    ),
                    head=head,
                )

    placement = place_template(head, head, Trying())  # type: ignore[arg-type]
    assert placement.refusals == ()
    assert made == [30, 0]
