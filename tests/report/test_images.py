"""Tables of events are summarised, and findings of one code stand together."""

from __future__ import annotations

from bidsanon.findings import Finding, Gate, Severity
from bidsanon.report.dataset import group_findings
from bidsanon.report.images import events_entry
from bidsanon.report.words import byte_words


def test_events_are_counted_by_type() -> None:
    entry = events_entry("onset\tduration\ttrial_type\n1\t1\tgo\n2.5\t1\tstop\n9\t1\tgo\n")
    assert (entry.count, entry.first_s, entry.last_s) == (3, 1.0, 9.0)
    assert entry.types == (("go", 2), ("stop", 1))


def test_events_without_types_or_onsets_are_only_counted() -> None:
    entry = events_entry("onset\tduration\nn/a\t1\n")
    assert (entry.count, entry.first_s, entry.types) == (1, None, ())


def test_many_types_are_named_by_the_commonest() -> None:
    rows = "".join(f"1\t1\tkind{n:03}\n" for n in range(40)) + "1\t1\tkind000\n"
    entry = events_entry(f"onset\tduration\ttrial_type\n{rows}")
    assert entry.types[0] == ("kind000", 2)
    assert entry.types[-1] == ("others", 28)


def test_a_table_that_is_none_is_said() -> None:
    assert "empty" in events_entry("").problem


def test_findings_of_one_code_stand_together_the_gravest_first() -> None:
    def found(code: str, severity: Severity, place: str) -> Finding:
        return Finding(
            code=code,
            gate=Gate.VALIDATE,
            severity=severity,
            location=place,
            message=f"at {place}",
            cure="",
        )

    groups = group_findings(
        [
            found("B", Severity.WARNING, "x"),
            found("A", Severity.ERROR, "y"),
            found("B", Severity.WARNING, "z"),
            found("C", Severity.ERROR, ""),
        ]
    )
    assert [(group.code, len(group.places)) for group in groups] == [("A", 1), ("C", 1), ("B", 2)]
    assert groups[2].located == (("x", "at x"), ("z", "at z"))
    assert not groups[1].located


def test_sizes_are_said_with_three_digits_at_most() -> None:
    assert [byte_words(n) for n in (0, 999, 1000, 12_345_678, 3.2e12)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "12.3 MB",
        "3.2 TB",
    ]
