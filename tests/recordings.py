"""Small recordings of EEG and MEG made by code, with a person in their headers."""

from __future__ import annotations

import struct

FAMILY, GIVEN, NUMBER = "Quillfeather", "Mara", "4711081"
LENGTH = 64
SAMPLES = bytes(range(64)) * 4


def edf(
    patient: str = f"{NUMBER} F 02-MAY-1951 {GIVEN}_{FAMILY}",
    recording: str = "Startdate 17-MAY-2019 PSG-4711 AO Sony",
    day: str = "17.05.19",
    time: str = "08.13.22",
    *,
    magic: bytes = b"0       ",
    note: str = "",
) -> bytes:
    """Write an EDF or BDF of one signal, or of what somebody noted."""
    told = f"{patient:80}{recording:80}{day:8}{time:8}{512:<8}{'EDF+C':44}{1:<8}{1:<8}{1:<4}"
    annotations = "BDF Annotations" if magic != b"0       " else "EDF Annotations"
    listed = f"+0\x14\x14\0+0.5\x14{note}\x14".encode()
    signal = f"{annotations if note else 'Fp1':216}{LENGTH:<8}{'':32}"
    return magic + told.encode() + signal.encode() + listed.ljust(LENGTH * 3, b"\0")


def markers(*lines: str, data: str = "sub-01_task-rest_eeg.eeg") -> str:
    """Write the markers of a BrainVision recording."""
    head = "Brain Vision Data Exchange Marker File, Version 1.0"
    return "\r\n".join(
        [head, "", "[Common Infos]", f"DataFile={data}", "[Marker Infos]", *lines, ""]
    )


NEW_SEGMENT = "Mk1=New Segment,,1,1,0,20190517081322123456"


def fif(*, anonymous: bool = False, day: int = 0x5CDE6D22) -> bytes:
    """Write a FIF of a few tags, as MNE writes them."""
    name = b"mne_anonymize" if anonymous else FAMILY.encode()
    tags = [
        (100, 31, struct.pack(">5i", 0x10004, 1, 2, 0, 0)),
        (204, 3, struct.pack(">2i", day, 0)),
        (403, 10, name),
        (404, 6, struct.pack(">i", 2_433_769)),
        (300, 4, SAMPLES),
        (206, 10, b"said nothing"),
    ]
    written = [struct.pack(">4i", kind, form, len(data), 0) + data for kind, form, data in tags]
    return b"".join(written) + struct.pack(">4i", 108, 0, 0, -1)
