"""The schemas and the official validator say the same of sidecars that are wrong in one place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mutants import (
    BROKEN,
    INVALID,
    MISSING,
    Mutant,
    Said,
    kind_name,
    parts_of,
    right_sidecar,
    said_by_official,
    said_by_schemas,
    write_mutants,
)

from bidsanon.bids.standard import COLUMNS, data_kinds, sidecar_rules
from bidsanon.resources import schema_path

BOLD = "func/task-rest_bold"
PHYSIO = "func/task-rest_physio"
NOT_EXPRESSED = {
    line.partition("\t")[0]
    for line in schema_path("bids/not_expressed.tsv").read_text().splitlines()
}
DATATYPES = ("anat", "dwi", "fmap", "func", "perf", "pet", "beh")

# The kind, what is changed (None: left out), and what both say of it.
CHANGES: list[tuple[str, dict[str, Any], Said]] = [
    (BOLD, {"TaskName": None}, {(MISSING, "TaskName")}),
    (BOLD, {"TaskName": 7}, {(INVALID, "TaskName")}),
    (BOLD, {"RepetitionTime": 0}, {(INVALID, "RepetitionTime")}),
    (BOLD, {"EchoTime": "30 ms"}, {(INVALID, "EchoTime")}),
    (BOLD, {"FlipAngle": 400}, {(INVALID, "FlipAngle")}),
    (BOLD, {"FlipAngle": [90, 400]}, {(INVALID, "FlipAngle")}),
    (BOLD, {"PhaseEncodingDirection": "AP"}, {(INVALID, "PhaseEncodingDirection")}),
    (BOLD, {"EffectiveEchoSpacing": -1}, {(INVALID, "EffectiveEchoSpacing")}),
    (BOLD, {"CogAtlasID": 3}, {(INVALID, "CogAtlasID")}),
    (
        BOLD,
        {"DeidentificationMethodCodeSequence": [{"CodeValue": 1}]},
        {(INVALID, "DeidentificationMethodCodeSequence")},
    ),
    (
        BOLD,
        {"VolumeTiming": [0, 2], "SliceTiming": [0]},
        {(BROKEN, "checks.func.VolumeTimingRepetitionTimeMutex")},
    ),
    (
        BOLD,
        {"VolumeTiming": [0, 2], "RepetitionTime": None},
        {(BROKEN, "checks.func.VolumeTimingMissingFrameAcquisitionDuration")},
    ),
    (
        BOLD,
        {"VolumeTiming": [0, 2], "RepetitionTime": None, "SliceTiming": [0], "DelayTime": 1},
        {(BROKEN, "checks.func.VolumeTimingDelayTimeMutex")},
    ),
    (
        BOLD,
        {"FrameAcquisitionDuration": 1},
        {(BROKEN, "checks.func.RepetitionTimeFrameAcquisitionDurationMutex")},
    ),
    ("func/task-rest_echo-1_bold", {"EchoTime": None}, {(MISSING, "EchoTime")}),
    ("func/task-rest_part-phase_bold", {"Units": "mm"}, {(BROKEN, "checks.mri.PhasePartUnits")}),
    ("func/task-rest_part-phase_bold", {"Units": None}, {(MISSING, "Units")}),
    (PHYSIO, {"StartTime": None}, {(MISSING, "StartTime")}),
    (PHYSIO, {"SamplingFrequency": "1 kHz"}, {(INVALID, "SamplingFrequency")}),
    (
        PHYSIO,
        {"PhysioType": "eyetrack"},
        {(MISSING, "RecordedEye"), (MISSING, "SampleCoordinateSystem")},
    ),
    ("func/task-rest_events", {"StimulusPresentation": "x"}, {(INVALID, "StimulusPresentation")}),
    ("beh/task-rest_beh", {"TaskName": ["x"]}, {(INVALID, "TaskName")}),
    ("anat/T1w", {"MagneticFieldStrength": "3T"}, {(INVALID, "MagneticFieldStrength")}),
    ("anat/inv-1_MP2RAGE", {"InversionTime": None}, {(MISSING, "InversionTime")}),
    ("anat/mt-on_MTR", {"MTState": None}, {(MISSING, "MTState")}),
    ("fmap/phasediff", {"EchoTime1": None}, {(MISSING, "EchoTime1")}),
    ("fmap/phase1", {"EchoTime": [0.004, 0.005]}, {(INVALID, "EchoTime")}),
    ("fmap/fieldmap", {"Units": None}, {(MISSING, "Units")}),
    (
        "fmap/dir-AP_epi",
        {"PhaseEncodingDirection": None},
        {(MISSING, "PhaseEncodingDirection")},
    ),
    (
        "fmap/dir-AP_epi",
        {"TotalReadoutTime": None},
        {(BROKEN, "checks.fmap.TotalReadoutTimeMustDefine")},
    ),
    ("dwi/dwi", {"MultipartID": 3}, {(INVALID, "MultipartID")}),
    ("perf/asl", {"M0Type": None}, {(MISSING, "M0Type")}),
    ("perf/asl", {"M0Type": "Estimate"}, {(MISSING, "M0Estimate")}),
    ("perf/asl", {"LookLocker": True, "FlipAngle": None}, {(MISSING, "FlipAngle")}),
    ("perf/asl", {"PostLabelingDelay": "1.8"}, {(INVALID, "PostLabelingDelay")}),
    ("pet/pet", {"TracerName": None}, {(MISSING, "TracerName")}),
    ("pet/pet", {"TimeZero": "noon"}, {(INVALID, "TimeZero")}),
    ("pet/recording-manual_blood", {"PlasmaAvail": None}, {(MISSING, "PlasmaAvail")}),
]


NOT_A_VALUE = [None, True, "text", "", 0, -1, 2.5, 1e9, [], ["text"], [-1, 0], {}, {"a": "b"}]
CRASHES_THE_OFFICIAL = {"Columns"}


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What both say of each sidecar, in the order in which they were given."""

    official: list[Said]
    schemas: list[Said]


