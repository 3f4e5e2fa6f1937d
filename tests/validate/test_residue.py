"""The residue search: every written form of a value is found, and ordinary text is not."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import struct
import tarfile
import urllib.parse
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsanon.findings import Finding, Severity
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.resources import data_path
from bidsanon.validate.residue import ResidueSearch, search_residue
from bidsanon.validate.residue_content import CHUNK
from bidsanon.validate.residue_rules import IgnoredBecause
from bidsanon.validate.residue_words import TABLE, is_common

NAME, IDENTIFIER, UID, DATE = (
    ValueKind.NAME,
    ValueKind.IDENTIFIER,
    ValueKind.UID,
    ValueKind.DATE,
)
TIME, PLACE, TEXT, PATH = ValueKind.TIME, ValueKind.PLACE, ValueKind.TEXT, ValueKind.PATH

QUIST = "Quillfeather^Mara^Odette"
STUDY = "1.3.12.2.1107.5.2.43.999217.20230517081322000000123456"
COMMENT = "Mara was restless; her brother Jonty waits outside"

Session = Callable[..., Path]


def value(kind: ValueKind, text: str, origin: str = "(0010,0010)") -> IdentifyingValue:
    return IdentifyingValue(kind=kind, text=text, origin=origin)


def search(
    root: Path, *values: IdentifyingValue, allowed: Iterable[str] = (), jobs: int = 1
) -> ResidueSearch:
    return search_residue(root, values, allowed=allowed, jobs=jobs)


def places(result: ResidueSearch) -> list[str]:
    return [f"{f.code} {f.location}" for f in result.findings]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Make a session that holds nothing identifying, and a text where it is asked for."""

    def make(
        *,
        sidecar: object = None,
        descrip: bytes = b"",
        aux_file: bytes = b"",
        suffix: bytes = b"",
        files: dict[str, bytes] | None = None,
    ) -> Path:
        folder = tmp_path / "root" / "sub-01" / "ses-01" / "func"
        folder.mkdir(parents=True)
        content = CLEAN_SIDECAR | ({"Planted": sidecar} if sidecar is not None else {})
        (folder / f"{STEM}.json").write_text(json.dumps(content, ensure_ascii=True))
        (folder / f"{STEM}.nii.gz").write_bytes(image(descrip, aux_file) + suffix)
        (folder.parent / "sub-01_ses-01_scans.tsv").write_text(CLEAN_SCANS)
        for name, planted in (files or {}).items():
            path = tmp_path / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(planted)
        return tmp_path / "root"

    return make


STEM = "sub-01_ses-01_task-rest_bold"
CLEAN_SIDECAR: dict[str, object] = {
    "Modality": "MR",
    "MagneticFieldStrength": 3,
    "ImagingFrequency": 123.253,
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "Prisma_fit",
    "BodyPartExamined": "BRAIN",
    "PatientPosition": "HFS",
    "SoftwareVersions": "syngo MR E11",
    "SeriesDescription": "t1_mprage_sag_p2_iso",
    "ProtocolName": "ep2d_bold_rest_max",
    "ScanningSequence": "EP",
    "SequenceVariant": "SK",
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
    "CoilString": "HEA;HEP",
    "SliceTiming": [0.0, 0.143015, 1.430151, 0.20230517, 0.19870314],
    "ShimSetting": [-4071, 12345, 99, 8120],
    "EchoTime": 0.03,
    "ConversionSoftware": "dcm2niix",
    "ConversionSoftwareVersion": "v1.0.20230517",
    "B0FieldIdentifier": "b0map_3f8a0814133c143015ad20af",
    "DeidentificationMethodCodeSequence": [
        {"CodeValue": "113100", "CodeMeaning": "Basic Application Confidentiality Profile"}
    ],
}
CLEAN_SCANS = "filename\tacq_time\nfunc/sub-01.nii.gz\t1915-03-02T14:30:15.250000\n"


def image(descrip: bytes = b"", aux_file: bytes = b"", voxels: bytes = b"") -> bytes:
    noise = np.random.default_rng(5).integers(0, 120, (16, 16, 8)).astype(np.int16)
    made = nib.Nifti1Image(noise, np.eye(4))
    made.header["descrip"] = descrip
    made.header["aux_file"] = aux_file
    content = bytearray(made.to_bytes())
    content[1001 : 1001 + len(voxels)] = voxels
    return gzip.compress(bytes(content), mtime=0)


