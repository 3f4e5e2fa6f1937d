"""That a text is searched for few of the known patterns changes nothing of what is found."""

from __future__ import annotations

import re
import sys

from hypothesis import given
from hypothesis import strategies as st
from processor_time import within_cpu_seconds

from bidsanon.deidentify.known_values import KnownValues, known_values
from bidsanon.identity import IdentifyingValue, ValueKind

DOTLESS = "y\N{LATIN SMALL LETTER DOTLESS I}ld\N{LATIN SMALL LETTER DOTLESS I}rim"
VALUES = (
    (ValueKind.NAME, "Müller-Lüdenscheidt^Anna Sofie"),
    (ValueKind.NAME, "van der Berghe^Li^^Dr."),
    (ValueKind.NAME, "Ng^Séverine"),
    (ValueKind.NAME, "山村^太郎"),
    (ValueKind.NAME, "YILDIRIM^Şükrü"),
    (ValueKind.NAME, "Weiß^Jens"),
    (ValueKind.IDENTIFIER, "0048213-7"),
    (ValueKind.IDENTIFIER, "MRN 0090817263"),
    (ValueKind.DATE, "19610423"),
    (ValueKind.PLACE, "Klinik St. Vincent"),
    (ValueKind.TEXT, "came with Ottokar"),
)
PIECES = (
    *("Müller", "mueller", "Lüdenscheidt"),
    *("Mu\N{COMBINING DIAERESIS}ller", "MüLLER", "Anna", "anna", "asl", "A.", "Sofie"),
    *("Ber", "ghe", "eh", "g r e b", "B e r g h e", "li", "Li", "Ng", "Severine", "SÉVERINE"),
    *("山村", "太郎", DOTLESS, "YILDIRIM", "Yildirim", "weiss", "WEISS", "Weiß", "WEIẞ"),
    *("0048213", "48213", "7", "90-817-263", "90817263", "MRN", "23.04.1961", "1961", "April"),
    *("23", "klinik", "vincent", "came", "with", "ottokar", "t1", "brain", "bold", "'s", "O'"),
    *(
        " ",
        " ",
        "_",
        "-",
        ".",
        "^",
        ", ",
        "(",
        "",
        "\n",
        "Ã¼",
        "İ",
        "K",
        "\N{LATIN SMALL LETTER LONG S}",
    ),
)


def test_a_name_of_each_group_is_found() -> None:
    finder = _finder()
    for text in ("t1 Mueller", "Weiss bold", "0048213_7", "23.04.1961", "g r e b", DOTLESS):
        assert list(finder.spans(f"x {text} x")) == _found_by_all(finder, f"x {text} x"), text
    assert [span.start for span in finder.spans("bold of Anna, 1961-04-23")] == [8, 14]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_what_is_found_is_what_all_patterns_together_find(text: str) -> None:
    finder = _finder()
    assert list(finder.spans(text)) == _found_by_all(finder, text)


def test_letters_that_patterns_take_for_one_are_one() -> None:
    for number in range(sys.maxunicode + 1):
        letter = chr(number)
        for other in {letter.lower(), letter.upper(), letter.casefold()} - {letter}:
            if len(other) == 1 and re.fullmatch(re.escape(letter), other, re.IGNORECASE):
                finder = KnownValues([_value(ValueKind.PLACE, letter * 4 + "abc")])
                assert finder._possible(other * 4 + "abc") or not finder._patterns, letter


def test_texts_are_searched_quickly_where_many_persons_are_known() -> None:
    persons = frozenset(
        (ValueKind.NAME, f"{a}{b}ovski^{b}{a}ane")
        for a in ("Kow", "Lud", "Mar", "Nor", "Pel", "Qui", "Rod", "Sam", "Tor", "Ulm")
        for b in ("alc", "bet", "cur", "dom", "elt", "fos", "gar", "hul", "ist", "jor")
    )
    finder = known_values(persons)
    list(finder.spans("warm"))
    with within_cpu_seconds(2):
        for number in range(1000):
            assert not list(finder.spans(f"run {number} of the task, seen with the mirror"))


def _value(kind: ValueKind, text: str) -> IdentifyingValue:
    return IdentifyingValue(kind=kind, text=text, origin="")


def _finder() -> KnownValues:
    return known_values(frozenset(VALUES))


class _AllTogether(KnownValues):
    """Searches every text for every pattern."""

    def _possible(self, _: str) -> list[int]:
        return list(range(len(self._patterns)))


def _found_by_all(finder: KnownValues, text: str) -> list[object]:
    every = object.__new__(_AllTogether)
    every.__dict__.update(finder.__dict__)
    return list(every.spans(text))
