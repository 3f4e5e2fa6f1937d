"""Whatever an image is: a verdict in words, never a crash, never an undefaced face let through."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from heads import KnowingEngine, posed_head, stored_values, write_image

from bidsanon.deface import deface_image, image
from bidsanon.deface.air import air_value
from bidsanon.deface.cut import cut_mask
from bidsanon.deface.grid import Grid
from bidsanon.deface.head import window_of
from bidsanon.deface.voxels import read_header
from bidsanon.session import DefaceVerdict

pytestmark = pytest.mark.usefixtures("without_opencv")

UPRIGHT = np.eye(4)
LARGE = np.diag([5.0, 5.0, 5.0, 1.0])
NOISE = np.random.default_rng(8)


def noise(*shape: int) -> np.ndarray:
    return NOISE.integers(0, 900, shape).astype("i2")


def head() -> np.ndarray:
    return (posed_head(UPRIGHT).values * 1000).astype("i2")


def head_affine() -> np.ndarray:
    return posed_head(UPRIGHT).affine


REFUSED: dict[str, tuple[Callable[[], np.ndarray], np.ndarray, str]] = {
    "one voxel": (lambda: noise(1, 1, 1), LARGE, "too small"),
    "one slice": (lambda: noise(60, 60, 1), LARGE, "too small"),
    "one slice of a head": (lambda: head()[26:27], head_affine(), "too small"),
    "two slices of a head": (lambda: head()[:, :, 30:32], head_affine(), "too small"),
    "a rod": (lambda: noise(400, 2, 2), LARGE, "too small"),
    "tiny voxels": (head, np.diag([0.01, 0.01, 0.01, 1]), "too small"),
    "metres taken for millimetres": (head, np.diag([0.004, 0.004, 0.004, 1]), "too small"),
    "micrometres taken for millimetres": (head, np.diag([4e3, 4e3, 4e3, 1]), "larger than any"),
    "huge voxels": (head, np.diag([300.0, 300.0, 300.0, 1]), "larger than any"),
    "nothing but NaN": (lambda: np.full((20,) * 3, np.nan, "f4"), LARGE, "not numbers"),
    "nothing but infinity": (lambda: np.full((20,) * 3, -np.inf, "f8"), LARGE, "not numbers"),
    "numbers beyond what can be told": (lambda: np.full((20,) * 3, 1e300), LARGE, "not numbers"),
    "a flattened world": (lambda: noise(20, 20, 20), np.diag([5.0, 5, 1e-12, 1]), "affine"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_head_to_be_found_is_refused_in_words(tmp_path: Path, name: str) -> None:
    values, affine, words = REFUSED[name]
    path = tmp_path / "s_T1w.nii.gz"
    nibabel.Nifti1Image(values(), affine).to_filename(path)
    before = path.read_bytes()
    outcome = deface_image(path)
    assert outcome.verdict is DefaceVerdict.FAILED
    assert words in outcome.reason
    assert path.read_bytes() == before


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "no image": lambda _: b"nothing of the kind" * 99,
    "truncated gzip": lambda whole: whole[:-999],
    "gzip without its end": lambda whole: whole[:-6],
    "gzip with a wrong checksum": lambda whole: whole[:-8] + bytes(8),
    "gzip of too few bytes": lambda whole: gzip.compress(gzip.decompress(whole)[:-2]),
    "gzip cut in the middle of its header": lambda whole: whole[:12],
    "gzip of nothing": lambda _: gzip.compress(b""),
    "half a header": lambda whole: gzip.compress(gzip.decompress(whole)[:200]),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_cannot_be_read_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knowing_engine: KnowingEngine, name: str
) -> None:
    monkeypatch.setattr(image, "choose_engine", lambda *_args, **_kwargs: knowing_engine)
    path = write_image(tmp_path / "s_T1w.nii.gz", posed_head(UPRIGHT).values, head_affine())
    damaged = DAMAGED[name](path.read_bytes())
    path.write_bytes(damaged)
    outcome = deface_image(path)
    assert outcome.verdict is DefaceVerdict.FAILED
    assert outcome.reason
    assert path.read_bytes() == damaged
    assert [left.name for left in tmp_path.iterdir()] == ["s_T1w.nii.gz"]


@pytest.mark.parametrize("kind", ["a folder", "nothing", "a link to nothing"])
def test_what_is_no_file_is_refused_in_words(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "s_T1w.nii.gz"
    if kind == "a folder":
        path.mkdir()
    if kind == "a link to nothing":
        path.symlink_to(tmp_path / "nowhere")
    outcome = deface_image(path)
    assert outcome.verdict is DefaceVerdict.FAILED
    assert outcome.reason


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    for name in ("s_T1w.nii.gz", "s_T1w.nii"):
        (tmp_path / name).touch()
        assert deface_image(tmp_path / name).reason == "the file is empty: get it again"


def test_a_header_beside_its_voxels_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "s_T1w.hdr"
    nibabel.Nifti1Pair(noise(20, 20, 20), LARGE).to_filename(path)
    for file in (path, path.with_suffix(".img")):
        outcome = deface_image(file)
        assert outcome.verdict is DefaceVerdict.FAILED
        assert "single file" in outcome.reason


def test_an_image_of_one_value_holds_no_face(tmp_path: Path) -> None:
    path = write_image(tmp_path / "s_T1w.nii.gz", np.full((20, 20, 20), 0.7), LARGE)
    before = path.read_bytes()
    outcome = deface_image(path)
    assert outcome.verdict is DefaceVerdict.NO_FACE
    assert outcome.reason == "every voxel has the same value"
    assert path.read_bytes() == before


def test_an_image_of_one_value_and_no_numbers_may_hold_one(tmp_path: Path) -> None:
    path = tmp_path / "s_T1w.nii.gz"
    silhouette = np.where(head() > 100, np.nan, 0).astype("f4")
    nibabel.Nifti1Image(silhouette, head_affine()).to_filename(path)
    assert deface_image(path).verdict is DefaceVerdict.FAILED


@pytest.mark.slow
def test_complex_numbers_of_one_magnitude_may_hold_one(tmp_path: Path) -> None:
    path = tmp_path / "s_T1w.nii.gz"
    phases = np.exp(1j * head() / 300).astype("c8")
    nibabel.Nifti1Image(phases, head_affine()).to_filename(path)
    assert deface_image(path).verdict is DefaceVerdict.FAILED


def colours() -> np.ndarray:
    grey = (posed_head(UPRIGHT).values * 250).astype("u1")
    values = np.zeros(grey.shape, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    for channel in "RGB":
        values[channel] = grey + 1
    return values


def with_numbers_missing() -> np.ndarray:
    values = posed_head(UPRIGHT).values * 1000 + 1
    values[NOISE.random(values.shape) < 0.02] = np.nan
    values[3, 3, :4] = np.inf
    return values


HEADS: dict[str, Callable[[], np.ndarray]] = {
    "colours": colours,
    "five axes": lambda: np.stack([head() + 1] * 2, axis=3)[..., np.newaxis],
    "one volume and a fourth axis": lambda: (head() + 1)[..., np.newaxis],
    "numbers that are none": with_numbers_missing,
    "large numbers": lambda: (head() + 1) * 1e30,
    "complex": lambda: (head() + 1) * np.exp(1j * NOISE.random(head().shape)),
    "whole numbers of 8 bytes": lambda: (head() + 1).astype("i8"),
    "bytes": lambda: (posed_head(UPRIGHT).values * 200 + 1).astype("u1"),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_of_any_kind_of_voxel_loses_its_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knowing_engine: KnowingEngine, name: str
) -> None:
    monkeypatch.setattr(image, "choose_engine", lambda *_args, **_kwargs: knowing_engine)
    path = tmp_path / "s_T1w.nii"
    values = HEADS[name]()
    kind = nibabel.Nifti2Image if values.dtype == np.int64 else nibabel.Nifti1Image
    kind(values, head_affine(), dtype=values.dtype).to_filename(path)
    before = stored_values(path)
    outcome = deface_image(path)
    assert outcome.verdict is DefaceVerdict.DEFACED, outcome.reason
    goes = cut_mask(values.shape[:3], head_affine(), UPRIGHT)
    after = stored_values(path)
    assert (after[goes] == np.zeros((), after.dtype)).all()
    assert after[~goes].tobytes() == before[~goes].tobytes()


def test_an_image_that_may_only_be_read_is_defaced_and_may_still_only_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knowing_engine: KnowingEngine
) -> None:
    monkeypatch.setattr(image, "choose_engine", lambda *_args, **_kwargs: knowing_engine)
    path = write_image(tmp_path / "s_T1w.nii.gz", posed_head(UPRIGHT).values, head_affine())
    path.chmod(0o444)
    assert deface_image(path).verdict is DefaceVerdict.DEFACED
    assert path.stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize(
    ("scale", "offset", "expected"),
    [
        (1000, 0, 0),
        (1000, 20, 0),
        (2000, -1024, -1024),
        (500, 3000, 3000),
        (-1000, 0, 0),
        (1e-6, 0, 0),
    ],
    ids=["magnitude", "noise floor", "CT", "offset", "negative", "map"],
)
def test_what_is_removed_becomes_air(scale: float, offset: float, expected: float) -> None:
    values = (posed_head(UPRIGHT).values * scale + offset).astype(np.float32)
    grid = Grid(values=values, affine=head_affine())
    assert air_value(grid, window_of(grid)) == pytest.approx(expected, abs=abs(scale) * 0.02)


def test_a_slab_without_air_is_filled_with_nothing() -> None:
    brain = posed_head(UPRIGHT).values[20:32, 20:40, 34:48] * 1000
    grid = Grid(values=brain.astype(np.float32), affine=head_affine())
    assert air_value(grid, window_of(grid)) == 0


def test_ct_keeps_the_value_of_air(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knowing_engine: KnowingEngine
) -> None:
    monkeypatch.setattr(image, "choose_engine", lambda *_args, **_kwargs: knowing_engine)
    path = tmp_path / "s_ct.nii.gz"
    nibabel.Nifti1Image(head() - 1024, head_affine()).to_filename(path)
    assert deface_image(path).verdict is DefaceVerdict.DEFACED
    goes = cut_mask(read_header(path).space, head_affine(), UPRIGHT)
    assert (stored_values(path)[goes] == -1024).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["no affine", "wrong orientation", "noise", "voxels of 100 mm"])
def test_what_the_engine_has_to_judge_is_defaced_or_refused(tmp_path: Path, name: str) -> None:
    values, affine = {
        "no affine": (head(), np.diag([-4.0, 4.0, 4.0, 1.0])),
        "wrong orientation": (np.transpose(head(), (2, 0, 1))[::-1], np.diag([4.0, 4, 4, 1])),
        "noise": (noise(40, 40, 40), np.diag([4.0, 4, 4, 1])),
        "voxels of 100 mm": (noise(4, 4, 4), np.diag([100.0, 100, 100, 1])),
    }[name]
    path = tmp_path / "s_T1w.nii.gz"
    written = nibabel.Nifti1Image(values, affine)
    if name == "no affine":
        written.header["sform_code"] = written.header["qform_code"] = 0
    written.to_filename(path)
    before = path.read_bytes()
    outcome = deface_image(path)
    if name in {"wrong orientation", "no affine"}:
        assert outcome.verdict is DefaceVerdict.DEFACED, outcome.reason
        after = stored_values(path)
        assert (after != values).sum() > 1000
        assert (after[after != values] == 0).all()
    else:
        assert outcome.verdict is DefaceVerdict.FAILED
    assert (path.read_bytes() == before) is (outcome.verdict is DefaceVerdict.FAILED)
