"""Recordings as EEGLAB stores them, made by scipy, with a person in their fields."""

from __future__ import annotations

import io

import numpy as np
from scipy.io import savemat

DATA = np.random.default_rng(3).normal(size=(4, 500)).astype(np.float32)


def eeglab(*, packed: bool = False, **fields: object) -> bytes:
    labels = np.array([("Fp1", 1.0), ("Cz", 2.0)], dtype=[("labels", "O"), ("X", "O")])
    events = np.array([("S  1", 5.0)], dtype=[("type", "O"), ("latency", "O")])
    usual = {"setname": "rest", "nbchan": 4.0, "data": DATA, "chanlocs": labels, "event": events}
    made = io.BytesIO()
    savemat(made, {"EEG": {**usual, **fields}, "x": DATA}, do_compression=packed)
    return made.getvalue()


TELLING: dict[str, object] = {
    "subject": "4711",
    "comments": np.array(["Original file: q.vhdr", "seen by Jörg Quillfeather"]),
    "filepath": "/home/quillfeather/raw/",
    "history": "EEG = pop_loadset('filepath', '/home/quillfeather/raw');",
    "etc": {"rec_startdate": "2021-03-12", "operator": "Ä. Ö."},
    "note": "Quillfeather's 東京",
}
