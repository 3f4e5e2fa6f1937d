"""A person's plan, and tiny DICOM files made of attributes."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from persons import PLAN
from pydicom import Dataset, FileMetaDataset, dcmread, dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from bidsanon.deidentify import DeidentifiedInstance, deidentify_instance
from bidsanon.profile import Profile, load_profile
from bidsanon.vault import PersonPlan


@pytest.fixture(scope="session")
def plan() -> PersonPlan:
    """Give what the vault says about a person."""
    return PLAN


@pytest.fixture(scope="session")
def bids() -> Profile:
    """Give the profile for sharing."""
    return load_profile("bids")


@pytest.fixture(scope="session")
def basic() -> Profile:
    """Give the bare profile of the standard."""
    return load_profile("basic")


@pytest.fixture(scope="session")
def written() -> Callable[..., bytes]:
    """Give a function that writes attributes as a DICOM file."""

    def write(
        dataset: Dataset | None = None,
        *,
        transfer_syntax: UID = ExplicitVRLittleEndian,
        **attributes: object,
    ) -> bytes:
        dataset = dataset or Dataset()
        dataset.SOPClassUID = dataset.get("SOPClassUID", MRImageStorage)
        dataset.SOPInstanceUID = dataset.get("SOPInstanceUID", "1.3.12.2.1107.5.2.1")
        for keyword, value in attributes.items():
            setattr(dataset, keyword, value)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = transfer_syntax
        buffer = io.BytesIO()
        dcmwrite(buffer, dataset, enforce_file_format=True)
        return buffer.getvalue()

    return write


@pytest.fixture(scope="session")
def deidentified(
    plan: PersonPlan, bids: Profile, written: Callable[..., bytes]
) -> Callable[..., tuple[Dataset, DeidentifiedInstance]]:
    """Give a function that writes attributes, de-identifies the file and reads it again."""

    def deidentify(
        content: bytes | Dataset | None = None,
        *,
        profile: Profile = bids,
        marked: bool = True,
        **attributes: object,
    ) -> tuple[Dataset, DeidentifiedInstance]:
        if not isinstance(content, bytes):
            content = written(content, **attributes)
        instance = deidentify_instance(content, profile=profile, plan=plan, marked=marked)
        return dcmread(io.BytesIO(instance.content)), instance

    return deidentify
