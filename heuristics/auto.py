"""Name the series of any scanner's session by what their headers say, and then by their names.

Runs under ``bidsanon convert`` and under plain ``heudiconv -f auto.py --bids``. Each series is
judged by its image type, sequence, echo and inversion times, number of volumes and phase encoding;
what an operator typed decides only where the headers leave it open, and names tasks. Scouts, maps
that the scanner computed, and copies are left out, each with its reason (:func:`why_skipped`).

Runs are numbered in the order of acquisition, and only where something was repeated.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import pydicom
from heudiconv.utils import SeqInfo

Key = tuple[str, tuple[str, ...], None]

FRAME_SAMPLES = 64
POSITIONS_READ = 400
SHORT_EPI_VOLUMES = 5
"""An EPI with opposite polarity and no more volumes than this measures distortion."""
FEWEST_SLICES = 4
"""An anatomical image with fewer is a scout."""
ANOTHER_ORIENTATION = 0.1
"""A direction cosine that differs by more belongs to another orientation."""
DIFFUSION_B = 10.0
"""Above this, diffusion is weighted: Philips writes 0.001 for its unweighted volumes."""

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
    diffusion_b: float
    labelling: bool
    angiography: bool
    orientations: int
    plane: str
    direction: str
    geometry: tuple[Any, ...]


_MACRO_OF = {
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

_SEQUENCE = 0x0019109C  # Siemens and GE alike
_SIEMENS_B_VALUE = 0x0019100C
_GE_INTERNAL_SEQUENCE = 0x0019109E
_GE_LOCATIONS = 0x0021104F
_GE_COMPONENT = 0x0043102F
_GE_B_VALUE = 0x00431039
_PHILIPS_SEQUENCE = 0x20011020
_PHILIPS_EPI_FACTOR = 0x20011013
_PHILIPS_SLICES = 0x20011018
_XA_FRAME = 0x002111FE
_XA_POLARITY = 0x0021111C

_COMPONENT_WORDS = {
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
_COSINES = 6
_GE_COMPONENTS = {0: "M", 1: "P", 2: "R", 3: "I"}


def custom_seqinfo(wrapper: Any, series_files: list[str], **_: Any) -> Facts:
    """Read what this heuristic needs beyond heudiconv's own description of a series."""
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
        diffusion_b=max((b for h in headers for b in _b_values(h)), default=-1.0),
        labelling="ArterialSpinLabelingContrast" in first,
        angiography=first.get("AngioFlag") == "Y",
        orientations=_count_apart(cosines),
        plane=_plane(first),
        direction=_direction(wrapper),
        geometry=(
            first.get("Rows"),
            first.get("Columns"),
            *(_rounded(v) for v in _values(first, "PixelSpacing", limit=1)),
            *(_rounded(v) for v in _values(first, "SliceThickness", limit=1)),
        ),
    )


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
        for macro in group.get(_MACRO_OF.get(keyword, "")) or []:
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
        *(_private(header, tag) for tag in (_SEQUENCE, _GE_INTERNAL_SEQUENCE, _PHILIPS_SEQUENCE)),
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
    found = {_COMPONENT_WORDS[word] for word in image_type if word in _COMPONENT_WORDS}
    for header in headers:
        number = _private_number(header, _GE_COMPONENT)
        if number is not None and number in _GE_COMPONENTS:
            found.add(_GE_COMPONENTS[int(number)])
    return tuple(sorted(found))


def _is_epi(header: pydicom.Dataset, sequence: str) -> bool:
    return (
        "EP" in _words_of(header.get("ScanningSequence"))
        or header.get("EchoPlanarPulseSequence") == "YES"
        or "EPI_GEMS" in _words_of(header.get("ScanOptions"))
        or (_private_number(header, _PHILIPS_EPI_FACTOR) or 1) > 1
        or re.search(r"\*?(ep2d|epfid|epse|ep_b|mbep)|epi", sequence) is not None
    )


