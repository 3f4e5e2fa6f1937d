"""A source of several persons as a session for each of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bidsanon.session import SourceSeries, SourceSession


def split_by_person(source: SourceSession) -> tuple[SourceSession, ...]:
    """Return a session for each person of whom there are images, in the order of their series.

    The series keep their index. Findings stay with the whole source: the parts have none. What is
    in quarantine is in one of the parts: its person's where that has images, else in the first.

    Parameters
    ----------
    source
        What was read, of one person or of several.
    """
    series = [part for one in source.series for part in _split(one, source)]
    owners = dict.fromkeys(person for person, _ in series)
    first = next(iter(owners), source.person)
    owner_of = {
        file.path: owner if (owner := source.persons.get(file.path, first)) in owners else first
        for file in source.quarantine
    }
    return tuple(
        replace(
            source,
            person=person,
            series=tuple(one for owner, one in series if owner == person),
            quarantine=tuple(f for f in source.quarantine if owner_of[f.path] == person),
            other_files=source.other_files if person == first else 0,
            findings=(),
        )
        for person in owners
    )


def _split(series: SourceSeries, source: SourceSession) -> list[tuple[str, SourceSeries]]:
    """Split a series by person: two exports may bear the same Series Instance UID."""
    owners = {instance.path: _owner(instance.path, source) for instance in series.instances}
    return [
        (
            person,
            replace(
                series,
                instances=tuple(i for i in series.instances if owners[i.path] == person),
            ),
        )
        for person in dict.fromkeys(owners.values())
    ]


def _owner(path: Path, source: SourceSession) -> str:
    return source.persons.get(path, source.person)
