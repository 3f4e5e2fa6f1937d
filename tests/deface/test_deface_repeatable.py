"""The same image gives the same bytes, however it is run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bidsanon.deface.template import template_file

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@pytest.mark.slow
def test_twice_in_parallel_and_with_more_threads_gives_the_same_bytes(tmp_path: Path) -> None:
    with template_file() as head:
        images = [tmp_path / f"head{number}.nii.gz" for number in (1, 2)]
        for image in images:
            shutil.copyfile(head, image)
    written: dict[str, set[bytes]] = {"image": set(), "front": set()}
    for run, (jobs, threads) in enumerate([("1", "1"), ("2", "1"), ("1", "2")]):
        out, pictures = tmp_path / f"out{run}", tmp_path / f"pictures{run}"
        subprocess.run(
            [
                *(sys.executable, "-m", "bidsanon", "deface", *images, "-o", out),
                *("--jobs", jobs, "--pictures", pictures),
            ],
            check=True,
            capture_output=True,
            env={**os.environ, **dict.fromkeys(THREADS, threads)},
        )
        written["image"] |= {(out / image.name).read_bytes() for image in images}
        written["front"] |= {p.read_bytes() for p in pictures.rglob("*before-front.png")}
    assert {name: len(each) for name, each in written.items()} == {"image": 1, "front": 1}
