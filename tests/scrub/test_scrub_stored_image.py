"""An image that is stored already: only what says something changes, and no voxel ever."""

import gzip
import math
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sessions.converted import named_gzip, nifti, nifti_extension

from bidsanon.bids.nifti import ImageError
from bidsanon.scrub import stored_images
from bidsanon.scrub.stored_images import scrub_stored_image

SHAPE = (40, 40, 40)
SHORT = (20, 20, 20)
TEXTS = {"descrip": b"TE=30;Time=081500.000", "aux_file": b"for Mara Doe"}
HEADERS = [(1, "<"), (1, ">"), (2, "<"), (2, ">")]


def _gzip(content: bytes, *, level: int = 6, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> bytes:
    packer = zlib.compressobj(level, wbits=31, strategy=strategy)
    return packer.compress(content) + packer.flush()


def _scrub(tmp_path: Path, content: bytes) -> bytes | None:
    source, target = tmp_path / "in.nii.gz", tmp_path / "out.nii.gz"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    told = scrub_stored_image(source, None)
    assert not target.exists()
    done = scrub_stored_image(source, target)
    assert done == told
    assert source.read_bytes() == content
    if done is None:
        assert not target.exists()
        return None
    changed = target.read_bytes()
    assert scrub_stored_image(target, None) is None, "a second time changes something"
    return changed


def _noisy(content: bytes) -> bytes:
    """Give an image other voxels than a ramp: some that repeat and some that do not."""
    rng = np.random.default_rng(0)
    count = math.prod(SHAPE)
    noise = (rng.gamma(2, 40, count) * (np.sin(np.arange(count) / 300) > 0)).astype("<i2")
    return content[: -2 * count] + noise.tobytes()


@pytest.mark.parametrize("kind", ["gz", "plain"])
@pytest.mark.parametrize(("version", "order"), HEADERS)
def test_a_clean_image_is_not_written(tmp_path: Path, kind: str, version: int, order: str) -> None:
    content = nifti(SHAPE, version=version, order=order)

    assert _scrub(tmp_path, _gzip(content) if kind == "gz" else content) is None


@pytest.mark.parametrize("extension", [b"", nifti_extension(b"Doe^Mara" * 5)])
@pytest.mark.parametrize(("version", "order"), HEADERS)
def test_texts_and_extensions_go_and_the_compressed_voxels_stay_as_they_are(
    tmp_path: Path, version: int, order: str, extension: bytes
) -> None:
    clean = _noisy(nifti(SHAPE, version=version, order=order))
    planted = _noisy(nifti(SHAPE, version=version, order=order, texts=TEXTS, extension=extension))
    compressed = _gzip(planted)

    changed = _scrub(tmp_path, compressed)

    assert changed is not None
    assert gzip.decompress(changed) == clean
    assert changed[:-8].endswith(compressed[len(compressed) * 3 // 4 : -8])


@pytest.mark.parametrize("strategy", [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY])
@pytest.mark.parametrize("level", [0, 1, 6, 9])
@pytest.mark.parametrize("voxels", ["ramp", "noisy", "zero"])
def test_however_it_was_compressed_the_voxels_are_the_same(
    tmp_path: Path, level: int, strategy: int, voxels: str
) -> None:
    clean, planted = nifti(SHAPE), nifti(SHAPE, texts=TEXTS)
    if voxels == "zero":
        size = 2 * math.prod(SHAPE)
        clean, planted = clean[:-size] + bytes(size), planted[:-size] + bytes(size)
    elif voxels == "noisy":
        clean, planted = _noisy(clean), _noisy(planted)

    changed = _scrub(tmp_path, _gzip(planted, level=level, strategy=strategy))

    assert changed is not None
    assert gzip.decompress(changed) == clean


def test_blocks_that_are_cut_at_any_bit_are_joined(tmp_path: Path) -> None:
    joints = set()
    found = stored_images.find_cut
    for seed in range(60):
        if len(joints) == 8:
            break
        voxels = np.random.default_rng(seed).geometric(0.3, math.prod(SHAPE)).astype("<i2")
        head = nifti(SHAPE, texts=TEXTS)[:352]
        compressed = _gzip(head + voxels.tobytes())
        joints.add(found(compressed[10:], at_least=1 << 15).bit % 8)
        changed = _scrub(tmp_path, compressed)
        assert changed is not None
        assert gzip.decompress(changed) == nifti(SHAPE)[:352] + voxels.tobytes()
    assert joints == set(range(8))


@settings(max_examples=60)
@given(
    texts=st.fixed_dictionaries({}, optional={k: st.binary(max_size=10) for k in TEXTS}),
    extension=st.binary(max_size=3000),
    spread=st.floats(0.001, 1),
    level=st.integers(0, 9),
    named=st.booleans(),
    shape=st.sampled_from([(60, 60, 20), SHORT]),
)
def test_whatever_an_image_holds_its_voxels_stay_and_its_texts_go(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    texts: dict[str, bytes],
    extension: bytes,
    spread: float,
    level: int,
    named: bool,
    shape: tuple[int, ...],
) -> None:
    size = math.prod(shape)
    content = np.random.default_rng(1).geometric(spread, size).astype("<i2").tobytes()
    written = nifti_extension(extension) if extension else b""
    planted = nifti(shape, texts=texts, extension=written)[: -2 * size] + content
    compressed = named_gzip(planted) if named else _gzip(planted, level=level)

    changed = _scrub(tmp_path_factory.mktemp("image"), compressed)

    expected = nifti(shape)[:352] + content
    if changed is None:
        assert not named
        assert gzip.decompress(compressed) == expected
    else:
        assert gzip.decompress(changed) == expected


def test_the_name_and_time_in_the_gzip_header_go_and_the_rest_stays(tmp_path: Path) -> None:
    compressed = named_gzip(nifti(SHAPE))

    changed = _scrub(tmp_path, compressed)

    assert changed is not None
    assert changed[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    assert compressed.endswith(changed[10:])


@pytest.mark.parametrize("behind", [b"Doe^Mara", bytes(8)])
def test_what_is_behind_the_voxels_goes(tmp_path: Path, behind: bytes) -> None:
    for packed in (_gzip(nifti(SHAPE) + behind), nifti(SHAPE) + behind):
        changed = _scrub(tmp_path, packed)
        assert changed is not None
        assert gzip.decompress(changed) == nifti(SHAPE)


def test_several_members_become_one(tmp_path: Path) -> None:
    content = nifti(SHAPE)

    changed = _scrub(tmp_path, _gzip(content[:9000]) + named_gzip(content[9000:]))

    assert changed is not None
    assert gzip.decompress(changed) == content
    assert b"Doe" not in changed


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda raw: raw[:-2000], "damaged"),
        (lambda raw: raw[: len(raw) // 2] + b"\xff" * 99 + raw[len(raw) // 2 + 99 :], "damaged"),
        (lambda raw: raw[:-8] + bytes(4) + raw[-4:], "damaged"),
        (lambda raw: raw[:14], "damaged"),
        (lambda _: b"", "no NIfTI"),
        (lambda _: b"\x1f\x8b", "damaged"),
        (lambda _: _gzip(b"Mara Doe"), "no NIfTI"),
        (lambda _: _gzip(nifti(SHAPE)[:-1]), "ends before its voxels"),
        (lambda _: nifti(SHAPE)[:-1], "ends before its voxels"),
        (lambda _: _gzip(nifti(SHAPE, intent_code=3006, extension=nifti_extension(b"a"))), "CIFTI"),
    ],
)
@pytest.mark.parametrize("texts", [{}, TEXTS])
def test_what_is_damaged_is_refused_and_nothing_is_left_of_the_copy(
    tmp_path: Path, damage: object, words: str, texts: dict[str, bytes]
) -> None:
    source, target = tmp_path / "in.nii.gz", tmp_path / "out.nii.gz"
    source.write_bytes(damage(_gzip(_noisy(nifti(SHAPE, texts=texts)))))  # type: ignore[operator]
    for place in (None, target):
        with pytest.raises(ImageError, match=words):
            scrub_stored_image(source, place)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-200],
        lambda raw: raw[:600] + b"\xff" * 99 + raw[699:],
        lambda raw: raw[:-8] + bytes(4) + raw[-4:],
        lambda raw: raw[:-8] + b"Doe^Mara" + raw[-8:],
        lambda raw: raw[:-8] + raw,
    ],
)
@pytest.mark.parametrize("texts", [{}, TEXTS])
def test_a_damaged_image_is_refused_however_short_it_is(
    tmp_path: Path, damage: Callable[[bytes], bytes], texts: dict[str, bytes]
) -> None:
    source = tmp_path / "in.nii.gz"
    source.write_bytes(damage(_gzip(nifti(SHORT, texts=texts))))
    for place in (None, tmp_path / "out.nii.gz"):
        with pytest.raises(ImageError, match="damaged"):
            scrub_stored_image(source, place)