PLANTED = [
    # Names: whole, parts, orders, joints, initials, accents.
    (NAME, QUIST, "Quillfeather^Mara^Odette"),
    (NAME, QUIST, "QUILLFEATHER"),
    (NAME, QUIST, "quillfeather"),
    (NAME, QUIST, "Mara"),
    (NAME, QUIST, "Mara Quillfeather"),
    (NAME, QUIST, "Quillfeather, Mara"),
    (NAME, QUIST, "quillfeather_mara"),
    (NAME, QUIST, "mara-quillfeather"),
    (NAME, QUIST, "mara.quillfeather@example.org"),
    (NAME, QUIST, "QuillfeatherMara"),
    (NAME, QUIST, "MaraQuillfeather20"),
    (NAME, QUIST, "mquillfeather"),
    (NAME, QUIST, "M. Quillfeather"),
    (NAME, QUIST, "scan_of_Odette_2"),
    (NAME, QUIST, "scanMara3T"),
    (NAME, "Lee^Bo", "lee"),
    (NAME, "Lee^Bo", "BLee"),
    (NAME, "Lee^Bo", "Bo Lee"),
    (NAME, "Lee^Bo", "lee_bo"),
    (NAME, "Lee^Bo", "LEE,BO"),
    (NAME, "Head^Brian", "head_brian"),
    (NAME, "Head^Ko", "KO-HEAD"),
    (NAME, "Li^Wu", "li_wu"),
    (NAME, "Müller^Jörg", "Muller"),
    (NAME, "Müller^Jörg", "MÜLLER"),
    (NAME, "Müller^Jörg", "Mueller"),
    (NAME, "Müller^Jörg", "M_ller"),
    (NAME, "Müller^Jörg", "Mu\u0308ller"),
    (NAME, "Müller^Jörg", "M\u00c3\u00bcller"),
    (NAME, "Müller^Jörg", "M&uuml;ller"),
    (NAME, "Müller^Jörg", "M%C3%BCller"),
    (NAME, "Müller^Jörg", "M\\u00fcller"),
    (NAME, "O'Neill-Smythe^Ida", "oneill"),
    (NAME, "O'Neill-Smythe^Ida", "Smythe"),
    (NAME, "O'Neill-Smythe^Ida", "O\u2019Neill"),
    (NAME, "Yamada^Tarou=山田^太郎", "山田太郎"),
    (NAME, "Yamada^Tarou=山田^太郎", "被検者山田様"),
    (NAME, "Yamada^Tarou=山田^太郎", "tarou yamada"),
    (NAME, "Иванова^Анна", "ИВАНОВА"),
    (NAME, "Dr. Ignatius Thornbury", "Thornbury"),
    # Identifiers.
    (IDENTIFIER, "QF-7719-KX", "QF-7719-KX"),
    (IDENTIFIER, "QF-7719-KX", "qf7719kx"),
    (IDENTIFIER, "QF-7719-KX", "QF_7719_KX"),
    (IDENTIFIER, "QF-7719-KX", "qf 7719 kx"),
    (IDENTIFIER, "NHI-30557192", "30557192"),
    (IDENTIFIER, "00012345", "12345"),
    (IDENTIFIER, "4711", "no. 4711"),
    (IDENTIFIER, "12345", "0000012345"),
    (IDENTIFIER, "12345", "id12345x"),
    (IDENTIFIER, "123-45-6789", "123456789"),
    (IDENTIFIER, "123456789", "123-45-6789"),
    (IDENTIFIER, "01017012345", "010170 12345"),
    (IDENTIFIER, "P001", "p001"),
    (IDENTIFIER, "+44 1632 960417", "+44-1632-960417"),
    # Days.
    (DATE, "20230517", "20230517"),
    (DATE, "20230517", "2023-05-17"),
    (DATE, "20230517", "2023/05/17"),
    (DATE, "20230517", "2023-05-17T08:13:22"),
    (DATE, "20230517", "20230517081322.342500"),
    (DATE, "20230517", "17.05.2023"),
    (DATE, "20230517", "17.5.2023"),
    (DATE, "20230517", "17/05/2023"),
    (DATE, "20230517", "05/17/2023"),
    (DATE, "20230517", "17 May 2023"),
    (DATE, "20230517", "May 17, 2023"),
    (DATE, "20230517", "May 17th, 2023"),
    (DATE, "20230517", "17-MAY-2023"),
    (DATE, "20230517", "17may2023"),
    (DATE, "20230517", "17. Mai 2023"),
    (DATE, "20230517", "17 mai 2023"),
    (DATE, "20230517", "17 de mayo de 2023"),
    (DATE, "20230517", "230517"),
    (DATE, "20230517", "17.05.23"),
    (DATE, "20230517", "scan20230517Si"),
    (DATE, "20230517", "1.2.840.113619.2.20230517.81322.5"),
    (DATE, "20230517", "2023年5月17日"),
    # Times.
    (TIME, "143015.250000", "143015.250000"),
    (TIME, "143015.250000", "143015"),
    (TIME, "143015.250000", "14:30:15"),
    (TIME, "143015.250000", "Time=143015.25"),
    (TIME, "143015.250000", "at:14:30:15: begun"),
    (TIME, "143015.250000", "20150302143015"),
    (TIME, "143015.250000", "2:30:15 PM"),
    # UIDs.
    (UID, STUDY, STUDY),
    (UID, STUDY, STUDY.replace(".", "_")),
    (UID, STUDY, STUDY + ".1"),
    (UID, STUDY, "MR." + STUDY.rpartition(".")[2]),
    # Places.
    (PLACE, "St Aldwyn Infirmary", "St_Aldwyn_Infirmary"),
    (PLACE, "St Aldwyn Infirmary", "protocol of Aldwyn"),
    (PLACE, "MRALDWYN3", "mraldwyn3"),
    (PLACE, "Universitätsspital Zürich", "UNIVERSITAETSSPITAL ZUERICH"),
    (PLACE, "14 Larkspur Row, Embershire, EM7 2QD", "Larkspur"),
    # Texts: whole, and cut where a header's field ends.
    (TEXT, COMMENT, COMMENT),
    (TEXT, COMMENT, COMMENT[:23]),
    (TEXT, COMMENT, "brother Jonty waits out"),
    (TEXT, "Aldwyn Sleep Cohort", "aldwyn_sleep_cohort"),
    # Names of files and folders.
    (PATH, "Sess_Hollingberry", "sess_hollingberry"),
    (PATH, "Sess_Hollingberry.tar", "sess-hollingberry"),
    (PATH, "98892003", "98892003"),
    (PATH, "0005_" + STUDY + ".dcm", STUDY),
]
IDS = [f"{number}-{kind.value}" for number, (kind, _, _) in enumerate(PLANTED)]


