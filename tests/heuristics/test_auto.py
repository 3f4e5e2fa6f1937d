"""The bundled heuristic: what it makes of single series, of sessions, and of real scanners."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import sessions
from heudiconv.utils import SeqInfo
from in_process import find_programs_beside_python
from plain_staging import stage_plainly
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from bidsanon.convert import plan, resolve_heuristic
from bidsanon.convert.acquisition import join_series
from bidsanon.convert.describing import describe_series
from bidsanon.convert.job import Mode, Request
from bidsanon.convert.loading import Asking, load_heuristic

PREFIX = "{bids_subject_session_dir}/"


@pytest.fixture(scope="module", name="auto")
def _auto() -> ModuleType:
    return load_heuristic(resolve_heuristic("auto"), timeout_s=60)


@pytest.fixture(name="series")
def _series(auto: ModuleType) -> Callable[..., Any]:
    """Make a series out of what is unusual about it."""
    plain = auto.Facts(
        modality="MR",
        image_type=("ORIGINAL", "PRIMARY", "M", "ND"),
        components=("M",),
        sequence="",
        words="",
        epi=False,
        spin_echo=False,
        gradient_echo=False,
        inversion_ms=-1.0,
        echoes_ms=(3.0,),
        repetition_ms=2000.0,
        three_dimensional=True,
        images=100,
        volumes=1,
        planned=-1,
        diffusion_b=-1.0,
        labelling=False,
        angiography=False,
        transfer=False,
        contrast_agent=False,
        orientations=1,
        plane="sag",
        direction="AP",
        geometry=(64, 64),
    )

    def make(number: int, words: str, time: str = "", **facts: Any) -> Any:
        empty = dict.fromkeys(SeqInfo._fields)
        empty |= {"series_id": f"{number}-{words}", "date": "19200101" if time else None}
        return SeqInfo(**empty | {"time": time, "custom": plain._replace(words=words, **facts)})

    return make


def _names(auto: ModuleType, *series: Any) -> list[str]:
    """Name a session's series, in the order in which they are given; the empty one is left out."""
    named = {ids[0]: key[0] for key, ids in auto.infotodict(list(series)).items()}
    texts = [named.get(one.series_id, "") for one in series]
    return [
        text.removeprefix(PREFIX).replace("{bids_subject_session_prefix}_", "") for text in texts
    ]


GRADIENT = {"gradient_echo": True}
SPIN = {"spin_echo": True}
BOLD = {
    "epi": True,
    "gradient_echo": True,
    "echoes_ms": (30.0,),
    "three_dimensional": False,
    "volumes": 200,
    "images": 200,
}
DIFFUSION = BOLD | SPIN | {"gradient_echo": False, "volumes": 64, "diffusion_b": 1000.0}


