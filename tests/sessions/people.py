"""Somebody beside the demo's person, and what must not be found of either."""

from __future__ import annotations

from dataclasses import replace

from bidsanon.demo.person import MARA, Person, clock

TOBIAS = replace(
    MARA,
    family_name="Hollingberry",
    given_name="Tobias",
    middle_name="Uwe",
    patient_id="HB-2086-LW",
    other_patient_id="NHI-71184406",
    birth_date="19590728",
    sex="M",
    age_years=64,
    weight_kg=81.0,
    height_m=1.79,
    address="3 Copperfold Mews, Embershire",
    phone="+44 1632 960882",
    accession_number="ACC6641207",
    study_id="VIS59904",
    study_date="20231122",
    study_time_s=14 * 3600 + 41 * 60 + 7.105,
    comment="Tobias Hollingberry wears a hearing aid, taken out",
)
"""Somebody else at the same hospital."""


def identifying_strings(person: Person) -> tuple[str, ...]:
    """List what must not be found in anything that is published of this person.

    Characteristics (sex, age, size, weight) are not among them: a profile may keep those. UIDs are
    covered by the serial number and the date that each of them holds.
    """
    staff = (person.physician, person.performer, person.operator)
    names = {part for name in (person.name, *staff) for part in name.split("^") if len(part) > 2}
    others = {
        person.patient_id,
        person.other_patient_id,
        person.issuer,
        person.birth_date,
        person.address,
        person.phone,
        person.institution,
        person.institution_address,
        person.department,
        person.station,
        person.device_serial,
        person.accession_number,
        person.study_id,
        person.study_date,
        clock(person.study_time_s)[:6],
        person.comment,
    }
    return tuple(sorted(names | others))
