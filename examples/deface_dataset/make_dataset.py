"""Make a small BIDS dataset with a face in it: the average head that pydeface ships, as T1w.

Nobody's face: it is the mean of many. The bold image has no face, as real ones have none.
"""

import json
import sys
from importlib.resources import as_file, files
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

VOXEL_MM = 2.5


def average_head() -> nibabel.Nifti1Image:
    """Return the head on voxels of 2.5 mm."""
    with as_file(files("pydeface") / "data" / "mean_reg2mean.nii.gz") as path:
        template = nibabel.load(path)
        values = np.asarray(template.dataobj, dtype=np.float32)
    shape = tuple(int(n) for n in np.array(template.shape) * template.header.get_zooms() / VOXEL_MM)
    affine = template.affine @ np.diag([*(VOXEL_MM / np.array(template.header.get_zooms())), 1])
    to_template = np.linalg.inv(template.affine) @ affine
    head = ndimage.affine_transform(values, to_template, output_shape=shape, order=1)
    return nibabel.Nifti1Image(np.round(head).astype(np.int16), affine)


def main(dataset: Path) -> None:
    """Write the dataset."""
    anat, func = dataset / "sub-01" / "anat", dataset / "sub-01" / "func"
    anat.mkdir(parents=True)
    func.mkdir()
    described = {"Name": "Made up", "BIDSVersion": "1.10.0", "Authors": ["Nobody"]}
    (dataset / "dataset_description.json").write_text(json.dumps(described, indent=2))
    (dataset / "README").write_text("A head that nobody has.\n")
    average_head().to_filename(anat / "sub-01_T1w.nii.gz")
    (anat / "sub-01_T1w.json").write_text(json.dumps({"EchoTime": 0.003}, indent=2))
    bold = np.random.default_rng(0).integers(0, 900, (20, 20, 12, 3), dtype=np.int16)
    image = nibabel.Nifti1Image(bold, np.diag([4.0, 4.0, 4.0, 1]))
    image.header.set_zooms((4, 4, 4, 2))
    image.to_filename(func / "sub-01_task-rest_bold.nii.gz")
    sidecar = {"TaskName": "rest", "RepetitionTime": 2}
    (func / "sub-01_task-rest_bold.json").write_text(json.dumps(sidecar, indent=2))


main(Path(sys.argv[1]))