@pytest.mark.parametrize("offset", [float("inf"), float("nan"), -1.0, 100.0, 352.5])
def test_voxels_that_begin_nowhere_are_refused(tmp_path: Path, offset: float) -> None:
    raw = bytearray(nifti(SHAPE))
    struct.pack_into("<f", raw, 108, offset)
    (tmp_path / "in.nii").write_bytes(raw)
    with pytest.raises(ImageError, match="begin within"):
        scrub_stored_image(tmp_path / "in.nii", None)


@pytest.mark.parametrize("bits", [0, -8])
def test_voxels_without_bits_are_refused(tmp_path: Path, bits: int) -> None:
    raw = bytearray(nifti(SHAPE))
    struct.pack_into("<h", raw, 72, bits)
    (tmp_path / "in.nii").write_bytes(raw)
    with pytest.raises(ImageError, match="no bits"):
        scrub_stored_image(tmp_path / "in.nii", None)


@pytest.mark.parametrize("texts", [{}, TEXTS])
def test_a_bomb_behind_the_voxels_is_neither_unpacked_nor_cut_off(
    tmp_path: Path, texts: dict[str, bytes]
) -> None:
    packer = zlib.compressobj(1, wbits=31)
    zeros = bytes(1 << 24)
    bomb = packer.compress(nifti(SHAPE, texts=texts))
    bomb += b"".join(packer.compress(zeros) for _ in range(10)) + packer.flush()
    (tmp_path / "in.nii.gz").write_bytes(bomb)
    for place in (None, tmp_path / "out.nii.gz"):
        with pytest.raises(ImageError, match="longer than its header"):
            scrub_stored_image(tmp_path / "in.nii.gz", place)