@pytest.mark.parametrize(
    ("words", "facts", "expected"),
    [
        ("", GRADIENT | {"inversion_ms": 900.0}, "anat/T1w"),
        ("", GRADIENT | {"sequence": "*tfl3d1"}, "anat/T1w"),
        ("", GRADIENT | {"three_dimensional": False, "repetition_ms": 300.0}, "anat/T1w"),
        ("", GRADIENT | {"echoes_ms": (20.0,)}, "anat/T2starw"),
        ("", GRADIENT | {"echoes_ms": (5.0, 10.0, 15.0)}, "anat/MEGRE"),
        ("", GRADIENT | {"echoes_ms": (7.0, 10.0), "components": ("M", "P")}, "fmap/phase1"),
        ("", GRADIENT | {"echoes_ms": (7.0, 20.0), "components": ("M", "P")}, "anat/MEGRE"),
        ("", SPIN | {"echoes_ms": (90.0,), "repetition_ms": 6000.0}, "anat/T2w"),
        ("", SPIN | {"echoes_ms": (10.0,), "repetition_ms": 3000.0}, "anat/PDw"),
        ("", SPIN | {"echoes_ms": (10.0,), "repetition_ms": 500.0}, "anat/T1w"),
        ("", SPIN | {"echoes_ms": (11.0, 92.0)}, "anat/acq-dualecho_PDT2"),
        ("", SPIN | {"echoes_ms": (10.0, 20.0, 30.0)}, "anat/MESE"),
        ("", SPIN | {"inversion_ms": 2500.0, "echoes_ms": (90.0,)}, "anat/FLAIR"),
        ("", SPIN | {"inversion_ms": 900.0, "echoes_ms": (10.0,)}, "anat/T1w"),
        ("tof_3d", GRADIENT, "anat/angio"),
        ("mp2rage uni", {"image_type": ("DERIVED", "PRIMARY", "M", "UNI")}, "anat/UNIT1"),
        ("mp2rage_inv2", GRADIENT, "anat/inv-2_MP2RAGE"),
        ("", BOLD, "func/task-unnamed_bold"),
        ("ep2d_bold_moco_p2", BOLD, "func/task-unnamed_bold"),
        ("epi resting 2mm", BOLD, "func/task-rest_bold"),
        ("func task-faces_run1", BOLD, "func/task-faces_bold"),
        ("cmrr fmri stroop mb4", BOLD, "func/task-stroop_bold"),
        ("", DIFFUSION, "dwi/dwi"),
        ("", BOLD | SPIN | {"gradient_echo": False, "volumes": 3}, "fmap/dir-AP_epi"),
        ("spinechofieldmap pa", BOLD | {"direction": ""}, "fmap/dir-PA_epi"),
        ("dwi b0", DIFFUSION | {"diffusion_b": 0.003}, "fmap/dir-AP_epi"),
        ("", GRADIENT | {"components": ("HZ", "M")}, "fmap/fieldmap"),
        ("", {"sequence": "b0rf b0map"}, "fmap/fieldmap"),
        ("pcasl_3d", BOLD, "perf/asl"),
        ("pcasl_m0", BOLD, "perf/m0scan"),
        ("tra t2 tse", {"echoes_ms": ()}, "anat/T2w"),
    ],
)
def test_one_series_is_named_by_its_header(
    auto: ModuleType, series: Callable[..., Any], words: str, facts: dict[str, Any], expected: str
) -> None:
    assert _names(auto, series(1, words, **facts)) == [expected]


@pytest.mark.parametrize(
    ("words", "facts", "reason"),
    [
        ("aahead_scout", GRADIENT, "a scout: its name says so"),
        ("", GRADIENT | {"orientations": 3}, "several orientations"),
        ("", GRADIENT | {"images": 3}, "fewer than"),
        ("ep2d_diff_adc", DIFFUSION | {"image_type": ("DERIVED", "ADC")}, "diffusion coefficient"),
        ("ep2d_diff", DIFFUSION | {"image_type": ("DERIVED", "TRACEW")}, "diffusion trace"),
        ("mocoseries", BOLD, "motion-corrected"),
        ("bold", BOLD | {"image_type": ("ORIGINAL", "PRIMARY", "M", "MOCO")}, "motion-corrected"),
        ("t1 mpr", GRADIENT | {"image_type": ("DERIVED", "SECONDARY", "MPR")}, "reformatted"),
        ("swi", GRADIENT | {"image_type": ("ORIGINAL", "M", "SWI")}, "susceptibility"),
        ("head", {"modality": "CT"}, "no place for computed tomography"),
        ("chest", {"modality": "CR"}, "MR and PET, not CR"),
        ("phoenixzipreport", {}, "a report"),
        ("bold", BOLD | {"volumes": 1}, "one volume"),
        ("", {}, "cannot be told"),
        ("gre_field_mapping", GRADIENT, "one half of a field map"),
        ("t1", GRADIENT | {"components": ("R",)}, "real or imaginary"),
    ],
)
def test_what_is_left_out_has_its_reason(
    auto: ModuleType, series: Callable[..., Any], words: str, facts: dict[str, Any], reason: str
) -> None:
    one = series(1, words, **facts)
    assert _names(auto, one) == [""]
    assert reason in auto.why_skipped([one])[one.series_id]


