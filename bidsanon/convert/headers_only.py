"""The bundled heuristic without names: what a series is by its headers alone. A heuristic itself.

It stands as a second opinion beside the heuristic that was asked for, which may well have listened
to what an operator typed.
"""

from __future__ import annotations

import importlib.util
from types import ModuleType

from bidsanon.resources import heuristics_folder


def _deaf_to_names() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "_bidsanon_headers_only", heuristics_folder() / "auto.py"
    )
    if spec is None or spec.loader is None:
        raise ImportError("heuristics/auto.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.__dict__["_names"] = lambda _: ""
    return module


_AUTO = _deaf_to_names()
custom_seqinfo = _AUTO.custom_seqinfo
infotodict = _AUTO.infotodict
why_skipped = _AUTO.why_skipped