@pytest.mark.parametrize(("kind", "text", "planted"), PLANTED, ids=IDS)
def test_a_form_is_found_in_a_sidecar(
    session: Session, kind: ValueKind, text: str, planted: str
) -> None:
    result = search(session(sidecar=f"x: {planted} (y)"), value(kind, text))
    assert places(result) == [f"RESIDUE_FOUND sub-01/ses-01/func/{STEM}.json#/Planted"]


@pytest.mark.parametrize(("kind", "text", "planted"), PLANTED, ids=IDS)
def test_a_form_is_found_in_other_text(
    session: Session, kind: ValueKind, text: str, planted: str
) -> None:
    root = session(
        files={
            "README": f"Of {planted}.".encode(),
            "participants.tsv": f"participant_id\tx\nsub-01\t{planted}\n".encode(),
            "deep.txt.gz": gzip.compress(gzip.compress(f"({planted})".encode())),
        }
    )
    found = {f.location.partition("#")[0] for f in search(root, value(kind, text)).findings}
    assert found == {"README", "participants.tsv", "deep.txt.gz"}


@pytest.mark.parametrize(
    ("kind", "text", "planted"),
    [(k, t, p) for k, t, p in PLANTED if len(p) <= 23 and p.isascii()],
)
def test_a_form_is_found_in_an_images_header(
    session: Session, kind: ValueKind, text: str, planted: str
) -> None:
    root = session(descrip=b"TE=3;" + planted.encode(), aux_file=planted.encode())
    found = {
        f.location.partition("#")[2].partition(",")[0]
        for f in search(root, value(kind, text)).findings
    }
    assert found >= {"header field descrip", "header field aux_file"}


@pytest.mark.parametrize(
    ("kind", "text", "planted"),
    [(k, t, p) for k, t, p in PLANTED if "/" not in p and len(p) < 100],
)
def test_a_form_is_found_in_a_name_and_not_repeated(
    session: Session, kind: ValueKind, text: str, planted: str
) -> None:
    root = session(files={f"sub-01/anat/sub-01_{planted}_T1w.txt": b""})
    findings = search(root, value(kind, text)).findings
    assert [f.location for f in findings] == ["sub-01/anat/[entry 1]#its name"]
    assert planted not in str(findings)


