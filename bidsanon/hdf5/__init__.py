"""What an HDF5 file says in words: its attributes and texts, wherever they stand in it.

SNIRF, NWB and MATLAB 7.3 (EEGLAB's .set among them) are HDF5. It is read in a process of its own
(:func:`bidsanon.apart.read_apart`), by h5py where that is installed; nothing else imports h5py.
"""

import importlib.util
from importlib.metadata import version

READER = "bidsanon.hdf5"
"""The module that reads one."""
PACKAGE, INSTALL = "h5py", "pip install 'bidsanon[hdf5]'"

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BEGINS_AT = (0, 512)
"""MATLAB writes a heading of its own before it."""


def is_hdf5(prefix: bytes) -> bool:
    """Tell HDF5 by a file's first bytes (HDF5 format, II.A)."""
    return any(prefix.startswith(_SIGNATURE, begin) for begin in _BEGINS_AT)


def reader_version() -> str | None:
    """Return the version of what reads HDF5; None where it is not installed."""
    return version(PACKAGE) if importlib.util.find_spec(PACKAGE) else None
