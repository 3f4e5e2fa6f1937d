"""Each privacy finding: what raises it, what is near to it and does not, and what it never says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from privacy_trees import (
    HEAD,
    findings_of,
    raw_dataset,
    small_picture,
    small_volume,
    write,
    write_image,
    write_json,
)
from processor_time import within_cpu_seconds
from recordings import edf
from sessions.converted import nifti, nifti_extension

from bidsanon.findings import Finding, Severity
from bidsanon.validate.privacy import check_privacy
from bidsanon.validate.privacy_json import json_spots

NAME = "Quillfeather"
DICOM = bytes(128) + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00" + bytes(40)
BARE_DICOM = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100\x08\x00\x16\x00UI\x1a\x00" + bytes(300)
NOISE = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(64))
SIDECAR = "sub-01/anat/sub-01_T1w.json"
SCANS = "sub-01/sub-01_scans.tsv"


def spoil(root: Path, files: dict[str, str | bytes]) -> dict[str, list[str]]:
    """Return the places of findings, by code, of a dataset with files added or replaced."""
    raw_dataset(root, whole=False)
    for name, content in files.items():
        write(root, name, content)
    return dict(findings_of(check_privacy(root)))


def sidecar(**content: object) -> dict[str, str | bytes]:
    return {SIDECAR: json.dumps(content)}


def tgz(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b", content)
    return packed.getvalue()


def gzip_named(content: bytes) -> bytes:
    plain = gzip.compress(content, 1, mtime=0)
    return plain[:3] + b"\x08" + plain[4:10] + NAME.encode() + b"\0" + plain[10:]


def table(*rows: str) -> str:
    return "".join(f"{row}\n" for row in rows).replace(" ", "\t")


def participants(column: str, value: str) -> dict[str, str | bytes]:
    return {"participants.tsv": table(f"participant_id {column}", f"sub-01 {value}")}


def test_a_clean_dataset_raises_nothing(tmp_path: Path) -> None:
    assert check_privacy(raw_dataset(tmp_path)) == ()


RAISED = [
    # Keys of JSON, at any depth, however programs write them.
    ("PRIVACY_IDENTIFYING_KEY", f"{SIDECAR}#/PatientName", sidecar(PatientName=NAME)),
    ("PRIVACY_IDENTIFYING_KEY", f"{SIDECAR}#/PatientID", sidecar(PatientID=4711)),
    (
        "PRIVACY_IDENTIFYING_KEY",
        f"{SIDECAR}#/SeriesInstanceUID",
        sidecar(SeriesInstanceUID="1.2.3"),
    ),
    (
        "PRIVACY_IDENTIFYING_KEY",
        f"{SIDECAR}#/global/const/AccessionNumber",
        sidecar(**{"global": {"const": {"AccessionNumber": "A1"}}}),
    ),
    (
        "PRIVACY_IDENTIFYING_KEY",
        f"{SIDECAR}#/00100010",
        sidecar(**{"00100010": {"vr": "PN", "Value": [{"Alphabetic": NAME}]}}),
    ),
    ("PRIVACY_IDENTIFYING_KEY", f"{SIDECAR}#/0010|0020", sidecar(**{"0010|0020": "4711"})),
    (
        "PRIVACY_IDENTIFYING_KEY",
        "derivatives/mriqc/sub-01/anat/sub-01_T1w.json#/bids_meta/(1)/OperatorsName",
        {
            "derivatives/mriqc/sub-01/anat/sub-01_T1w.json": json.dumps(
                {"bids_meta": {NAME: {"OperatorsName": NAME}}}
            )
        },
    ),
    ("PRIVACY_BIRTH_DATE", f"{SIDECAR}#/PatientBirthDate", sidecar(PatientBirthDate="19000101")),
    ("PRIVACY_PLACE_KEY", f"{SIDECAR}#/InstitutionName", sidecar(InstitutionName="A house")),
    ("PRIVACY_FREE_TEXT", f"{SIDECAR}#/ImageComments", sidecar(ImageComments="for her")),
    ("PRIVACY_TIME_OF_DAY", f"{SIDECAR}#/AcquisitionTime", sidecar(AcquisitionTime="08:15:00.5")),
    ("PRIVACY_AGE", f"{SIDECAR}#/PatientAge", sidecar(PatientAge="094Y")),
    ("PRIVACY_AGE", f"{SIDECAR}#/PatientAge", sidecar(PatientAge="090Y")),
    ("PRIVACY_BURNED_IN", f"{SIDECAR}#/BurnedInAnnotation", sidecar(BurnedInAnnotation="YES")),
    ("PRIVACY_BURNED_IN", f"{SIDECAR}#/ImageType", sidecar(ImageType=["DERIVED", "SCREEN SAVE"])),
    ("PRIVACY_PLACEHOLDER", f"{SIDECAR}#/TaskName", sidecar(TaskName="TODO: full task name")),
    ("PRIVACY_CONTACT", f"{SIDECAR}#/TaskName", sidecar(TaskName="ask q@hospital.org")),
    ("PRIVACY_FOLDER", f"{SIDECAR}#/Sources/0", sidecar(Sources=[f"/home/{NAME}/a.nii"])),
    (
        "PRIVACY_ACCOUNT",
        "derivatives/fs/sub-01/stats/aseg.stats, line 2",
        {"derivatives/fs/sub-01/stats/aseg.stats": f"# hostname c0ffee\n# user {NAME}\n"},
    ),
    # Dates, in every form that people write.
    (
        "PRIVACY_DATE",
        f"{SIDECAR}#/AcquisitionDateTime",
        sidecar(AcquisitionDateTime="20230517081322"),
    ),
    ("PRIVACY_DATE", f"{SIDECAR}#/ScanDate", sidecar(ScanDate="2023-05-17")),
    ("PRIVACY_DATE", f"{SIDECAR}#/ContentDate", sidecar(ContentDate=20230517)),
    ("PRIVACY_DATE_PERHAPS", f"{SIDECAR}#/TaskName", sidecar(TaskName="2023-05-17T08:13:22")),
    ("PRIVACY_DATE_PERHAPS", f"{SIDECAR}#/TaskName", sidecar(TaskName="rest_2023-05-17 again")),
    ("PRIVACY_DATE_PERHAPS", f"{SIDECAR}#/Instructions", sidecar(Instructions="born 17.5.1987")),
    (
        "PRIVACY_DATE_PERHAPS",
        "sub-01/b_events.tsv, row 1, column 2",
        {"sub-01/b_events.tsv": "onset\tsaid\n1\tcame 2023-05-17\n2\tand 18/05/2023.\n"},
    ),
    (
        "PRIVACY_DATE",
        f"{SCANS}, row 1, column 2",
        {SCANS: table("filename acq_time", "a 2023-05-17T08:13:22")},
    ),
    (
        "PRIVACY_DATE",
        f"{SCANS}, row 1, column 2",
        {SCANS: table("filename acq_time", "a 1926-01-01")},
    ),
    ("PRIVACY_DATE", "participants.tsv, row 1, column 2", participants("visit_date", "17.05.2023")),
    ("PRIVACY_DATE", "participants.tsv, row 1, column 2", participants("ScanDate", "5/17/23")),
    ("PRIVACY_DATE", "participants.tsv, row 1, column 2", participants("datum", "17-May-2023")),
    (
        "PRIVACY_DATE",
        "participants.tsv, row 1, column 2",
        participants("acq_time", "20131218T080200"),
    ),
    (
        "PRIVACY_DATE_PERHAPS",
        "participants.tsv, row 1, column 2",
        participants("seen", "2023-05-17"),
    ),
    ("PRIVACY_BIRTH_DATE", "participants.tsv, row 1, column 2", participants("dob", "1950")),
    # Columns.
    ("PRIVACY_AGE", "participants.tsv, row 1, column 2", participants("age", "91")),
    ("PRIVACY_AGE", "participants.tsv, row 1, column 2", participants("AgeAtScan", "89.5")),
    ("PRIVACY_AGE", "participants.tsv, row 1, column 2", participants("age_months", "1200")),
    (
        "PRIVACY_AGE",
        "phenotype/x.tsv, row 1, column 2",
        {"phenotype/x.tsv": table("participant_id mother_age", "sub-01 093Y")},
    ),
    ("PRIVACY_IDENTIFYING_COLUMN", "participants.tsv, row 1, column 2", participants("name", NAME)),
    (
        "PRIVACY_IDENTIFYING_COLUMN",
        "participants.tsv, row 1, column 2",
        participants("MRN", "4711"),
    ),
    (
        "PRIVACY_IDENTIFYING_COLUMN",
        "participants.tsv, row 1, column 2",
        participants("e-mail", NAME),
    ),
    (
        "PRIVACY_IDENTIFYING_COLUMN",
        f"{SCANS}, row 1, column 2",
        {SCANS: table("filename operator", f"a {NAME}")},
    ),
    ("PRIVACY_CONTACT", "participants.tsv, row 1", participants("remark", "q@hospital.org")),
    (
        "PRIVACY_PLACEHOLDER",
        "sub-01/func/sub-01_task-balloon_events.tsv, row 0",
        {"sub-01/func/sub-01_task-balloon_events.tsv": "onset\tduration\tTODO -- fill in rows\n"},
    ),
    # Who is who.
    (
        "PRIVACY_MAPPING",
        "code/who.csv",
        {"code/who.csv": f"participant_id,surname\nsub-01,{NAME}\n"},
    ),
    ("PRIVACY_MAPPING", "code/who.txt", {"code/who.txt": "01;4711081\n02;4711082\n"}),
    ("PRIVACY_MAPPING", "code/who.csv", {"code/who.csv": "new,old id\nsub-01,4711081\n"}),
    ("PRIVACY_MAPPING", "sourcedata/a.tsv", {"sourcedata/a.tsv": table("x y", "sub-02 Doe^Mara")}),
    ("PRIVACY_MAPPING", "code/l.csv", {"code/l.csv": 'x,y\n1,sub-01\n2,"Mary Jones",sub-02\n'}),
    (
        "PRIVACY_MAPPING",
        "code/a.json#",
        {"code/a.json": json.dumps({"sub-01": "Doe^Mara", "sub-02": "Roe^Al"})},
    ),
    (
        "PRIVACY_MAPPING",
        "code/b.json#",
        {"code/b.json": json.dumps([{"participant_id": "sub-01", "Surname": NAME}])},
    ),
    ("PRIVACY_KEY_FILE", "code/deident.map", {"code/deident.map": "x"}),
    ("PRIVACY_KEY_FILE", "sourcedata/vault.sqlite", {"sourcedata/vault.sqlite": "x"}),
    ("PRIVACY_KEY_FILE", "code/study.key", {"code/study.key": "x"}),
    ("PRIVACY_KEY_FILE_PERHAPS", "code/id_mapping.csv", {"code/id_mapping.csv": "a,b\n"}),
    ("PRIVACY_KEY_FILE_PERHAPS", "code/key.csv", {"code/key.csv": "a,b\n"}),
    ("PRIVACY_KEY_FILE_PERHAPS", "study_key.txt", {"study_key.txt": "a b\n"}),
    ("PRIVACY_OFFICE_FILE", "phenotype/list.xlsx", {"phenotype/list.xlsx": zipped(b"cells")}),
    # DICOM.
    ("PRIVACY_DICOM", "sourcedata/x", {"sourcedata/x": DICOM}),
    ("PRIVACY_DICOM", "sub-01/anat/no_suffix", {"sub-01/anat/no_suffix": BARE_DICOM}),
    ("PRIVACY_DICOM", "sourcedata/x.json", {"sourcedata/x.json": DICOM}),
    ("PRIVACY_DICOM", "sourcedata/x.dicom.tgz", {"sourcedata/x.dicom.tgz": tgz("a/1", DICOM)}),
    ("PRIVACY_DICOM", "sourcedata/x.zip", {"sourcedata/x.zip": zipped(DICOM)}),
    ("PRIVACY_DICOM", "sourcedata/x.gz", {"sourcedata/x.gz": gzip.compress(DICOM, mtime=0)}),
    (
        "PRIVACY_ARCHIVE_UNREAD",
        "sourcedata/x.7z",
        {"sourcedata/x.7z": b"7z\xbc\xaf\x27\x1c" + bytes(40)},
    ),
    ("PRIVACY_ARCHIVE_UNREAD", "sourcedata/x.zip", {"sourcedata/x.zip": zipped(DICOM)[:60]}),
    # What tools leave.
    ("PRIVACY_LEFTOVER", ".heudiconv", {".heudiconv/01/info/dicominfo.tsv": NAME}),
    ("PRIVACY_LEFTOVER", "tmp_dcm2bids", {"tmp_dcm2bids/log/a.log": NAME}),
    ("PRIVACY_LEFTOVER", "derivatives/.bidsmgr", {"derivatives/.bidsmgr/a.json": "{}"}),
    ("PRIVACY_LEFTOVER", "code/Protocol_Translator.json", {"code/Protocol_Translator.json": "{}"}),
    ("PRIVACY_LEFTOVER", "code/dicominfo.tsv", {"code/dicominfo.tsv": NAME}),
    ("PRIVACY_LEFTOVER", "crash-20230517-081322-mq-x.txt", {"crash-20230517-081322-mq-x.txt": "x"}),
    ("PRIVACY_HISTORY", ".git", {".git/HEAD": "ref: refs/heads/main\n"}),
    ("PRIVACY_HISTORY", ".datalad", {".datalad/config": "[datalad]\n"}),
    ("PRIVACY_HIDDEN_FILE", "sub-01/anat/.DS_Store", {"sub-01/anat/.DS_Store": "x"}),
    ("PRIVACY_HIDDEN_FILE", "participants.tsv~", {"participants.tsv~": "x"}),
    (
        "PRIVACY_FOLDER",
        "code/run.py, line 2",
        {"code/run.py": f"a = 1\nb = 'C:\\\\Users\\\\{NAME}'\n"},
    ),
    ("PRIVACY_CONTACT_IN_DOCUMENT", "README, line 1", {"README": "Write to q@hospital.org\n"}),
    ("PRIVACY_CONTACT_IN_DOCUMENT", "README, line 1", {"README": "Call +49 30 1234567\n"}),
    ("PRIVACY_PLACEHOLDER", "README, line 1", {"README": "TODO: Provide description\n"}),
    # Images.
    (
        "PRIVACY_PICTURE",
        "sub-01/ieeg/sub-01_photo.jpg",
        {"sub-01/ieeg/sub-01_photo.jpg": b"\xff\xd8"},
    ),
    (
        "PRIVACY_HEADER_TEXT",
        "sub-01/anat/a.nii",
        {"sub-01/anat/a.nii": nifti(texts={"descrip": b"TE=3;Time=081322.0"})},
    ),
    (
        "PRIVACY_HEADER_TEXT",
        "sub-01/anat/a.nii",
        {"sub-01/anat/a.nii": nifti(texts={"aux_file": NAME.encode()})},
    ),
    (
        "PRIVACY_HEADER_TEXT",
        "sub-01/anat/a.nii",
        {"sub-01/anat/a.nii": nifti(version=2, order=">", texts={"aux_file": NAME.encode()})},
    ),
    (
        "PRIVACY_HEADER_TEXT",
        "sub-01/anat/a.nii",
        {"sub-01/anat/a.nii": nifti(texts={"descrip": b"of Mary Jones"})},
    ),
    (
        "PRIVACY_HEADER_TEXT",
        "sub-01/anat/a.nii",
        {"sub-01/anat/a.nii": nifti(texts={"aux_file": b"\0" + NAME.encode()})},
    ),
    (
        "PRIVACY_HEADER_TEXT",
        "sub-01/anat/a.nii",
        {"sub-01/anat/a.nii": nifti(version=2, texts={"unused_str": NAME.encode()})},
    ),
    (
        "PRIVACY_HEADER_TEXT",
        "sub-01/anat/a.nii",
        {"sub-01/anat/a.nii": nifti(extension=nifti_extension(b"x"))},
    ),
    ("PRIVACY_GZIP_NAME", "sub-01/a.nii.gz", {"sub-01/a.nii.gz": gzip_named(nifti())}),
    (
        "PRIVACY_GZIP_TIME",
        "sub-01/a.nii.gz",
        {"sub-01/a.nii.gz": gzip.compress(nifti(), mtime=1_600_000_000)},
    ),
    (
        "PRIVACY_HEADER_TEXT",
        "sub-01/eeg/a.edf",
        {
            "sub-01/eeg/a.edf": b"0       "
            + f"4711 F 02-MAY-1951 {NAME}".encode().ljust(160)
            + b"01.01.8508.13.22"
            + bytes(300)
        },
    ),
    # Labels.
    ("PRIVACY_LABEL_NAME", "sub-MaryJones", {"sub-MaryJones/anat/a.bval": "0\n"}),
    ("PRIVACY_LABEL_NAME", "sub-annasmith", {"sub-annasmith/anat/a.bval": "0\n"}),
    ("PRIVACY_LABEL_NAME", "sub-peter01", {"sub-peter01/anat/a.bval": "0\n"}),
    ("PRIVACY_LABEL_DATE", "sub-AB19870314", {"sub-AB19870314/anat/a.bval": "0\n"}),
    ("PRIVACY_LABEL_DATE", "ses-20230517", {"sub-01/ses-20230517/anat/a.bval": "0\n"}),
    (
        "PRIVACY_LABEL_DATE",
        "sub-01/anat/sub-01_acq-20230517_T1w.bval",
        {"sub-01/anat/sub-01_acq-20230517_T1w.bval": "0\n"},
    ),
    (
        "PRIVACY_LABEL_DATE",
        "sourcedata/scan 2023-05-17.txt",
        {"sourcedata/scan 2023-05-17.txt": "x"},
    ),
    ("PRIVACY_LABEL_NUMBER", "sub-4711081", {"sub-4711081/anat/a.bval": "0\n"}),
    # Names within texts, and what lies in archives or under a name in capitals.
    ("PRIVACY_NAME", f"{SIDECAR}#/Instructions", sidecar(Instructions=f"ask {NAME}^Mara")),
    ("PRIVACY_NAME", f"{SIDECAR}#/(1)", sidecar(**{f"{NAME}^Mara": 1})),
    ("PRIVACY_NAME", f"{SIDECAR}#/Instructions", sidecar(Instructions=f"rest {NAME}^Mara head")),
    (
        "PRIVACY_NOT_READ",
        "sub-01/twice.json",
        {"sub-01/twice.json": f'{{"PatientName": "{NAME}", "PatientName": ""}}'},
    ),
    ("PRIVACY_NAME", "code/a.log, line 2", {"code/a.log": f"begins\n{NAME.upper()}^MARA\n"}),
    ("PRIVACY_NAME", "sub-01/a.tsv, row 1", {"sub-01/a.tsv": f"onset\tsaid\n1\t{NAME}^Mara\n"}),
    ("PRIVACY_NAME", "code/a.zip", {"code/a.zip": zipped(f"of {NAME}^Mara".encode())}),
    (
        "PRIVACY_IDENTIFYING_KEY",
        "code/a.tgz",
        {"code/a.tgz": tgz("a/b.json", json.dumps({"PatientName": NAME}).encode())},
    ),
    ("PRIVACY_ARCHIVE_UNREAD", "code/a.tgz", {"code/a.tgz": tgz("a/b.csv", b"a,b\n")}),
    ("PRIVACY_ARCHIVE_UNREAD", "code/a.zip", {"code/a.zip": zipped(zipped(NAME.encode()))}),
    (
        "PRIVACY_IDENTIFYING_KEY",
        "sub-01/A.JSON#/PatientName",
        {"sub-01/A.JSON": f'{{"PatientName": "{NAME}"}}'},
    ),
    (
        "PRIVACY_IDENTIFYING_COLUMN",
        "sub-01/a.TSV, row 1, column 2",
        {"sub-01/a.TSV": table("onset surname", f"1 {NAME}")},
    ),
    (
        "PRIVACY_HEADER_TEXT",
        "sub-01/anat/a.NII.GZ",
        {"sub-01/anat/a.NII.GZ": gzip.compress(nifti(texts={"aux_file": NAME.encode()}), mtime=0)},
    ),
    (
        "PRIVACY_IDENTIFYING_COLUMN",
        "sub-01/a_events.tsv, row 1, column 2",
        {"sub-01/a_events.tsv": table("onset MRN", "1 4711")},
    ),
    ("PRIVACY_MAPPING", "code/a.tsv", {"code/a.tsv": f"participant_id,surname\nsub-01,{NAME}\n"}),
    ("PRIVACY_MAPPING", "code/a.txt", {"code/a.txt": f"sub-01 {NAME}^Mara 4711081\n"}),
    (
        "PRIVACY_FREE_TEXT",
        "participants.tsv, row 1, column 2",
        {"participants.tsv": f"participant_id\tnotes\nsub-01\tlives with {NAME}\n"},
    ),
    ("PRIVACY_NOT_READ", "sub-01/a.bval", {"sub-01/a.bval": f"# {NAME}\n0 1000\n"}),
    ("PRIVACY_OFFICE_FILE", "code/a.pdf", {"code/a.pdf": b"%PDF-1.4\n"}),
    ("PRIVACY_DATE", "participants.tsv, row 1, column 2", participants("scan_date", "2019-05")),
    ("PRIVACY_DATE", "participants.tsv, row 1, column 2", participants("scan_date", "5/2019")),
    ("PRIVACY_DATE", "participants.tsv, row 1, column 2", participants("scan_date", "May-2019")),
    ("PRIVACY_BIRTH_DATE", "participants.tsv, row 1, column 2", participants("YOB", "1950")),
    (
        "PRIVACY_NUMBER_PERHAPS",
        "participants.tsv, row 1, column 2",
        participants("hospital_nr", "4711081"),
    ),
    # Names in plain words, and texts that somebody wrote.
    (
        "PRIVACY_NAME_PERHAPS",
        "participants.tsv, row 1, column 2",
        {"participants.tsv": f"participant_id\twho\nsub-01\tMary {NAME}\n"},
    ),
    (
        "PRIVACY_NAME_PERHAPS",
        f"{SCANS}, row 1, column 2",
        {SCANS: f"filename\tseen\na\t{NAME}, Peter\n"},
    ),
    ("PRIVACY_NAME_PERHAPS", f"{SIDECAR}#/Instructions", sidecar(Instructions="Peter Schmidt")),
    (
        "PRIVACY_FREE_TEXT",
        "phenotype/x.tsv, row 1, column 2",
        {"phenotype/x.tsv": "participant_id\tq7\nsub-01\tlives with her two old cats\n"},
    ),
    # What nobody could look into.
    ("PRIVACY_NOT_READ", "sub-01/broken.json", {"sub-01/broken.json": '{"PatientName": "x'}),
    ("PRIVACY_NOT_READ", "sub-01/deep.json", {"sub-01/deep.json": '{"a":' * 400 + "1" + "}" * 400}),
    ("PRIVACY_NOT_READ", "sub-01/deep.json", {"sub-01/deep.json": "[" * 100_000}),
    ("PRIVACY_NOT_READ", "sub-01/latin.json", {"sub-01/latin.json": b'{"a": "\xe9"}'}),
    ("PRIVACY_NOT_READ", "sub-01/a.tsv", {"sub-01/a.tsv": b"a\tb\n\0\0\0"}),
    (
        "PRIVACY_NOT_READ",
        "sub-01/a_physio.tsv.gz",
        {"sub-01/a_physio.tsv.gz": gzip.compress(NOISE, mtime=0)[:300]},
    ),
]


@pytest.mark.parametrize(("code", "place", "files"), RAISED, ids=[f"{c}-{p}" for c, p, _ in RAISED])
def test_what_is_private_is_found_at_its_place(
    tmp_path: Path, code: str, place: str, files: dict[str, str | bytes]
) -> None:
    found = spoil(tmp_path, files)
    assert found.get(code) == [place], found


NEAR = [
    sidecar(PatientName="", PatientID="n/a", AccessionNumber=None, OperatorsName=[]),
    sidecar(PatientName="sub-01", PatientID="01", ReferringPhysicianName="anonymous"),
    sidecar(StudyInstanceUID="2.25.123456789", DeviceSerialNumber="anon-ks76gdva3ty"),
    sidecar(AcquisitionDateTime="19070108120000", AcquisitionTime="12:00:00.000000"),
    sidecar(PatientAge="089Y", Age=42, StageAge="n/a", Voltage=120),
    sidecar(ReleaseDate="2023-05-17", ModifiedDate="20230517", DateProcessed="2023-05-17"),
    sidecar(BurnedInAnnotation="NO", ImageType=["DERIVED", "SECONDARY"]),
    sidecar(name="T1w", Label=20230517, TaskName="Mary had a little lamb"),
    {"participants.json": json.dumps({"age": {"Units": "months"}})} | participants("age", "130"),
    {"participants.tsv": table("participant_id species age", "sub-01 mus-musculus 120")},
    participants("age", "90+"),
    participants("name", "sub-01"),
    participants("dob", "n/a"),
    participants("birth_date", "n/a"),
    participants("visit_date", "1907-01-08"),
    participants("score", "20230517"),
    participants("date_of_processing", "n/a"),
    {"code/t.csv": "participant_id,volume\nsub-01,1234567\nsub-02,1234568\n"},
    {"code/t.csv": "participant_id,group\nsub-01,Healthy Control\nsub-02,Left Handed\n"},
    {"code/keyboard.py": "import mapping\n", "code/monkey.csv": "a,b\n"},
    {"sourcedata/notes.txt": "no DICM here\n", "sourcedata/a.tgz": tgz("a", b"plain text")},
    {".gitattributes": "* annex.backend=MD5E\n", ".gitmodules": "", "sub-01/.gitkeep": ""},
    {"code/a.py": "p = '/home/user/x'; q = 'https://x.org/home/page'; r = '/home/$USER'\n"},
    {"README": "See https://example.org, 10.18112/openneuro.ds1, tel-aviv, b=1000 +1 -1\n"},
    {"CHANGES": "1.0.0 2020-01-01\n - TE=2.96 TR=2300 20200101 2.3.4.5.6\n"},
    {"sub-01/anat/a.nii": nifti(texts={"descrip": b"FSL5.0 build 20120911", "aux_file": b"none"})},
    {"sub-01/anat/a.nii": nifti(texts={"descrip": b"TE=2.98;sec=3.5"})},
    {"sub-01/eeg/a.edf": edf("X X X X", "", "01.01.85", "00.00.00")},
    {"sub-100/ses-1/a.bval": "0\n", "sub-0050952/a.bval": "0\n", "sub-A00028185/a.bval": "0\n"},
    {"sub-control01/a.bval": "0\n", "sub-young01/a.bval": "0\n", "sub-phantom/a.bval": "0\n"},
    {"sub-NDARINV1A2B3C4D/ses-baselineYear1/a.bval": "0\n", "sub-01/ses-19070108/a.bval": "0\n"},
    {"sub-01/anat/sub-01_acq-12345678_run-01_echo-2_T1w.bval": "0\n"},
    {"sub-01/anat/sub-01_acq-2mm_rec-19070108_run-2.bval": "0\n", "code/2023-05-17.txt": "x"},
    {"sub-xp101/ses-jan/a.bval": "0\n", "sub-emptyroom/ses-pre/a.bval": "0\n"},
    {"sub-01/func/a_physio.tsv.gz": gzip.compress(b"0.1\t20230517\n" * 50, mtime=0)},
    {"derivatives/x.json": '[1, 2, {"a": NaN}]', "derivatives/y.json": '"text"'},
    {"derivatives/qc/sub-01/figures/sub-01_T1w.png": small_picture()},
    sidecar(
        Instructions="v1.12.2019.3, 10.5.20, https://x.org/2019-03-04/, 1907-01-08", B0="1.9.25"
    ),
    sidecar(PatientAge="089Y"),
    sidecar(SeriesDescription="Brain^Head_routine", Formula="a^b", Units="mm^-1"),
    {"sub-01/a.tsv": table("name x", "Fp1 plus"), "sub-01/a.bvec": "0 1e-3 -0.5\n0 nan 1\n"},
    {"code/b.tgz": tgz("a/b.json", b'{"EchoTime": 0.03}')},
    {"derivatives/fs/a.mgz": small_volume()},
    {"participants.tsv": "participant_id\tgroup\tsite\nsub-01\tYoung Adult\tSan Diego\n"},
    {"participants.tsv": "participant_id\tsite\tdrug\nsub-01\tSt Thomas\tSimon Task\n"},
    {"participants.tsv": "participant_id\tdiagnosis\nsub-01\tmajor depressive disorder, mild\n"},
    {"phenotype/x.tsv": "participant_id\ttest\nsub-01\tRey Auditory Verbal Learning Test A\n"},
    {
        "participants.json": json.dumps({"q": {"Levels": {"I like it very much indeed": "5"}}}),
        "participants.tsv": "participant_id\tq\nsub-01\tI like it very much indeed\n",
    },
    participants("genetic_id", "124587"),
    participants("reaction_time", "4711081"),
    participants("scan_id", "17"),
    participants("scan_date", "1907-05"),
    participants("scan_date", "Wave-2019"),
    participants("time", "2019-05"),
    {"sub-01/a_events.tsv": "onset\tstimulus\n1\tPeter Schmidt\n2\tsaid in so many long words\n"},
    sidecar(TaskName="Simon Task", Manufacturer="Philips Medical Systems", Coil="Martin"),
    {"participants.json": json.dumps({"who": {"Levels": {"1": "Peter Schmidt"}}})},
]


@pytest.mark.parametrize("files", NEAR, ids=[" ".join(files)[:60] for files in NEAR])
def test_what_is_near_raises_nothing(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    assert spoil(tmp_path, files) == {}


def test_no_finding_repeats_a_value_or_a_key_that_may_be_one(tmp_path: Path) -> None:
    raw_dataset(tmp_path)
    for _, _, files in RAISED:
        for name, content in files.items():
            if name not in {"participants.tsv", SIDECAR, SCANS}:
                write(tmp_path, name, content)
    write_json(tmp_path, SIDECAR, {NAME: {"PatientName": NAME}, "PatientID": NAME})
    write(
        tmp_path,
        "participants.tsv",
        f"participant_id\tname\tage of {NAME}\nsub-01\t{NAME}\t99\n",
    )
    found = check_privacy(tmp_path)
    assert len(found) > 30
    assert not [one for one in found if NAME in repr(one) or "4711" in one.message]


def test_a_key_in_many_files_is_one_finding_with_the_count(tmp_path: Path) -> None:
    raw_dataset(tmp_path)
    for number in range(300):
        write_json(tmp_path, f"sub-02/func/a{number:03d}.json", {"PatientName": NAME})
    (found,) = check_privacy(tmp_path)
    assert found.location == "sub-02/func/a000.json#/PatientName"
    assert "300" in found.message


def test_dates_of_all_subjects_scans_are_one_finding_with_count_and_examples(
    tmp_path: Path,
) -> None:
    raw_dataset(tmp_path, whole=False)
    rows = "filename\tacq_time\nanat/a\t2023-05-17T08:13:22\nanat/b\t2023-05-17T08:33:22\n"
    for label in ("01", "02", "control03"):
        write(tmp_path, f"sub-{label}/sub-{label}_scans.tsv", rows)
    (found,) = check_privacy(tmp_path)
    assert found.location == f"{SCANS}, row 1, column 2"
    assert "in 6 place(s)" in found.message
    assert found.message.endswith(
        "; also in sub-02/sub-02_scans.tsv, sub-control03/sub-control03_scans.tsv"
    )


def test_stubs_of_many_tables_are_one_finding_with_the_count(tmp_path: Path) -> None:
    runs = [f"sub-01/func/sub-01_task-balloon_run-{run}_events.tsv" for run in range(1, 5)]
    stubs = dict.fromkeys(runs, "onset\tduration\tTODO -- fill in rows\n")
    assert spoil(tmp_path, stubs) == {"PRIVACY_PLACEHOLDER": [f"{runs[0]}, row 0"]}


def test_rows_of_one_column_are_one_finding_with_the_count(tmp_path: Path) -> None:
    found = spoil(tmp_path, {"participants.tsv": table("participant_id age", *["sub-01 95"] * 40)})
    assert found == {"PRIVACY_AGE": ["participants.tsv, row 1, column 2"]}


HEADS: list[tuple[str, dict[str, object] | None, str | None]] = [
    ("sub-01/anat/sub-01_T1w.nii.gz", None, "PRIVACY_FACE"),
    ("sub-01/anat/sub-01_T1w.nii.gz", {"EchoTime": 0.003}, "PRIVACY_FACE"),
    ("sub-01/ses-1/pet/sub-01_ses-1_pet.nii.gz", None, "PRIVACY_FACE"),
    ("derivatives/x/sub-01/anat/sub-01_desc-preproc_T1w.nii.gz", None, "PRIVACY_FACE"),
    ("sub-01/anat/sub-01_T1w.nii.gz", {"DeidentificationMethod": "defaced by hand"}, None),
    ("sub-01/anat/sub-01_T1w.nii.gz", {"DeidentificationMethod": ["No face to remove: x"]}, None),
    ("sub-01/anat/sub-01_T1w.nii.gz", {"DeidentificationMethod": ["Face removed by x"]}, None),
    (
        "sub-01/anat/sub-01_T1w.nii.gz",
        {"DeidentificationMethodCodeSequence": [{"CodeValue": "113102"}]},
        None,
    ),
    (
        "sub-01/anat/sub-01_T1w.nii.gz",
        {"DeidentificationMethod": ["Face not removed: consent"]},
        "PRIVACY_FACE_KEPT",
    ),
    ("sub-01/anat/sub-01_rec-defaced_T1w.nii.gz", None, None),
    ("derivatives/x/sub-01/anat/sub-01_desc-brain_T1w.nii.gz", None, None),
    ("sub-01/func/sub-01_task-balloon_bold.nii.gz", None, None),
    ("sub-01/dwi/sub-01_dwi.nii.gz", None, None),
]


@pytest.mark.parametrize(("name", "says", "code"), HEADS, ids=lambda x: str(x)[:60])
def test_a_head_needs_proof_that_its_face_is_gone(
    tmp_path: Path, name: str, says: dict[str, object] | None, code: str | None
) -> None:
    raw_dataset(tmp_path)
    write_image(tmp_path, name, shape=HEAD)
    if says is not None:
        write_json(tmp_path, name.replace(".nii.gz", ".json"), says)
    assert findings_of(check_privacy(tmp_path)) == ({code: [name]} if code else {})
    assert check_privacy(tmp_path, faces=False) == ()
    if code == "PRIVACY_FACE":
        assert check_privacy(tmp_path, accepted=[name]) == ()


@pytest.mark.parametrize(
    ("shape", "is_head"),
    [((30, 30, 8), True), ((29, 29, 29), False), ((60, 60, 7), False), ((60, 60, 8), True)],
)
def test_what_is_too_small_or_too_thin_for_a_head_is_none(
    tmp_path: Path, shape: tuple[int, ...], *, is_head: bool
) -> None:
    raw_dataset(tmp_path)
    write_image(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", shape=shape)
    assert bool(check_privacy(tmp_path)) == is_head


def test_a_mask_of_the_removed_face_beside_the_image_is_proof(tmp_path: Path) -> None:
    raw_dataset(tmp_path)
    write_image(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", shape=HEAD)
    mask = write_image(tmp_path, "sub-01/anat/sub-01_mod-T1w_defacemask.nii.gz", shape=HEAD)
    nibabel.Nifti1Image(np.ones(HEAD, np.uint8), np.diag([2, 2, 2, 1])).to_filename(mask)
    assert check_privacy(tmp_path) == ()


def test_what_is_called_a_mask_and_is_none_is_a_head_and_no_proof(tmp_path: Path) -> None:
    raw_dataset(tmp_path)
    head, mask = (f"sub-01/anat/sub-01_{name}.nii.gz" for name in ("T1w", "mod-T1w_defacemask"))
    write_image(tmp_path, head, shape=HEAD)
    write_image(tmp_path, mask, shape=HEAD)
    assert findings_of(check_privacy(tmp_path)) == {"PRIVACY_FACE": [head, mask]}


def test_proof_is_inherited_from_a_sidecar_above(tmp_path: Path) -> None:
    raw_dataset(tmp_path)
    write_image(tmp_path, "sub-01/anat/sub-01_T2w.nii.gz", shape=HEAD)
    write_json(tmp_path, "T2w.json", {"DeidentificationMethod": ["defaced"]})
    assert check_privacy(tmp_path) == ()


def sessions(root: Path, first: str, second: str, told: str = "") -> tuple[Finding, ...]:
    raw_dataset(root)
    for session, day in (("1", first), ("2", second)):
        name = f"sub-02/ses-{session}/sub-02_ses-{session}_scans.tsv"
        write(root, name, f"filename\tacq_time\nanat/a.nii.gz\t{day}T12:00:00\n")
    if told:
        write(root, "sub-02/sub-02_sessions.tsv", f"session_id\tacq_time\nses-1\t{told}\n")
    return check_privacy(root, shifts={"02": -40_000})


@pytest.mark.parametrize(
    ("first", "second", "told", "problem"),
    [
        ("1908-02-01", "1909-02-01", "", ""),
        ("1908-02-01", "1909-02-01", "1908-02-01T12:00:00", ""),
        ("1908-02-01", "1909-02-01", "1908-02-02T12:00:00", ""),
        ("1908-02-01", "1909-02-01", "1908-02-03T12:00:00", "different days"),
        ("1908-02-01", "1822-02-01", "", "lifetime"),
        ("1908-02-01", "2019-02-01", "", "another were not"),
        ("1871-02-01", "1872-02-01", "", ""),
        ("1860-02-01", "1861-02-01", "", "no day on which"),
    ],
)
def test_dates_of_one_subject_are_shifted_by_one_number_of_days(
    tmp_path: Path, first: str, second: str, told: str, problem: str
) -> None:
    found = [f for f in sessions(tmp_path, first, second, told) if f.code != "PRIVACY_DATE"]
    assert {f.code for f in found} == ({"PRIVACY_SHIFT_UNEQUAL"} if problem else set())
    assert not problem or any(problem in f.message for f in found)


def test_dates_that_somebody_shifted_before_may_be_shifted_again(tmp_path: Path) -> None:
    root = raw_dataset(tmp_path)
    write(root, "sub-03/sub-03_scans.tsv", "filename\tacq_time\na.nii\t1802-02-01T12:00:00\n")
    assert check_privacy(root, shifts={"03": -40_000}) == ()
    assert check_privacy(root, shifts={"03": -50_000}) != ()


@pytest.mark.parametrize(("second", "is_far"), [("1866-01-14", False), ("1866-01-13", True)])
def test_visits_of_one_person_lie_within_sixty_years(
    tmp_path: Path, second: str, *, is_far: bool
) -> None:
    sessions(tmp_path, "1925-12-31", second)
    assert findings_of(check_privacy(tmp_path)).keys() == (
        {"PRIVACY_SHIFT_UNEQUAL"} if is_far else set()
    )


def test_links_that_lead_elsewhere_are_not_followed(tmp_path: Path) -> None:
    root = raw_dataset(tmp_path / "dataset")
    write(tmp_path, "outside.json", '{"PatientName": "x"}')
    (root / "sub-01/out.json").symlink_to(tmp_path / "outside.json")
    (root / "sub-01/loop").symlink_to(root)
    (root / "sub-01/gone.nii.gz").symlink_to("nowhere")
    Path(os.fsdecode(os.fsencode(root) + b"/sub-01/\xff\xfe.json")).write_bytes(b"{}")
    assert check_privacy(root) == ()


def test_a_link_within_the_dataset_is_looked_into(tmp_path: Path) -> None:
    root = raw_dataset(tmp_path)
    write(root, ".git/annex/objects/x", json.dumps({"PatientName": NAME}))
    (root / "sub-01/linked.json").symlink_to("../.git/annex/objects/x")
    found = findings_of(check_privacy(root))
    assert found["PRIVACY_IDENTIFYING_KEY"] == ["sub-01/linked.json#/PatientName"]


def test_json_larger_than_any_sidecar_is_told_in_bounded_memory(tmp_path: Path) -> None:
    raw_dataset(tmp_path)
    with (tmp_path / "sub-01/large.json").open("wb") as stream:
        stream.truncate(100 << 20)
    assert findings_of(check_privacy(tmp_path)) == {"PRIVACY_NOT_READ": ["sub-01/large.json"]}


@pytest.mark.slow
def test_a_table_of_a_million_rows_is_read_to_its_end(tmp_path: Path) -> None:
    raw_dataset(tmp_path)
    with (tmp_path / "phenotype/long.tsv").open("w") as stream:
        stream.write("participant_id\tage\tvisit_date\tremark\n")
        stream.writelines("sub-01\t30\t1907-01-08\tnothing\n" for _ in range(1_000_000))
        stream.write("sub-01\t95\t2023-05-17\tq@hospital.org\n")
    found = findings_of(check_privacy(tmp_path))
    assert set(found) == {"PRIVACY_AGE", "PRIVACY_DATE", "PRIVACY_CONTACT"}
    assert found["PRIVACY_AGE"] == ["phenotype/long.tsv, row 1000001, column 2"]


def test_a_line_that_never_ends_is_told(tmp_path: Path) -> None:
    found = spoil(tmp_path, {"sub-01/a.tsv": "a\tb\n" + "x" * (3 << 20)})
    assert found == {"PRIVACY_NOT_READ": ["sub-01/a.tsv"]}


def nested(leaf: object, keys: list[str]) -> object:
    for key in reversed(keys):
        leaf = {key: leaf} if key else [leaf]
    return leaf


@given(keys=st.lists(st.text("abcXYZ_", max_size=6), max_size=30), extra=st.text(max_size=8))
def test_an_identifying_key_is_found_however_deep_it_lies(keys: list[str], extra: str) -> None:
    content = {"Manufacturer": extra, "x": nested({"PatientName": NAME}, keys)}
    codes = {spot.code for spot in json_spots("a.json", content)}
    assert "PRIVACY_IDENTIFYING_KEY" in codes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(content=JSON)
def test_any_json_is_read_without_an_error(content: object) -> None:
    list(json_spots("a.json", content))


def test_errors_are_what_leads_to_a_person_for_certain() -> None:
    from bidsanon.findings import finding_codes  # noqa: PLC0415 - nothing else here needs it

    privacy = {
        c.code: c.severity for c in finding_codes().values() if c.code.startswith("PRIVACY_")
    }
    raised: set[str] = {code for code, _, _ in RAISED} | {"PRIVACY_FACE", "PRIVACY_FACE_KEPT"}
    raised |= {"PRIVACY_HISTORY_HOLDS", "PRIVACY_HISTORY_IMAGES", "PRIVACY_HISTORY_NOT_READ"}
    of_files = {"PRIVACY_KIND_NOT_READ", "PRIVACY_NO_UTF_8"}
    of_files |= {"PRIVACY_FIELD", "PRIVACY_FIELD_PERHAPS"}
    of_files |= {"PRIVACY_PICTURE_FIELD", "PRIVACY_PICTURE_FIELD_PERHAPS"}
    assert set(privacy) == raised | of_files | {"PRIVACY_SHIFT_UNEQUAL"}
    assert privacy["PRIVACY_MAPPING"] is Severity.ERROR


@pytest.mark.parametrize(
    "text",
    ["anon" + "_a" * 5000 + "!", "a" * 1_000_000, "1" * 3000 + "x", "+1" + " 1" * 50_000 + "@"],
)
def test_no_text_keeps_the_search_for_long(text: str) -> None:
    with within_cpu_seconds(15):
        list(json_spots("a.json", {"PatientName": text, "ContentDate": text, "PatientAge": text}))


@pytest.mark.parametrize("cell", ["a" * 900_000, "a " * 400_000, "Mara " * 150_000])
def test_no_cell_keeps_the_search_for_long(tmp_path: Path, cell: str) -> None:
    rows = f"participant_id\tnotes\twho\nsub-01\t{cell[:400_000]}\t{cell[:500_000]}\n"
    with within_cpu_seconds(15):
        spoil(tmp_path, {"participants.tsv": rows})


@pytest.mark.parametrize("name", ["age Иван", "Иван", "name 木村", "age of Quillfeather", "4711"])
def test_a_column_that_may_name_somebody_is_not_shown(tmp_path: Path, name: str) -> None:
    raw_dataset(tmp_path, whole=False)
    write(tmp_path, "participants.tsv", f"participant_id\t{name}\nsub-01\t2023-05-17\n")
    write(tmp_path, "phenotype/a.tsv", f"participant_id\t{name}\nsub-01\t99\n")
    found = check_privacy(tmp_path)
    assert not [one for one in found if name in f"{one.message}{one.location}{one.cure}"]