LONG = [
    (NAME, QUIST, "Quillfeather^Mara^Odette"),
    (NAME, QUIST, "QUILLFEATHER"),
    (NAME, QUIST, "mara.quillfeather@example.org"),
    (IDENTIFIER, "QF-7719-KX", "QF-7719-KX"),
    (IDENTIFIER, "NHI-30557192", "30557192"),
    (DATE, "20230517", "20230517"),
    (DATE, "20230517", "2023-05-17"),
    (DATE, "20230517", "20230517081322.342500"),
    (DATE, "20230517", "May 17, 2023"),
    (TIME, "143015.250000", "143015.250000"),
    (TIME, "143015.250000", "14:30:15"),
    (UID, STUDY, STUDY),
    (PLACE, "St Aldwyn Infirmary", "St Aldwyn Infirmary"),
    (TEXT, COMMENT, COMMENT),
]


@pytest.mark.parametrize(("kind", "text", "planted"), LONG)
@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-16-be"])
def test_a_long_form_is_found_among_voxels(
    tmp_path: Path, kind: ValueKind, text: str, planted: str, encoding: str
) -> None:
    content = image(voxels=f"({planted})".encode(encoding))
    (tmp_path / "sub-01_T1w.nii.gz").write_bytes(content)
    findings = search(tmp_path, value(kind, text)).findings
    assert [f.location.split(",")[0] for f in findings] == ["sub-01_T1w.nii.gz#voxels"]
    offset = int(findings[0].location.rpartition(" ")[2])
    assert 1001 < offset < 1001 + 2 * len(planted)


NOT_PLANTED = [
    (TIME, "143015.25", "0.143015"),
    (TIME, "143015.25", "2143015"),
    (TIME, "143015.25", "1430157"),
    (TIME, "143015.25", "01:14:30:15"),
    (TIME, "143015.25", "14:30:15:09"),
    (TIME, "143015.25", "1.143015"),
    (TIME, "081413", "3f8a0814133c143015ad20af"),
    (TIME, "143015.25", "1915-03-02T14:30:15.25"),
    (DATE, "20230517", "0.20230517"),
    (DATE, "20230517", "120230517"),
    (DATE, "20230517", "20230517123"),
    (DATE, "20230517", "v1.0.20230517"),
    (DATE, "20230517", "in 2023, or in May"),
    (NAME, "Lee^Bo", "sleep"),
    (NAME, "Lee^Bo", "fleet"),
    (NAME, "Ada^Dee", "3f9ada4d5e6b7c8d"),
    (NAME, "Head^Brian", "Head coil"),
    (NAME, "Test^Brain", "brain test"),
    (NAME, "Max^Xi", "SliceMax max_b"),
    (NAME, "Li^Wu", "lithium wurst"),
    (NAME, "Ander^Kim", "standard skimming"),
    (NAME, "Echo^Iwo", "EchoTime"),
    (NAME, "Fielding^Manu", "Manufacturer"),
    (IDENTIFIER, "12345", "0.12345"),
    (IDENTIFIER, "12345", "123456"),
    (IDENTIFIER, "2000", "TR 2000 ms"),
    (IDENTIFIER, "1987", "published in 1987"),
    (IDENTIFIER, "471", "471 volumes"),
    (IDENTIFIER, "01", "sub-01"),
    (IDENTIFIER, "sub12", "sub12"),
    (UID, "1.2.840.113619.2.5", "11.2.840.113619.2.5"),
    (UID, "1.2.840.113619.2.5", "1.2.840.113619.2.55"),
    (TEXT, "M", "M"),
    (TEXT, "HEAD", "head"),
    (TEXT, "Brain routine", "brain routine"),
    (TEXT, "036Y", "036Y"),
    (PLACE, "Radiology", "Department of radiology"),
    (PATH, "IM_0001", "IM_0001"),
    (PATH, "1.dcm", "1.dcm"),
    (PATH, "mr_0003", "mr_0003"),
    (PATH, "README-Series.txt", "README-Series"),
    (PATH, "axial_epi_fmri_interleaved_i_to_s-00147.dcm", "axial_epi_fmri_interleaved_i_to_s"),
]


@pytest.mark.parametrize(("kind", "text", "clean"), NOT_PLANTED)
def test_ordinary_text_is_no_find(session: Session, kind: ValueKind, text: str, clean: str) -> None:
    root = session(sidecar=clean, files={"README": f"Of {clean}.".encode()})
    assert places(search(root, value(kind, text))) == []


@pytest.mark.parametrize(("kind", "text"), sorted({(k, t) for k, t, _ in (*PLANTED, *NOT_PLANTED)}))
def test_a_clean_session_has_no_find(session: Session, kind: ValueKind, text: str) -> None:
    assert places(search(session(), value(kind, text))) == []


