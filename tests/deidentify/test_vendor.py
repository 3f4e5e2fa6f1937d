"""What vendors hide in private data goes, and dcm2niix says of the rest what it said before."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, dcmread
from pydicom.dataelem import RawDataElement
from pydicom.uid import ExplicitVRBigEndian

from bidsanon.deidentify import vendor
from bidsanon.deidentify.descriptors import CleanedText
from bidsanon.deidentify.vendor import CleanedPrivate, clean_private
from bidsanon.dicom.csa import CsaForm, parse_csa
from bidsanon.dicom.private import Disposition, PrivateRule, private_rule, private_rules
from bidsanon.external import DCM2NIIX, require_program, run_program
from bidsanon.identity import ValueKind

NAME = "Quillfeather"
DATE = "20170305"
TIME = "143452.973"
WEIGHT = "84.37"
SERIAL = "177029"
IMAGE_UID = f"1.3.12.2.1107.5.2.43.{SERIAL}.{DATE}01132576759585001"
FRAME_UID = f"1.3.12.2.1107.5.2.43.{SERIAL}.1.{DATE}143452973.0.0.0"
PLANTED = (NAME, DATE, TIME, WEIGHT, SERIAL, IMAGE_UID, FRAME_UID, "QUILLFEATHER", "MRN-4711")

CSA_IMAGE = (0x0029, "SIEMENS CSA HEADER", 0x10)
CSA_SERIES = (0x0029, "SIEMENS CSA HEADER", 0x20)
XA_PROTOCOL = (0x0021, "SIEMENS MR SDS 01", 0x19)
XA_POSITION = (0x0021, "SIEMENS MR SDS 01", 0x2B)
FRAME_LISTED = (0x0099, "NQHeader", 0x02)
GE_PROTOCOL = (0x0025, "GEMS_SERS_01", 0x1B)
GE_USER_DATA = (0x0043, "GEMS_PARM_01", 0x2A)


class Replaces:
    """Replaces UIDs and dates by what the person's key says, and cuts one name from texts."""

    def __init__(self, person: str = "a") -> None:
        self.person = person
        self.asked = 0

    def uid(self, text: str) -> str:
        self.asked += 1
        if text.startswith("1.2.840.10008."):
            return text
        digest = hashlib.sha256((self.person + text).encode()).hexdigest()
        return f"2.25.{int(digest[:24], 16)}"

    def date(self, text: str) -> str:
        return "19100101" if text.isdigit() else ""

    def datetime(self, text: str) -> str:
        return "19100101120000" if text[:8].isdigit() else ""

    def clean_text(self, text: str) -> CleanedText:
        self.asked += 1
        words = [NAME, NAME.upper()]
        left = text
        for word in words:
            left = left.replace(word, "")
        return CleanedText(text=left, cut=tuple(word for word in words if word in text))

    def text_of_vocabulary(self, text: str) -> CleanedText:
        return CleanedText(text="vocabulary" if self.clean_text(text).text else "")

    def without_known(self, text: str) -> CleanedText:
        return self.clean_text(text)


class KeepsAll(Replaces):
    """Finds nothing that identifies."""

    def uid(self, text: str) -> str:
        return text

    def clean_text(self, text: str) -> CleanedText:
        return CleanedText(text=text)


def rule_of(key: tuple[int, str, int]) -> PrivateRule:
    rule = private_rule(*key)
    assert rule is not None
    return rule


def cleaned(
    key: tuple[int, str, int], value: bytes, *, vr: str = "", replace: Replaces | None = None
) -> CleanedPrivate:
    return clean_private(
        rule_of(key), value, replace=replace or Replaces(), little_endian=True, vr=vr
    )


def csa_header(tags: dict[str, tuple[str, list[str]]], *, leftover: bytes = b"") -> bytes:
    """Write a CSA header; `leftover` stands behind each name, as memory does."""
    content = b"SV10\4\3\2\1" + struct.pack("<II", len(tags), 77)
    for name, (vr, values) in tags.items():
        field = (name.encode() + b"\0" + leftover)[:64].ljust(64, b"\0")
        mark = 77 if values else 205
        vr_field = vr.encode().ljust(4, b"\0")
        content += struct.pack("<64si4siii", field, 1, vr_field, 19, len(values), mark)
        for value in values:
            raw = value.encode("latin-1") + b"\0"
            content += struct.pack("<4i", len(raw), len(raw), 77, len(raw))
            content += raw + bytes(-len(raw) % 4)
    return content


def older_csa_header(tags: dict[str, tuple[str, list[str]]]) -> bytes:
    """Write a CSA header without a signature, with memory behind names and values."""
    base = len(next(iter(tags.values()))[1])
    content = struct.pack("<II", len(tags), 77)
    for name, (vr, values) in tags.items():
        field = f"{name}\0{NAME}".encode().ljust(64, b"\0")[:64]
        content += struct.pack("<64si4siii", field, 1, vr.encode(), 19, len(values), 77)
        for value in values:
            raw = value.encode("latin-1") + b"\0"
            content += struct.pack("<4i", len(raw) + base, len(raw), 77, len(raw))
            content += raw + NAME.encode()[: -len(raw) % 4]
    return content