def judge(root: Path, mutants: list[Mutant]) -> Verdicts:
    places = write_mutants(root, mutants)
    official, schemas = said_by_official(root), said_by_schemas(root)
    return Verdicts(
        official=[official.get(place, set()) for place in places],
        schemas=[schemas.get(place, set()) for place in places],
    )


def changed(kind: str, changes: dict[str, Any]) -> Mutant:
    content = right_sidecar(kind) | changes
    return Mutant(kind=kind, sidecar={k: v for k, v in content.items() if v is not None})


def kinds() -> list[str]:
    """Name every kind of data of a session of MRI or PET."""
    return [
        kind_name(*kind)
        for kind, facts in data_kinds().items()
        if kind[0] in DATATYPES and facts.is_raw
    ]


RIGHT = kinds()


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    mutants = [changed(kind, changes) for kind, changes, _ in CHANGES]
    mutants += [changed(kind, {}) for kind in RIGHT]
    return judge(tmp_path_factory.mktemp("mutants"), mutants)


@pytest.mark.parametrize(
    "number", range(len(CHANGES)), ids=lambda n: f"{CHANGES[n][0]} {CHANGES[n][1]}"
)
def test_both_say_the_same_of_a_sidecar_that_is_wrong(verdicts: Verdicts, number: int) -> None:
    assert verdicts.official[number] == CHANGES[number][2]
    assert verdicts.schemas[number] == CHANGES[number][2]


def test_neither_says_anything_of_right_sidecars_of_any_kind(verdicts: Verdicts) -> None:
    assert len(RIGHT) > 90
    right = zip(
        RIGHT, verdicts.official[len(CHANGES) :], verdicts.schemas[len(CHANGES) :], strict=True
    )
    assert [said for said in right if said[1] or said[2]] == []


@pytest.mark.slow
def test_every_field_with_every_kind_of_value(tmp_path: Path) -> None:
    """What the official validator raises is raised; what only the schemas raise has a reason."""
    mutants = list(_every_change())

    verdicts = judge(tmp_path, mutants)

    compared = list(zip(mutants, verdicts.official, verdicts.schemas, strict=True))
    assert [(m, official - ours) for m, official, ours in compared if official - ours] == []
    alone = {(m.kind, said) for m, official, ours in compared for said in ours - official}
    assert {(kind, said) for kind, said in alone if not _conditional(kind, said)} == set()


def _every_change() -> Iterator[Mutant]:
    """Yield each field once with every value, in the first kind of data that has it."""
    seen: set[str] = set()
    for kind in sorted(kinds(), key=lambda kind: not kind.startswith("func")):
        right = right_sidecar(kind)
        for key in right:
            yield changed(kind, {key: None})
        for rule in sidecar_rules(*parts_of(kind)):
            if rule.given or rule.name == COLUMNS:
                continue
            for key, field in rule.schema.get("properties", {}).items():
                if field["$ref"] not in seen and key not in CRASHES_THE_OFFICIAL:
                    seen.add(field["$ref"])
                    values = ({key: value} for value in NOT_A_VALUE)
                    yield from (Mutant(kind=kind, sidecar=right | value) for value in values)


def _conditional(kind: str, said: tuple[str, str]) -> bool:
    """Tell whether the official validator looks at a field only where a condition holds."""
    what, key = said
    rules = [rule for rule in sidecar_rules(*parts_of(kind)) if rule.name != COLUMNS]
    naming = [rule for rule in rules if key in rule.schema.get("properties", {})]
    return what == INVALID and all("if" in r.schema or r.name in NOT_EXPRESSED for r in naming)
