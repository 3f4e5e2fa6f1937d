"""Name the series as auto does, and keep what the scanner computed of diffusion: ADC, FA, trace.

It needs ``auto.py`` beside it. Maps in colour stay out: three bytes a voxel are no map that
anybody computes with.
"""

from __future__ import annotations

import auto
from auto import custom_callable, custom_seqinfo, infotodict, why_skipped

__all__ = ["custom_callable", "custom_seqinfo", "infotodict", "why_skipped"]

auto.KEPT_MAPS |= {
    "a map of the diffusion coefficient": "ADC",
    "a map of the attenuation by diffusion": "expADC",
    "a map of the anisotropy": "FA",
    "a diffusion trace": "trace",
}
