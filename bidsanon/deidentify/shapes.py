"""Finds in a text what has the shape of an identifier, whoever it may belong to.

Here: addresses of mail, web and computers, UIDs, telephone numbers, record numbers (six digits and
more), and what a label calls an identifier, a birth or an age. Dates are in :mod:`date_shapes`,
titles and labels with names in :mod:`name_shapes`. Sequence names, sizes, b-values, gradient
directions and compression ratios have none of these shapes: what would cut them is narrowed until
it does not (``tests/deidentify/descriptors.tsv`` holds both sides).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bidsanon.deidentify.date_shapes import date_spans
from bidsanon.deidentify.name_shapes import name_spans
from bidsanon.deidentify.spans import BEGINS, ENDS, Span, compiled, find_shapes
from bidsanon.dicom.terms import is_acquisition_term
from bidsanon.notes import NoteReason

_NUMBER_OF = r"[\s_.-]{0,2}(?:id|nr|no|number|num|nummer|\#)"
_NUMBERED = rf"""(?:mrn | patid | ssn | nhs | nhi | ipp | nip | nif | bsn | cpr | svnr | ahv | kvnr
    | barcode | pat(?:ient|ienten)?{_NUMBER_OF} | accession | acc(?:ession)?{_NUMBER_OF}
    | case{_NUMBER_OF}
    | fall{_NUMBER_OF} | aufnahme{_NUMBER_OF} | hospital{_NUMBER_OF} | visit{_NUMBER_OF}
    | chart{_NUMBER_OF} | (?:medical\ )?record{_NUMBER_OF} | (?:study|exam){_NUMBER_OF}
    | (?:subj(?:ect)?|participant|proband(?:en)?){_NUMBER_OF} | insurance{_NUMBER_OF})"""
_SOMEBODY = r"""(?:subject|subj | participant | proband(?:in)? | volunteer | patient(?:in)?
    | versuchsperson | vp | teilnehmer(?:in)? | sujet)"""
_CALLED = r"""(?:tel | telefon | téléphone | phone | fax | mobile? | handy | call | cell | pager
    | beeper | dect | durchwahl | ext | tlf | telefono | teléfono)"""

_SHAPES = compiled(
    {
        NoteReason.E_MAIL: (
            r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+",
            r"""(?<![\w.+-])[\w.+-]{1,64}\s?[\[(]\s?(?:at|@)\s?[\])]\s?[\w-]+
                (?:\s?(?:\.|[\[(]\s?dot\s?[\])]|\ dot\ )\s?[\w-]+)*""",
            r"(?<![\w.+-])[\w.+-]{1,64}\ at\ [\w-]+(?:\ dot\ [\w-]+)+",
        ),
        NoteReason.WEB_ADDRESS: (
            r"\b(?:https?|ftp)://\S+ | \bwww\.\S+",
            r"/(?:home|users)/\S+ | (?<![^\W\d_])[a-z]:\\\S* | \\\\\w\S*",
            r"(?<![\d.])(?:1\d\d|2[0-5]\d|\d\d)(?:\.(?:1?\d?\d|2[0-5]\d)){3}(?![\d.])",
            rf"{BEGINS}(?:[\da-f]{{2}}[:-]){{5}}[\da-f]{{2}}{ENDS}",
        ),
        NoteReason.UID: (
            r"(?<![\d.])\d+(?:\.\d+){5,}",
            r"(?<![\d.])[012]\.\d+(?:\.\d+)*\.\d{6,}(?:\.\d+)*",
            rf"{BEGINS}[\da-f]{{8}}(?:-[\da-f]{{4}}){{3}}-[\da-f]{{12}}{ENDS}",
        ),
        NoteReason.TELEPHONE: (
            # International ones, and those that a label calls so.
            r"(?<![\w+])\+\d{1,3}(?:[ ()/-]{0,3}\d){7,12}(?![\d.])",
            r"(?<![\w+])\+\d{1,3}(?:\.\d{2,4}){3,}",
            r"(?<![\d.])00\d{2}(?:[ ()/-]{1,2}\d{2,}){2,}",
            rf"{BEGINS}0\d(?:\ \d\d){{4}}(?![\d.]) | {BEGINS}0\d(?:\.\d\d){{4}}(?![\d.])",
            rf"{BEGINS}{_CALLED}(?:[.:\ ]{{1,3}}|\.\#)\+?[\d(][\d\ ()/.-]*\d{{2}}(?![\d.])",
        ),
        NoteReason.RECORD_NUMBER: (
            # Numbers of social security, tax and health insurance.
            r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)",
            rf"{BEGINS}[a-z]{{6}}\d\d[a-z]\d\d[a-z]\d{{3}}[a-z]{ENDS}",
            rf"{BEGINS}756\.\d{{4}}\.\d{{4}}\.\d\d{ENDS}",
            rf"{BEGINS}[12]\ \d\d\ \d\d\ \d{{2,3}}\ \d{{3}}\ \d{{3}}(?:\ \d\d)?{ENDS}",
            # Digests: of a name or an ID anybody can make the same one.
            rf"{BEGINS}[0-9a-f]{{32,}}{ENDS}",
            # Record numbers, but no decimals.
            rf"{BEGINS}[a-z]{{1,3}}\d{{6,}}(?:[-/]\d{{2,5}})*(?:[.,]\d+)?[a-z]?{ENDS}",
            r"(?<!\d)(?<!\d[.,])\d{6,}(?:(?:[-/]\d{2,5})+[a-z]?(?![^\W_]) | [.,]\d+)?",
        ),
        NoteReason.LABELLED: (
            rf"""{BEGINS}{_NUMBERED}[\s.:\#=_-]*(?=[\w/-]*\d)[\w-]+
                (?:[ /-]\d{{2,}}(?![\d.x]))*""",
            rf"{BEGINS}{_NUMBERED}\s?[:\#=]\s?[\w-]+",
            rf"{BEGINS}(?:acc|order|req(?:uisition)?)\s?[:\#.]\s?(?=[\w-]*\d{{4}})[\w-]+",
            rf"{BEGINS}(?:order|req(?:uisition)?)\ \d{{4,}}{ENDS}",
            rf"{BEGINS}id\s?[:\#=]\s?[\w-]+ | {BEGINS}id[ _]\d{{3,}}{ENDS}",
            rf"{BEGINS}{_SOMEBODY}[\s_.\#:-]{{0,2}}\d+[a-z]?{ENDS}(?!\s?mm)",
            rf"{BEGINS}(?:sub-\d+ | (?:sub_? | (?:pat|case|ctrl|hc)[-_]?)\d{{2,}}){ENDS}",
        ),
        NoteReason.AGE: (
            rf"""{BEGINS}(?:dob|d\.o\.b\.|geb(?:oren|\.)?|born|birth\ ?da(?:te|y)|née?|nacid[oa])
                [\s:=]*(?:am|on|the|le|el|in)?\s*\d[\d./\ -]*""",
            rf"""{BEGINS}\d{{1,3}}[\s-]?(?:y/o|yo|(?:years?|months?|weeks?|days?|mos?|wks?)[\s-]old
                |jahre\ alt|jährige?r?|ans|años){ENDS}""",
            rf"{BEGINS}(?:age[d]?|alter|âge|edad)[\s:=]{{1,2}}\d{{1,3}}{ENDS}(?!\s?-)",
            rf"{BEGINS}0\d\d[ymwd]{ENDS}",
        ),
    }
)
_MAIL_WITHIN_A_HOUSE = re.compile(r"(?<![\w.+-])[a-z][\w.+-]*@([a-z]{2,})(?:-\w+)*", re.IGNORECASE)
_PERHAPS_TELEPHONES = tuple(
    re.compile(shape)
    for shape in (
        rf"{BEGINS}\(?0\d{{2,5}}\)?[ /-]{{1,3}}\d{{2,}}(?:[ /-]?\d{{2,}})*(?![\d.])",
        rf"{BEGINS}\(?\d{{3}}\)?[ -]?\d{{3}}-\d{{4}}(?![\d.])",
        rf"{BEGINS}\d{{3}}\.\d{{3}}\.\d{{4}}(?![\d.])",
        rf"{BEGINS}\d{{3}}\ \d{{2,3}}\ (?!\d\d00|1024|2048)\d{{4}}(?![\d.])",
    )
)
_FEWEST_DIGITS = 8


def shape_spans(text: str) -> Iterator[Span]:
    """Yield where something identifying stands in a text, by its shape alone.

    What tells more comes first: a date is a number of eight digits as well.
    """
    yield from date_spans(text)
    yield from name_spans(text)
    yield from find_shapes(text, _SHAPES)
    for match in _MAIL_WITHIN_A_HOUSE.finditer(text):
        if not is_acquisition_term(match[1]):
            yield Span(*match.span(), NoteReason.E_MAIL)
    for shape in _PERHAPS_TELEPHONES:
        for match in shape.finditer(text):
            if _is_telephone_number(match[0]):
                yield Span(*match.span(), NoteReason.TELEPHONE)


def _is_telephone_number(text: str) -> bool:
    """Tell a telephone number from a list of round b-values (200-500-1000)."""
    groups = re.findall(r"\d+", text)
    enough = sum(map(len, groups)) >= _FEWEST_DIGITS
    return enough and not all(group.endswith("0") for group in groups)