def test_runs_are_numbered_in_acquisition_order_and_only_when_repeated(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    first = series(9, "bold", "100000", **BOLD)
    second = series(4, "bold", "110000", **BOLD)
    alone = series(5, "func stroop", "120000", **BOLD)
    assert _names(auto, second, first, alone) == [
        "func/task-unnamed_run-2_bold",
        "func/task-unnamed_run-1_bold",
        "func/task-stroop_bold",
    ]


def test_what_broke_off_and_was_acquired_again_is_left_out_with_its_reference(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    reference = BOLD | {"volumes": 1, "images": 1}
    broken = BOLD | {"volumes": 60, "images": 60}
    session = [
        series(3, "stroop_sbref", **reference),
        series(4, "stroop", **broken),
        series(5, "stroop_sbref", **reference),
        series(6, "stroop", **BOLD),
    ]
    assert _names(auto, *session) == ["", "", "func/task-stroop_sbref", "func/task-stroop_bold"]
    reasons = auto.why_skipped(session)
    assert reasons["4-stroop"] == "interrupted after 60 of 200 volumes, and acquired again"
    assert reasons["3-stroop_sbref"] == "the reference of an interrupted run"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"volumes": 150}, {"volumes": 200}),  # no header says how many were planned
        ({"volumes": 60}, {"volumes": 60}),
        ({"volumes": 60, "geometry": (32, 32)}, {"volumes": 200}),
        ({"volumes": 200, "planned": 200}, {"volumes": 300, "planned": 300}),
    ],
)
def test_a_shorter_run_that_was_no_interruption_stays(
    auto: ModuleType, series: Callable[..., Any], first: dict[str, Any], second: dict[str, Any]
) -> None:
    named = _names(auto, series(3, "stroop", **BOLD | first), series(4, "stroop", **BOLD | second))
    assert named == ["func/task-stroop_run-1_bold", "func/task-stroop_run-2_bold"]