def test_a_find_says_the_kind_and_the_origin_and_never_the_value(session: Session) -> None:
    root = session(sidecar={"who": "Mara Quillfeather"})
    (found,) = search(root, value(NAME, QUIST, "(0010,0010)")).findings
    assert found.severity is Severity.ERROR
    assert found.message == (
        "an identifying value of the source is left: name that the source holds in (0010,0010)"
    )
    assert found.location.endswith("#/Planted/who")
    assert "quillfeather" not in str(found).lower()


def test_a_name_of_a_json_member_is_not_repeated(session: Session) -> None:
    root = session(sidecar={"Quillfeather": {"PatientName": "Mara"}})
    locations = [f.location.partition("#")[2] for f in search(root, value(NAME, QUIST)).findings]
    assert locations == ["/Planted/[name withheld]", "/Planted/[name withheld]/PatientName"]


def test_members_of_one_name_are_all_searched(session: Session) -> None:
    root = session(files={"x.json": b'{"a": "Quillfeather", "a": "clean"}'})
    assert places(search(root, value(NAME, QUIST))) == ["RESIDUE_FOUND x.json#/a"]


def test_broken_json_is_searched_as_text(session: Session) -> None:
    root = session(files={"x.json": b'{"a": "Quill\\u0066eather", '})
    assert places(search(root, value(NAME, QUIST))) == ["RESIDUE_FOUND x.json#byte 7"]


@pytest.mark.parametrize(
    ("number", "is_found"),
    [("143015", True), ("143015.25", True), ("20230517", True), ("9921734", True), ("92", False)],
)
def test_numbers_in_sidecars_are_searched(session: Session, number: str, *, is_found: bool) -> None:
    root = session(files={"x.json": f'{{"AcquisitionTimes": [{number}]}}'.encode()})
    identity = [value(TIME, "143015.25"), value(DATE, "20230517")]
    identity += [value(IDENTIFIER, "9921734"), value(IDENTIFIER, "92")]
    assert bool(search(root, *identity).findings) is is_found


def test_a_measured_number_is_no_time(session: Session) -> None:
    rows = "\n".join(f"{n}\t{n / 7:.6f}" for n in range(143000, 143100)).encode()
    root = session(
        files={
            "sub-01/func/x_events.tsv": b"onset\tsample\n" + rows,
            "sub-01/func/x_physio.tsv.gz": gzip.compress(rows),
            "sub-01/dwi/x.bval": b"0 143015 12345",
            "x.json": b'{"ShimSetting": [143015, 2.5]}',
        }
    )
    assert places(search(root, value(TIME, "143015"), value(DATE, "20143015"))) == []


def test_a_name_among_events_is_found(session: Session) -> None:
    root = session(files={"sub-01/func/x_events.tsv": b"onset\ttrial\n1.0\tMara\n"})
    assert len(search(root, value(NAME, QUIST)).findings) == 1


@pytest.mark.parametrize(
    "charset", ["shift_jis", "euc_jp", "iso2022_jp", "utf-16", "utf-16-le", "utf-16-be", "gb18030"]
)
def test_character_sets_of_dicom_are_searched(session: Session, charset: str) -> None:
    root = session(files={"notes.txt": "患者: 山田太郎".encode(charset, "replace")})
    assert search(root, value(NAME, "Yamada^Tarou=山田^太郎")).findings


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("latin-1", "Müller"),
        ("cp850", "Müller"),
        ("mac-roman", "Müller"),
        ("iso8859-2", "Čapek"),
        ("iso8859-5", "Иванова"),
        ("koi8-r", "Иванова"),
        ("iso8859-7", "Παππάς"),
        ("euc_kr", "김희중"),
        ("utf-16-le", "Müller"),
    ],
)
def test_a_name_in_an_old_character_set_is_found(session: Session, charset: str, name: str) -> None:
    root = session(files={"notes.txt": f"x {name} y".encode(charset)})
    assert search(root, value(NAME, f"{name}^A")).findings


def test_the_headers_of_gzip_are_searched(session: Session) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile("Quillfeather.nii", "wb", fileobj=packed) as stream:
        stream.write(gzip.decompress(image()))
    root = session(files={"sub-01/anat/x.nii.gz": packed.getvalue()})
    assert places(search(root, value(NAME, QUIST))) == [
        "RESIDUE_FOUND sub-01/anat/x.nii.gz#gzip header, byte 0"
    ]


@pytest.mark.parametrize(
    "suffix", [b"Quillfeather", gzip.compress(b"Quillfeather", mtime=0)], ids=["plain", "packed"]
)
def test_what_follows_an_image_is_searched(session: Session, suffix: bytes) -> None:
    assert search(session(suffix=suffix), value(NAME, QUIST)).findings