PROTOCOL = f"""<XProtocol>
{{
  <Name> "PhoenixMetaProtocol"
  <ParamString."PatientName"> {{ <Visible> "true" "{NAME}^Mara" }}
  <ParamString."PatientID"> {{ "MRN-4711" }}
  <ParamString."FrameOfReference"> {{ "{FRAME_UID}" }}
  <ParamString."Protocol0">
  {{
    "
### ASCCONV BEGIN object=MrProtDataImpl@MrProtocolData version=51130001 converter=%MEASCONST%/ConverterList/Prot_Converter.txt ###
ulVersion\t = \t51130001
tSequenceFileName\t = \t""%CustomerSeq%\\\\{NAME}_ep2d""
tProtocolName\t = \t""rest+AF8-of+AF8-{NAME}""
tPatientName\t = \t""{NAME}^Mara""
tReferenceImage0\t = \t""{IMAGE_UID}""
tReferenceImage1\t = \t""1.2.840.10008.5.1.4.1.1.4.1;{IMAGE_UID};2""
sProtConsistencyInfo.tMeasuredBaselineString\t = \t""N4_VE11C_LATEST_20160120""
flUsedPatientWeight\t = \t{WEIGHT}
lPatientSex\t = \t2
sWipMemBlock.tFree\t = \t""built by {NAME}""
sWipMemBlock.alFree[0]\t = \t4113
sWipMemBlock.alFree[1]\t = \t{DATE}
sSpecPara.lFinalMatrixSizePhase\t = \t{DATE}
sSpecPara.lFinalMatrixSizeRead\t = \t143452
sDiffusion.sFreeDiffusionData.sComment[0]\t = \t0x51    # 'Q'
sDiffusion.sFreeDiffusionData.sComment[1]\t = \t117
sPat.lRefLinesPE\t = \t44
sGRADSPEC.asGPAData[0].lOffsetX\t = \t250
sGRADSPEC.asGPAData[0].sEddyCompensationX.aflAmplitude[0]\t = \t0.000801956979
sCoilSelectMeas.aRxCoilSelectData[0].asList[0].sCoilElementID.tCoilID\t = \t""HeadNeck_64""
sCoilSelectMeas.aRxCoilSelectData[0].asList[0].sCoilElementID.ulUniqueKey\t = \t-846679808
sSliceArray.{NAME}\t = \t""{NAME}""
### ASCCONV END ###"
  }}
}}
"""  # noqa: E501 - a line as the scanner writes it


ALIGNMENT = (
    "8/AAMElement0:AAMTag=Head_Localizer;FOR=%s;MI=14.2946;MIClass=Unspecific;TP=0;"
    "Matrix=0.97|-0.21|0|1|;OrganBoxData:CenterVector=-2.62,-26.8,-7.9|HeightDim=0|BitMaskMpr=7|"
)


def assert_nothing_planted(content: bytes | None) -> None:
    assert content is not None
    for text in PLANTED:
        assert text.encode() not in content, text


