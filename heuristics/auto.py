"""Name the series of any scanner's session by what their headers say, and then by their names.

Runs under ``bidsanon convert`` and under plain ``heudiconv -f auto.py --bids``. Each series is
judged by its image type, sequence, echo and inversion times, number of volumes and phase encoding;
what an operator typed decides only where the headers leave it open, and names tasks. Scouts, maps
that the scanner computed, copies and interrupted runs are left out, each with its reason
(:func:`why_skipped`). What neither headers nor names tell, dcm2niix is asked to guess.

Runs are numbered in the order of acquisition, and only where something was repeated.

The tables come first: what a lab may want to change stands in them. Below them, in this order:
what is read of the headers, what one series is, what the series of a session are to each other,
the names, and what heudiconv's own names leave wrong.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import pydicom
from heudiconv.utils import SeqInfo

Key = tuple[str, tuple[str, ...], None]

# --- tables: times, sizes and counts that decide ------------------------------------------------

FEWEST_SLICES = 4
"""An anatomical image with fewer is a scout."""
SHORT_EPI_VOLUMES = 5
"""An EPI with opposite polarity and no more volumes than this measures distortion."""
FUNCTIONAL_VOLUMES = 20
"""A spin-echo EPI with no fewer volumes than this is a functional run."""
DIFFUSION_B = 10.0
"""Above this, diffusion is weighted: Philips writes 0.001 for its unweighted volumes."""
LONG_INVERSION_MS = 1200.0
"""Fluid is suppressed from here on; a shorter inversion weights by T1."""
FLAIR_ECHO_MS = 60.0
T2_ECHO_MS = 60.0
T2_STAR_ECHO_MS = 12.0
PD_ECHO_MS = 40.0
PD_REPETITION_MS = 1800.0
MANY_ECHOES = 3
FIELD_MAP_ECHOES = 2
FIELD_MAP_ECHO_SPACING_MS = 5.0
INTERRUPTED = 0.5
"""A run with a smaller share of its repeat's volumes was interrupted, where no header says how
many were planned."""
INCOMPLETE = 0.9
"""The same for the images of an anatomical series, whose number is no choice."""
ANOTHER_ORIENTATION = 0.1
"""A direction cosine that differs by more belongs to another orientation."""
LONGEST_TASK = 30
FRAME_SAMPLES = 64
POSITIONS_READ = 400
GUESS_TIMEOUT_S = 20.0

# --- tables: what is left out -------------------------------------------------------------------

COMPUTED = {
    "ADC": "a map of the diffusion coefficient",
    "ADC_UNSPECIFIED": "a map of the diffusion coefficient",
    "B0_MAP": "a map",
    "B1 MAP": "a map of the transmitted field",
    "CBF": "a map of the blood flow",
    "COLFA": "a coloured map of the anisotropy",
    "EADC": "a map of the attenuation by diffusion",
    "EXP": "a map of the attenuation by diffusion",
    "FA": "a map of the anisotropy",
    "FAT": "the fat of a Dixon image",
    "FLIP ANGLE MAP": "a map of the transmitted field",
    "ISOTROPIC": "a diffusion trace",
    "MEAN": "a mean",
    "MEAN MAP": "a map",
    "MEAN_DIFFUSION": "a mean",
    "MINIP": "a projection",
    "MIN IP": "a projection",
    "MIP": "a projection",
    "MNIP": "a projection",
    "MPR": "a reformatted copy",
    "MTT": "a map of the blood flow",
    "PERFUSION_ASL": "a map of the blood flow",
    "PROJECTION IMAGE": "a projection",
    "R2 MAP": "a map of R2",
    "R2_STAR MAP": "a map of R2*",
    "RCBF": "a map of the blood flow",
    "RCBV": "a map of the blood volume",
    "RELCBF": "a map of the blood flow",
    "REFORMATTED": "a reformatted copy",
    "RESAMPLED": "a reformatted copy",
    "SUBTRACTION": "a difference",
    "SWI": "a susceptibility-weighted image",
    "T1 MAP": "a map of T1",
    "T2 MAP": "a map of T2",
    "T2_STAR MAP": "a map of T2*",
    "T2STAR MAP": "a map of T2*",
    "TENSOR": "a tensor",
    "TENSOR_B0": "a mean",
    "TRACE": "a diffusion trace",
    "TRACEW": "a diffusion trace",
    "TTP": "a map of the blood flow",
    "T-MAP": "a map of the activation",
    "T_MAP": "a map of the activation",
    "WATER": "the water of a Dixon image",
}
"""Words of an image type that mean that the scanner computed the image."""


def word(text: str) -> str:
    """Return a pattern of words that no other letters touch; digits and marks may."""
    return rf"(?<![a-z])({text})(?![a-z])"


def any_of(*patterns: str) -> re.Pattern[str]:
    """Return a pattern that finds any of these."""
    return re.compile("|".join(patterns))


COMPUTED_BY_NAME = (
    (
        any_of("relcbf", word("cbf"), "cerebral.?blood.?flow", "perfusion.?weighted"),
        "a map of the blood flow",
    ),
    (any_of(word("eadc"), "exponential.?app"), "a map of the attenuation by diffusion"),
    (
        any_of(word("d?adc"), "apparent.?diffusion", "average.?dc"),
        "a map of the diffusion coefficient",
    ),
    (any_of(word("col(ou?r)?_?fa")), "a coloured map of the anisotropy"),
    (any_of(word("fa"), "fractional.?aniso"), "a map of the anisotropy"),
    (any_of("tracew", word("trace"), r"(?<![a-z])sdwi", "isotropic.?image"), "a diffusion trace"),
    (
        any_of(word("m(in)?ips?|mini?ips?|max.?ips?"), "(?<![a-z])(pjn|col)(?=:)", "projection"),
        "a projection",
    ),
    (
        any_of(
            "mpr.?(sag|cor|tra|range)",
            r"(?<![a-z])(sag|cor|ax|tra)\w*.?(mpr(?!age)|rfmt)",
            "reformat",
            "(?<![a-z])rfmt",
        ),
        "a reformatted copy",
    ),
    (any_of("swi.?images", word("swip")), "a susceptibility-weighted image"),
    (any_of(r"(t1|t2\*?|r2\*?).?(map|images)(?![a-z])"), "a map of relaxation times"),
    (any_of("(?<![a-z])uni.?den"), "a copy with its noise suppressed"),
    (
        any_of("evaseries", "design", word("glm"), "start.?fmri", "mean_?&_?t"),
        "a map of the activation",
    ),
)
"""What a series is called that the scanner computed, for image types that do not say so."""

KEPT_MAPS: dict[str, str] = {}
"""Which of these are named all the same where they are of diffusion, and by which suffix:
``auto_maps.py`` fills it."""

SCOUT = any_of(
    "scout",
    "locali[sz]",
    word("loc"),
    "3.?(plane|pl)(?![a-z])",
    "survey",
    "smartbrain",
    "smart.?plan",
    "plan.?scan",
    word("setter"),
    "auto.?align",
    "(?<![a-z])aahead",
)
CALIBRATION = any_of(
    word(r"cal(ib\w*)?"),
    "asset.?cal",
    "(?<![a-z])ref.?scan",
    "coil.?(sens|survey)",
    "sense.?ref",
    "(?<![a-z])bias_",
    "b1.?(map|calib)",
    "tfl_b1",
    "shim.?(map|vol)",
    "(?<![a-z])prescan",
    "noise.?scan",
)
NO_IMAGES = any_of(
    "phoenix",
    "patient.?protocol",
    "physio.?log",
    "screen.?(save|shot|cap)",
    "exam.?card",
    word("report"),
    "dose.?info",
    "key.?images",
    "(processed|save).?images",
)
BALANCED = any_of(
    "ciss", "fiesta", "trufi", "ci3d", "tfi[23]d", "b.?ssfp", "(?<![a-z])bffe", "b_ffe", "balanced"
)
MAGNETIZATION_TRANSFER = any_of(word("mt|mtr|mtc|mtoff|mton|mt.?sat"))

# --- tables: what series are called -------------------------------------------------------------

FIELD_MAP = any_of(
    "field.?map",
    "fmap",
    "gre.?field",
    "(?<![a-z])b0.?(map|field)",
    "b.?zero.?map",
    "field.?mag",
    r"(?<![a-z])(wip )?b0(?! ?(ref|rev|ap|pa|=)|\d)(?![a-z])",
)
EPI_FIELD_MAP = any_of(
    "field.?map",
    "fmap",
    "distor",
    "top.?up",
    "pe.?polar",
    "blip",
    "spin.?echo.?field",
    word("sefm?"),
    "se.?epi.?(ap|pa|rl|lr)",
    "rev(erse)?d?.?(pe|phase|pol|b0)",
    word("fm.?(ap|pa)"),
)
NAMES_ITS_POLARITY = any_of(word("pe[-_ =]?(ap|pa|rl|lr)"))
DIFFUSION = any_of("dwi", "dti", "diff(?!ic|eren)", "dmri", "hardi", "noddi", word("dki|dsi"))
LABELLING = any_of(word("e?p?c?asl"), "mbpcasl", "spin.?label", "p?casl", "pasl", "3dasl")
BOLUS = any_of(word("perf|dsc|pwi|dsc.?mri"), "perfusion")
REFERENCE = any_of("sb.?ref", "single.?band.?ref")
EQUILIBRIUM = any_of("(?<![a-z])m0(?![0-9])", "(?<![a-z])calib")
ANGIOGRAPHY = any_of(word("mra|cemra|inhance|q.?flow"), "angio", "(?<![a-z])tof")
IN_PLANE = any_of("in.?plane", "co.?planar", "matched.?b(w|and)", word("mbw"))
DIRECTION = any_of(word("ap|pa|lr|rl|is|si|hf|fh"))
ONE_LETTER = any_of("field.?map[-_ ]([aplr])(?![a-z])")
"""Philips' protocols of ABCD name a polarity by where fat is shifted to."""
ORIGINAL_COPY = any_of(word("orig"))
DELAYED_COPY = any_of("delrec")
ROOT_MEAN_SQUARE = any_of(word("rms"))