def test_an_interruption_that_was_not_made_good_stays(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    broken = BOLD | {"volumes": 60, "planned": 200}
    assert _names(auto, series(4, "stroop", **broken)) == ["func/task-stroop_bold"]


def test_a_single_band_reference_goes_with_its_run(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    reference = BOLD | {"volumes": 1, "images": 1}
    assert _names(
        auto,
        series(3, "stroop_sbref", **reference),
        series(4, "stroop", **BOLD),
        series(5, "stroop_sbref", **reference),
        series(6, "stroop", **BOLD),
    ) == [
        "func/task-stroop_run-1_sbref",
        "func/task-stroop_run-1_bold",
        "func/task-stroop_run-2_sbref",
        "func/task-stroop_run-2_bold",
    ]


def test_short_epis_of_opposite_polarity_measure_distortion(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    short = BOLD | {"volumes": 2, "images": 2}
    assert _names(
        auto,
        series(3, "epi", **short),
        series(4, "epi", **short | {"direction": "PA"}),
    ) == ["fmap/dir-AP_epi", "fmap/dir-PA_epi"]
    assert _names(
        auto,
        series(3, "epi", **BOLD),
        series(4, "epi", **short | {"direction": "PA"}),
    ) == ["func/task-unnamed_bold", "fmap/dir-PA_epi"]
    assert _names(auto, series(3, "epi", **short)) == ["func/task-unnamed_bold"]


def test_a_lone_short_epi_that_names_its_polarity_measures_distortion(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    short = BOLD | {"volumes": 2, "images": 2, "direction": "PA"}
    assert _names(auto, series(3, "epi pe=pa", **short)) == ["fmap/dir-PA_epi"]
    assert _names(auto, series(3, "speech", **short)) == ["func/task-speech_bold"]
    assert _names(auto, series(3, "epi pe=pa", **short | {"volumes": 90, "images": 90})) == [
        "func/task-unnamed_bold"
    ]


def test_two_long_runs_of_opposite_polarity_are_told_apart_by_direction(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    assert _names(
        auto, series(3, "rest", **BOLD), series(4, "rest", **BOLD | {"direction": "PA"})
    ) == ["func/task-rest_dir-AP_bold", "func/task-rest_dir-PA_bold"]


def test_magnitude_and_phase_of_a_run_are_its_parts(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    phase = BOLD | {"components": ("P",)}
    assert _names(auto, series(3, "rest", **BOLD), series(4, "rest", **phase)) == [
        "func/task-rest_part-mag_bold",
        "func/task-rest_part-phase_bold",
    ]


def test_phase_alone_is_said_to_be_phase(auto: ModuleType, series: Callable[..., Any]) -> None:
    assert _names(auto, series(3, "rest", **BOLD | {"components": ("P",)})) == [
        "func/task-rest_part-phase_bold"
    ]


def test_echoes_in_series_of_their_own_are_numbered_by_time(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    later = BOLD | {"echoes_ms": (45.0,)}
    assert _names(auto, series(3, "rest", **BOLD), series(4, "rest", **later)) == [
        "func/task-rest_echo-1_bold",
        "func/task-rest_echo-2_bold",
    ]


def test_a_field_map_and_its_repeat_keep_their_halves_together(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    magnitude = GRADIENT | {"sequence": "*fm2d2r", "echoes_ms": (5.0, 7.5)}
    phase = GRADIENT | {"sequence": "*fm2d2r", "echoes_ms": (7.5,), "components": ("P",)}
    assert _names(
        auto,
        series(3, "gre", **magnitude),
        series(4, "gre", **phase),
        series(7, "gre", **magnitude),
        series(8, "gre", **phase),
    ) == [
        "fmap/run-1_magnitude",
        "fmap/run-1_phasediff",
        "fmap/run-2_magnitude",
        "fmap/run-2_phasediff",
    ]


def test_different_sequences_of_one_contrast_are_told_apart(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    flat = GRADIENT | {"three_dimensional": False, "plane": "tra"}
    assert _names(auto, series(3, "t1", **GRADIENT), series(4, "t1", **flat)) == [
        "anat/acq-sag3d_T1w",
        "anat/acq-tra2d_T1w",
    ]


def test_the_same_image_with_and_without_correction_is_one_run(
    auto: ModuleType, series: Callable[..., Any]
) -> None:
    corrected = GRADIENT | {"image_type": ("ORIGINAL", "PRIMARY", "M", "NORM")}
    assert _names(auto, series(3, "t1", **GRADIENT), series(4, "t1", **corrected)) == [
        "anat/T1w",
        "anat/rec-norm_T1w",
    ]


@pytest.mark.parametrize(
    ("suffix", "made", "expected"),
    [
        (
            "phase1",
            {
                "phase11": {"ImageType": ["M"], "EchoTime": 0.007},
                "phase12": {"ImageType": ["P"], "EchoTime": 0.007},
                "phase13": {"ImageType": ["M"], "EchoTime": 0.010},
                "phase14": {"ImageType": ["P"], "EchoTime": 0.010},
            },
            {
                "phase11": "magnitude1",
                "phase12": "phase1",
                "phase13": "magnitude2",
                "phase14": "phase2",
            },
        ),
        (
            "phasediff",
            {
                "phasediff1": {"ImageType": ["M"], "EchoTime": 0.005},
                "phasediff2": {"ImageType": ["P"], "EchoTime": 0.005},
            },
            {"phasediff1": "magnitude1", "phasediff2": "phasediff"},
        ),
        ("phasediff", {"phasediff": {"ImageType": ["P"]}}, {"phasediff": "phasediff"}),
        (
            "fieldmap",
            {"fieldmap1": {"EchoTime": 0.004}, "fieldmap2": {"Units": "Hz"}},
            {"fieldmap1": "magnitude", "fieldmap2": "fieldmap"},
        ),
        (
            "PDT2",
            {"echo-1_PDT2": {"EchoTime": 0.011}, "echo-2_PDT2": {"EchoTime": 0.092}},
            {"echo-1_PDT2": "PDw", "echo-2_PDT2": "T2w"},
        ),
        (
            "fieldmap",
            {"fieldmap1": {"Units": "Hz"}, "fieldmap2": {"Units": "Hz"}},
            {"fieldmap1": "fieldmap1", "fieldmap2": "fieldmap2"},
        ),
        ("T1w", {"T1w": {"EchoTime": 0.003}}, {"T1w": "T1w"}),
    ],
)
def test_images_that_heudiconv_numbers_are_named_by_what_they_are(
    auto: ModuleType,
    tmp_path: Path,
    suffix: str,
    made: dict[str, Any],
    expected: dict[str, str],
) -> None:
    folder = tmp_path / "fmap"
    folder.mkdir()
    for name, sidecar in made.items():
        (folder / f"sub-01_{name}.json").write_text(json.dumps(sidecar))
        (folder / f"sub-01_{name}.nii.gz").write_text(name)
    table = tmp_path / "sub-01_scans.tsv"
    rows = [f"fmap/sub-01_{name}.nii.gz\tn/a" for name in made]
    table.write_text("\n".join(["filename\tacq_time", *rows]) + "\n")
    auto.custom_callable(str(folder / f"sub-01_{suffix}"), ("nii.gz",), [])
    images = {path.read_text(): path.name for path in folder.glob("*.nii.gz")}
    assert images == {old: f"sub-01_{new}.nii.gz" for old, new in expected.items()}
    assert {path.stem for path in folder.glob("*.json")} == {
        f"sub-01_{n}" for n in expected.values()
    }
    assert table.read_text().splitlines()[1:] == [
        f"fmap/sub-01_{new}.nii.gz\tn/a" for new in expected.values()
    ]


def test_dcm2niix_is_asked_only_for_what_nothing_else_tells(
    auto: ModuleType,
    series: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find_programs_beside_python(monkeypatch)
    unknown = {"echoes_ms": (3.0,), "guess": "T1w"}
    assert _names(auto, series(1, "", **unknown)) == ["anat/T1w"]
    assert _names(auto, series(1, "", **unknown | {"guess": "localizer"})) == [""]
    told = SPIN | {"echoes_ms": (90.0,), "repetition_ms": 6000.0, "guess": "T1w"}
    assert _names(auto, series(1, "", **told)) == ["anat/T2w"]
    files = sessions.siemens_t1w(tmp_path)
    assert auto._guessed([str(tmp_path / "not there"), *map(str, files)]) == "T1w"
    assert auto._guessed([]) == ""


@pytest.mark.parametrize(("slices", "volumes"), [(6, 20), (96, 1), (12, 8)])
@pytest.mark.parametrize("planned", [True, False])
def test_volumes_are_counted_where_no_header_counts_slices(
    auto: ModuleType, tmp_path: Path, slices: int, volumes: int, planned: bool
) -> None:
    count = slices * volumes
    files = [tmp_path / f"{number:04d}" for number in range(count)]
    there = auto.sample_positions(count) if planned else range(count)
    for number in there:
        header = Dataset()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        header.SOPClassUID = MRImageStorage
        header.SOPInstanceUID = f"2.25.{number + 1}"
        header.ScanningSequence = "EP"
        header.ImagePositionPatient = [0, 0, 2.5 * (number % slices)]
        dcmwrite(files[number], header, enforce_file_format=True)
    first = dcmread(files[0])
    wrapper = SimpleNamespace(dcm_data=first, csa_header=None, image_shape=(64, 64))
    assert auto.read_facts(wrapper, list(map(str, files))).volumes == volumes


@pytest.mark.parametrize("count", [1, 2, 3, 9, 10, 544, 7355])
def test_a_plan_stages_what_the_heuristic_opens(auto: ModuleType, count: int) -> None:
    positions = auto.sample_positions(count)
    assert plan.sample_positions(count) == positions
    assert positions[0] == 0
    assert positions[-1] == count - 1
    assert len(set(positions)) == len(positions) <= 9


REAL = {
    "siemens-ve11-t1w-face": ["anat/T1w"],
    "siemens-ve11-epi-mosaic": [
        "fmap/dir-AP_epi",
        "fmap/dir-PA_epi",
        "fmap/dir-RL_epi",
        "fmap/dir-LR_epi",
    ],
    "siemens-ve11-dwi-head": ["anat/T1w", "dwi/dwi"],
    "siemens-ve11-fmap-gre": ["fmap/magnitude", "fmap/phasediff"],
    "siemens-ve11-pdt2-tse": ["anat/acq-dualecho_PDT2"],
    "siemens-xa10-enhanced-bold": ["func/task-rest_bold"],
    "siemens-xa60-interrupted-bold": ["func/task-rest_bold"],
    "siemens-phoenix-sr": [""],
    "ge-mr750-epi": ["func/task-unnamed_bold"],
    "ge-dv27-b0map": ["fmap/fieldmap"],
    "ge-hd16-t1-already-deidentified": ["anat/T1w"],
    "philips-dual-echo-bold": ["fmap/phase1"],
    "philips-r57-dwi-dicomdir": ["dwi/dwi"],
    "philips-r53-enhanced-fmap": ["fmap/fieldmap"],
}
MANY_FILES = {"philips-r57-dwi-dicomdir"}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in MANY_FILES else []) for name in REAL],
)
def test_real_scanners_series_are_named(
    auto: ModuleType, shared_data: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    staged = stage_plainly([shared_data(name)], tmp_path / "staged")
    request = Request(
        mode=Mode.PLAN,
        heuristic=resolve_heuristic("auto"),
        subject="01",
        acquisitions=join_series(staged.series, links=tmp_path / "joined"),
    )
    described, left_out = describe_series(request, auto, Asking(request))
    assert left_out == []
    assert _names(auto, *described) == REAL[name]
