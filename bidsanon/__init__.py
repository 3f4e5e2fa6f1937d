"""bidsanon: identified DICOM in, a BIDS dataset fit for sharing out."""

from importlib.metadata import version

__version__ = version("bidsanon")