RESTING = any_of(
    "rest(?!or|art|ri)",
    "rs.?f?mri",
    "rs.?fc",
    "rs.?bold",
    "fcmri",
    "eyes?.?(open|closed)",
    "(?<![a-z])fixation",
)
UNNAMED_TASK = "unnamed"
"""The task of a functional run of which nobody says what it is: not rest, for all anybody knows."""
NO_TASK_WORDS = """
a acc accelerated acq adv advanced align aligned ap asc asset av avg ax axial bas basic bio bold
brain ch chan channel chn coil cor coronal cs d deg delrec dir dualecho dyn dynamic e echo echoes
echos ep epi epib epirt fa fast fe feepi ffe fh fid fmri fov fs full func functional g ge grappa
gre h head hf high hires hr i inf interleaved ipat is iso isotropic k long low lr m mag magnitude
matched mb mbep me meas min mins mm moco mosaic mri ms multi multiband multiecho nav new no norm o
obl oblique of off on p pa para part pat pe pf pha phase post pre psn r rep res rl run runs s sag
sagittal scan sec sense seq series ses session si single sl slc slice slices sms ss std sup t task
te test tests tfmr tfmri the to tr tra trans transversal transverse u ub upright v vol vols volume
volumes vox voxel w wip with without x y z
abcd adni cbu cmrr hcp mgh nih nki prisma siemens skyra trio
"""
"""Words of technique, of studies and of scanners, which name no task."""
NO_TASK = frozenset(NO_TASK_WORDS.split())

BY_NAME = (
    (any_of("flair", "dark.?fluid"), "FLAIR"),
    (any_of(r"t2.?\*", "t2.?star", "(?<![a-z])swi", "swan", "ven.?bold"), "T2starw"),
    (any_of("t1", "mp.?rage", "bravo", "spgr", "tfe", "(?<![a-z])flash", "vibe"), "T1w"),
    (any_of("t2", "space", "cube", "vista"), "T2w"),
    (any_of(word("pd"), "pdw", "proton"), "PDw"),
)
"""The contrast by the name of a series, where the header says nothing that tells."""
GUESSED = frozenset({"T1w", "T2w", "FLAIR", "PDw", "T2starw", "angio", "inplaneT2"})
"""The contrasts for which a guess of dcm2niix is taken."""

# --- tables: where headers keep what is asked ---------------------------------------------------

MACRO_OF = {
    "ComplexImageComponent": "MRImageFrameTypeSequence",
    "DiffusionBValue": "MRDiffusionSequence",
    "EffectiveEchoTime": "MREchoSequence",
    "FrameType": "MRImageFrameTypeSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "ImagePositionPatient": "PlanePositionSequence",
    "InPlanePhaseEncodingDirection": "MRFOVGeometrySequence",
    "InversionTimes": "MRModifierSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "RepetitionTime": "MRTimingAndRelatedParametersSequence",
    "SliceThickness": "PixelMeasuresSequence",
}
"""Where an enhanced object keeps what a classic one says at its top level."""

SEQUENCE = 0x0019109C  # Siemens and GE alike
SIEMENS_B_VALUE = 0x0019100C
SIEMENS_PROTOCOL = 0x00291020
GE_INTERNAL_SEQUENCE = 0x0019109E
GE_LOCATIONS = 0x0021104F
GE_COMPONENT = 0x0043102F
GE_B_VALUE = 0x00431039
PHILIPS_SEQUENCE = 0x20011020
PHILIPS_EPI_FACTOR = 0x20011013
PHILIPS_SLICES = 0x20011018
XA_FRAME = 0x002111FE
XA_POLARITY = 0x0021111C

COMPONENT_WORDS = {
    "M": "M",
    "MAGNITUDE": "M",
    "P": "P",
    "PHASE": "P",
    "R": "R",
    "REAL": "R",
    "I": "I",
    "IMAGINARY": "I",
    "FIELD_MAP": "HZ",
    "B0 MAP": "HZ",
}
GE_COMPONENTS = {0: "M", 1: "P", 2: "R", 3: "I"}
COSINES = 6
EPI_SEQUENCE = re.compile(r"\*?(ep2d|epfid|epse|ep_b|mbep|epi)|fe.?epi|se.?epi|dwise")
SPIN_ECHO_SEQUENCE = re.compile(r"epse|tse|spc|tir|\bse\b|fse|cube|\bvista|dwise|seepi|(?<!h)haste")
GRADIENT_ECHO_SEQUENCE = re.compile(
    r"epfid|\*?(fl|tfl|fm|swi|fi)[23]d|ffe|tfe|spgr|gre|mprage|bravo|feepi"
)
READY_T1_SEQUENCE = re.compile(r"tfl3d|mprage|bravo|t1tfe|irtfe")
FIELD_MAP_SEQUENCE = re.compile(r"\*?fm[23]d")

# --- what the headers say -----------------------------------------------------------------------


class Facts(NamedTuple):
    """What a few files of a series say: the first, the last, and some between.

    Times are in milliseconds; -1 and empty texts stand for what is not said.
    """

    modality: str
    image_type: tuple[str, ...]
    components: tuple[str, ...]
    """Which of M, P, R, I and HZ the images are."""
    sequence: str
    words: str
    epi: bool
    spin_echo: bool
    gradient_echo: bool
    inversion_ms: float
    echoes_ms: tuple[float, ...]
    repetition_ms: float
    three_dimensional: bool
    images: int
    volumes: int
    planned: int
    """How many volumes the protocol asks for; -1 where nothing says so."""
    diffusion_b: float
    labelling: bool
    angiography: bool
    transfer: bool
    """Whether magnetization is transferred before the excitation."""
    contrast_agent: bool
    orientations: int
    plane: str
    direction: str
    geometry: tuple[Any, ...]
    tracer: str = ""
    reconstruction: str = ""
    guess: str = ""
    """What dcm2niix takes it for; asked only where nothing else tells."""


