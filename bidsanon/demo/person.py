"""Made-up people and their visits to a made-up scanner: every identifying value there is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.sequence import Sequence

_SIEMENS_DEVICE_ROOT = "1.3.12.2.1107.5.2.43"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A made-up person at one visit, with all that a hospital writes into its headers.

    Attributes
    ----------
    family_name, given_name, middle_name
        The person's name.
    patient_id, other_patient_id, issuer
        The hospital's numbers for the person, and who gave them.
    birth_date, study_date
        Dates, YYYYMMDD.
    study_time_s
        When the visit's first image was taken, in seconds after midnight.
    sex, age_years, weight_kg, height_m
        The person's characteristics.
    address, phone
        Where the person lives.
    physician, performer, operator
        The staff, as person names with components.
    institution, institution_address, department, station, device_serial
        The place and the device.
    accession_number, study_id, study_description
        The visit.
    comment
        Free text that names the person.
    """

    family_name: str
    given_name: str
    middle_name: str
    patient_id: str
    other_patient_id: str
    issuer: str
    birth_date: str
    sex: str
    age_years: int
    weight_kg: float
    height_m: float
    address: str
    phone: str
    physician: str
    performer: str
    operator: str
    institution: str
    institution_address: str
    department: str
    station: str
    device_serial: str
    accession_number: str
    study_id: str
    study_description: str
    study_date: str
    study_time_s: float
    comment: str

    @property
    def name(self) -> str:
        """The name in DICOM's form."""
        return f"{self.family_name}^{self.given_name}^{self.middle_name}"

    def uid(self, *parts: object) -> str:
        """Make a UID of this visit as the device does: from its serial number, date and time.

        Parameters
        ----------
        *parts
            What tells it from the visit's other UIDs: the same parts give the same UID.
        """
        words = "/".join(map(str, (self.patient_id, self.study_date, *parts)))
        number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:6])
        moment = self.study_date + clock(self.study_time_s)[:6]
        return f"{_SIEMENS_DEVICE_ROOT}.{self.device_serial}.{moment}{number:015d}"


MARA = Person(
    family_name="Quillfeather",
    given_name="Mara",
    middle_name="Odette",
    patient_id="QF-7719-KX",
    other_patient_id="NHI-30557192",
    issuer="ALDWYN-PAS",
    birth_date="19870314",
    sex="F",
    age_years=36,
    weight_kg=63.5,
    height_m=1.68,
    address="9 Tanglewick Lane, Embershire",
    phone="+44 1632 960417",
    physician="Thornbury^Ignatius^^Dr",
    performer="Vanterpool^Sunniva",
    operator="Wexcombe^Lydia",
    institution="St Aldwyn Infirmary",
    institution_address="14 Larkspur Row, Embershire, EM7 2QD",
    department="Neuroradiology Aldwyn West",
    station="MRALDWYN3",
    device_serial="999217",
    accession_number="ACC5530981",
    study_id="VIS48213",
    study_description="Head^Aldwyn Sleep Cohort",
    study_date="20230517",
    study_time_s=8 * 3600 + 13 * 60 + 22.3425,
    comment="Mara Quillfeather was restless; her brother Jonty waits outside",
)
"""The person of the demo."""


def clock(seconds: float) -> str:
    """Write a time of day as DICOM's TM, with microseconds.

    Parameters
    ----------
    seconds
        After midnight.
    """
    microseconds = round(seconds * 1e6)
    whole, fraction = divmod(microseconds, 1_000_000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}{minute:02d}{second:02d}.{fraction:06d}"


def person_attributes(person: Person) -> Dataset:
    """Return the patient, study and equipment modules as this hospital fills them."""
    dataset = Dataset()
    _add_patient(dataset, person)
    _add_visit(dataset, person)
    dataset.Manufacturer = "SIEMENS"
    dataset.ManufacturerModelName = "Prisma_fit"
    dataset.InstitutionName = person.institution
    dataset.InstitutionAddress = person.institution_address
    dataset.InstitutionalDepartmentName = person.department
    dataset.StationName = person.station
    dataset.DeviceSerialNumber = person.device_serial
    dataset.SoftwareVersions = "syngo MR E11"
    return dataset


def _add_patient(dataset: Dataset, person: Person) -> None:
    dataset.PatientName = person.name
    dataset.PatientID = person.patient_id
    dataset.IssuerOfPatientID = person.issuer
    dataset.PatientBirthDate = person.birth_date
    dataset.PatientSex = person.sex
    dataset.PatientAge = f"{person.age_years:03d}Y"
    dataset.PatientWeight = person.weight_kg
    dataset.PatientSize = person.height_m
    dataset.PatientAddress = person.address
    dataset.PatientTelephoneNumbers = person.phone
    dataset.PatientComments = person.comment
    other = Dataset()
    other.PatientID = person.other_patient_id
    other.IssuerOfPatientID = person.issuer
    dataset.OtherPatientIDsSequence = Sequence([other])


def _add_visit(dataset: Dataset, person: Person) -> None:
    started = clock(person.study_time_s)
    dataset.StudyInstanceUID = person.uid("study")
    dataset.StudyDate = person.study_date
    dataset.StudyTime = started
    dataset.StudyID = person.study_id
    dataset.StudyDescription = person.study_description
    dataset.AccessionNumber = person.accession_number
    dataset.ReferringPhysicianName = person.physician
    dataset.PerformingPhysicianName = person.performer
    dataset.OperatorsName = person.operator
    dataset.PerformedProcedureStepStartDate = person.study_date
    dataset.PerformedProcedureStepStartTime = started
    dataset.PerformedProcedureStepID = f"MR{person.study_date}{started[:6]}"
    dataset.PerformedProcedureStepDescription = person.study_description
    request = Dataset()
    request.RequestingPhysician = person.physician
    request.RequestedProcedureDescription = f"MRI head, {person.given_name} {person.family_name}"
    request.RequestedProcedureID = person.accession_number
    dataset.RequestAttributesSequence = Sequence([request])