def test_header_extensions_are_searched(tmp_path: Path) -> None:
    made = nib.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4))
    made.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"of Mara Quillfeather"))
    made.to_filename(tmp_path / "x.nii")
    assert places(search(tmp_path, value(NAME, QUIST))) == [
        "RESIDUE_FOUND x.nii#header extension, byte 363"
    ]


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_and_versions_of_nifti_are_known(tmp_path: Path, order: str) -> None:
    for kind in (nib.Nifti1Image, nib.Nifti2Image):
        header = kind.header_class(endianness=order)
        header.set_data_shape((4, 4, 4))
        made = kind(np.zeros((4, 4, 4), np.int16), np.eye(4), header)
        made.header["descrip"] = b"Quillfeather"
        made.to_filename(tmp_path / f"{kind.__name__}.nii.gz")
    assert [
        f.location.split("#")[1].split(",")[0]
        for f in search(tmp_path, value(NAME, QUIST)).findings
    ] == [
        "header",
        "header field descrip",
    ] * 2


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_text_is_searched(session: Session, pack: Callable[[bytes], bytes]) -> None:
    root = session(files={"x.bin": pack(b"of Quillfeather")})
    assert len(search(root, value(NAME, QUIST)).findings) == 1


def test_archives_are_searched_with_their_members_names(session: Session) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("Quillfeather.txt", "clean")
        packed.writestr("clean.json", '{"a": "born 1987-03-14"}')
    outer = io.BytesIO()
    with tarfile.open(fileobj=outer, mode="w:gz") as tar:
        member = tarfile.TarInfo("inner.zip")
        member.size = len(inner.getvalue())
        tar.addfile(member, io.BytesIO(inner.getvalue()))
    root = session(files={"x.tgz": outer.getvalue()})
    result = search(root, value(NAME, QUIST), value(DATE, "19870314"))
    assert {f.location for f in result.findings} == {"x.tgz#name of an archive member", "x.tgz#/a"}


@pytest.mark.parametrize(
    "content",
    [
        image()[:-200],
        b"\x28\xb5\x2f\xfd" + bytes(100),
        b"PK\x03\x04" + bytes(100),
        b"\x1f\x8b\x08\x00broken",
    ],
)
def test_what_cannot_be_searched_is_an_error(session: Session, content: bytes) -> None:
    root = session(files={"x.nii.gz": content})
    (found,) = search(root, value(NAME, QUIST)).findings
    assert (found.code, found.severity) == ("RESIDUE_NOT_SEARCHED", Severity.ERROR)


def test_packing_without_end_is_an_error(session: Session) -> None:
    content = b"clean"
    for _ in range(9):
        content = gzip.compress(content)
    root = session(files={"x.gz": content})
    assert [f.code for f in search(root, value(NAME, QUIST)).findings] == ["RESIDUE_NOT_SEARCHED"]


def test_a_link_that_leads_nowhere_is_an_error(session: Session, tmp_path: Path) -> None:
    root = session()
    (root / "link").symlink_to(tmp_path / "Quillfeather")
    codes = [f.code for f in search(root, value(NAME, QUIST)).findings]
    assert codes == ["RESIDUE_FOUND", "RESIDUE_NOT_SEARCHED"]


def test_a_find_across_chunks_is_found(session: Session) -> None:
    text = b"x" * (CHUNK - 6) + b" Quillfeather " + b"y " * 1000
    voxels = bytearray(CHUNK + 4000)
    voxels[CHUNK - 6 : CHUNK + 6] = b"Quillfeather"
    header = gzip.decompress(image())[:352]
    shape = struct.pack("<8h", 3, 1000, 2000, 3, 1, 1, 1, 1)
    root = session(
        files={"long.txt": text, "x.nii": header[:40] + shape + header[56:] + bytes(voxels)}
    )
    assert [f.location.partition("#")[0] for f in search(root, value(NAME, QUIST)).findings] == [
        "long.txt",
        "x.nii",
    ]


def test_other_bytes_are_searched_by_their_runs(session: Session) -> None:
    noise = np.random.default_rng(3).bytes(1 << 16)
    root = session(
        files={"x.mat": noise + b"\0name: Lee, B\0" + noise, "y.mat": noise + b"Lee" + noise}
    )
    assert [f.location.partition("#")[0] for f in search(root, value(NAME, "Lee^Bo")).findings] == [
        "x.mat"
    ]