def _is_spin_echo(header: pydicom.Dataset, sequence: str) -> bool:
    scanning = _words_of(header.get("ScanningSequence"))
    return (
        ("SE" in scanning and "GR" not in scanning)
        or header.get("EchoPulseSequence") == "SPIN"
        or re.search(r"epse|tse|spc|tir|\bse\b|fse|cube|\bvista", sequence) is not None
    )


def _is_gradient_echo(header: pydicom.Dataset, sequence: str) -> bool:
    return (
        "GR" in _words_of(header.get("ScanningSequence"))
        or header.get("EchoPulseSequence") == "GRADIENT"
        or re.search(r"epfid|\*?(fl|tfl|fm)[23]d|ffe|tfe|spgr|gre", sequence) is not None
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
    siemens = _private_number(header, _SIEMENS_B_VALUE)
    if siemens is not None and "SIEMENS" in str(header.get("Manufacturer", "")).upper():
        yield siemens
    general_electric = _private_number(header, _GE_B_VALUE)
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
    for slices in (_private_number(header, t) for t in (_GE_LOCATIONS, _PHILIPS_SLICES)):
        if slices:
            return max(1, round(len(files) / slices))
    positions = int(next(_numbers(header, "NumberOfTemporalPositions"), 0))
    return positions if positions > 1 else _volumes_by_position(files)


def _volumes_by_position(files: Sequence[str]) -> int:
    """Read positions until one comes again: a volume is whole, or a slice is repeated."""
    seen: list[tuple[float, ...]] = []
    for file in files[:POSITIONS_READ]:
        if not Path(file).exists():
            break
        position = next(_values(_header(file), "ImagePositionPatient"), None)
        if position is None:
            break
        here = _rounded(position)
        if here in seen:
            return _volumes_of_repeats(seen, here, len(files))
        seen.append(here)
    return 1


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
    return (cosines[:3], cosines[3:]) if len(cosines) == _COSINES else None


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
        for macro in frame[_XA_FRAME].value if _XA_FRAME in frame else []:
            number = _private_number(macro, _XA_POLARITY)
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
    reason: str = ""


_DERIVED = {
    "ADC": "a map of the diffusion coefficient",
    "ADC_UNSPECIFIED": "a map of the diffusion coefficient",
    "B0_MAP": "a map",
    "CBF": "a map of the blood flow",
    "COLFA": "a map of the anisotropy",
    "EADC": "a map of the diffusion coefficient",
    "FA": "a map of the anisotropy",
    "MEAN": "a mean",
    "MEAN MAP": "a map",
    "MINIP": "a projection",
    "MIP": "a projection",
    "MNIP": "a projection",
    "MPR": "a reformatted copy",
    "MTT": "a map of the blood flow",
    "PROJECTION IMAGE": "a projection",
    "RELCBF": "a map of the blood flow",
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
}
_SCOUT = re.compile(
    r"scout|localis|localiz|(?<![a-z])loc(?![a-z])|3.?plane|survey|smartbrain|plan.?scan"
    r"|(?<![a-z])cal(ibration)?(?![a-z])|asset.?cal|(?<![a-z])ref.?scan|coil.?sens|sense?.?ref"
)
_NO_IMAGES = re.compile(r"phoenix|patient.?protocol|physio.?log|screen.?save|exam.?card|report")
_FIELD_MAP = re.compile(r"field.?map|fmap|gre.?field|(?<![a-z])b0.?map|b.?zero.?map|field.?mag")
_EPI_FIELD_MAP = re.compile(
    r"field.?map|fmap|distor|topup|top.?up|pe.?polar|blip|spin.?echo.?field|se.?epi.?(ap|pa|rl|lr)"
    r"|rev(erse)?d?.?(pe|phase|pol|b0)"
)
_NAMES_ITS_POLARITY = re.compile(r"(?<![a-z])pe[-_ =]?(ap|pa|rl|lr)(?![a-z])")
_DIFFUSION = re.compile(r"dwi|dti|diff|dmri|hardi|noddi|(?<![a-z])dki")
_LABELLING = re.compile(r"(?<![a-z])(p?c?asl)(?![a-z])|spin.?label|pcasl|pasl")
_REFERENCE = re.compile(r"sb.?ref|single.?band.?ref")
_CALIBRATION = re.compile(r"(?<![a-z])m0(?![0-9])")
_ANGIOGRAPHY = re.compile(r"(?<![a-z])(tof|mra)(?![a-z])|angio")
_DIRECTION = re.compile(r"(?<![a-z])(ap|pa|lr|rl|is|si)(?![a-z])")

LONG_INVERSION_MS = 1500.0
"""Fluid is suppressed from here on; a shorter inversion weights by T1."""
T2_ECHO_MS = 60.0
T2_STAR_ECHO_MS = 12.0
PD_ECHO_MS = 40.0
PD_REPETITION_MS = 1800.0
MANY_ECHOES = 3
FIELD_MAP_ECHOES = 2
FIELD_MAP_ECHO_SPACING_MS = 5.0


def _facts(info: SeqInfo) -> Facts:
    if not isinstance(info.custom, Facts):
        raise TypeError("heudiconv did not call custom_seqinfo: this heuristic needs 1.0 or newer")
    return info.custom


def classify(info: SeqInfo) -> Kind:
    """Say what one series is, by itself."""
    facts = _facts(info)
    for judge in (
        _left_out,
        _mp2rage,
        _computed,
        _labelled,
        _diffusion,
        _functional,
        _field_map,
        _anatomy,
    ):
        kind = judge(facts)
        if kind is not None:
            return kind
    return Kind(reason="its contrast cannot be told from its header or its name")


def _left_out(facts: Facts) -> Kind | None:
    if facts.modality != "MR":
        return Kind(reason=f"this heuristic names magnetic resonance only, not {facts.modality}")
    if _NO_IMAGES.search(facts.words):
        return Kind(reason="a report, not an image")
    if _SCOUT.search(facts.words):
        return Kind(reason="a scout: its name says so")
    if facts.orientations > 1 and not facts.epi:
        return Kind(reason="a scout: its slices lie in several orientations")
    return None


def _mp2rage(facts: Facts) -> Kind | None:
    if "mp2rage" not in facts.words and "UNI" not in facts.image_type:
        return None
    if "UNI" in facts.image_type or "uni" in re.split(r"[\W_]+", facts.words):
        if "den" in facts.words:
            return Kind(reason="computed by the scanner: a copy with its noise suppressed")
        return Kind("anat", "UNIT1")
    inversion = re.search(r"inv[-_ ]?([12])", facts.words)
    if inversion and facts.components == ("M",):
        return Kind("anat", f"inv-{inversion[1]}_MP2RAGE")
    return None


def _computed(facts: Facts) -> Kind | None:
    for word in facts.image_type:
        if word in _DERIVED:
            return Kind(reason=f"computed by the scanner: {_DERIVED[word]}")
    if "MOCO" in facts.image_type or "moco" in facts.words:
        return Kind(reason="a motion-corrected copy")
    if "SECONDARY" in facts.image_type or "DERIVED" in facts.image_type:
        return Kind(reason="derived from other images")
    return None


def _labelled(facts: Facts) -> Kind | None:
    if not facts.labelling and not _LABELLING.search(f"{facts.words} {facts.sequence}"):
        return None
    if _CALIBRATION.search(facts.words):
        return Kind("perf", "m0scan")
    return Kind("perf", "asl")


def _diffusion(facts: Facts) -> Kind | None:
    """Tell diffusion-weighted images from the unweighted ones that measure their distortion."""
    words = f"{facts.words} {facts.sequence}"
    weighted = facts.diffusion_b > DIFFUSION_B
    named = _DIFFUSION.search(words) is not None or "DIFFUSION" in facts.image_type
    if not facts.epi or not (weighted or named):
        return None
    direction = _direction_of(facts)
    if _REFERENCE.search(facts.words):
        return Kind("dwi", "sbref", direction=direction)
    if weighted:
        return Kind("dwi", "dwi", direction=direction)
    return Kind("fmap", "epi", direction=direction, label="dwi")


def _functional(facts: Facts) -> Kind | None:
    if not facts.epi:
        return None
    direction = _direction_of(facts)
    reference = _REFERENCE.search(facts.words) is not None
    if _EPI_FIELD_MAP.search(facts.words) or (facts.spin_echo and not facts.gradient_echo):
        if reference:
            return Kind(reason="the single-band reference of a field map")
        return Kind("fmap", "epi", direction=direction)
    suffix = "sbref" if reference else "bold"
    return Kind("func", suffix, task=_task(facts.words), direction=direction)


def _direction_of(facts: Facts) -> str:
    """Take the direction from the header, or from the name where only the axis is known."""
    if facts.direction and not facts.direction.endswith("?"):
        return facts.direction
    said = _DIRECTION.search(facts.words)
    return said[1].upper() if said else ""


_NOT_A_TASK = re.compile(
    r"acc|accelerated|acq|asc|asset|avg|axial|bold|cmrr|coronal|dir|dynamic|echos?|epi|epirt|fast"
    r"|ffe|fid|f?mri|fov|func|functional|grappa|gre|iso|interleaved|ipat|mag|magnitude|meas|mgh"
    r"|min|mosaic|moco|multi|multiband|multiecho|nih|norm|oblique|part|pat|phase|pha|pre|post|rep"
    r"|run|sagittal|scan|sense|series|ses|session|single|sms|task|test|the|tra|transversal|trans"
    r"|upright|vols?|volumes|wip|with|without"
)
"""Words of technique, which name no task."""


def _task(words: str) -> str:
    """Take the task from what the series is called; what names none is rest."""
    said = re.search(r"task[-_ ]?([a-z0-9]+)", words)
    if said:
        return said[1]
    if "rest" in words or "rsfmri" in words:
        return "rest"
    tokens = [
        token for token in re.findall(r"[a-z]{3,}", words) if not _NOT_A_TASK.fullmatch(token)
    ]
    return "".join(dict.fromkeys(tokens))[:30] or "rest"


def _field_map(facts: Facts) -> Kind | None:
    hertz = "HZ" in facts.components or "b0map" in facts.sequence
    if hertz:
        return Kind("fmap", "fieldmap")
    named = re.search(r"\*?fm[23]d", facts.sequence) or _FIELD_MAP.search(facts.words)
    if not named and not _maps_phase(facts):
        return None
    several = len(facts.echoes_ms) > 1
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
    suffix = _contrast(facts)
    if suffix is None:
        return None
    if facts.components in {("R",), ("I",), ("I", "R")}:
        return Kind(reason="the real or imaginary part of an image")
    slices = facts.images / max(1, len(facts.echoes_ms)) / max(1, len(facts.components))
    if slices < FEWEST_SLICES:
        return Kind(reason=f"a scout: it has fewer than {FEWEST_SLICES} slices")
    dimensions = "3d" if facts.three_dimensional else "2d"
    label = "dualecho" if suffix == "PDT2" else f"{facts.plane}{dimensions}"
    return Kind("anat", suffix, label=label)


def _contrast(facts: Facts) -> str | None:
    if facts.angiography or _ANGIOGRAPHY.search(f"{facts.words} {facts.sequence}"):
        return "angio"
    if not facts.echoes_ms:
        return _contrast_by_name(facts.words)
    if facts.inversion_ms > 0 and not (facts.gradient_echo and not facts.spin_echo):
        return _contrast_after_inversion(facts)
    if facts.gradient_echo and not facts.spin_echo:
        return _gradient_echo_contrast(facts)
    if facts.spin_echo:
        return _spin_echo_contrast(facts)
    return _contrast_by_name(facts.words)


def _contrast_after_inversion(facts: Facts) -> str:
    if facts.inversion_ms >= LONG_INVERSION_MS:
        return "FLAIR"
    return "T1w" if min(facts.echoes_ms) < PD_ECHO_MS else "T2w"


def _gradient_echo_contrast(facts: Facts) -> str | None:
    if facts.inversion_ms > 0 or re.search(r"tfl3d|mprage|bravo", facts.sequence):
        return "T1w"
    if len(facts.echoes_ms) > 1:
        return "MEGRE"
    if re.search(r"ciss|fiesta|trufi|ci3d|tfi3d|bssfp", f"{facts.words} {facts.sequence}"):
        return None
    return "T2starw" if facts.echoes_ms[0] >= T2_STAR_ECHO_MS else "T1w"


def _spin_echo_contrast(facts: Facts) -> str:
    if len(facts.echoes_ms) >= MANY_ECHOES:
        return "MESE"
    shortest, longest = facts.echoes_ms[0], facts.echoes_ms[-1]
    if shortest < longest:
        return "PDT2"
    if "flair" in facts.words and "t1" not in facts.words:
        return "FLAIR"
    long_repetition = facts.repetition_ms < 0 or facts.repetition_ms >= PD_REPETITION_MS
    if longest >= T2_ECHO_MS:
        return "T2w"
    if longest < PD_ECHO_MS:
        return "PDw" if long_repetition else "T1w"
    return "T2w" if long_repetition else "T1w"


def _contrast_by_name(words: str) -> str | None:
    for pattern, suffix in (
        (r"flair|dark.?fluid", "FLAIR"),
        (r"t2.?\*|t2.?star|swi|swan", "T2starw"),
        (r"t1|mprage|bravo|spgr|tfe", "T1w"),
        (r"t2|space|cube|vista", "T2w"),
        (r"(?<![a-z])pd(?![a-z])|pdw", "PDw"),
    ):
        if re.search(pattern, words):
            return suffix
    return None


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
    for revise in (_revise_epis, _revise_references, _revise_field_maps):
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
        for other in scans
    ):
        return Kind("fmap", "epi", direction=kind.direction)
    if kind.direction and _NAMES_ITS_POLARITY.search(facts.words):
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
    order = ("task", "acq", "rec", "dir", "run", "echo", "part")
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
    return (kind.datatype, "bold" if kind.suffix == "sbref" else suffix, kind.task)


