"""Completes sidecars from what is known, and withdraws images that BIDS would not have.

BIDS requires some facts that no header holds: whether an arterial spin labelling sequence
suppressed the background, which way a Philips scanner encoded the phase. Such an image cannot be
published as it is; a heuristic's ``custom_callable`` can write what the lab knows. Nor can a
functional run of which one whole volume is left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bidsanon.convert.emission import REQUIRED as REQUIRED_OF_PET
from bidsanon.convert.naming import IMAGE
from bidsanon.files import write_json
from bidsanon.findings import Finding, finding
from bidsanon.session import ConvertedImage, SkippedSeries

_SPATIAL_AXES = 3
_PREPARED = ("asl", "m0scan", "MP2RAGE")
_LABELLING = {
    "CASL": ("LabelingDuration",),
    "PCASL": ("LabelingDuration",),
    "PASL": ("BolusCutOffFlag",),
}
_REQUIRED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("anat", "MP2RAGE"): (
        "FlipAngle",
        "InversionTime",
        "MagneticFieldStrength",
        "NumberShots",
        "RepetitionTimeExcitation",
        "RepetitionTimePreparation",
    ),
    ("fmap", "epi"): ("PhaseEncodingDirection",),
    ("fmap", "phasediff"): ("EchoTime1", "EchoTime2"),
    ("perf", "m0scan"): ("EchoTime", "IntendedFor", "RepetitionTimePreparation"),
    ("perf", "asl"): (
        "ArterialSpinLabelingType",
        "BackgroundSuppression",
        "EchoTime",
        "M0Type",
        "MRAcquisitionType",
        "MagneticFieldStrength",
        "PostLabelingDelay",
        "RepetitionTimePreparation",
        "TotalAcquiredPairs",
    ),
    ("pet", "pet"): REQUIRED_OF_PET,
}
"""What the rules of BIDS 1.10 require of these images beyond what every header holds."""


def complete_sidecars(root: Path, images: Sequence[ConvertedImage]) -> None:
    """Write into sidecars what follows from what they say.

    The time between two preparations of a labelling sequence, or between two inversions of an
    MP2RAGE, is what the header calls its repetition time. dcm2niix leaves phase as the scanner
    stored it, which BIDS calls arbitrary units, and not in radians. The image of the equilibrium
    belongs to the session's labelled runs.
    """
    labelled = [image for image in images if image.suffix == "asl"]
    for image in images:
        sidecar = _sidecar(root, image)
        content = _read(sidecar)
        added: dict[str, object] = {}
        prepared = image.suffix in _PREPARED and "RepetitionTime" in content
        if prepared:
            added["RepetitionTimePreparation"] = content["RepetitionTime"]
        if "_part-phase_" in image.path:
            added["Units"] = "arbitrary"
        if image.suffix == "m0scan" and labelled:
            added["IntendedFor"] = [f"bids::{one.path}" for one in labelled]
        if not added.keys() <= content.keys():
            write_json(sidecar, added | content)


def withdraw_incomplete(
    root: Path, images: Sequence[ConvertedImage]
) -> tuple[tuple[ConvertedImage, ...], list[SkippedSeries], list[Finding]]:
    """Remove the images that would not be valid, because something about them is not there.

    Returns
    -------
    The images that stay, the series of which none stays, and a finding for each removed image.
    """
    faults = {image: fault for image in images if (fault := _fault(root, image))}
    labelled = [i for i in images if i.suffix == "asl" and i not in faults]
    if not labelled:
        alone = (i for i in images if i.suffix == "m0scan" and i not in faults)
        faults |= dict.fromkeys(alone, "no labelled run is left that it belongs to")
    kept = tuple(image for image in images if image not in faults)
    left = {image.series_index for image in kept}
    skipped = {
        image.series_index: SkippedSeries(series_index=image.series_index, reason=fault)
        for image, fault in faults.items()
        if image.series_index not in left
    }
    for image in faults:
        stem = root / image.path.removesuffix(IMAGE)
        for file in stem.parent.glob(f"{stem.name}.*"):
            file.unlink()
    findings = [
        finding("IMAGE_LEFT_OUT", location=image.path, reason=fault)
        for image, fault in faults.items()
    ]
    return kept, list(skipped.values()), findings


def _fault(root: Path, image: ConvertedImage) -> str:
    missing = ", ".join(_missing(root, image))
    if missing:
        return f"BIDS requires what its headers do not say: {missing}"
    if image.suffix == "bold" and not _has_volumes(root / image.path):
        return "one volume is no functional run"
    return ""


def _has_volumes(image: Path) -> bool:
    import nibabel  # noqa: PLC0415  # slow, and asked for functional runs only

    return len(nibabel.Nifti1Image.from_filename(image).shape) > _SPATIAL_AXES


def _missing(root: Path, image: ConvertedImage) -> Iterator[str]:
    required = _REQUIRED.get((image.datatype, image.suffix))
    if required is None:
        return
    content = _read(_sidecar(root, image))
    yield from (key for key in required if key not in content)
    if image.datatype != "perf":
        return
    if content.get("MRAcquisitionType") == "2D" and "SliceTiming" not in content:
        yield "SliceTiming"
    if image.suffix == "asl":
        kind = str(content.get("ArterialSpinLabelingType"))
        yield from (key for key in _LABELLING.get(kind, ()) if key not in content)
        context = image.path.removesuffix(f"asl{IMAGE}") + "aslcontext.tsv"
        if not (root / context).exists():
            yield "aslcontext.tsv"


def _sidecar(root: Path, image: ConvertedImage) -> Path:
    return root / (image.path.removesuffix(IMAGE) + ".json")


def _read(sidecar: Path) -> dict[str, Any]:
    content = json.loads(sidecar.read_text()) if sidecar.exists() else {}
    return content if isinstance(content, dict) else {}