def test_what_is_ignored_is_counted_by_kind_reason_and_origin(session: Session) -> None:
    result = search(
        session(),
        value(NAME, "Head^Brian"),
        value(IDENTIFIER, "01", "(0020,0010)"),
        value(IDENTIFIER, "7", "(0020,0010)"),
        value(TEXT, "BRAIN", "(0018,0015)"),
        value(PATH, "IM_0001", "file name"),
        value(DATE, "20230517", "(0008,0020)"),
    )
    assert result.searched == {DATE: 1, IDENTIFIER: 0, NAME: 1, PATH: 0, TEXT: 0}
    assert {(i.kind, i.reason, i.origin, i.count) for i in result.ignored} == {
        (NAME, IgnoredBecause.PART_COMMON, "(0010,0010)", 1),
        (IDENTIFIER, IgnoredBecause.TOO_SHORT, "(0020,0010)", 2),
        (TEXT, IgnoredBecause.COMMON, "(0018,0015)", 1),
        (PATH, IgnoredBecause.COUNTED_NAME, "file name", 1),
    }


def test_what_is_published_on_purpose_is_no_find(session: Session) -> None:
    files = {"sub-P001x/anat/sub-P001x_T1w.json": b'{"Station": "Prisma_fit of P001x"}'}
    identity = [value(IDENTIFIER, "P001x"), value(NAME, "P001x"), value(PLACE, "Prisma_fit")]
    root = session(files=files)
    assert search(root, *identity).findings
    assert places(search(root, *identity, allowed=["P001x", "Prisma_fit"])) == []


def test_a_label_that_was_typed_as_the_name_is_no_find(session: Session) -> None:
    root = session(files={"sub-P001x/anat/sub-P001x_T1w.txt": b""})
    assert places(search(root, value(NAME, "P001x"), allowed=["sub-P001x"])) == []


def test_a_persons_name_as_a_label_is_a_find(session: Session) -> None:
    root = session(files={"sub-Mara/anat/sub-Mara_T1w.txt": b""})
    assert search(root, value(NAME, QUIST), allowed=["sub-Mara"]).findings


def test_a_name_within_what_is_published_is_a_find(session: Session) -> None:
    root = session(files={"x.json": b'{"Label": "T1_Quillfeather"}'})
    identity = [value(NAME, QUIST), value(DATE, "20230517")]
    assert search(root, *identity, allowed=["T1_Quillfeather"]).findings


def test_folder_names_that_are_protocol_names_are_ignored(session: Session) -> None:
    root = session(
        files={
            "x.json": b'{"SeriesDescription": "Wakeup_run", "ProtocolName": "Wakeup"}',
            "sub-01/func/sub-01_task-wakeup_bold.json": b"{}",
        }
    )
    result = search(root, value(PATH, "wakeup", "file name"), value(TEXT, "Wakeup Run"))
    assert places(result) == []
    assert {i.reason for i in result.ignored} == {IgnoredBecause.PUBLISHED}


@pytest.mark.parametrize("folder", ["Quillfeather", "Quillfeather_Mara", "2023 quillfeather"])
def test_a_folders_name_within_a_series_name_is_for_a_person_to_judge(
    session: Session, folder: str
) -> None:
    root = session(files={"x.json": b'{"SeriesDescription": "bold_rest_Quillfeather"}'})
    (found,) = search(root, value(PATH, folder, "file name")).findings
    assert (found.code, found.severity) == ("FOLDER_NAME_IN_DESCRIPTION", Severity.WARNING)
    assert "quillfeather" not in f"{found.message} {found.location}".lower()


@pytest.mark.parametrize("folder", ["007_bold_rest_Quillfeather", "rest", "bold_rest", "IM_0001"])
def test_a_folder_called_after_its_series_or_by_terms_is_not_told(
    session: Session, folder: str
) -> None:
    root = session(files={"x.json": b'{"SeriesDescription": "bold_rest_Quillfeather"}'})
    assert search(root, value(PATH, folder, "file name")).findings == ()


def test_a_piece_of_a_removed_text_may_stand_in_a_cleaned_description(session: Session) -> None:
    text = "Aldwyn cohort of wakeful sleepers, second wave"
    root = session(files={"x.json": b'{"ProtocolName": "cohort of wakeful sleepers T1"}'})
    assert places(search(root, value(TEXT, text))) == []


