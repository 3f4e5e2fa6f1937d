"""Reads the HDF5 file that is its standard input, and writes what it says to standard output."""

from __future__ import annotations

from bidsanon.apart import tell
from bidsanon.hdf5.contents import read_hdf5

if __name__ == "__main__":
    tell(read_hdf5)