class TestCsaHeader:
    def test_nothing_that_is_planted_in_any_item_stays(self) -> None:
        names = [*vendor_item_names(), "PatientsName", "Comment", "StudyDate"]
        tags = {name: ("LO", [f"{NAME}^Mara {DATE} {WEIGHT} {IMAGE_UID}"]) for name in names}
        header = csa_header(tags, leftover=f"{NAME} {DATE} {SERIAL}".encode())
        for key in (CSA_IMAGE, CSA_SERIES):
            without_name = cleaned(key, header, replace=KeepsAll()).value
            assert without_name is not None
            kept = {tag.name: tag.values for tag in parse_csa(without_name).tags if tag.values}
            assert set(kept) == {"ImageHistory"}
            after = cleaned(key, header).value
            assert NAME.encode() not in (after or b"")

    def test_numbers_and_known_terms_stay(self) -> None:
        tags = {
            "B_value": ("IS", ["1000    "]),
            "DiffusionGradientDirection": ("FD", ["0.86243188", "-0.36244097", "0.35333803"]),
            "MosaicRefAcqTimes": ("FD", ["0.00000000", "1550.00000002", "120.00000000"]),
            "ICE_Dims": ("LO", ["X_1_1_1_1_1_1_1_1_1_1_1_132"]),
            "ImaCoilString": ("LO", ["HC1-7;NC1,2"]),
            "ImaPATModeText": ("LO", ["p2 s4"]),
            "AcquisitionMatrixText": ("SH", ["160p*160"]),
            "ImageHistory": ("LO", ["ChannelMixing:ND=true_CMM=1_CDM=1", "CC:ComplexAdd"]),
            "FlowVenc": ("FD", []),
        }
        header = csa_header(tags)
        assert cleaned(CSA_IMAGE, header).value == header

    def test_memory_behind_a_name_is_zeroed(self) -> None:
        tags = {"B_value": ("IS", ["1000"]), "Isocentered": ("US", [])}
        header = csa_header(tags, leftover=b"\x05E\x05M\x05S\x05Z" * 4)
        assert header != csa_header(tags)
        assert cleaned(CSA_IMAGE, header).value == csa_header(tags)

    @pytest.mark.parametrize("value", [DATE, "HFS", "0x44    # 'D'", f"1;{WEIGHT}"])
    def test_a_number_that_is_a_date_or_no_number_is_emptied(self, value: str) -> None:
        after = cleaned(CSA_IMAGE, csa_header({"EchoLinePosition": ("IS", ["80", value])}))
        assert after.value == csa_header({"EchoLinePosition": ("IS", [])})

    def test_weight_goes_and_the_position_stays(self) -> None:
        header = csa_header(
            {
                "UsedPatientWeight": ("IS", ["84      "]),
                "PatReinPattern": ("ST", [f"1;HFS;{WEIGHT};41.00;3;0;0;609219788"]),
            }
        )
        after = parse_csa(cleaned(CSA_SERIES, header).value or b"")
        assert [tag.values for tag in after.tags] == [(), ("1;HFS;0;0;0;0;0;0",)]

    def test_a_pattern_without_a_position_is_emptied(self) -> None:
        header = csa_header({"PatReinPattern": ("ST", [f"1;{NAME};{WEIGHT}"])})
        after = parse_csa(cleaned(CSA_SERIES, header).value or b"")
        assert [tag.values for tag in after.tags] == [()]

    def test_frames_of_reference_are_replaced_within_the_alignment(self) -> None:
        header = csa_header({"AutoAlignData": ("UT", [ALIGNMENT % FRAME_UID])})
        after = cleaned(CSA_SERIES, header)
        replaced = ALIGNMENT % Replaces().uid(FRAME_UID)
        assert after.value == csa_header({"AutoAlignData": ("UT", [replaced])})
        assert after.cut == ((ValueKind.UID, FRAME_UID),)

    @pytest.mark.parametrize("planted", [f";Name={NAME}", f";AAMTag={NAME}", f"/{NAME}"])
    def test_uids_of_what_is_dropped_are_harvested(self, planted: str) -> None:
        text = ALIGNMENT % FRAME_UID + planted
        after = cleaned(CSA_SERIES, csa_header({"AutoAlignData": ("UT", [text])}))
        assert_nothing_planted(after.value)
        assert (ValueKind.UID, FRAME_UID) in after.cut

    def test_the_protocol_within_is_cleaned(self) -> None:
        after = cleaned(CSA_SERIES, csa_header({"MrPhoenixProtocol": ("UN", [PROTOCOL])}))
        assert_nothing_planted(after.value)
        assert b"sPat.lRefLinesPE\t = \t44\n" in (after.value or b"")

    def test_codes_that_repeat_a_name_are_emptied(self) -> None:
        tags = {
            "ImageType4MF": ("CS", ["ORIGINAL", NAME.upper()]),
            "ImaCoilString": ("LO", ["HC1-7;NC1,2"]),
        }
        after = parse_csa(cleaned(CSA_IMAGE, csa_header(tags)).value or b"")
        assert [tag.values for tag in after.tags] == [("ORIGINAL",), ("HC1-7;NC1,2",)]

    def test_references_are_replaced(self) -> None:
        tags = {"ReferencedImageSequence": ("UI", ["1.2.840.10008.5.1.4.1.1.4", IMAGE_UID])}
        after = cleaned(CSA_IMAGE, csa_header(tags))
        kept = ["1.2.840.10008.5.1.4.1.1.4", Replaces().uid(IMAGE_UID)]
        assert after.value == csa_header({"ReferencedImageSequence": ("UI", kept)})
        assert after.cut == ((ValueKind.UID, IMAGE_UID),)

    def test_a_header_of_which_nothing_is_known_goes(self) -> None:
        header = csa_header({"PhoenixZIP": ("UN", ["UEsDBBQ"])})
        assert cleaned(CSA_IMAGE, header).value is None

    def test_a_protocol_without_an_end_is_emptied(self) -> None:
        cut_short = PROTOCOL.partition("### ASCCONV END")[0]
        after = cleaned(CSA_SERIES, csa_header({"MrPhoenixProtocol": ("UN", [cut_short])}))
        assert after.value == csa_header({"MrPhoenixProtocol": ("UN", [])})

    @pytest.mark.parametrize("content", [b"", b"SV10", b"no header at all", NAME.encode() * 50])
    def test_what_is_no_header_is_removed(self, content: bytes) -> None:
        assert cleaned(CSA_IMAGE, content).value is None

    def test_the_older_form_is_cleaned_as_the_newer_one(self) -> None:
        tags = {
            "EchoLinePosition": ("IS", ["80"]),
            "B_value": ("IS", ["1000"]),
            "ImageHistory": ("LO", [f"of {NAME}"]),
            "UsedPatientWeight": ("IS", [WEIGHT]),
            "StudyDate": ("DA", [DATE]),
            "MrProtocol": ("UN", [PROTOCOL]),
        }
        after = cleaned(CSA_IMAGE, older_csa_header(tags)).value
        assert_nothing_planted(after)
        parsed = parse_csa(after or b"")
        assert parsed.form is CsaForm.CSA1
        assert {tag.name: tag.values for tag in parsed.tags if tag.name != "MrProtocol"} == {
            "EchoLinePosition": ("80",),
            "B_value": ("1000",),
            "ImageHistory": ("of ",),
            "UsedPatientWeight": (),
        }
        assert cleaned(CSA_IMAGE, after or b"", replace=KeepsAll()).value == after

    def test_the_older_form_goes_where_its_first_item_is_unknown(self) -> None:
        header = older_csa_header({"Unheard": ("IS", ["80"]), "B_value": ("IS", ["1000"])})
        assert cleaned(CSA_IMAGE, header).value is None

    @given(content=st.binary(max_size=600))
    def test_bytes_of_any_kind_never_fail(self, content: bytes) -> None:
        head = b"SV10\4\3\2\1" + struct.pack("<II", 1, 77)
        for candidate in (content, head + content):
            after = cleaned(CSA_IMAGE, candidate, replace=KeepsAll()).value
            assert after is None or len(after) % 2 == 0

    @given(text=st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=60))
    def test_a_text_of_any_kind_stays_in_no_item_but_the_history(self, text: str) -> None:
        planted = f"{NAME}{text}{NAME}"
        header = csa_header({name: ("LO", [planted]) for name in vendor_item_names()})
        after = cleaned(CSA_IMAGE, header).value
        assert after is not None
        assert NAME.encode() not in after

    def test_cleaning_twice_changes_nothing_more(self) -> None:
        header = csa_header(
            {"MrPhoenixProtocol": ("UN", [PROTOCOL]), "B_value": ("IS", ["1000    "])}
        )
        once = cleaned(CSA_SERIES, header, replace=KeepsAll()).value
        assert once is not None
        assert cleaned(CSA_SERIES, once, replace=KeepsAll()).value == once


