"""The sets of real DICOM, by their names below ``../shared/data``."""

MR_SETS = (
    "siemens-ve11-t1w-face",
    "siemens-ve11-epi-mosaic",
    "siemens-ve11-dwi-head",
    "siemens-ve11-fmap-gre",
    "siemens-ve11-pdt2-tse",
    "siemens-xa10-enhanced-bold",
    "siemens-xa60-interrupted-bold",
    "siemens-phoenix-sr",
    "ge-mr750-epi",
    "ge-dv27-b0map",
    "ge-hd16-t1-already-deidentified",
    "philips-dual-echo-bold",
    "philips-r53-enhanced-fmap",
    "philips-r57-dwi-dicomdir",
    "transfer-syntaxes",
)
"""Those of MR images."""

ODD_SETS = ("malformed-and-odd", "burned-in-pixels", "dicomdir-media-multipatient")
"""Those of files that are damaged, odd, or no images for conversion."""

EVERY_SET = tuple(sorted((*MR_SETS, *ODD_SETS)))
"""All of them."""
