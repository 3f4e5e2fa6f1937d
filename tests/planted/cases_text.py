"""What people write into descriptions and comments, in all the ways in which they write it."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Iterator

from planted.checks import (
    Case,
    Check,
    File,
    no_raw_byte_hit,
    no_raw_bytes,
    text_removed,
    text_retained,
    words_retained,
)
from planted.elements import IMPLICIT_LITTLE, Planted, sequence, text, write_file
from planted.madeup import BASIL, ZDRAVOMIR, Visit, mr_image
from planted.scripts import encoded
from planted.table import Policy

_IMAGE = "image.dcm"
_SERIES_DESCRIPTION = 0x0008103E
_DESCRIPTIONS = {
    "Series Description": (_SERIES_DESCRIPTION, "LO"),
    "Protocol Name": (0x00181030, "LO"),
    "Image Comments": (0x00204000, "LT"),
    "Derivation Description": (0x00082111, "ST"),
    "Acquisition Comments": (0x00184000, "LT"),
    "Contrast/Bolus Agent": (0x00180010, "LO"),
    "Acquisition Protocol Description": (0x00189424, "LT"),
    "Frame Comments": (0x00209158, "LT"),
}
_STATES_OF_THE_ART = (
    "t1_mprage_sag_p2_iso",
    "T1w_MPR_0.8mm",
    "ep2d_bold_moco_p2_s6_TR800_TE30",
    "ep2d_diff_mddw_64dir_b1000_b2000_AP",
    "cmrr_mbep2d_se_topup_PA",
    "gre_field_mapping_2.46_7.38",
    "t2_space_dark-fluid_sag_p2_ns-t2prep",
    "AAHead_Scout_64ch-head-coil_MPR_cor",
    "rfMRI_REST_AP_SBRef",
    "pcasl_3d_tgse_BS_PLD1800",
    "FSPGR BRAVO 1mm iso",
    "3DASL (non-contrast) 1525",
    "WIP sDTI_64 SENSE",
    "B0map_v4 CLEAR",
    "func_task-nback_run-01_bold",
    "anat-T1w_acq-mp2rage_inv-2",
    "T2 FLAIR ax 4mm fs",
    "mp2rage_UNI-DEN 7T",
    "dwi_dir-99_acq-b3000",
    "localizer 3 planes",
)


def _forms_of_names(v: Visit) -> dict[str, str]:
    family, given, middle = v.family, v.given, v.middle
    bare = _bare(family)
    return {
        "whole": v.name,
        "in order": f"{given} {family}",
        "all three": f"{given} {middle} {family}",
        "comma": f"{family}, {given}",
        "family": family,
        "given": given,
        "middle": middle,
        "capitals": f"{family} {given}".upper(),
        "lower case": f"{given} {family}".lower(),
        "underscores": f"{family}_{given}",
        "joined": f"{given}{family}",
        "camel case at a word": f"T1w{family}Sag",
        "initial and family": f"{given[0]}. {family}",
        "family and initial": f"{family} {given[0]}",
        "initials": f"{given[0]}{middle[0]}{family[0]}",
        "initials with points": f"{given[0]}.{middle[0]}.{family[0]}.",
        "without accents": bare,
        "umlaut as two letters": _as_two_letters(family),
        "decomposed": unicodedata.normalize("NFD", family),
        "with a number": f"{family}2",
        "possessive": f"{family}s head",
        "plural of the given": f"{given}'s head",
        "reversed": family[::-1],
        "reversed in lower case": _bare(family)[::-1].lower(),
        "spaced out": " ".join(bare.upper()),
        "hyphenated": f"{bare}-Lorenzen",
        "in a file name": f"C:\\Daten\\{bare}\\scan.dcm",
        "shortened": f"{given[:3]}.{bare}",
        "base64": base64.b64encode(v.name.encode()).decode(),
        "MD5": hashlib.md5(v.patient_id.encode()).hexdigest(),  # noqa: S324 (what others do)
        "SHA-1": hashlib.sha1(v.patient_id.encode()).hexdigest(),  # noqa: S324 (the same)
        "SHA-256": hashlib.sha256(v.patient_id.encode()).hexdigest(),
        "MD5 of the name": hashlib.md5(v.name.encode()).hexdigest(),  # noqa: S324 (the same)
        "physician": v.physician.split("^")[0],
        "physician with a title": f"Dr. {v.physician.split('^')[0]}",
        "operator": v.operator.replace("^", " "),
    }


def _forms_of_dates(day: str) -> dict[str, str]:
    y, m, d = day[:4], day[4:6], day[6:]
    english = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    month = english[int(m) - 1]
    return {
        "DICOM": day,
        "ISO": f"{y}-{m}-{d}",
        "points": f"{d}.{m}.{y}",
        "short points": f"{int(d)}.{int(m)}.{y[2:]}",
        "British": f"{d}/{m}/{y}",
        "American": f"{m}/{d}/{y}",
        "underscores": f"{y}_{m}_{d}",
        "in words": f"{int(d)} {month} {y}",
        "American in words": f"{month} {int(d)}, {y}",
        "joined words": f"{d}{month.upper()}{y}",
        "moment": f"{y}-{m}-{d}T09:41:27",
        "joined moment": f"{day}094127",
        "six digits": f"{y[2:]}{m}{d}",
        "day first, joined": f"{d}{m}{y}",
        "backslashes in time": f"{y}/{m}/{d}",
    }


def _forms_of_others(v: Visit) -> dict[str, str]:
    return {
        "ID": v.patient_id,
        "ID in lower case": v.patient_id.lower(),
        "ID without separators": v.patient_id.replace("-", ""),
        "ID with other separators": v.patient_id.replace("-", "_"),
        "ID with a label": f"MRN: {v.patient_id}",
        "accession": v.accession,
        "serial": f"SN {v.serial}",
        "station": v.station,
        "institution": v.institution,
        "UID": v.frame_uid,
        "e-mail": "z.brenzel@wendlohe.example",
        "telephone": "+49 40 5550177",
        "national telephone": "tel. 040 5550177",
        "social security": "078-05-1120",
        "record number": "87021364",
        "insurance number": "A123456780",
        "web address": "https://pacs.wendlohe.example/p/1",
        "born": "geb. 29.2.1964",
        "age": "47 years old",
        "time of day": "09:41:27",
    }


def text_cases(chosen: Policy) -> Iterator[Case]:
    """Yield all cases of free text."""
    cleans = "clean-descriptors" in chosen.options
    for visit in (ZDRAVOMIR, BASIL):
        forms = _forms_of_names(visit) | _forms_of_others(visit)
        forms |= {f"study on {k}": f for k, f in _forms_of_dates(visit.study_date).items()}
        forms |= {f"born on {k}": f for k, f in _forms_of_dates(visit.birth_date).items()}
        yield _forms(f"text/{visit.given}", forms, visit)
    yield from _charsets()
    yield _kept(retained=cleans)
    yield _unlisted_texts()
    yield _structured()


def _forms(name: str, forms: dict[str, str], visit: Visit) -> Case:
    """Plant each form in each description, one file a form."""
    files: dict[str, bytes] = {}
    checks: list[Check] = []
    for number, (form, planted) in enumerate(forms.items()):
        file = f"{number:03d}.dcm"
        written = f"tse {planted} axial"
        elements = [Planted(tag, vr, written.encode("utf-8")) for tag, vr in _DESCRIPTIONS.values()]
        image = mr_image(
            *elements, visit=visit, number=number, character_set="ISO_IR 192", encoding="utf-8"
        )
        files[file] = write_file(image)
        for attribute, (tag, _) in _DESCRIPTIONS.items():
            checks.append(text_removed(file, (tag,), f"{name}/{form} in {attribute}", planted))
        checks.append(no_raw_byte_hit(file, f"{name}/{form}", planted))
    return Case(name=name, files=files, checks=tuple(checks))


_NAMES_IN_SCRIPTS = (
    ("ISO_IR 100", "latin-1", "Žůček^Adéle".replace("Ž", "Z").replace("ů", "u").replace("č", "c")),
    ("ISO_IR 100", "latin-1", "Sørbråten^Ægir"),
    ("ISO_IR 192", "utf-8", "Žůčková^Adéla"),
    ("ISO_IR 192", "utf-8", "Παπαδόπουλος^Γεώργιος"),
    ("ISO_IR 192", "utf-8", "王小东^Wang"),
    ("ISO_IR 144", "iso8859-5", "Серебрянников^Мстислав"),
    ("ISO_IR 126", "iso8859-7", "Παπαδόπουλος^Γεώργιος"),
    ("ISO_IR 101", "iso8859-2", "Łąckiewicz^Świętosława"),
    ("ISO_IR 138", "iso8859-8", "קוסטיצקי^אליעזר"),
    ("ISO_IR 127", "iso8859-6", "الخوارزمي^موسى"),
    ("GB18030", "gb18030", "欧阳娜娜^晓雯"),
    ("GBK", "gbk", "欧阳娜娜^晓雯"),
    ("\\ISO 2022 IR 87", "iso2022_jp", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    ("\\ISO 2022 IR 149", "korean", "Hong^Gildong=洪^吉洞=홍^길동"),
    ("\\ISO 2022 IR 58", "chinese", "Zhang^XiaoDong=张^小东"),
)


def _charsets() -> Iterator[Case]:
    """Plant names of many scripts where they belong and in a description."""
    for number, (terms, encoding, name) in enumerate(_NAMES_IN_SCRIPTS):
        groups = [part for part in name.split("=") if part]
        yield _script(f"charset/{terms} {number}", terms, encoding, groups, name)


def _script(name: str, terms: str, encoding: str, groups: list[str], written: str) -> Case:

    content = encoded(written, encoding)
    parts = [part for group in groups for part in group.split("^") if len(part) > 1]
    elements = [Planted(0x00100010, "PN", content)]
    for tag, vr in _DESCRIPTIONS.values():
        elements.append(Planted(tag, vr, b"tse " + encoded(parts[-2], encoding) + b" axial"))
    elements.append(
        sequence(0x00081032, [Planted(0x00081070, "PN", content), text(0x00080104, "LO", "MR")])
    )
    image = mr_image(*elements, character_set=terms, encoding="ascii", visit=BASIL)
    checks = [no_raw_bytes(_IMAGE, f"{name}/{part}", encoded(part, encoding)) for part in parts]
    for attribute, (tag, _) in _DESCRIPTIONS.items():
        checks.append(text_removed(_IMAGE, (tag,), f"{name}/{attribute}", parts[-2]))
    return Case(name=name, files={_IMAGE: write_file(image)}, checks=tuple(checks))


def _kept(*, retained: bool) -> Case:
    """Plant nothing: what says how it was acquired stays, letter by letter."""
    files: dict[str, bytes] = {}
    checks: list[Check] = []
    for number, written in enumerate(_STATES_OF_THE_ART):
        file = f"{number:03d}.dcm"
        elements = [text(tag, vr, written) for tag, vr in _DESCRIPTIONS.values()]
        files[file] = write_file(mr_image(*elements, number=number))
        if retained:
            checks += [
                text_retained(file, (tag,), f"text/kept in {attribute}: {written}")
                for attribute, (tag, _) in _DESCRIPTIONS.items()
            ]
        checks.append(text_retained(file, (0x00180080,), "text/kept/Repetition Time"))
        checks.append(text_retained(file, (0x00080070,), "text/kept/Manufacturer"))
        checks.append(text_retained(file, (0x00080008,), "text/kept/Image Type"))
    return Case(name="text/kept", files=files, checks=tuple(checks))


_UNLISTED_TEXTS = {
    "Sequence Name": (0x00180024, "SH"),
    "Software Versions": (0x00181020, "LO"),
    "Manufacturer's Model Name": (0x00081090, "LO"),
    "Receive Coil Name": (0x00181250, "SH"),
    "Transmit Coil Name": (0x00181251, "SH"),
    "Window Explanation": (0x00281055, "LO"),
    "Pulse Sequence Name": (0x00189005, "SH"),
    "LUT Explanation": (0x00283003, "LO"),
    "Image Type": (0x00080008, "CS"),
    "Scan Options": (0x00180022, "CS"),
    "Body Part Examined": (0x00180015, "CS"),
    "Position Reference Indicator": (0x00201040, "LO"),
    "Volumetric Properties": (0x00089206, "CS"),
    "Image Label": (0x00700080, "CS"),
    "Presentation LUT Shape": (0x20500020, "CS"),
    "Angio Flag": (0x00180025, "CS"),
    "Echo Numbers": (0x00180086, "IS"),
    "Slice Thickness": (0x00180050, "DS"),
    "Spacing Between Slices": (0x00180088, "DS"),
    "Nominal Interval": (0x00181062, "IS"),
    "Heart Rate": (0x00181088, "IS"),
    "Samples per Pixel as text": (0x00280034, "IS"),
    "Effective Echo Time as text": (0x00189082, "LO"),
    "Rescale Type": (0x00281054, "LO"),
    "Units": (0x00541001, "CS"),
    "Acquisition Contrast as UN": (0x00089209, "UN"),
    "Echo Time as UN": (0x00180081, "UN"),
    "Magnetic Field Strength as OB": (0x00180087, "OB"),
    "Number of Averages as UT": (0x00180083, "UT"),
    "Flip Angle as PN": (0x00181314, "PN"),
    "Patient Position as UC": (0x00185100, "UC"),
    "Transducer Data": (0x00185010, "LO"),
    "SOP Class as URL": (0x00081190, "UR"),
    "Lossy Method": (0x00282114, "CS"),
    "ICC Profile": (0x00282000, "OB"),
    "Color Space": (0x00282002, "CS"),
    "Red Palette": (0x00281201, "OW"),
    "Spectroscopy Data": (0x56000020, "OF"),
    "Pixel Padding as text": (0x00280120, "LO"),
    "Retired Recognition Code": (0x00080010, "SH"),
    "Retired Image Format": (0x00280040, "CS"),
    "Retired Rows for Nth Order": (0x00280400, "LO"),
    "Retired Compression Originator": (0x00280065, "CS"),
    "Retired Text Comments": (0x40004000, "LT"),
    "Retired Label Style": (0x21000140, "AE"),
    "Retired Interpretation": (0x40080300, "ST"),
    "Filter Type": (0x00181160, "SH"),
    "Grid ID": (0x00181180, "SH"),
    "Code Value": (0x00080100, "SH"),
    "Code Meaning": (0x00080104, "LO"),
    "Text Value": (0x0040A160, "UT"),
    "Zoom as text": (0x00280031, "DS"),
    "Variable Pixel Data": (0x7F000010, "OW"),
    "Variable Next Data Group": (0x7F000011, "LO"),
}


def _unlisted_texts() -> Case:
    """Plant the patient's own ID in attributes that the table does not list."""
    planted = ZDRAVOMIR.patient_id
    files: dict[str, bytes] = {}
    checks: list[Check] = []
    for number, (name, (tag, vr)) in enumerate(_UNLISTED_TEXTS.items()):
        file = f"{number:03d}.dcm"
        files[file] = write_file(
            mr_image(text(tag, vr, planted), number=number),
            syntax=IMPLICIT_LITTLE if number % 5 == 4 else "1.2.840.10008.1.2.1",
        )
        checks.append(text_removed(file, (tag,), f"unlisted/{name}", planted))
        checks.append(no_raw_byte_hit(file, f"unlisted/{name}", planted))
    return Case(name="unlisted", files=files, checks=tuple(checks))


