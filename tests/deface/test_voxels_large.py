"""Long series: memory does not grow with their length."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from heads import posed_head

_HERE = Path(__file__).resolve().parent
_SCRIPT = """
import resource, sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
import numpy as np
from heads import KnowingEngine
from bidsanon.deface import deface_image, image
image.choose_engine = lambda *_args, **_kwargs: KnowingEngine(to_head=np.eye(4))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(deface_image(Path(sys.argv[1])).verdict)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("volumes", [1, 400], ids=["7 MB", "3 GB"])
def test_memory_does_not_grow_with_a_series(tmp_path: Path, volumes: int) -> None:
    head = posed_head(np.eye(4), size_mm=2.0, shape=(104, 128, 132))
    voxels = np.round(head.values * 10_000 * volumes).astype("<i4")
    header = nibabel.Nifti1Header()
    header.set_data_shape((*voxels.shape, volumes))
    header.set_data_dtype(voxels.dtype)
    header.set_sform(head.affine, code=1)
    header["vox_offset"] = 352
    path = tmp_path / "long_bold.nii"
    with path.open("wb") as file:  # a head, and behind it a hole in the file
        file.write(header.binaryblock + bytes(4) + voxels.tobytes(order="F"))
        file.truncate(352 + voxels.nbytes * volumes)
    run = subprocess.run(
        [sys.executable, "-c", _SCRIPT, path, _HERE, _HERE.parent],
        check=True,
        capture_output=True,
        text=True,
    )
    verdict, grown_mb = run.stdout.split()
    assert verdict == "defaced"
    assert float(grown_mb) < 350
    assert path.stat().st_size == 352 + voxels.nbytes * volumes
    path.unlink()  # pytest keeps its folders for a while