class TestProtocol:
    def test_nothing_planted_stays(self) -> None:
        after = cleaned(XA_PROTOCOL, PROTOCOL.encode("latin-1"))
        assert_nothing_planted(after.value)
        assert b"XProtocol" not in (after.value or b"")

    def test_what_dcm2niix_reads_stays(self) -> None:
        text = (cleaned(XA_PROTOCOL, PROTOCOL.encode("latin-1")).value or b"").decode("latin-1")
        lines = text.rstrip("\0").replace("\t", "").splitlines()
        assert not lines[0]
        assert lines[2:-1] == [
            "ulVersion = 51130001",
            'tSequenceFileName = ""%CustomerSeq%\\\\_ep2d""',
            'tProtocolName = ""rest_of_""',
            f'tReferenceImage0 = ""{Replaces().uid(IMAGE_UID)}""',
            f'tReferenceImage1 = ""1.2.840.10008.5.1.4.1.1.4.1;{Replaces().uid(IMAGE_UID)};2""',
            'sProtConsistencyInfo.tMeasuredBaselineString = ""N4_VE11C_LATEST_20160120""',
            "sWipMemBlock.alFree[0] = 4113",
            "sPat.lRefLinesPE = 44",
            "sGRADSPEC.asGPAData[0].lOffsetX = 250",
            (
                "sCoilSelectMeas.aRxCoilSelectData[0].asList[0].sCoilElementID.tCoilID = "
                '""HeadNeck_64""'
            ),
        ]

    @pytest.mark.parametrize(
        ("file", "left"),
        [
            ("%SiemensSeq%\\ep2d_diff", "%SiemensSeq%\\ep2d_diff"),
            ("%CustomerSeq%\\\\tfl", "%CustomerSeq%\\\\tfl"),
            ("%CustomerSeq%\\jsmith\\ep2d", "%CustomerSeq%\\ep2d"),
            ("%CustomerSeq%\\\\jsmith\\\\new\\\\ep2d", "%CustomerSeq%\\\\ep2d"),
            ("%CustomerSeq%/jsmith/ep2d.dll", "%CustomerSeq%/ep2d.dll"),
            ("%CustomerSeq%+AFw-jsmith+AFw-ep2d", "%CustomerSeq%\\ep2d"),
            ("C:\\Users\\jsmith\\ep2d", "C:\\ep2d"),
        ],
    )
    def test_folders_between_a_sequence_and_its_root_go(self, file: str, left: str) -> None:
        line = f'tSequenceFileName\t = \t""{file}""'
        text = f"### ASCCONV BEGIN ###\n{line}\n### ASCCONV END ###".encode()
        after = cleaned(XA_PROTOCOL, text, replace=KeepsAll()).value or b""
        assert f'""{left}""'.encode() in after

    def test_what_was_cut_is_harvested(self) -> None:
        cut = cleaned(XA_PROTOCOL, PROTOCOL.encode("latin-1")).cut
        assert {
            (ValueKind.NAME, f"{NAME}^Mara"),
            (ValueKind.IDENTIFIER, "MRN-4711"),
            (ValueKind.UID, FRAME_UID),
            (ValueKind.UID, IMAGE_UID),
            (ValueKind.TEXT, f"built by {NAME}"),
        } <= set(cut)
        assert not any(text.startswith("1.2.840.10008.") for _, text in cut)

    def test_a_text_made_to_confuse_is_read_in_no_time(self) -> None:
        begin, end = PROTOCOL.split("### ASCCONV END")
        opened = '<ParamString."PatientName"> { ' + '<a> "" ' * 20_000
        spaces = "lScanTimeSec = 1" + " " * 100_000 + "b\n"
        text = f"{opened}{begin}{spaces}{'1.2.' * 20_000}\n### ASCCONV END{end}"
        assert_nothing_planted(cleaned(XA_PROTOCOL, text.encode("latin-1")).value)

    def test_a_name_that_siemens_encodes_is_found(self) -> None:
        name = "Müller"
        text = PROTOCOL.replace(f"rest+AF8-of+AF8-{NAME}", name.encode("utf-7").decode())
        after = cleaned(XA_PROTOCOL, text.encode("latin-1"))
        assert b"+APw-" not in (after.value or b"")
        assert (ValueKind.TEXT, name) in after.cut

    def test_a_protocol_without_a_section_is_removed(self) -> None:
        assert cleaned(XA_PROTOCOL, f"<XProtocol> {{ {NAME} }}".encode()).value is None

    def test_position_weight_and_sex_of_xa(self) -> None:
        after = cleaned(XA_POSITION, f"1;HFS;{WEIGHT};;O;0;0;-198878115 ".encode())
        assert after.value == b"1;HFS;0;0;0;0;0;0 "


