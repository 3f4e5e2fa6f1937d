"""Sessions with one thing wrong, or one thing that is easily overlooked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence

from bidsanon.demo.person import MARA, Person
from sessions.people import TOBIAS
from sessions.siemens import bold_mosaic, siemens_t1w, t1w_slices
from sessions.writing import write_series


def two_persons(folder: Path) -> list[Path]:
    """Two persons' images in one folder."""
    return [
        *siemens_t1w(folder / "a", person=MARA),
        *siemens_t1w(folder / "b", person=TOBIAS),
    ]


def second_visit(folder: Path, *, person: Person = MARA) -> list[Path]:
    """The same person, a year and some days later."""
    later = replace(
        person,
        study_date="20240529",
        study_id="VIS60218",
        accession_number="ACC7719034",
        study_time_s=person.study_time_s + 4000,
        age_years=person.age_years + 1,
    )
    return siemens_t1w(folder, person=later)


def truncated_file(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A T1w whose third file ends before its pixel data do."""
    paths = siemens_t1w(folder, person=person)
    content = paths[2].read_bytes()
    paths[2].write_bytes(content[: len(content) - 300])
    return paths


def duplicate_instance(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A T1w whose first file is there twice."""
    paths = siemens_t1w(folder, person=person)
    copy = folder / "copy_of_IM0001"
    copy.write_bytes(paths[0].read_bytes())
    return [*paths, copy]


def computed_tomography(folder: Path, *, person: Person = MARA) -> list[Path]:
    """Images of a modality that no profile for MR allows."""
    slices = t1w_slices(person, number=7, protocol="CT head")
    for dataset in slices:
        dataset.Modality = "CT"
        dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    return write_series(folder, slices)


def name_in_description(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A T1w whose series description and protocol name hold the person's name."""
    protocol = f"t1_mprage_{person.family_name}_sag"
    return write_series(folder, t1w_slices(person, protocol=protocol))


def nested_sequences_with_names(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A T1w with names three sequences deep, in sequences that are listed and that are not."""
    slices = t1w_slices(person)
    for dataset in slices:
        deepest = Dataset()
        deepest.PersonName = person.physician
        deepest.PatientName = person.name
        deepest.StudyDate = person.study_date
        middle = Dataset()
        middle.PersonIdentificationCodeSequence = Sequence([deepest])
        middle.InstitutionName = person.institution
        outer = Dataset()
        outer.ScheduledProtocolCodeSequence = Sequence([middle])
        outer.ReferencedSOPInstanceUID = person.uid("nested")
        dataset.ContributingEquipmentSequence = Sequence([outer])
        dataset.RequestAttributesSequence[0].ScheduledProtocolCodeSequence = Sequence([middle])
        block = dataset.private_block(0x0031, "ALDWYN SLEEP COHORT")
        block.add_new(0x03, "SQ", Sequence([outer]))
    return write_series(folder, slices)


def csa_stripped(folder: Path, *, person: Person = MARA) -> list[Path]:
    """A bold series whose private elements somebody removed: it cannot be converted rightly."""
    paths = bold_mosaic(folder, person=person)
    for path in paths:
        dataset = dcmread(path)
        dataset.remove_private_tags()
        dataset.save_as(path)
    return paths
