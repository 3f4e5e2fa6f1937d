"""What de-identifies the instances of one person, and remembers what it decided about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from bidsanon.audit import ChangedValue
from bidsanon.deidentify.actions import OPERATORS
from bidsanon.deidentify.changes import changed_values
from bidsanon.deidentify.context import Context, Fate, Outcome, Tools, value_vr
from bidsanon.deidentify.dummies import dummy_value
from bidsanon.deidentify.graphics import cleared_pixels, keep_clean_planes
from bidsanon.deidentify.harvest import Harvest
from bidsanon.deidentify.marks import Marks, marks_of, written_marks
from bidsanon.deidentify.recognition import date_shift, day_of
from bidsanon.deidentify.replacements import Replacements
from bidsanon.deidentify.rules import Place
from bidsanon.deidentify.walk import assemble, clean_data_set, put_element
from bidsanon.dicom.charset import character_set
from bidsanon.dicom.confidentiality import Action
from bidsanon.dicom.dates import DateShift
from bidsanon.dicom.elements import DataSet
from bidsanon.dicom.encoding import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    NotUnderstoodError,
)
from bidsanon.dicom.file_format import (
    DicomFile,
    deflate,
    read_beginning,
    read_file,
    write_file_head,
)
from bidsanon.dicom.passages import Passages
from bidsanon.dicom.private_characteristics import (
    CHARACTERISTICS,
    NO_CLAIMS,
    PrivateClaims,
    read_claims,
    write_claims,
)
from bidsanon.dicom.uids import is_valid_uid
from bidsanon.dicom.vrs import dictionary_vr
from bidsanon.dicom.writing import write_element
from bidsanon.identity import IdentifyingValue, ValueKind
from bidsanon.notes import NoteReason
from bidsanon.profile import Profile
from bidsanon.vault.plan import PersonPlan

_SOP_CLASS_UID = 0x00080016
_SOP_INSTANCE_UID = 0x00080018
_META_SOP_CLASS_UID = 0x00020002
_PER_FRAME = 0x52009230  # Per-frame Functional Groups Sequence

_META_AE_TITLES = (0x00020016, 0x00020017, 0x00020018, 0x00020026, 0x00020027, 0x00020028)
_WHO_WHERE_AND_WHEN = (
    0x00080020,  # Study Date
    0x00080021,  # Series Date
    0x00080050,  # Accession Number
    0x00080080,  # Institution Name
    0x00080081,  # Institution Address
    0x00080090,  # Referring Physician's Name
    0x00081010,  # Station Name
    0x00081040,  # Institutional Department Name
    0x00081048,  # Physician(s) of Record
    0x00081050,  # Performing Physician's Name
    0x00081060,  # Name of Physician(s) Reading Study
    0x00081070,  # Operators' Name
    0x00100010,  # Patient's Name
    0x00100020,  # Patient ID
    0x00100030,  # Patient's Birth Date
    0x00101000,  # Other Patient IDs
    0x00101001,  # Other Patient Names
    0x00101005,  # Patient's Birth Name
    0x00101040,  # Patient's Address
    0x00101060,  # Patient's Mother's Birth Name
    0x00102154,  # Patient's Telephone Numbers
    0x00181000,  # Device Serial Number
    0x00200010,  # Study ID
    0x00321032,  # Requesting Physician
    0x00380010,  # Admission ID
)
_CUT_FROM_TEXT = frozenset({ValueKind.NAME, ValueKind.IDENTIFIER, ValueKind.PLACE, ValueKind.DATE})
_MOST_TOOLS = 64


@dataclass(frozen=True, kw_only=True)
class CleanedFile:
    """A de-identified file before it is written.

    Attributes
    ----------
    pieces
        What the file consists of, one after the other.
    sop_instance_uid
        Its new (0008,0018).
    source
        What it was made from. Identified.
    shift
        How its dates are moved where they are.
    marks
        How it was de-identified, before and now.
    """

    pieces: list[bytes | memoryview]
    sop_instance_uid: str
    source: DicomFile
    shift: DateShift
    marks: Marks


class Deidentifier:
    """De-identifies the instances of one person, and remembers what it decided.

    Parameters
    ----------
    profile
        What is done to each attribute.
    plan
        The person's pseudonyms, date shift and keys.
    known
        What the session says about person, staff, place and time: cut from free text, together
        with what each instance says itself.
    marked
        Whether (0012,0063) and (0012,0064) are written. heudiconv refuses a file in which the
        meaning of a code holds the word "Date", as that of 113107 does, so the copies that it
        reads go without; the sidecars get both afterwards.

    Attributes
    ----------
    harvest
        What was taken out.
    changes
        How many elements each action touched, by the action's code.
    notes
        How often a value was cut, emptied or changed for which reason, by place and reason.
    """

    def __init__(
        self,
        *,
        profile: Profile,
        plan: PersonPlan,
        known: Iterable[IdentifyingValue] = (),
        marked: bool = True,
    ) -> None:
        self.harvest = Harvest()
        self.changes: dict[str, int] = {}
        self.notes: Counter[tuple[str, NoteReason]] = Counter()
        self._profile = profile
        self._plan = plan
        self._known = cut_from_text(known)
        self._marked = marked
        self._places: dict[tuple[str, PrivateClaims], Place] = {}
        self._tools: dict[tuple[object, ...], Tools] = {}
        self._passages = Passages()

    def knowing(self, known: Iterable[IdentifyingValue], *, marked: bool) -> Deidentifier:
        """Return another that cuts these values from text, and decides as this one did."""
        other = Deidentifier(profile=self._profile, plan=self._plan, known=known, marked=marked)
        other._places, other._passages = self._places, self._passages
        return other

    def clean(self, content: bytes) -> CleanedFile:
        """De-identify one file.

        Parameters
        ----------
        content
            A DICOM file.

        Raises
        ------
        NotUnderstoodError
            If any of it cannot be understood.
        """
        source = read_file(content, known=self._passages)
        sop_class_uid = _sop_class_uid(source)
        claims = read_claims(source)
        context = self._context(source, sop_class_uid, claims)
        self._harvest_meta(source)
        outcomes = clean_data_set(source.data_set, context)
        uid = _sop_instance_uid(source, outcomes)
        elements = source.data_set.elements.copy()
        keep_clean_planes(source, outcomes, context)
        added = (*self._inserted(source, context), *cleared_pixels(source, outcomes, context))
        marks = marks_of(source, context, profile=self._profile)
        said = written_marks(source, context, marks, profile=self._profile, marked=self._marked)
        for tag, written in (*added, *said):
            put_element(tag, written, elements, outcomes)
        head = write_file_head(
            sop_class_uid=sop_class_uid.encode(),
            sop_instance_uid=uid,
            transfer_syntax_uid=source.transfer_syntax_uid,
        )
        body = assemble(source.content, elements, outcomes)
        if claims is not NO_CLAIMS:
            left = write_claims(claims, _as_cleaned(source, body))
            put_element(CHARACTERISTICS, left, elements, outcomes)
            body = assemble(source.content, elements, outcomes)
        if source.transfer_syntax_uid == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
            body = [deflate(b"".join(body))]
        return CleanedFile(
            pieces=[head, *body],
            sop_instance_uid=uid.decode("ascii", "replace"),
            source=source,
            shift=context.tools.replace.shift,
            marks=marks,
        )

    def harvest_before_frames(self, content: bytes) -> DicomFile:
        """Harvest what a file says before it speaks of its frames one by one, and return that.

        Parameters
        ----------
        content
            A DICOM file.

        Raises
        ------
        NotUnderstoodError
            If that much of it cannot be understood.
        """
        source = read_file(content, known=self._passages, until=_PER_FRAME)
        context = self._context(source, _sop_class_uid(source), read_claims(source))
        self._harvest_meta(source)
        clean_data_set(source.data_set, context)
        return source

    def harvest_remnants(self, content: bytes) -> None:
        """Harvest what can be understood of a damaged file, of which nothing is passed on.

        Its elements are taken one by one, so that what is damaged does not hide the rest; private
        ones group by group, as they need their creators.

        Parameters
        ----------
        content
            A file that :meth:`clean` does not understand.
        """
        changes, notes = self.changes.copy(), self.notes.copy()
        with suppress(NotUnderstoodError):
            source = read_beginning(content)
            sop_class_uid = source.ascii(_SOP_CLASS_UID)
            context = self._context(source, sop_class_uid, NO_CLAIMS)
            self._harvest_meta(source)
            for part in _apart(source.data_set):
                with suppress(NotUnderstoodError):
                    clean_data_set(part, context)
        self.changes.clear()
        self.changes.update(changes)
        self.notes.clear()
        self.notes.update(notes)

    def changed_values(self, cleaned: CleanedFile) -> Iterator[ChangedValue]:
        """Yield the original and the cleaned value of each attribute that was changed."""
        written = read_file(b"".join(cleaned.pieces))
        place = self._place(_sop_class_uid(cleaned.source), read_claims(cleaned.source))
        yield from changed_values(cleaned.source, written, place)

    def _context(self, source: DicomFile, sop_class_uid: str, claims: PrivateClaims) -> Context:
        place = self._place(sop_class_uid, claims)
        characters = character_set(source.content, source.data_set)
        return Context(
            content=source.content,
            encoding=source.data_set.encoding,
            character_set=characters,
            place=place,
            tools=self._tools_for(source, place, characters),
            known=self._passages,
        )

    def _place(self, sop_class_uid: str, claims: PrivateClaims) -> Place:
        key = (sop_class_uid, claims)
        if key not in self._places:
            self._places[key] = Place(self._profile, sop_class_uid, cleaned=False, claims=claims)
        return self._places[key]

    def _tools_for(self, source: DicomFile, place: Place, characters: bytes) -> Tools:
        """Return the tools for instances that say the same about who, where and when."""
        said = tuple(source.value(tag) for tag in _WHO_WHERE_AND_WHEN)
        day = day_of(source)
        shift = date_shift(source, self._plan, day)
        key = (said, characters, source.data_set.encoding, shift, day)
        tools = self._tools.get(key)
        if tools is None:
            known = (*self._known, *self._own(source, place, characters, shift, day))
            words = self._profile.words
            replace = Replacements(self._plan, known=known, shift=shift, words=words)
            tools = Tools(replace, self.harvest, self.changes, self.notes, day)
            if len(self._tools) >= _MOST_TOOLS:
                self._tools.clear()
            self._tools[key] = tools
        return tools

    def _own(
        self,
        source: DicomFile,
        place: Place,
        characters: bytes,
        shift: DateShift,
        day: date | None,
    ) -> Iterable[IdentifyingValue]:
        """Return what an instance says itself about who, where and when.

        What stays as it is identifies nobody: a pseudonym, a dummy, a date that was shifted before.
        """
        own = Harvest()
        replace = Replacements(self._plan, shift=shift, words=self._profile.words)
        context = Context(
            content=source.content,
            encoding=source.data_set.encoding,
            character_set=characters,
            place=place,
            tools=Tools(replace, Harvest(), {}, day=day),
        )
        for tag in _WHO_WHERE_AND_WHEN:
            element = source.top.get(tag)
            if element is not None and place[tag].act(element, place[tag], context) != Fate.KEPT:
                own.take(tag, element.vr, source.value(tag), character_set=characters)
        return cut_from_text(own.drain().identity)

    def _harvest_meta(self, source: DicomFile) -> None:
        for tag in _META_AE_TITLES:
            if tag in source.meta:
                self.harvest.take(tag, "AE", source.meta[tag], character_set=b"")

    def _inserted(self, source: DicomFile, context: Context) -> Iterator[tuple[int, bytes]]:
        """Yield what the profile forces and the instance lacks, at the top level."""
        for tag, text in self._profile.forced:
            if tag not in source.top:
                vr = dictionary_vr(tag)
                value = dummy_value(vr, text, context)
                yield tag, write_element(tag, vr, value, context.encoding)


def cut_from_text(values: Iterable[IdentifyingValue]) -> tuple[IdentifyingValue, ...]:
    """Pick the values that free text is searched for."""
    return tuple(value for value in values if value.kind in _CUT_FROM_TEXT)


def counted(changes: dict[str, int]) -> dict[str, int]:
    """Order counts as the action codes are, without what was only entered."""
    codes = [action.value for action in OPERATORS if action is not Action.KEEP]
    return {code: changes[code] for code in codes if code in changes}


def _apart(data_set: DataSet) -> Iterator[DataSet]:
    """Yield each standard element of a data set alone, and the private ones of each group."""
    for group, elements in groupby(data_set.elements, key=lambda element: element.tag >> 16):
        together = list(elements)
        parts = [together] if group & 1 else [[element] for element in together]
        for part in parts:
            yield DataSet(part, data_set.encoding)


def _sop_class_uid(source: DicomFile) -> str:
    """Return (0008,0016), or what the file meta says where the data set does not.

    Raises
    ------
    NotUnderstoodError
        If there is none: nothing says what Types its attributes have.
    """
    value = source.value(_SOP_CLASS_UID) or source.meta.get(_META_SOP_CLASS_UID, b"")
    text = value.strip(b" \0").decode("ascii", "replace")
    if not is_valid_uid(text):
        raise NotUnderstoodError("it has no SOP Class UID")
    return text


def _sop_instance_uid(source: DicomFile, outcomes: list[Outcome]) -> bytes:
    """Return the new (0008,0018).

    Raises
    ------
    NotUnderstoodError
        If there is none: nothing could refer to the instance.
    """
    element = source.top.get(_SOP_INSTANCE_UID)
    if element is not None:
        outcome = outcomes[source.data_set.elements.index(element)]
        if outcome is Fate.KEPT:
            return source.value(_SOP_INSTANCE_UID)
        if isinstance(outcome, bytes):
            # A UID whose VR the file does not know is written with its VR.
            vr, encoding = value_vr(element), source.data_set.encoding
            header = len(write_element(element.tag, vr, b"", encoding))
            return outcome[header:].rstrip(b" \0")
    raise NotUnderstoodError("it has no SOP Instance UID")


def _as_cleaned(source: DicomFile, body: list[bytes | memoryview]) -> DicomFile:
    """Read what became of a file, before it is written."""
    inflated = source.transfer_syntax_uid == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN
    head = write_file_head(
        sop_class_uid=b"",
        sop_instance_uid=b"",
        transfer_syntax_uid=EXPLICIT_VR_LITTLE_ENDIAN if inflated else source.transfer_syntax_uid,
    )
    return read_file(b"".join((head, *body)))