def test_authors_may_name_themselves_their_hospital_and_their_study(session: Session) -> None:
    description = b'{"Authors": ["Ignatius Thornbury"], "Funding": ["St Aldwyn Infirmary"]}'
    readme = b"The Aldwyn Sleep Cohort was scanned at St Aldwyn Infirmary."
    root = session(files={"dataset_description.json": description, "README.md": readme})
    result = search(
        root,
        value(NAME, "Thornbury^Ignatius", "(0008,0090)"),
        value(PLACE, "St Aldwyn Infirmary", "(0008,0080)"),
        value(TEXT, "Aldwyn Sleep Cohort", "(0008,1030)"),
    )
    assert {f.code for f in result.findings} == {"RESIDUE_IN_DOCUMENT"}
    assert {f.severity for f in result.findings} == {Severity.WARNING}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("README", value(NAME, QUIST, "(0010,0010)")),
        ("README", value(TEXT, "Quillfeather lives here", "(0010,4000)")),
        ("README", value(DATE, "20230517", "(0008,0020)")),
        ("participants.tsv", value(NAME, "Thornbury^Ignatius", "(0008,0090)")),
    ],
)
def test_the_person_in_a_datasets_description_is_an_error(
    session: Session, name: str, found: IdentifyingValue
) -> None:
    text = b"Mara Quillfeather lives here, 2023-05-17, Dr Thornbury"
    root = session(files={name: text})
    assert [f.code for f in search(root, found).findings] == ["RESIDUE_FOUND"]


def test_a_pipe_is_not_opened(session: Session) -> None:
    root = session()
    os.mkfifo(root / "pipe")
    assert [f.code for f in search(root).findings] == ["RESIDUE_NOT_SEARCHED"]


def test_the_result_does_not_depend_on_the_number_of_jobs(session: Session) -> None:
    files = {f"sub-01/x{n}.txt": f"{planted}".encode() for n, (_, _, planted) in enumerate(PLANTED)}
    root = session(files=files)
    identity = [value(kind, text) for kind, text, _ in PLANTED]
    results = [search(root, *identity, jobs=jobs) for jobs in (1, 2, 4)]
    assert results[0] == results[1] == results[2]
    assert len(results[0].findings) >= len(PLANTED)


def test_without_values_nothing_is_found(session: Session) -> None:
    result = search(session())
    assert result.findings == ()
    assert result.searched == {}
    assert result.files == 3
    assert result.bytes_searched > 16 * 16 * 8 * 2


_LETTERS = st.text("bcdfghjklmnpqrstvwxyzBCDFGHJK", min_size=7, max_size=12)


@settings(max_examples=60)
@given(
    family=_LETTERS,
    given_name=_LETTERS,
    before=st.text(max_size=20),
    after=st.text(max_size=20),
    escape=st.sampled_from(["json", "percent", "utf-8", "utf-16", "gzip", "latin-1"]),
)
def test_any_long_name_is_found_in_any_text(  # noqa: PLR0917 (hypothesis draws them)
    tmp_path: Path, family: str, given_name: str, before: str, after: str, escape: str
) -> None:
    text = f"{before} {family.swapcase()} {after}"
    content = {
        "json": lambda: json.dumps({"a": text}).encode(),
        "percent": lambda: urllib.parse.quote(text, errors="replace").encode(),
        "utf-8": lambda: text.encode("utf-8", "replace"),
        "utf-16": lambda: text.encode("utf-16", "replace"),
        "gzip": lambda: gzip.compress(text.encode("utf-8", "replace")),
        "latin-1": lambda: text.encode("latin-1", "replace"),
    }[escape]()
    (tmp_path / "x.txt").write_bytes(content)
    assert search(tmp_path, value(NAME, f"{family}^{given_name}")).findings


@settings(max_examples=60)
@given(
    content=st.binary(max_size=2000),
    head=st.sampled_from([b"", b"\x1f\x8b", b"PK\x03\x04", b"BZh"]),
)
def test_no_bytes_crash_the_search(tmp_path: Path, content: bytes, head: bytes) -> None:
    (tmp_path / "x.nii").write_bytes(head + content)
    findings: tuple[Finding, ...] = search(tmp_path, value(NAME, QUIST)).findings
    assert {f.code for f in findings} <= {"RESIDUE_NOT_SEARCHED"}


def test_the_list_of_common_words_is_in_order() -> None:
    rows = data_path(TABLE).read_text("utf-8").splitlines()
    words = [row.split("\t")[0] for row in rows[1:]]
    assert words == sorted(set(words))
    assert all(word.isalpha() and word.islower() and len(word) >= 3 for word in words)


@pytest.mark.parametrize("word", ["echotime", "phase", "bold", "head", "june", "prisma", "readme"])
def test_a_word_of_every_dataset_is_common(word: str) -> None:
    assert is_common(word)


@pytest.mark.parametrize("word", ["smith", "quillfeather", "nih", "baker", "mara"])
def test_a_surname_is_not_common(word: str) -> None:
    assert not is_common(word)
