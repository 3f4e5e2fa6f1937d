"""Long series: memory does not grow with their length."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

_SCRIPT = """
import resource, sys
from pathlib import Path
import numpy as np
from bidsanon.deface.means import block_means
from bidsanon.deface.voxels import read_header, remove, slabs
image = read_header(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
mean, = block_means(image.space, image.affine, slabs(image), [2.5])
goes = np.zeros(image.space, dtype=bool)
goes[:40, :40] = True
assert remove(image, goes) == goes.sum()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("volumes", [1, 400], ids=["7 MB", "3 GB"])
def test_memory_does_not_grow_with_a_series(tmp_path: Path, volumes: int) -> None:
    shape = (128, 128, 120, volumes)
    header = nibabel.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(np.int32)
    header.set_sform(np.diag([2.0, 2.0, 2.0, 1.0]), code=1)
    header["vox_offset"] = 352
    path = tmp_path / "long_bold.nii"
    with path.open("wb") as file:  # nothing but a header: the rest is a hole in the file
        file.write(header.binaryblock + bytes(4))
        file.truncate(352 + int(np.prod(shape)) * 4)
    run = subprocess.run(
        [sys.executable, "-c", _SCRIPT, path], check=True, capture_output=True, text=True
    )
    assert float(run.stdout) < 150
    assert path.stat().st_size == 352 + int(np.prod(shape)) * 4
    path.unlink()  # pytest keeps its folders for a while