def ge_block(text: str, *, name: bytes = b"Ex2339Ser6Rx", time: int = 0x5C76CF58) -> bytes:
    """Pack a protocol as the scanner does: with the examination's number and the time."""
    content = text.encode()
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    member = b"\x1f\x8b\x08\x08" + struct.pack("<I", time) + b"\0\3" + name + b"\0"
    member += packer.compress(content) + packer.flush()
    member += struct.pack("<II", zlib.crc32(content), len(content))
    return struct.pack("<I", len(member)) + member + bytes(len(member) % 2)


class TestGe:
    TEXT = "\n".join(
        [
            'POSITION "Supine"',
            f'SEDESC "{NAME} {DATE}"',
            f'CLINICALCOIL "{NAME}"',
            f'PDGMUID "{FRAME_UID}"',
            f'IOPT "EPI, FMRI, {NAME}"',
            f'PSEQ "{NAME}"',
            f'USERCV3 "{DATE}"',
            f'USERCV4 "{NAME}"',
            'SLICEORDER "1"',
            'VIEWORDER "0"',
            'MBACCEL "4"',
            'NOSLC "15"',
            'DELACQ "Minimum"',
            'DELACQNOAV "0.5"',
            'PHASEDELAYS1 "0.0;1.5;1.5"',
            'TE "Min Full"',
            "",
        ]
    )

    def unpacked(self, value: bytes | None) -> bytes:
        assert value is not None
        (length,) = struct.unpack_from("<I", value)
        assert value[4:8] == b"\x1f\x8b\x08\0"
        assert value[8:12] == bytes(4)
        assert len(value) - 4 - length in {0, 1}
        return gzip.decompress(value[4 : 4 + length])

    def test_nothing_planted_stays_within_the_gzip(self) -> None:
        after = cleaned(GE_PROTOCOL, ge_block(self.TEXT))
        assert b"Ex2339" not in (after.value or b"")
        text = self.unpacked(after.value)
        assert_nothing_planted(text)
        assert text.decode().splitlines() == [
            "",
            'POSITION "Supine"',
            'IOPT "EPI, FMRI, "',
            'SLICEORDER "1"',
            'VIEWORDER "0"',
            'MBACCEL "4"',
            'NOSLC "15"',
            'DELACQ "Minimum"',
            'DELACQNOAV "0.5"',
            'PHASEDELAYS1 "0.0;1.5;1.5"',
            'TE "Min Full"',
        ]
        assert (ValueKind.UID, FRAME_UID) in after.cut

    def test_name_and_time_of_the_gzip_do_not_matter(self) -> None:
        first = cleaned(GE_PROTOCOL, ge_block(self.TEXT)).value
        assert cleaned(GE_PROTOCOL, ge_block(self.TEXT, name=b"Ex1", time=1)).value == first

    @pytest.mark.parametrize(
        "content", [b"", b"\0\0", b"\4\0\0\0abcd", ge_block("A")[:-12], b"<?xml version?>" * 9]
    )
    def test_what_cannot_be_unpacked_is_removed(self, content: bytes) -> None:
        assert cleaned(GE_PROTOCOL, content).value is None

    def test_a_block_that_unpacks_to_too_much_is_removed(self) -> None:
        assert cleaned(GE_PROTOCOL, ge_block("A" * (1 << 23))).value is None

    @pytest.mark.parametrize(("version", "moved"), [(24.0, 0), (27.0, 0x4C)])
    def test_of_the_user_data_only_the_words_that_are_read_stay(
        self, version: float, moved: int
    ) -> None:
        offset = 56
        content = bytearray((NAME.encode() * 200)[:2000])
        struct.pack_into("<H", content, 24, offset)
        struct.pack_into("<f", content, offset, version)
        view_order = 0x394 - (0x8C if moved else 0)
        words = [offset + moved + place for place in (0x30, 0x3A, view_order)]
        after = cleaned(GE_USER_DATA, bytes(content)).value
        assert after is not None
        assert len(after) == len(content)
        kept = {24, 25, *range(offset, offset + 4)} | {w + i for w in words for i in (0, 1)}
        for place, byte in enumerate(after):
            assert byte == (content[place] if place in kept else 0)

    @pytest.mark.parametrize("content", [b"", bytes(1000), NAME.encode() * 200])
    def test_user_data_of_another_make_is_removed(self, content: bytes) -> None:
        assert cleaned(GE_USER_DATA, content).value is None


