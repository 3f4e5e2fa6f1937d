"""A gallery of tiny sessions made by code, each with one oddity.

Every builder takes a folder (made if it is not there) and mostly a person, writes DICOM into it
and returns the paths it wrote. What must not be found in anything that is made of them,
:func:`identifying_strings` lists.
"""

from bidsanon.demo.person import MARA, Person
from sessions.documents import (
    burned_in_capture,
    patient_protocol,
    phoenix_report,
    structured_report,
)
from sessions.emission import positron_emission
from sessions.encodings import (
    big_endian,
    implicit_vr,
    japanese_name,
    preamble_and_ae_titles,
    un_encoded_sequence,
)
from sessions.enhanced import enhanced_mr_names_in_functional_groups
from sessions.media import archive, dicomdir_medium, dicomdir_only, not_dicom
from sessions.oddities import (
    computed_tomography,
    csa_stripped,
    duplicate_instance,
    name_in_description,
    nested_sequences_with_names,
    second_visit,
    truncated_file,
    two_persons,
)
from sessions.people import TOBIAS, identifying_strings
from sessions.real import real_csa
from sessions.siemens import (
    bold_mosaic,
    dwi_mosaic,
    field_map,
    scout,
    siemens_session,
    siemens_t1w,
    t1w_of_lumps,
    t1w_with_face,
)

__all__ = [
    "MARA",
    "TOBIAS",
    "Person",
    "archive",
    "big_endian",
    "bold_mosaic",
    "burned_in_capture",
    "computed_tomography",
    "csa_stripped",
    "dicomdir_medium",
    "dicomdir_only",
    "duplicate_instance",
    "dwi_mosaic",
    "enhanced_mr_names_in_functional_groups",
    "field_map",
    "identifying_strings",
    "implicit_vr",
    "japanese_name",
    "name_in_description",
    "nested_sequences_with_names",
    "not_dicom",
    "patient_protocol",
    "phoenix_report",
    "positron_emission",
    "preamble_and_ae_titles",
    "real_csa",
    "scout",
    "second_visit",
    "siemens_session",
    "siemens_t1w",
    "structured_report",
    "t1w_of_lumps",
    "t1w_with_face",
    "truncated_file",
    "two_persons",
    "un_encoded_sequence",
]