def _told_apart(family: list[Scan]) -> Iterator[tuple[Scan, dict[str, str]]]:
    labels = {scan.kind.label for scan in family}
    directions = {scan.kind.direction for scan in family}
    by_name: dict[tuple[str, str], list[Scan]] = defaultdict(list)
    entities_of: dict[str, dict[str, str]] = {}
    for scan in family:
        kind = scan.kind
        acq = kind.label if len(labels) > 1 or kind.label == "dualecho" else ""
        needs_direction = kind.datatype == "fmap" or len(directions) > 1
        entities = {
            "task": kind.task,
            "acq": acq,
            "dir": kind.direction if needs_direction else "",
        }
        entities_of[scan.info.series_id] = entities
        by_name[acq, entities["dir"]].append(scan)
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
    if scan.kind.suffix == "sbref":
        return all(other.kind.suffix == "sbref" for other in event)
    return True


def _role(scan: Scan) -> tuple[Any, ...]:
    """Return what differs between the series of one event."""
    return (
        scan.kind.suffix,
        _is_phase(scan),
        "" if scan.kind.datatype == "fmap" else scan.facts.echoes_ms,
        _normalised(scan),
    )


def _normalised(scan: Scan) -> str:
    """Return how the scanner corrected the image, where it can keep both."""
    kinds = [word.lower() for word in ("NORM", "DIS2D", "DIS3D") if word in scan.facts.image_type]
    return "".join(kinds)


def _members(event: Sequence[Scan]) -> Iterator[tuple[Scan, dict[str, str]]]:
    """Tell apart the series of one event, by the entities that BIDS has for that."""
    if event[0].kind.datatype == "fmap":
        yield from ((scan, {}) for scan in event)
        return
    for scan in event:
        alike = [other for other in event if other.kind.suffix == scan.kind.suffix]
        echoes = sorted({other.facts.echoes_ms for other in alike})
        corrections = {_normalised(other) for other in alike}
        own: dict[str, str] = {}
        if len(echoes) > 1:
            own["echo"] = str(echoes.index(scan.facts.echoes_ms) + 1)
        if len(corrections) > 1:
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
    dual-echo spin echo holds a proton-density and a T2-weighted image.
    """
    stem, _, suffix = prefix.rpartition("_")
    name_of = {"fieldmap": _hertz_or_magnitude, "phase1": _by_part, "PDT2": _by_echo}.get(suffix)
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