def _structured() -> Case:
    """Plant in the content of structured reports, in codes, annotations and documents."""
    v = ZDRAVOMIR
    said = f"Read by {v.physician.split('^')[0]} for {v.given} {v.family}"
    content = [
        text(0x0040A040, "CS", "TEXT"),
        text(0x0040A160, "UT", said),
        text(0x0040A123, "PN", v.name),
        text(0x0040A121, "DA", v.study_date),
        text(0x0040A120, "DT", f"{v.study_date}094127"),
        text(0x0040A124, "UI", v.frame_uid),
        sequence(0x0040A043, [text(0x00080100, "SH", "1"), text(0x00080104, "LO", said)]),
        sequence(0x0040A168, [text(0x00080104, "LO", f"for {v.patient_id}")]),
    ]
    equipment = [
        text(0x00080070, "LO", "SIEMENS"),
        text(0x00080080, "LO", v.institution),
        text(0x00081010, "SH", v.station),
        text(0x00081070, "PN", v.operator),
        text(0x0018A003, "ST", said),
        text(0x0018A002, "DT", f"{v.study_date}094127"),
        sequence(0x0040A170, [text(0x00080104, "LO", said)]),
    ]
    original = [
        text(0x04000564, "LO", v.institution),
        text(0x04000562, "DT", f"{v.study_date}094127"),
        sequence(
            0x04000550, [text(0x00100010, "PN", v.name), text(0x00100020, "LO", v.patient_id)]
        ),
    ]
    elements = [
        sequence(0x0040A730, content, [sequence(0x0040A730, content)]),
        sequence(0x0018A001, equipment),
        sequence(0x04000561, original),
        sequence(0x0040A390, [sequence(0x00081199, [text(0x00081155, "UI", v.frame_uid)])]),
        sequence(0x0040B020, [text(0x00700006, "ST", said), text(0x0040A0B0, "US", "\1\0")]),
        sequence(0x00081032, [text(0x00080104, "LO", said), text(0x00080100, "SH", v.patient_id)]),
        sequence(0x00700001, [sequence(0x00700008, [text(0x00700006, "ST", said)])]),
        sequence(0x00082112, [text(0x00081155, "UI", v.frame_uid)]),
        sequence(0x00283000, [text(0x00283003, "LO", said)]),
        sequence(0x00283010, [text(0x00283003, "LO", said)]),
        sequence(0xFFFAFFFA, [text(0x04000115, "OB", said), text(0x04000100, "UI", v.frame_uid)]),
        sequence(0x00080096, [text(0x00401103, "LO", "040 5550177")]),
        text(0x00420011, "OB", f"%PDF-1.4 {said} {v.patient_id}"),
        text(0x00420010, "ST", said),
        text(0x00282000, "OB", f"desc\0\0\0\0{v.patient_id}"),
        text(0x00280006 | 0x00000000, "US", "\0\0"),
        text(0x60000022, "LO", said),
        text(0x60000010, "US", "\x08\0"),
        text(0x60001500, "LO", v.family),
        text(0x60003000, "OW", v.patient_id),
        text(0x60024000, "LT", said),
        text(0x601E3000, "OB", v.patient_id),
        text(0x50003000, "OW", v.patient_id),
        text(0x50002500, "LO", said),
        text(0x501E0022, "LO", said),
        text(0x50100020, "CS", v.patient_id),
        text(0xFFFCFFFC, "OB", said),
        text(0x00041500, "CS", v.patient_id),
        text(0x00060010, "LO", said),
        text(0x00000010, "LO", said),
        text(0x00080000, "UL", v.patient_id[:4]),
        text(0x00100000, "LO", said),
        text(0x54000100, "SQ", ""),
    ]
    image = mr_image(*elements)
    planted = {
        "family name": v.family,
        "given name": v.given,
        "physician": v.physician.split("^")[0],
        "operator": v.operator.split("^")[0],
        "ID": v.patient_id,
        "study date": v.study_date,
        "frame of reference": v.frame_uid,
        "institution": v.institution,
        "station": v.station,
        "telephone": "5550177",
    }
    files: dict[str, bytes] = {}
    checks: list[Check] = []
    bare = mr_image()
    there = {e.tag for e in bare}
    for number, element in enumerate(e for e in image if e.tag not in there):
        file = f"{number:02d}.dcm"
        files[file] = write_file([*bare, element])
        said = File(files[file]).says
        checks += [
            no_raw_byte_hit(file, f"structured/({element.tag:08X})/{name}", value)
            for name, value in planted.items()
            if said(value)
        ]
    checks.append(words_retained("00.dcm", (0x00080060,), "structured/modality", "MR"))
    return Case(name="structured", files=files, checks=tuple(checks), may_be_held_back=True)


def _bare(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _as_two_letters(word: str) -> str:
    return word.replace("ü", "ue").replace("ö", "oe").replace("ä", "ae").replace("ß", "ss")
