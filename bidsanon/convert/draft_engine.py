"""What stands below the rules of every drafted heuristic: it reads headers, matches, and numbers.

Its text is copied into drafts (:mod:`bidsanon.convert.drafting`), so it imports nothing of
bidsanon, and a draft runs under plain ``heudiconv -f`` too.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

RULES: list[dict[str, Any]] = []

# --- end of the rules: what follows is the same in every draft and needs no change --------------


class Seen(NamedTuple):
    """What the rules can ask of a series; 0 and empty texts stand for what is not said."""

    called: str
    image_type: tuple[str, ...]
    echo_ms: float
    repetition_ms: float
    images: int
    phase_encoding: str
    plane: str
    size: str


def custom_seqinfo(wrapper: Any, series_files: list[str], **_: Any) -> Seen:
    """Read what the rules can ask of a series from its first file (heudiconv calls this)."""
    header = wrapper.dcm_data
    name = header.get("SeriesDescription") or header.get("ProtocolName")
    image_type = header.get("ImageType") or ()
    return Seen(
        called=" ".join(str(name or "").split()),
        image_type=tuple(str(word).upper() for word in _several(image_type)),
        echo_ms=_number(header, "EchoTime") or _number(header, "EffectiveEchoTime"),
        repetition_ms=_number(header, "RepetitionTime"),
        images=len(series_files) * int(header.get("NumberOfFrames") or 1),
        phase_encoding=_phase_encoding(wrapper),
        plane=_plane(_values(header, "ImageOrientationPatient")),
        size=f"{header.get('Rows')}x{header.get('Columns')}",
    )


_MACRO_OF = {
    "EffectiveEchoTime": "MREchoSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "InPlanePhaseEncodingDirection": "MRFOVGeometrySequence",
    "RepetitionTime": "MRTimingAndRelatedParametersSequence",
}
"""Where an enhanced object keeps what a classic one says at its top level."""
_XA_FRAME, _XA_POLARITY = 0x002111FE, 0x0021111C
_AXES = 6


def _several(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return [value] if isinstance(value, str | bytes) or not hasattr(value, "__iter__") else [*value]


def _frames(header: Any) -> Iterator[Any]:
    """Give what an enhanced object says of all frames, and of the first."""
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        yield from (header.get(groups) or [])[:1]


def _values(header: Any, keyword: str) -> list[Any]:
    found = _several(header.get(keyword))
    for frame in _frames(header):
        for macro in frame.get(_MACRO_OF.get(keyword, "")) or []:
            found = found or _several(macro.get(keyword))
    return found


def _number(header: Any, keyword: str) -> float:
    try:
        return round(float(_values(header, keyword)[0]), 2)
    except (IndexError, TypeError, ValueError):
        return 0.0


def _phase_encoding(wrapper: Any) -> str:
    """Give the image's axis along which phase is encoded, and its sign where Siemens says it."""
    axis = next(iter(_values(wrapper.dcm_data, "InPlanePhaseEncodingDirection")), "")
    items: list[Any] = []
    if getattr(wrapper, "csa_header", None):
        tag = wrapper.csa_header["tags"].get("PhaseEncodingDirectionPositive") or {}
        items = tag.get("items") or []
    for frame in _frames(wrapper.dcm_data):
        for macro in frame[_XA_FRAME].value if _XA_FRAME in frame else []:
            items = items or (_several(macro[_XA_POLARITY].value) if _XA_POLARITY in macro else [])
    sign = ("+" if str(items[0]) == "1" else "-") if axis and items else ""
    return f"{str(axis)[:3]}{sign}"  # ROW or COL, which enhanced objects call COLUMN


def _plane(axes: Sequence[Any]) -> str:
    if len(axes) != _AXES:
        return ""
    a, b, c, d, e, f = map(float, axes)
    normal = (abs(b * f - c * e), abs(c * d - a * f), abs(a * e - b * d))
    return ("sagittal", "coronal", "transverse")[normal.index(max(normal))]


