"""What is compressed already is stored as it is, and comes out as it was."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from bidsanon.files import write_gzip

MEGABYTE = 1 << 20
DENSE = random.Random(1).randbytes(3 * MEGABYTE)  # noqa: S311 - not for secrets


@pytest.mark.parametrize("threads", [1, 3])
def test_dense_and_other_blocks_come_out_as_they_were(tmp_path: Path, threads: int) -> None:
    chunks = [DENSE, b"voxels" * MEGABYTE, b"", DENSE[:100], bytes(MEGABYTE), b"x"]
    for dense in (True, False):
        write_gzip(tmp_path / f"{dense}", chunks, threads=threads, dense=dense)
        assert gzip.decompress((tmp_path / f"{dense}").read_bytes()) == b"".join(chunks)
    assert (tmp_path / "True").stat().st_size < len(DENSE) * 1.01


def test_the_bytes_do_not_depend_on_the_threads(tmp_path: Path) -> None:
    chunks = [DENSE, b"voxels" * MEGABYTE, DENSE]
    for threads in (1, 4):
        write_gzip(tmp_path / f"{threads}", chunks, threads=threads, dense=True)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "4").read_bytes()


def test_a_block_that_is_dense_in_part_is_compressed(tmp_path: Path) -> None:
    write_gzip(tmp_path / "mixed", [DENSE[:1000] + bytes(MEGABYTE - 1000)], dense=True)
    assert (tmp_path / "mixed").stat().st_size < 10_000


def test_nothing_is_a_gzip_file_too(tmp_path: Path) -> None:
    write_gzip(tmp_path / "empty", [], dense=True)
    assert gzip.decompress((tmp_path / "empty").read_bytes()) == b""