class TestValues:
    @pytest.mark.parametrize(
        ("key", "vr", "value", "stays"),
        [
            ((0x0019, "SIEMENS MR HEADER", 0x0C), "IS", b"1000", True),
            ((0x0019, "SIEMENS MR HEADER", 0x0C), "UN", b"1000", True),
            ((0x0019, "SIEMENS MR HEADER", 0x0C), "", b"1000", True),
            ((0x0019, "SIEMENS MR HEADER", 0x0C), "LO", b"Quillfeather", False),
            ((0x0019, "SIEMENS MR HEADER", 0x28), "FD", bytes(8), True),
            ((0x0019, "SIEMENS MR HEADER", 0x28), "UN", bytes(8), True),
            ((0x0019, "SIEMENS MR HEADER", 0x28), "LO", b"QUILLFEA", False),
            ((0x0019, "SIEMENS MR HEADER", 0x28), "FD", bytes(7), False),
            ((0x0019, "SIEMENS MR HEADER", 0x28), "SQ", bytes(8), False),
            ((0x0051, "SIEMENS MR HEADER", 0x0F), "LO", b"HC1-7;NC1,2", True),
            ((0x0051, "SIEMENS MR HEADER", 0x0F), "LO", b"Quillfeather", False),
            ((0x0051, "SIEMENS MR HEADER", 0x0B), "SH", b"128p*128", True),
            ((0x0051, "SIEMENS MR HEADER", 0x09), "LO", b"1.0 ", False),
            ((0x0029, "SIEMENS CSA HEADER", 0x09), "LO", b"20170305", False),
            ((0x0021, "SIEMENS MR SDI 02", 0x06), "LO", b"X_1_1_1_104", True),
            ((0x0021, "SIEMENS MR SDI 02", 0x75), "CS", b"ORIGINAL\\PRIMARY\\M\\ND", True),
            ((0x0021, "SIEMENS MR SDI 02", 0x75), "CS", b"Quillfeather^Mara", False),
            ((0x0043, "GEMS_PARM_01", 0x95), "LO", b"CF/s5,AS/s5,RN/s2,Coil/s1", True),
            ((0x0043, "GEMS_PARM_01", 0xB6), "LO", b"4\\3\\0\\\\\\", True),
            ((0x0065, "Image Private Header", 0x05), "SH", b"A->P", True),
            ((0x2001, "Philips Imaging DD 001", 0x03), "FL", bytes(4), True),
        ],
    )
    def test_a_value_stays_where_it_is_of_the_kind_that_is_listed(
        self, key: tuple[int, str, int], vr: str, value: bytes, stays: bool
    ) -> None:
        padded = value + b" " * (len(value) % 2) if vr != "FD" else value
        assert cleaned(key, padded, vr=vr).value == (padded if stays else None)

    def test_a_text_loses_the_name(self) -> None:
        key = (0x0019, "GEMS_ACQU_01", 0x9C)
        after = cleaned(key, f"/usr/{NAME}/epiRT".encode(), vr="LO")
        assert after == CleanedPrivate(value=b"epiRT ", cut=((ValueKind.TEXT, NAME),))

    def test_folders_before_a_sequence_go(self) -> None:
        key = (0x0019, "GEMS_ACQU_01", 0x9C)
        after = cleaned(key, b"/srv/psd/jdoe/epi2", vr="LO", replace=KeepsAll())
        assert after.value == b"epi2"

    def test_texts_are_cleaned_by_the_vocabulary_where_that_is_asked_for(self) -> None:
        rule = rule_of((0x0019, "GEMS_ACQU_01", 0x9E))
        after = [
            clean_private(
                rule, value, replace=KeepsAll(), little_endian=True, vr="LO", by_vocabulary=by
            ).value
            for value in (b"lab1", b"EPI ")
            for by in (False, True, False)
        ]
        assert after == [b"lab1", b"vocabulary", b"lab1", b"EPI ", b"EPI ", b"EPI "]

    def test_a_known_term_that_is_a_name_is_cleaned_all_the_same(self) -> None:
        class CalledPress(KeepsAll):
            def without_known(self, text: str) -> CleanedText:
                return CleanedText(text="" if text == "press" else text)

            clean_text = without_known

        key = (0x0019, "GEMS_ACQU_01", 0x9E)
        assert cleaned(key, b"press ", vr="LO", replace=CalledPress()).value == b""

    @pytest.mark.parametrize(
        ("key", "vr", "value"),
        [
            ((0x2001, "Philips Imaging DD 001", 0x0B), "CS", NAME.upper().encode()),
            ((0x0051, "SIEMENS MR HEADER", 0x16), "LO", b"M/" + NAME.upper().encode()),
            ((0x0019, "SIEMENS MR HEADER", 0x0C), "IS", DATE.encode()),
            ((0x0019, "SIEMENS MR HEADER", 0x28), "UN", b"Quillfeather    "),
            ((0x0019, "SIEMENS MR HEADER", 0x28), "FD", b"\1\2Quillfeather\3\4"),
            ((0x0019, "SIEMENS MR HEADER", 0x28), "FD", b"Somebody Else   "),
        ],
    )
    def test_terms_and_numbers_that_spell_a_name_or_a_date_go(
        self, key: tuple[int, str, int], vr: str, value: bytes
    ) -> None:
        assert cleaned(key, value, vr=vr).value is None

    def test_a_number_that_somebody_has_goes(self) -> None:
        class Numbered(KeepsAll):
            def without_known(self, text: str) -> CleanedText:
                return CleanedText(text=text.replace("4711815", ""))

        key = (0x0019, "SIEMENS MR HEADER", 0x0C)
        assert cleaned(key, b"4711815 ", vr="IS", replace=Numbered()).value is None
        assert cleaned(key, b"1000", vr="IS", replace=Numbered()).value == b"1000"

    def test_a_text_that_is_not_ascii_is_dropped(self) -> None:
        after = cleaned((0x0019, "GEMS_ACQU_01", 0x9C), "epi Müller".encode(), vr="LO")
        assert after.value == b""

    def test_a_uid_is_replaced(self) -> None:
        after = cleaned(FRAME_LISTED, FRAME_UID.encode() + b"\0", vr="UI")
        assert (after.value or b"").rstrip(b"\0").decode() == Replaces().uid(FRAME_UID)
        assert after.cut == ((ValueKind.UID, FRAME_UID),)

    def test_what_is_no_uid_is_removed(self) -> None:
        assert cleaned(FRAME_LISTED, NAME.encode()).value is None

    def test_the_alignment_of_xa_keeps_its_numbers(self) -> None:
        key = (0x0021, "SIEMENS MR SDS 01", 0x3F)
        after = cleaned(key, (ALIGNMENT % FRAME_UID).encode(), vr="UT")
        assert (after.value or b"").rstrip(b" ").decode() == ALIGNMENT % Replaces().uid(FRAME_UID)

    @pytest.mark.parametrize(
        ("vr", "value", "after"),
        [
            ("LO", b"by Quillfeather ", b"by"),
            ("UI", b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2\0"),
            ("DA", b"20170305", b"19100101"),
            ("DT", b"20170305120000", b"19100101120000"),
            ("US", b"\1\0", b"\1\0"),
            ("CS", b"AXIAL ", b"AXIAL "),
            ("OB", b"\1\0", None),
            ("UN", b"\1\0", None),
            ("", b"AXIAL ", None),
            ("PN", b"Quillfeather", None),
        ],
    )
    def test_what_the_standard_lists_without_representation_follows_the_files(
        self, vr: str, value: bytes, after: bytes | None
    ) -> None:
        rule = next(rule for rule in private_rules() if rule.method == "listed")
        result = clean_private(rule, value, replace=Replaces(), little_endian=True, vr=vr)
        assert (result.value or b"").rstrip() == (after or b"").rstrip()
        assert (result.value is None) == (after is None)

    @given(data=st.data(), content=st.binary(max_size=80))
    def test_no_rule_fails_on_any_bytes(self, data: st.DataObject, content: bytes) -> None:
        rule = data.draw(st.sampled_from(private_rules()))
        vr = data.draw(st.sampled_from(["", "UN", "LO", "DS", "IS", "CS", "FD", "UI", "DA", "OB"]))
        after = clean_private(rule, content, replace=Replaces(), little_endian=True, vr=vr)
        assert after.value is None or rule.disposition is not Disposition.REMOVE


class TestMemory:
    def test_the_same_value_is_cleaned_once_and_asked_about_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        header = csa_header({"MrPhoenixProtocol": ("UN", [PROTOCOL + "once"])})
        person = Replaces()
        first = cleaned(CSA_SERIES, header, replace=person)
        asked = person.asked
        monkeypatch.setitem(vendor._METHODS, "csa", pytest.fail)
        assert cleaned(CSA_SERIES, header, replace=person) is first
        assert person.asked > asked

    def test_another_person_gets_other_replacements(self) -> None:
        header = csa_header({"MrPhoenixProtocol": ("UN", [PROTOCOL])})
        first = cleaned(CSA_SERIES, header, replace=Replaces("a")).value or b""
        second = cleaned(CSA_SERIES, header, replace=Replaces("b")).value or b""
        assert Replaces("a").uid(IMAGE_UID).encode() in first
        assert Replaces("b").uid(IMAGE_UID).encode() in second
        assert Replaces("a").uid(IMAGE_UID).encode() not in second
        assert cleaned(CSA_SERIES, header, replace=Replaces("a")).value == first


def vendor_item_names() -> list[str]:
    """Return the names of CSA items that may stay, but for those that hold a protocol."""
    from bidsanon.dicom.allowed import CSA_ITEMS, Allowance, allowed_names  # noqa: PLC0415

    return [
        name
        for name, allowed in allowed_names(CSA_ITEMS).items()
        if allowed.allowance is not Allowance.PROTOCOL
    ]


class TestFidelity:
    """dcm2niix says of files with cleaned private data what it said of the originals."""

    @pytest.mark.parametrize(
        "name",
        [
            "philips-r53-enhanced-fmap",
            "siemens-ve11-epi-mosaic",
            "siemens-xa10-enhanced-bold",
        ],
    )
    def test_of_real_sessions(
        self, shared_data: Callable[[str], Path], tmp_path: Path, name: str
    ) -> None:
        before, after = self.converted(self.images(shared_data(name)), tmp_path)
        assert len(before) >= 2
        assert after == before

    @pytest.mark.slow
    def test_of_vb17_in_every_transfer_syntax(
        self, shared_data: Callable[[str], Path], tmp_path: Path
    ) -> None:
        paths = self.images(shared_data("transfer-syntaxes"))
        assert len(paths) == 9
        for index, path in enumerate(paths):
            before, after = self.converted([path], tmp_path / str(index))
            assert len(before) == 2
            assert after == before

    @pytest.mark.parametrize(
        ("package", "path"),
        [
            ("heudiconv", "tests/data/axasc35.dcm"),
            ("heudiconv", "tests/data/b0dwiForFmap/b0dwi_for_fmap+00001.dcm"),
            ("heudiconv", "tests/data/01-fmap_acq-3mm"),
        ],
    )
    def test_of_images_in_installed_packages(self, tmp_path: Path, package: str, path: str) -> None:
        found = Path(str(files(package).joinpath(path)))
        paths = self.images(found) if found.is_dir() else [found]
        before, after = self.converted(paths, tmp_path)
        assert len(before) >= 2
        for name, content in before.items():
            if isinstance(content, dict):
                content.pop("WipMemBlock", None)
            assert after[name] == content

    def test_files_without_private_data_differ(
        self, shared_data: Callable[[str], Path], tmp_path: Path
    ) -> None:
        paths = self.images(shared_data("siemens-ve11-epi-mosaic"))
        before, after = self.converted(paths, tmp_path, keep=lambda _: False)
        assert after != before

    def images(self, folder: Path) -> list[Path]:
        paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
        images = [path for path in paths if path.read_bytes()[128:132] == b"DICM"]
        return [path for path in images if path.name != "DICOMDIR"]

    def converted(
        self,
        paths: list[Path],
        folder: Path,
        *,
        keep: Callable[[PrivateRule], bool] = lambda _: True,
    ) -> tuple[dict[str, object], dict[str, object]]:
        """Convert the originals and their cleaned copies."""
        for part in ("before", "after"):
            (folder / part).mkdir(parents=True)
        for index, path in enumerate(paths):
            (folder / "before" / f"{index:04}.dcm").symlink_to(path)
            dataset = dcmread(path)
            big = dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
            clean_dataset(dataset, little_endian=not big, keep=keep)
            dataset.save_as(folder / "after" / f"{index:04}.dcm")
        return dcm2niix(folder / "before"), dcm2niix(folder / "after")


def clean_dataset(
    dataset: Dataset, *, little_endian: bool, keep: Callable[[PrivateRule], bool]
) -> None:
    """Clean the private attributes of a data set, at every depth, and nothing else."""
    for creator, tag in list(private_tags(dataset)):
        rule = private_rule(tag >> 16, creator, tag & 0xFF)
        raw = dataset.get_item(tag)
        if rule is None or not keep(rule):
            del dataset[tag]
        elif rule.vr == "SQ" and rule.disposition is Disposition.KEEP:
            continue
        elif isinstance(raw, RawDataElement):
            after = clean_private(
                rule,
                raw.value or b"",
                replace=KeepsAll(),
                little_endian=little_endian,
                vr=raw.VR or "",
            ).value
            if after is None:
                del dataset[tag]
            else:
                # Setting the element would decode it, and pydicom warns of what scanners write.
                dataset._dict[tag] = raw._replace(value=after, length=len(after))
    for tag in dataset.keys():  # noqa: SIM118 - iterating over the elements would decode them all
        raw = dataset.get_item(tag)
        if raw is not None and raw.VR == "SQ":
            for item in dataset[tag].value:
                clean_dataset(item, little_endian=little_endian, keep=keep)


def private_tags(dataset: Dataset) -> Iterator[tuple[str, int]]:
    creators = {}
    for tag in list(dataset.keys()):
        if tag.is_private_creator:
            creators[tag.group, tag.elem] = str(dataset[tag].value).strip()
        elif tag.is_private:
            yield creators.get((tag.group, tag.elem >> 8), ""), int(tag)


def dcm2niix(folder: Path) -> dict[str, object]:
    """Convert a folder, and return what came out: sidecars as read, everything else as bytes."""
    out = folder.with_name(f"{folder.name}-nifti")
    out.mkdir()
    command = [require_program(DCM2NIIX), "-b", "y", "-ba", "n", "-z", "n", "-f", "%s_%e_%r"]
    run_program([*command, "-o", out, folder], timeout_s=120)
    return {
        path.name: json.loads(path.read_text()) if path.suffix == ".json" else path.read_bytes()
        for path in sorted(out.iterdir())
    }