def _is_called(seen: Seen, asked: str) -> bool:
    """Tell whether a series is called so; part by part, for the time grows with the parts alone."""
    first, *parts = " ".join(asked.split()).casefold().split("*")
    name = seen.called.casefold()
    if not parts:
        return name == first
    place = len(first) if name.startswith(first) else -1
    for part in parts[:-1]:
        found = name.find(part, place) if place >= 0 else -1
        place = found + len(part) if found >= 0 else -1
    return 0 <= place <= len(name) - len(parts[-1]) and name.endswith(parts[-1])


def _is_near(number: float, asked: float) -> bool:
    return abs(number - asked) <= 0.05 * abs(asked)  # within 5 %


CONDITIONS: dict[str, Callable[[Seen, Any], bool]] = {
    "called": _is_called,
    "image_type": lambda seen, asked: set(asked.upper().split()) <= set(seen.image_type),
    "image_type_without": lambda seen, asked: not set(asked.upper().split()) & set(seen.image_type),
    "echo_ms": lambda seen, asked: _is_near(seen.echo_ms, asked),
    "repetition_ms": lambda seen, asked: _is_near(seen.repetition_ms, asked),
    "images_at_least": lambda seen, asked: seen.images >= asked,
    "images_at_most": lambda seen, asked: seen.images <= asked,
    "phase_encoding": lambda seen, asked: seen.phase_encoding == asked,
    "plane": lambda seen, asked: seen.plane == asked,
    "size": lambda seen, asked: seen.size == asked,
}
NUMBERS = {"echo_ms", "repetition_ms", "images_at_least", "images_at_most", "nth"}
OTHERS = {"bids", "leave_out", "nth"}
_NAME = re.compile(r"[a-z]+/([a-z]+-[A-Za-z0-9+]+_)*[A-Za-z0-9]+")


def problem_of(rule: Any) -> str:
    """Say what is wrong with a rule, or nothing."""
    if not isinstance(rule, dict):
        return 'write it as {"bids": "...", "called": "..."}'
    unknown = [str(key) for key in rule if key not in {*CONDITIONS, *OTHERS}]
    kinds = {key: (int, float) if key in NUMBERS else (str,) for key in rule}
    wrong = [key for key, value in rule.items() if type(value) not in kinds[key]]
    name = rule.get("bids", "folder/name")
    for found, problem in (
        (unknown, f"it cannot ask for {unknown}; it can for {', '.join(CONDITIONS)} and nth"),
        (wrong, f"{wrong} is to be a number where it counts or measures, else a text in quotes"),
        (
            ("bids" in rule) == ("leave_out" in rule),
            'it needs "bids" (a name) or "leave_out" (why)',
        ),
        (set(rule) <= OTHERS, 'it asks for nothing; say what the series is "called"'),
        (not _NAME.fullmatch(str(name)), f'{name!r} is no name such as "func/task-rest_bold"'),
    ):
        if found:
            return problem
    return ""


def rule_lines() -> list[int]:
    """Say at which line of this file each rule begins."""
    for statement in ast.parse(Path(__file__).read_text(encoding="utf-8")).body:
        target = getattr(statement, "target", None) or getattr(statement, "targets", [None])[0]
        if getattr(target, "id", "") == "RULES" and isinstance(statement.value, ast.List):  # type: ignore[attr-defined]
            return [element.lineno for element in statement.value.elts]  # type: ignore[attr-defined]
    return []


def matching(rules: Sequence[Mapping[str, Any]], series: Sequence[Seen]) -> list[list[int]]:
    """Say of each rule which series it matches, by their places in the order of acquisition."""
    found = []
    for rule in rules:
        asked = [(CONDITIONS[key], value) for key, value in rule.items() if key in CONDITIONS]
        places = [n for n, seen in enumerate(series) if all(test(seen, v) for test, v in asked)]
        nth = int(rule.get("nth", 0))
        found.append(places[nth - 1 : nth] if nth else places)
    return found


def decisions(
    rules: Sequence[Mapping[str, Any]], series: Sequence[Seen]
) -> list[Mapping[str, Any]]:
    """Give each series the first rule that matches it, or an empty one."""
    chosen: list[Mapping[str, Any]] = [{} for _ in series]
    for rule, places in reversed([*zip(rules, matching(rules, series), strict=True)]):
        for place in places:
            chosen[place] = rule
    return chosen


