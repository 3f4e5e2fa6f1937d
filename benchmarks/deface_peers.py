"""Removes faces with other people's registration: the same template, the same mask.

    python deface_peers.py antspyx|simpleitk TEMPLATE MASK OUT IMAGE...

Runs in an environment of its own, with antspyx or SimpleITK and without bidsanon. Each gets one
usual configuration, and nothing checks what it did.
"""

import sys
from pathlib import Path


def remove_with_ants(template: str, mask: str, out: Path, images: list[str]) -> None:
    """Register with antspyx's quick affine registration, from the centres of mass."""
    import ants  # noqa: PLC0415 - the one or the other is installed

    head, keeps = ants.image_read(template), ants.image_read(mask)
    for image in images:
        fixed = ants.image_read(image)
        found = ants.registration(fixed, head, type_of_transform="AffineFast", random_seed=1)
        kept = ants.apply_transforms(
            fixed, keeps, found["fwdtransforms"], interpolator="nearestNeighbor", defaultvalue=1
        )
        ants.image_write(fixed * kept, str(out / Path(image).name))


def remove_with_simpleitk(template: str, mask: str, out: Path, images: list[str]) -> None:
    """Register with mutual information on three resolutions, from the centres of mass."""
    import SimpleITK as sitk  # noqa: N813, PLC0415 - its usual name

    head, keeps = sitk.ReadImage(template, sitk.sitkFloat32), sitk.ReadImage(mask)
    for image in images:
        original = sitk.ReadImage(image)
        fixed = sitk.Cast(original, sitk.sitkFloat32)
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(32)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(0.01, 1)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsGradientDescent(1.0, 100)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([4, 2, 1])
        method.SetSmoothingSigmasPerLevel([2, 1, 0])
        start = sitk.CenteredTransformInitializer(
            fixed,
            head,
            sitk.AffineTransform(3),
            sitk.CenteredTransformInitializerFilter.MOMENTS,
        )
        method.SetInitialTransform(start, False)
        found = method.Execute(fixed, head)
        kept = sitk.Resample(keeps, original, found, sitk.sitkNearestNeighbor, 1.0)
        kept = sitk.Cast(kept, original.GetPixelID())
        sitk.WriteImage(original * kept, str(out / Path(image).name))


if __name__ == "__main__":
    program, template_path, mask_path, folder, *paths = sys.argv[1:]
    remove = {"antspyx": remove_with_ants, "simpleitk": remove_with_simpleitk}[program]
    remove(template_path, mask_path, Path(folder), paths)