def custom_seqinfo(wrapper: Any, series_files: list[str], **_: Any) -> Facts:
    """Read what this heuristic needs beyond heudiconv's own description of a series."""
    facts = read_facts(wrapper, series_files)
    if judge(facts).reason != UNTOLD:
        return facts
    return facts._replace(guess=_guessed(series_files[len(series_files) // 2 :]))


def read_facts(wrapper: Any, series_files: list[str]) -> Facts:
    """Read a few headers of a series."""
    first = wrapper.dcm_data
    headers = [first, *(_header(file) for file in _sample(series_files)[1:])]
    frames = int(first.get("NumberOfFrames") or 1)
    sequence = _sequence(first)
    epi = _is_epi(first, sequence)
    cosines = [_rounded(v) for h in headers for v in _values(h, "ImageOrientationPatient")]
    image_type = _image_type(headers)
    return Facts(
        modality=str(first.get("Modality", "")),
        image_type=image_type,
        components=_components(headers, image_type),
        sequence=sequence,
        words=_names(first),
        epi=epi,
        spin_echo=_is_spin_echo(first, sequence),
        gradient_echo=_is_gradient_echo(first, sequence),
        inversion_ms=_inversion(first),
        echoes_ms=_echo_times(headers),
        repetition_ms=next(_numbers(first, "RepetitionTime"), -1.0),
        three_dimensional=first.get("MRAcquisitionType") == "3D",
        images=len(series_files) * frames,
        volumes=_volumes(wrapper, series_files, image_type) if epi else 1,
        planned=_planned(first) if epi else -1,
        diffusion_b=max((b for h in headers for b in _b_values(h)), default=-1.0),
        labelling="ArterialSpinLabelingContrast" in first,
        angiography=first.get("AngioFlag") == "Y",
        transfer=_transfers(first),
        contrast_agent=bool(str(first.get("ContrastBolusAgent") or "").strip()),
        orientations=_count_apart(cosines),
        plane=_plane(first),
        direction=_direction(wrapper),
        geometry=(
            first.get("Rows"),
            first.get("Columns"),
            *(_rounded(v) for v in _values(first, "PixelSpacing", limit=1)),
            *(_rounded(v) for v in _values(first, "SliceThickness", limit=1)),
        ),
        tracer=_tracer(first),
        reconstruction=_reconstruction(first),
    )


def _tracer(header: pydicom.Dataset) -> str:
    """Name a PET tracer as a label can."""
    doses = header.get("RadiopharmaceuticalInformationSequence") or []
    names = [str(dose.get("Radiopharmaceutical") or "") for dose in doses]
    return re.sub(r"[^A-Za-z0-9]", "", names[0]) if names else ""


def _reconstruction(header: pydicom.Dataset) -> str:
    """Say what BIDS calls a PET reconstruction: attenuation corrected or not, dynamic or static."""
    if header.get("Modality") != "PT":
        return ""
    corrected = "ATTN" in _words_of(header.get("CorrectedImage"))
    dynamic = "DYNAMIC" in _words_of(header.get("SeriesType"))
    return ("ac" if corrected else "nac") + ("dyn" if dynamic else "stat")


def _sample(files: Sequence[str]) -> list[str]:
    """Pick the files to open; one that is not there is passed over."""
    chosen = [files[position] for position in sample_positions(len(files))]
    return [files[0], *(file for file in chosen[1:] if Path(file).exists())]


def sample_positions(count: int) -> tuple[int, ...]:
    """Say which of a series' files to open, so that each of its kinds is likely to be among them.

    The first four differ where echoes, parts or gradients follow each other slice by slice; those
    at odd eighths where they follow each other volume by volume.
    """
    spread = {0, 1, 2, 3, count // 8, 3 * count // 8, 5 * count // 8, 7 * count // 8, count - 1}
    return tuple(sorted(position for position in spread if 0 <= position < count))


def _names(header: pydicom.Dataset) -> str:
    """Join what the series is called; a GE protocol's name is that of the whole examination."""
    names = [str(header.get("SeriesDescription") or ""), str(header.get("ProtocolName") or "")]
    if names[0] and str(header.get("Manufacturer", "")).upper().startswith("GE"):
        names = names[:1]
    return " ".join(dict.fromkeys(name.lower() for name in names if name))


def _header(file: str) -> pydicom.Dataset:
    return pydicom.dcmread(file, stop_before_pixels=True, force=True)


def _values(header: pydicom.Dataset, keyword: str, *, limit: int = FRAME_SAMPLES) -> Iterator[Any]:
    """Give an attribute's value, from the frames of an enhanced object if it has several."""
    value = header.get(keyword)
    if value not in (None, ""):
        yield value
        return
    shared = header.get("SharedFunctionalGroupsSequence") or []
    frames = header.get("PerFrameFunctionalGroupsSequence") or []
    step = max(1, len(frames) // limit)
    for group in [*shared, *frames[::step]]:
        for macro in group.get(MACRO_OF.get(keyword, "")) or []:
            value = macro.get(keyword)
            if value not in (None, ""):
                yield value


def _numbers(header: pydicom.Dataset, keyword: str) -> Iterator[float]:
    for value in _values(header, keyword):
        for number in value if _is_several(value) else [value]:
            with contextlib.suppress(TypeError, ValueError):
                yield float(number)


def _is_several(value: object) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes)


def _words_of(value: object) -> tuple[str, ...]:
    """Give an element's values as texts, of a private element of unknown kind too."""
    if isinstance(value, pydicom.DataElement):
        value = value.value
    if isinstance(value, bytes):
        return (value.rstrip(b"\0 ").decode("latin-1"),)
    if value is None:
        return ()
    return tuple(map(str, value)) if _is_several(value) else (str(value),)


def _private(header: pydicom.Dataset, tag: int) -> str:
    return " ".join(_words_of(header.get(tag)))


def _private_number(header: pydicom.Dataset, tag: int) -> float | None:
    value = header.get(tag)
    value = value.value if isinstance(value, pydicom.DataElement) else value
    if isinstance(value, bytes) and len(value) in {2, 4}:
        return float(int.from_bytes(value, "little"))
    words = _words_of(value)
    try:
        return float(words[0]) if words else None
    except ValueError:
        return None


def _sequence(header: pydicom.Dataset) -> str:
    names = [
        str(header.get("SequenceName") or ""),
        str(header.get("PulseSequenceName") or ""),
        *(_private(header, tag) for tag in (SEQUENCE, GE_INTERNAL_SEQUENCE, PHILIPS_SEQUENCE)),
    ]
    return " ".join(name for name in names if name).lower()


def _image_type(headers: Iterable[pydicom.Dataset]) -> tuple[str, ...]:
    """Join the image types of the files and of their frames, each word once."""
    words: dict[str, None] = {}
    for header in headers:
        types = [header.get("ImageType"), *_frame_values(header, "FrameType")]
        for image_type in types:
            words.update(dict.fromkeys(word.upper() for word in _words_of(image_type)))
    return tuple(words)


def _frame_values(header: pydicom.Dataset, keyword: str) -> Iterator[Any]:
    return _values(header, keyword) if keyword not in header else iter(())


def _components(headers: Sequence[pydicom.Dataset], image_type: Sequence[str]) -> tuple[str, ...]:
    found = {COMPONENT_WORDS[word] for word in image_type if word in COMPONENT_WORDS}
    for header in headers:
        number = _private_number(header, GE_COMPONENT)
        if number is not None and number in GE_COMPONENTS:
            found.add(GE_COMPONENTS[int(number)])
    return tuple(sorted(found))


def _is_epi(header: pydicom.Dataset, sequence: str) -> bool:
    """Tell an EPI; in three dimensions a Philips gradient echo has a factor too."""
    factor = _private_number(header, PHILIPS_EPI_FACTOR) or 1
    return (
        "EP" in _words_of(header.get("ScanningSequence"))
        or header.get("EchoPlanarPulseSequence") == "YES"
        or "EPI_GEMS" in _words_of(header.get("ScanOptions"))
        or (factor > 1 and header.get("MRAcquisitionType") != "3D")
        or EPI_SEQUENCE.search(sequence) is not None
    )


def _transfers(header: pydicom.Dataset) -> bool:
    variants = (*_words_of(header.get("SequenceVariant")), *_words_of(header.get("ScanOptions")))
    return bool({"MTC", "MT", "MT_GEMS"}.intersection(variants)) or header.get(
        "MagnetizationTransfer"
    ) not in {None, "", "NONE"}


def _planned(header: pydicom.Dataset) -> int:
    """Say how many volumes were to be acquired."""
    positions = int(next(_numbers(header, "NumberOfTemporalPositions"), 0))
    if positions > 1:
        return positions
    protocol = header.get(SIEMENS_PROTOCOL)
    text = protocol.value if isinstance(protocol, pydicom.DataElement) else b""
    found = re.search(rb"\nlRepetitions\s*=\s*(\d+)", text) if isinstance(text, bytes) else None
    return int(found[1]) + 1 if found else -1


def _guessed(files: Sequence[str]) -> str:
    """Ask dcm2niix what it takes one file for: the suffix that it would give it."""
    program = shutil.which("dcm2niix")
    file = next((file for file in files if Path(file).exists()), None)
    if program is None or file is None:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "-b", "o", "-ba", "y", "-s", "y", "-f", "guess", "-o", folder, file]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # a program of the path, and no shell
                command, capture_output=True, check=False, timeout=GUESS_TIMEOUT_S
            )
        for sidecar in sorted(Path(folder).glob("*.json")):
            with contextlib.suppress(OSError, ValueError):
                guess = json.loads(sidecar.read_text()).get("BidsGuess") or [""]
                return str(guess[-1]).rpartition("_")[2]
    return ""


def _is_spin_echo(header: pydicom.Dataset, sequence: str) -> bool:
    scanning = _words_of(header.get("ScanningSequence"))
    return (
        ("SE" in scanning and "GR" not in scanning)
        or header.get("EchoPulseSequence") == "SPIN"
        or SPIN_ECHO_SEQUENCE.search(sequence) is not None
    )


def _is_gradient_echo(header: pydicom.Dataset, sequence: str) -> bool:
    return (
        "GR" in _words_of(header.get("ScanningSequence"))
        or header.get("EchoPulseSequence") == "GRADIENT"
        or GRADIENT_ECHO_SEQUENCE.search(sequence) is not None
    )


def _inversion(header: pydicom.Dataset) -> float:
    times = [*_numbers(header, "InversionTime"), *_numbers(header, "InversionTimes")]
    return max((time for time in times if time > 0), default=-1.0)


def _echo_times(headers: Iterable[pydicom.Dataset]) -> tuple[float, ...]:
    times = {
        round(time, 2)
        for header in headers
        for keyword in ("EchoTime", "EffectiveEchoTime")
        for time in _numbers(header, keyword)
        if time > 0
    }
    return tuple(sorted(times))


def _b_values(header: pydicom.Dataset) -> Iterator[float]:
    yield from _numbers(header, "DiffusionBValue")
    siemens = _private_number(header, SIEMENS_B_VALUE)
    if siemens is not None and "SIEMENS" in str(header.get("Manufacturer", "")).upper():
        yield siemens
    general_electric = _private_number(header, GE_B_VALUE)
    if general_electric is not None:
        yield general_electric % 1e6  # newer software adds a large constant


def _volumes(wrapper: Any, files: Sequence[str], image_type: Sequence[str]) -> int:
    """Count the volumes of an EPI without opening all of its files."""
    header = wrapper.dcm_data
    if "MOSAIC" in image_type:
        return len(files)
    if "NumberOfFrames" in header:
        shape: tuple[int, ...] = wrapper.image_shape or ()
        return len(files) * (shape[3] if len(shape) > 3 else 1)  # noqa: PLR2004  # the fourth axis
    for slices in (_private_number(header, t) for t in (GE_LOCATIONS, PHILIPS_SLICES)):
        if slices:
            return max(1, round(len(files) / slices))
    positions = int(next(_numbers(header, "NumberOfTemporalPositions"), 0))
    return positions if positions > 1 else _volumes_by_position(files)


def _volumes_by_position(files: Sequence[str]) -> int:
    """Read positions until one comes again: a volume is whole, or a slice is repeated."""
    seen: list[tuple[float, ...]] = []
    for file in files[:POSITIONS_READ]:
        if not Path(file).exists():
            return _volumes_by_extent(files)
        position = next(_values(_header(file), "ImagePositionPatient"), None)
        if position is None:
            break
        here = _rounded(position)
        if here in seen:
            return _volumes_of_repeats(seen, here, len(files))
        seen.append(here)
    return 1


def _volumes_by_extent(files: Sequence[str]) -> int:
    """Estimate the volumes by where the few files lie that are there when a session is planned."""
    found = (_header(file) for file in _sample(files))
    places = [_rounded(next(_values(h, "ImagePositionPatient"), None)) for h in found]
    away = [math.dist(place, places[0]) for place in places if len(place) == len(places[0])]
    step = next((distance for distance in away if distance > 0), 0.0)
    slices = round(max(away, default=0.0) / step) + 1 if step else 1
    return max(1, len(files) // slices)


def _volumes_of_repeats(
    seen: Sequence[tuple[float, ...]], here: tuple[float, ...], count: int
) -> int:
    slice_by_slice = here == seen[-1] and len(seen) == 1
    return count if slice_by_slice else max(1, count // len(seen))


def _rounded(vector: Any) -> tuple[float, ...]:
    """Round a number or several; what is no number is passed over."""
    numbers = []
    for x in vector if _is_several(vector) else [vector]:
        with contextlib.suppress(TypeError, ValueError):
            numbers.append(round(float(x), 2))
    return tuple(numbers)


def _count_apart(vectors: Iterable[Sequence[float]]) -> int:
    """Count the orientations that differ by more than how numbers were written."""
    apart: list[Sequence[float]] = []
    for vector in vectors:
        if all(
            any(abs(a - b) > ANOTHER_ORIENTATION for a, b in zip(vector, other, strict=False))
            for other in apart
        ):
            apart.append(vector)
    return len(apart)


def _axes(header: pydicom.Dataset) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Give the directions in which columns and rows are counted, or None."""
    cosines = _rounded(next(_values(header, "ImageOrientationPatient", limit=1), None))
    return (cosines[:3], cosines[3:]) if len(cosines) == COSINES else None


def _plane(header: pydicom.Dataset) -> str:
    axes = _axes(header)
    if axes is None:
        return ""
    (a, b, c), (d, e, f) = axes
    normal = (abs(b * f - c * e), abs(c * d - a * f), abs(a * e - b * d))
    return ("sag", "cor", "tra")[normal.index(max(normal))]


def _direction(wrapper: Any) -> str:
    """Say which way the phase was encoded ("AP"), or along which axis ("AP?"), or nothing.

    Patient coordinates run from right to left, from anterior to posterior, from inferior to
    superior. Siemens alone says the polarity in a form that needs no dcm2niix.
    """
    header = wrapper.dcm_data
    axes = _axes(header)
    along = next(_values(header, "InPlanePhaseEncodingDirection", limit=1), "")
    if axes is None or not along:
        return ""
    vector = axes[0] if str(along).startswith("ROW") else axes[1]
    largest = max(range(3), key=lambda i: abs(vector[i]))
    label = ("RL", "AP", "IS")[largest]
    positive = _polarity(wrapper)
    if positive is None:
        return f"{label}?"
    return label if positive == (vector[largest] > 0) else label[::-1]


def _polarity(wrapper: Any) -> bool | None:
    csa = getattr(wrapper, "csa_header", None)
    items = csa["tags"].get("PhaseEncodingDirectionPositive", {}).get("items") if csa else None
    if items and _rounded(items[0]):
        return bool(_rounded(items[0])[0])
    for frame in (wrapper.dcm_data.get("PerFrameFunctionalGroupsSequence") or [])[:1]:
        for macro in frame[XA_FRAME].value if XA_FRAME in frame else []:
            number = _private_number(macro, XA_POLARITY)
            if number is not None:
                return bool(number)
    return None


# --- what a series is ---------------------------------------------------------------------------


class Kind(NamedTuple):
    """What a series is to be called, or why it is left out."""

    datatype: str = ""
    suffix: str = ""
    task: str = ""
    label: str = ""
    """What tells this kind of image apart by an ``acq-`` entity where it must be."""
    direction: str = ""
    inversion: str = ""
    tracer: str = ""
    reconstruction: str = ""
    """What was corrected in a PET image: the label of ``rec-`` where it must be told apart."""
    contrast: str = ""
    """What tells apart that a contrast agent was given: the label of ``ce-``."""
    reason: str = ""


UNTOLD = "its contrast cannot be told from its header or its name"


def _facts(info: SeqInfo) -> Facts:
    if not isinstance(info.custom, Facts):
        raise TypeError("heudiconv did not call custom_seqinfo: this heuristic needs 1.0 or newer")
    return info.custom


def classify(info: SeqInfo) -> Kind:
    """Say what one series is, by itself."""
    return judge(_facts(info))


def judge(facts: Facts) -> Kind:
    """Say what a series with these headers is."""
    judges: tuple[Callable[[Facts], Kind | None], ...] = (
        _other_modality,
        _left_out,
        _mp2rage,
        _computed,
        _labelled,
        _diffusion,
        _functional,
        _field_map,
        _anatomy,
    )
    kinds = (judge(facts) for judge in judges)
    return next((kind for kind in kinds if kind is not None), Kind(reason=UNTOLD))


def _other_modality(facts: Facts) -> Kind | None:
    if facts.modality == "PT":
        return _emission(facts)
    if facts.modality == "CT":
        return Kind(reason="BIDS has no place for computed tomography")
    if facts.modality != "MR":
        return Kind(reason=f"this heuristic names MR and PET, not {facts.modality or 'unknown'}")
    return None


def _emission(facts: Facts) -> Kind:
    if SCOUT.search(facts.words) or "PROJECTION IMAGE" in facts.image_type:
        return Kind(reason="a scout or a projection")
    return Kind("pet", "pet", tracer=facts.tracer, reconstruction=facts.reconstruction)


def _left_out(facts: Facts) -> Kind | None:
    if NO_IMAGES.search(facts.words):
        return Kind(reason="a report, not an image")
    if facts.epi and facts.volumes > SHORT_EPI_VOLUMES:
        return None  # a run may be a task that localises something
    if SCOUT.search(facts.words):
        return Kind(reason="a scout: its name says so")
    if CALIBRATION.search(facts.words) and not LABELLING.search(facts.words):
        return Kind(reason="a calibration of the scanner: its name says so")
    if facts.orientations > 1 and not facts.epi:
        return Kind(reason="a scout: its slices lie in several orientations")
    return None


def _mp2rage(facts: Facts) -> Kind | None:
    """Name the inversions and the uniform image; the map of T1 is computed."""
    named = "mp2rage" in facts.words
    parts = set(re.split(r"[\W_]+", facts.words))
    if not named and "UNI" not in facts.image_type:
        return None
    if re.search(r"uni[-_ ]?den|denois", facts.words):
        return Kind(reason="computed by the scanner: a copy with its noise suppressed")
    if "UNI" in facts.image_type or "uni" in parts:
        return Kind("anat", "UNIT1")
    inversion = re.search(r"inv[-_ ]?([12])", facts.words)
    if inversion and facts.components in {("M",), ("P",)}:
        return Kind("anat", "MP2RAGE", inversion=inversion[1])
    return None


def _computed(facts: Facts) -> Kind | None:
    mean_of_echoes = facts.inversion_ms > 0 and ROOT_MEAN_SQUARE.search(facts.words)
    for word in facts.image_type:
        if word in COMPUTED and not (word == "MEAN" and mean_of_echoes):
            return _map(facts, COMPUTED[word])
    if "MOCO" in facts.image_type or "mocoseries" in facts.words:
        return Kind(reason="a motion-corrected copy")
    if not _is_run(facts):
        for pattern, what in COMPUTED_BY_NAME:
            if pattern.search(facts.words):
                return _map(facts, what)
    if mean_of_echoes or "DIFFUSION" in facts.image_type:
        return None
    if "SECONDARY" in facts.image_type or "DERIVED" in facts.image_type:
        return Kind(reason="derived from other images")
    return None


def _map(facts: Facts, what: str) -> Kind:
    """Leave out what the scanner computed, unless it is of diffusion and asked for."""
    if what in KEPT_MAPS and _of_diffusion(facts):
        return Kind("dwi", KEPT_MAPS[what], direction=_direction_of(facts))
    return Kind(reason=f"computed by the scanner: {what}")


def _of_diffusion(facts: Facts) -> bool:
    named = DIFFUSION.search(f"{facts.words} {facts.sequence}") is not None
    return named or "DIFFUSION" in facts.image_type or facts.diffusion_b >= 0


def _is_run(facts: Facts) -> bool:
    """Tell an original series of many volumes, which no scanner computes."""
    return facts.epi and "ORIGINAL" in facts.image_type and facts.volumes > SHORT_EPI_VOLUMES


def _labelled(facts: Facts) -> Kind | None:
    if not facts.labelling and not LABELLING.search(f"{facts.words} {facts.sequence}"):
        return None
    if EQUILIBRIUM.search(facts.words):
        return Kind("perf", "m0scan")
    if REFERENCE.search(facts.words):
        return Kind(reason="the single-band reference of a labelled run: BIDS has no place for it")
    return Kind("perf", "asl", direction=_direction_of(facts))


def _diffusion(facts: Facts) -> Kind | None:
    """Tell diffusion-weighted images from the unweighted ones that measure their distortion."""
    words = f"{facts.words} {facts.sequence}"
    weighted = facts.diffusion_b > DIFFUSION_B
    named = DIFFUSION.search(words) is not None or "DIFFUSION" in facts.image_type
    readout = facts.epi or "DIFFUSION" in facts.image_type
    if not readout or not (weighted or (named and not _only_gradient_echo(facts))):
        return None
    direction = _direction_of(facts)
    if REFERENCE.search(facts.words):
        return Kind("dwi", "sbref", direction=direction)
    unsaid = facts.diffusion_b < 0 and facts.volumes > SHORT_EPI_VOLUMES
    if weighted or unsaid:
        strength = f"b{round(facts.diffusion_b, -1):.0f}" if weighted else ""
        return Kind("dwi", "dwi", direction=direction, label=strength)
    return Kind("fmap", "epi", direction=direction, label="dwi")


def _only_gradient_echo(facts: Facts) -> bool:
    return facts.gradient_echo and not facts.spin_echo


def _functional(facts: Facts) -> Kind | None:
    if not facts.epi:
        return None
    if BOLUS.search(facts.words):
        return Kind(reason="the passage of a contrast agent: BIDS has no place for it")
    reference = REFERENCE.search(facts.words) is not None
    short = facts.volumes < FUNCTIONAL_VOLUMES
    if facts.three_dimensional and short and not reference and _contrast_by_name(facts.words):
        return None  # a segmented EPI of the anatomy
    if short and IN_PLANE.search(facts.words):
        return Kind("anat", "inplaneT2", label=f"{facts.plane}epi")
    spin_echo = facts.spin_echo and not facts.gradient_echo
    if EPI_FIELD_MAP.search(facts.words) or (spin_echo and short):
        return _epi_field_map(facts, reference=reference)
    suffix = "sbref" if reference else "bold"
    return Kind("func", suffix, task=_task(facts.words), direction=_direction_of(facts))


def _epi_field_map(facts: Facts, *, reference: bool) -> Kind:
    if reference:
        return Kind(reason="the single-band reference of a field map")
    return Kind("fmap", "epi", direction=_direction_of(facts))


def _direction_of(facts: Facts) -> str:
    """Take the direction from the header, or from the name where only the axis is known."""
    if facts.direction and not facts.direction.endswith("?"):
        return facts.direction
    said = DIRECTION.search(facts.words) or ONE_LETTER.search(facts.words)
    return said[1].upper() if said else ""


def _task(words: str) -> str:
    """Take the task from what the series is called."""
    said = re.search(r"task[-_ ]?([a-z0-9]+)", words)
    if said and said[1] not in NO_TASK:
        return said[1]
    if RESTING.search(words):
        return "rest"
    tokens = re.findall(r"[a-z]+", REFERENCE.sub(" ", words))
    named = [token for token in tokens if len(token) > 1 and token not in NO_TASK]
    return "".join(dict.fromkeys(named))[:LONGEST_TASK] or UNNAMED_TASK


def _field_map(facts: Facts) -> Kind | None:
    if "HZ" in facts.components or "b0map" in facts.sequence:
        return Kind("fmap", "fieldmap")
    called = FIELD_MAP_SEQUENCE.search(facts.sequence) or FIELD_MAP.search(facts.words)
    named = called and facts.gradient_echo and len(facts.echoes_ms) <= FIELD_MAP_ECHOES
    if not named and not _maps_phase(facts):
        return None
    several = len(facts.echoes_ms) > 1
    if facts.components in {("R",), ("I",), ("I", "R")}:
        return Kind(reason="the real or imaginary part of an image")
    if facts.components == ("M", "P") and not several:
        return Kind("fmap", "phasediff")
    if "P" in facts.components:
        return Kind("fmap", "phase1" if several else "phasediff")
    return Kind("fmap", "magnitude" if several else "magnitude1")


def _maps_phase(facts: Facts) -> bool:
    """Tell two close gradient echoes with their phase: what a field is mapped with.

    Susceptibility and T2* are measured with more echoes, or with echoes further apart.
    """
    return (
        facts.gradient_echo
        and facts.components == ("M", "P")
        and len(facts.echoes_ms) == FIELD_MAP_ECHOES
        and facts.echoes_ms[1] - facts.echoes_ms[0] <= FIELD_MAP_ECHO_SPACING_MS
    )


def _anatomy(facts: Facts) -> Kind | None:
    """Name the contrast of an anatomical image, or say why it has no name."""
    reason = _no_anatomy(facts)
    if reason:
        return Kind(reason=reason)
    suffix = _contrast(facts)
    if suffix is None:
        return None
    slices = facts.images / max(1, len(facts.echoes_ms)) / max(1, len(facts.components))
    if slices < FEWEST_SLICES:
        return Kind(reason=f"a scout: it has fewer than {FEWEST_SLICES} slices")
    if IN_PLANE.search(facts.words) and suffix in {"T1w", "T2w", "PDw"}:
        suffix = "inplaneT1" if suffix == "T1w" else "inplaneT2"
    prepared = facts.inversion_ms > 0 and not _only_gradient_echo(facts) and suffix == "T1w"
    dimensions = ("3d" if facts.three_dimensional else "2d") + ("ir" if prepared else "")
    label = "dualecho" if suffix == "PDT2" else f"{facts.plane}{dimensions}"
    return Kind("anat", suffix, label=label, contrast="agent" if facts.contrast_agent else "")


def _no_anatomy(facts: Facts) -> str:
    if facts.components in {("R",), ("I",), ("I", "R")}:
        return "the real or imaginary part of an image"
    if BALANCED.search(f"{facts.words} {facts.sequence}"):
        return "a balanced steady-state image: BIDS has no suffix for it"
    if facts.transfer or MAGNETIZATION_TRANSFER.search(facts.words):
        return "weighted by magnetization transfer, whose state only a lab's own heuristic can say"
    return ""


def _contrast(facts: Facts) -> str | None:
    if facts.angiography or ANGIOGRAPHY.search(f"{facts.words} {facts.sequence}"):
        return "angio"
    if not facts.echoes_ms:
        return _contrast_by_name(facts.words)
    if facts.inversion_ms > 0 and not _only_gradient_echo(facts):
        return _contrast_after_inversion(facts)
    if _only_gradient_echo(facts):
        return _gradient_echo_contrast(facts)
    if facts.spin_echo:
        return _spin_echo_contrast(facts)
    guess = facts.guess if facts.guess in GUESSED else None
    return _contrast_by_name(facts.words) or guess


def _contrast_after_inversion(facts: Facts) -> str:
    echo = max(facts.echoes_ms)
    if facts.inversion_ms >= LONG_INVERSION_MS and echo >= FLAIR_ECHO_MS:
        return "FLAIR"
    return "T1w" if min(facts.echoes_ms) < PD_ECHO_MS else "T2w"


def _gradient_echo_contrast(facts: Facts) -> str | None:
    if facts.inversion_ms > 0 or READY_T1_SEQUENCE.search(facts.sequence):
        return "T1w"
    if len(facts.echoes_ms) > 1:
        return "MEGRE"
    return "T2starw" if facts.echoes_ms[0] >= T2_STAR_ECHO_MS else "T1w"


def _spin_echo_contrast(facts: Facts) -> str:
    if len(facts.echoes_ms) >= MANY_ECHOES:
        return "MESE"
    shortest, longest = facts.echoes_ms[0], facts.echoes_ms[-1]
    if shortest < longest:
        return "PDT2"
    if re.search(r"flair|dark.?fluid", facts.words) and "t1" not in facts.words:
        return "FLAIR"
    long_repetition = facts.repetition_ms < 0 or facts.repetition_ms >= PD_REPETITION_MS
    if longest >= T2_ECHO_MS:
        return "T2w"
    if longest < PD_ECHO_MS:
        return "PDw" if long_repetition else "T1w"
    return "T2w" if long_repetition else "T1w"


def _contrast_by_name(words: str) -> str | None:
    return next((suffix for pattern, suffix in BY_NAME if pattern.search(words)), None)


# --- what a session's series are to each other --------------------------------------------------


class Scan(NamedTuple):
    """One series and what it is."""

    info: SeqInfo
    kind: Kind

    @property
    def facts(self) -> Facts:
        """What its headers say."""
        return _facts(self.info)


def decide(seqinfo: Iterable[SeqInfo]) -> list[Scan]:
    """Say what each series is, in the order of acquisition, with the others in view."""
    scans = [Scan(info, classify(info)) for info in _in_order(seqinfo)]
    for revise in (
        _revise_interrupted,
        _revise_epis,
        _revise_references,
        _revise_field_maps,
        _revise_means,
    ):
        scans = revise(scans)
    return scans


def _in_order(seqinfo: Iterable[SeqInfo]) -> list[SeqInfo]:
    """Sort by the time of acquisition where all say it, and else by the series' numbers."""
    infos = list(seqinfo)
    if all(info.date and info.time for info in infos):
        return sorted(infos, key=lambda i: (str(i.date), str(i.time), _number(i)))
    return sorted(infos, key=_number)


def _number(info: SeqInfo) -> int:
    number = re.match(r"\d+", info.series_id)
    return int(number[0]) if number else 0


def _revise_interrupted(scans: list[Scan]) -> list[Scan]:
    """Leave out what broke off and was acquired again by the same protocol, with its reference."""
    revised: list[Scan] = []
    for place, scan in enumerate(scans):
        repeat = next((s for s in scans[place + 1 :] if _repeats(s, scan)), None)
        if repeat is not None and _broke_off(scan.facts, repeat.facts):
            kind = Kind(reason=f"interrupted {_how_far(scan.facts, repeat.facts)}")
            _drop_reference(revised, scan)
        else:
            kind = scan.kind
        revised.append(Scan(scan.info, kind))
    return revised


def _repeats(scan: Scan, earlier: Scan) -> bool:
    one, other = scan.facts, earlier.facts
    return (
        scan.kind == earlier.kind
        and not scan.kind.reason
        and scan.kind.suffix in {"bold", "dwi", "asl", "T1w", "T2w", "FLAIR"}
        and one.words == other.words
        and one.geometry == other.geometry
        and one.components == other.components
        and one.echoes_ms == other.echoes_ms
        and _normalised(scan) == _normalised(earlier)
    )


def _broke_off(facts: Facts, repeat: Facts) -> bool:
    if not facts.epi:
        return facts.images < INCOMPLETE * repeat.images
    if facts.planned > 0 and facts.diffusion_b <= DIFFUSION_B:
        return facts.volumes < min(facts.planned, repeat.volumes)
    return facts.volumes < INTERRUPTED * repeat.volumes


def _how_far(facts: Facts, repeat: Facts) -> str:
    done, wanted = (
        (facts.volumes, max(facts.planned, repeat.volumes))
        if facts.epi
        else (facts.images, repeat.images)
    )
    what = "volumes" if facts.epi else "images"
    return f"after {done} of {wanted} {what}, and acquired again"


def _drop_reference(revised: list[Scan], run: Scan) -> None:
    """Leave out the reference that was acquired just before an interrupted run."""
    if not revised:
        return
    before = revised[-1]
    if before.kind.suffix == "sbref" and before.kind.datatype == run.kind.datatype:
        revised[-1] = Scan(before.info, Kind(reason="the reference of an interrupted run"))


def _revise_epis(scans: list[Scan]) -> list[Scan]:
    """Tell short runs that measure distortion from functional ones, and single volumes apart."""
    return [Scan(scan.info, _epi_among(scan, scans)) for scan in scans]


def _epi_among(scan: Scan, scans: Sequence[Scan]) -> Kind:
    kind, facts = scan.kind, scan.facts
    if (kind.datatype, kind.suffix) != ("func", "bold") or facts.volumes > SHORT_EPI_VOLUMES:
        return kind
    opposite = kind.direction[::-1]
    if opposite and any(
        other.kind.direction == opposite
        and other.kind.datatype in {"func", "fmap"}
        and other.facts.geometry == facts.geometry
        and _only_gradient_echo(other.facts) == _only_gradient_echo(facts)
        for other in scans
    ):
        return Kind("fmap", "epi", direction=kind.direction)
    if kind.direction and NAMES_ITS_POLARITY.search(facts.words):
        return Kind("fmap", "epi", direction=kind.direction)
    if facts.volumes > 1:
        return kind
    following = _next_run(scan, scans)
    if following is not None:
        return following.kind._replace(suffix="sbref")
    return Kind(reason="one volume of an EPI by itself: no time series, and no run follows it")


def _next_run(scan: Scan, scans: Sequence[Scan]) -> Scan | None:
    """Find the functional run that a single volume could be the reference of."""
    for other in scans[scans.index(scan) + 1 :]:
        if other.kind.datatype == "func" and other.facts.volumes > SHORT_EPI_VOLUMES:
            return other if other.facts.geometry == scan.facts.geometry else None
    return None


def _revise_references(scans: list[Scan]) -> list[Scan]:
    """Give a single-band reference the names of the run that follows it."""
    revised = []
    for place, scan in enumerate(scans):
        kind = scan.kind
        if kind.suffix == "sbref":
            for other in scans[place + 1 :]:
                if other.kind.datatype == kind.datatype and other.kind.suffix in {"bold", "dwi"}:
                    kind = kind._replace(task=other.kind.task, label=other.kind.label)
                    break
        revised.append(Scan(scan.info, kind))
    return revised


def _revise_field_maps(scans: list[Scan]) -> list[Scan]:
    """Leave out a phase difference without its magnitude, and a magnitude without its phase."""
    halves = {component for scan in scans for component in _halves_of_field_map(scan)}
    if {"M", "P"} <= halves:
        return scans
    return [
        Scan(scan.info, Kind(reason="one half of a field map, whose other half is not there"))
        if _halves_of_field_map(scan)
        else scan
        for scan in scans
    ]


def _halves_of_field_map(scan: Scan) -> tuple[str, ...]:
    is_half = scan.kind.suffix.startswith(("magnitude", "phase"))
    return scan.facts.components if scan.kind.datatype == "fmap" and is_half else ()


def _revise_means(scans: list[Scan]) -> list[Scan]:
    """Leave out the mean of a T1w's echoes where the echoes themselves are there."""
    echoes = [s for s in scans if s.kind.suffix == "T1w" and len(s.facts.echoes_ms) > 1]
    return [
        Scan(scan.info, Kind(reason="computed by the scanner: the mean of echoes that are there"))
        if echoes and scan.kind.suffix == "T1w" and ROOT_MEAN_SQUARE.search(scan.facts.words)
        else scan
        for scan in scans
    ]


# --- the names ----------------------------------------------------------------------------------


def infotodict(seqinfo: list[SeqInfo]) -> dict[Key, list[str]]:
    """Give each series that is not left out a name of its own."""
    return {
        (_template(scan, entities), ("nii.gz",), None): [scan.info.series_id]
        for scan, entities in _numbered(decide(seqinfo))
    }


def why_skipped(seqinfo: list[SeqInfo]) -> dict[str, str]:
    """Say of each series that :func:`infotodict` leaves out, why."""
    return {scan.info.series_id: scan.kind.reason for scan in decide(seqinfo) if scan.kind.reason}


def _template(scan: Scan, entities: Mapping[str, str]) -> str:
    order = ("task", "acq", "ce", "trc", "rec", "dir", "run", "echo", "inv", "part")
    parts = [f"{name}-{entities[name]}" for name in order if entities.get(name)]
    name = "_".join(["{bids_subject_session_prefix}", *parts, scan.kind.suffix])
    return f"{{bids_subject_session_dir}}/{scan.kind.datatype}/{name}"


def _numbered(scans: Iterable[Scan]) -> Iterator[tuple[Scan, dict[str, str]]]:
    """Give each scan the entities that tell it from the others of its kind."""
    groups: dict[tuple[str, ...], list[Scan]] = defaultdict(list)
    for scan in scans:
        if not scan.kind.reason:
            groups[_family(scan.kind)].append(scan)
    for family in groups.values():
        yield from _told_apart(family)


def _family(kind: Kind) -> tuple[str, ...]:
    """Return what scans share that are numbered together: the parts of a field map do."""
    suffix = kind.suffix
    if kind.datatype == "fmap" and suffix.startswith(("magnitude", "phase")):
        suffix = "gre"
    if suffix in {"sbref", "dwi"}:
        suffix = "run"
    return (kind.datatype, "run" if suffix == "bold" else suffix, kind.task)


def _told_apart(family: list[Scan]) -> Iterator[tuple[Scan, dict[str, str]]]:
    labels = {scan.kind.label for scan in family}
    directions = {scan.kind.direction for scan in family}
    reconstructions = {scan.kind.reconstruction for scan in family}
    by_name: dict[tuple[str, ...], list[Scan]] = defaultdict(list)
    entities_of: dict[str, dict[str, str]] = {}
    for scan in family:
        kind = scan.kind
        needs_direction = kind.datatype == "fmap" or len(directions) > 1
        entities = {
            "task": kind.task,
            "acq": kind.label if len(labels) > 1 or kind.label == "dualecho" else "",
            "ce": kind.contrast,
            "trc": kind.tracer,
            "rec": kind.reconstruction if len(reconstructions) > 1 else "",
            "dir": kind.direction if needs_direction else "",
            "inv": kind.inversion,
        }
        entities_of[scan.info.series_id] = entities
        by_name[tuple(entities[name] for name in ("acq", "ce", "trc", "rec", "dir"))].append(scan)
    for alike in by_name.values():
        events = _events(alike)
        for number, event in enumerate(events, start=1):
            run = {"run": str(number)} if len(events) > 1 else {}
            for scan, own in _members(event):
                yield scan, entities_of[scan.info.series_id] | run | own


def _events(scans: Sequence[Scan]) -> list[list[Scan]]:
    """Group the series that one press of the button made: its parts, echoes and reference."""
    events: list[list[Scan]] = []
    for scan in scans:
        if events and _joins(scan, events[-1]):
            events[-1].append(scan)
        else:
            events.append([scan])
    return events


def _joins(scan: Scan, event: Sequence[Scan]) -> bool:
    same_role = [other for other in event if _role(other) == _role(scan)]
    if same_role or event[-1].facts.geometry != scan.facts.geometry:
        return False
    if not _same_protocol(scan, event[-1]):
        return False
    if scan.kind.suffix == "sbref":
        return all(other.kind.suffix == "sbref" for other in event)
    return True


def _same_protocol(scan: Scan, other: Scan) -> bool:
    """Tell whether two images of one suffix that differ in their echoes may be its echoes."""
    if scan.kind.suffix != other.kind.suffix or scan.kind.datatype == "fmap":
        return True
    stems = [re.sub(r"(e|echo)?[-_ ]?\d+", "", one.facts.words) for one in (scan, other)]
    return scan.facts.echoes_ms == other.facts.echoes_ms or stems[0] == stems[1]


def _role(scan: Scan) -> tuple[Any, ...]:
    """Return what differs between the series of one event."""
    return (
        scan.kind.suffix,
        scan.kind.inversion,
        _is_phase(scan),
        "" if scan.kind.datatype == "fmap" else scan.facts.echoes_ms,
        _normalised(scan),
    )


def _normalised(scan: Scan) -> str:
    """Return how the scanner made the image, where it can keep more than one making of it."""
    facts = scan.facts
    kinds = [word.lower() for word in ("NORM", "DIS2D", "DIS3D") if word in facts.image_type]
    for pattern, kind in ((ORIGINAL_COPY, "orig"), (DELAYED_COPY, "delrec")):
        if pattern.search(facts.words):
            kinds.append(kind)
    return "".join(kinds)


def _members(event: Sequence[Scan]) -> Iterator[tuple[Scan, dict[str, str]]]:
    """Tell apart the series of one event, by the entities that BIDS has for that."""
    if event[0].kind.datatype == "fmap":
        yield from ((scan, {}) for scan in event)
        return
    for scan in event:
        alike = [
            other
            for other in event
            if (other.kind.suffix, other.kind.inversion) == (scan.kind.suffix, scan.kind.inversion)
        ]
        echoes = sorted({other.facts.echoes_ms for other in alike})
        corrections = {_normalised(other) for other in alike}
        own: dict[str, str] = {}
        if len(echoes) > 1:
            own["echo"] = str(echoes.index(scan.facts.echoes_ms) + 1)
        if len(corrections) > 1 and scan.kind.datatype != "pet":
            own["rec"] = _normalised(scan)
        if any(_is_phase(other) for other in alike):
            own["part"] = "phase" if _is_phase(scan) else "mag"
        yield scan, own


def _is_phase(scan: Scan) -> bool:
    return scan.facts.components == ("P",)


# --- what heudiconv's own names leave wrong -----------------------------------------------------


def custom_callable(prefix: str, _outtypes: tuple[str, ...], _files: list[str]) -> None:
    """Rename the images of one series that heudiconv only numbers, once it has converted them.

    A field map in hertz comes with its magnitude in one series, two phases with theirs; a
    dual-echo spin echo holds a proton-density and a T2-weighted image. A trace comes with a table
    of gradients, which BIDS has for diffusion runs alone.
    """
    stem, _, suffix = prefix.rpartition("_")
    if suffix in KEPT_MAPS.values():
        for extension in (".bval", ".bvec"):
            Path(prefix + extension).unlink(missing_ok=True)
    name_of = {
        "fieldmap": _hertz_or_magnitude,
        "phase1": _by_part,
        "phasediff": _difference_or_magnitude,
        "PDT2": _by_echo,
    }.get(suffix)
    if name_of is None:
        return
    folder, name = Path(stem).parent, Path(stem).name
    sidecars = {
        path.stem: json.loads(path.read_text())
        for path in folder.glob(f"{name}_*.json")
        if re.fullmatch(rf"(echo-\d+_)?{suffix}\d*", path.stem[len(name) + 1 :])
    }
    echoes = sorted({sidecar.get("EchoTime", 0.0) for sidecar in sidecars.values()})
    renamed = {
        old: f"{name}_{name_of(sidecar, 1 + echoes.index(sidecar.get('EchoTime', 0.0)))}"
        for old, sidecar in sidecars.items()
    }
    if len(set(renamed.values())) == len(renamed):
        _rename(folder, renamed)
        _rename_in_scans(folder, renamed)


def _hertz_or_magnitude(sidecar: Mapping[str, Any], _echo: int) -> str:
    hertz = sidecar.get("Units") == "Hz" or "FIELDMAPHZ" in sidecar.get("ImageType", [])
    return "fieldmap" if hertz else "magnitude"


def _difference_or_magnitude(sidecar: Mapping[str, Any], echo: int) -> str:
    return "phasediff" if "P" in sidecar.get("ImageType", []) else f"magnitude{echo}"


def _by_part(sidecar: Mapping[str, Any], echo: int) -> str:
    return f"phase{echo}" if "P" in sidecar.get("ImageType", []) else f"magnitude{echo}"


def _by_echo(sidecar: Mapping[str, Any], _echo: int) -> str:
    return "PDw" if float(sidecar.get("EchoTime", 0)) * 1000 < PD_ECHO_MS else "T2w"


def _rename(folder: Path, renamed: Mapping[str, str]) -> None:
    """Rename files by the beginning of their names, some to what others were called."""
    moves = []
    for old, new in renamed.items():
        for file in folder.glob(f"{old}.*"):
            aside = file.with_name(f"renaming-{file.name}")
            file.rename(aside)
            moves.append((aside, file.with_name(new + file.name[len(old) :])))
    for aside, target in moves:
        aside.rename(target)


def _rename_in_scans(folder: Path, renamed: Mapping[str, str]) -> None:
    names = {f"{folder.name}/{a}.nii.gz": f"{folder.name}/{b}.nii.gz" for a, b in renamed.items()}
    for table in folder.parent.glob("*_scans.tsv"):
        rows = [line.partition("\t") for line in table.read_text().splitlines()]
        lines = [names.get(name, name) + tab + rest for name, tab, rest in rows]
        table.write_text("\n".join(lines) + "\n")