def names(rules: Sequence[Mapping[str, Any]], series: Sequence[Seen]) -> list[str]:
    """Name each series; empty where it is left out. What has one name is numbered by run."""
    named = [str(rule.get("bids", "")) for rule in decisions(rules, series)]
    families: dict[str, list[list[int]]] = defaultdict(list)
    for place, name in enumerate(named):
        if name and "_run-" not in name.replace("/", "_"):
            events = families[_family(name)]
            if events and _joins(place, events[-1], named, series):
                events[-1].append(place)
            else:
                events.append([place])
    for events in families.values():
        for number, event in enumerate(events if len(events) > 1 else [], start=1):
            for place in event:
                named[place] = _with_run(named[place], number)
    return named


_TOLD_APART = re.compile(r"(?:^|(?<=/)|(?<=_))(?:echo|flip|inv|mt|part|rec)-[^_]*_")
_BEFORE_RUN = re.compile(r"(?:(?:task|acq|ce|trc|rec|dir)-[^_]*_)*")


def _family(name: str) -> str:
    """Give what the parts, echoes, inversions and references of one run share."""
    name = re.sub(r"(magnitude|phase)([12]|diff)?$", "gre", _TOLD_APART.sub("", name))
    return re.sub(r"sbref$", "bold" if name.startswith("func/") else "dwi", name)


def _joins(place: int, event: list[int], named: list[str], series: Sequence[Seen]) -> bool:
    """Tell whether a series belongs to the run before it: a reference comes before its run."""
    others = [named[other] for other in event]
    if named[place] in others or series[place].size != series[event[-1]].size:
        return False
    return not named[place].endswith("sbref") or all(name.endswith("sbref") for name in others)


def _with_run(name: str, number: int) -> str:
    folder, _, rest = name.partition("/")
    head = _BEFORE_RUN.match(rest)
    end = head.end() if head else 0
    return f"{folder}/{rest[:end]}run-{number}_{rest[end:]}"


def _in_order(seqinfo: Iterable[Any]) -> list[Any]:
    """Sort by the time of acquisition where all say it, and else by the series' numbers."""
    infos = list(seqinfo)
    timed = all(info.date and info.time for info in infos)

    def key(info: Any) -> tuple[str, str, int]:
        number = re.match(r"\d+", info.series_id)
        when = (str(info.date), str(info.time)) if timed else ("", "")
        return (*when, int(number[0]) if number else 0)

    return sorted(infos, key=key)


def infotodict(seqinfo: list[Any]) -> dict[tuple[str, tuple[str, ...], None], list[str]]:
    """Give each series its name (heudiconv calls this)."""
    infos = _in_order(seqinfo)
    table: dict[tuple[str, tuple[str, ...], None], list[str]] = {}
    for info, name in zip(infos, names(RULES, [info.custom for info in infos]), strict=True):
        if name:
            folder, _, rest = name.partition("/")
            prefix = "{bids_subject_session_prefix}"
            template = f"{{bids_subject_session_dir}}/{folder}/{prefix}_{rest}"
            table.setdefault((template, ("nii.gz",), None), []).append(info.series_id)
    return table


def why_skipped(seqinfo: list[Any]) -> dict[str, str]:
    """Say of each series without a name why it has none (bidsanon asks this)."""
    infos = _in_order(seqinfo)
    chosen = decisions(RULES, [info.custom for info in infos])
    return {
        info.series_id: rule.get("leave_out", "no rule of the heuristic matches it")
        for info, rule in zip(infos, chosen, strict=True)
        if "bids" not in rule
    }


def rule_matches(seqinfo: list[Any]) -> list[tuple[int, str, list[str]]]:
    """Say of each rule its line, its name, and the series that it matches (bidsanon asks this)."""
    infos = _in_order(seqinfo)
    found = matching(RULES, [info.custom for info in infos])
    return [
        (line, str(rule.get("bids", "")), [infos[place].series_id for place in places])
        for line, rule, places in zip(rule_lines(), RULES, found, strict=True)
    ]


for _place, _rule in enumerate(RULES):
    if problem_of(_rule):
        _line = dict(enumerate(rule_lines())).get(_place)
        raise SyntaxError(f"the rule is wrong: {problem_of(_rule)}", (__file__, _line, None, None))
