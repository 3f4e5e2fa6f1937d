"""Tiny DICOM files, each attribute of which a test can choose, and what reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from bidsanon.session import SourceSession

Write = Callable[..., Path]
Read = Callable[..., SourceSession]


def write_instance(path: Path, **attributes: object) -> Path:
    """Write one instance of MR Image Storage; None as a value leaves the attribute out."""
    values = {
        "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": f"1.2.3.{abs(hash(str(path))) % 10**12}",
        "StudyDate": "20180907",
        "AcquisitionDate": "20180907",
        "AcquisitionTime": "143015.25",
        "Modality": "MR",
        "SeriesDescription": "t1_mprage",
        "PatientName": "Quist^Mara",
        "PatientID": "X-4711",
        "PatientBirthDate": "19610203",
        "StudyInstanceUID": "1.2.3.1",
        "SeriesInstanceUID": "1.2.3.1.1",
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": 4,
        "Columns": 4,
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "PixelData": bytes(32),
    } | attributes
    dataset = Dataset()
    for keyword, value in values.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = values["SOPClassUID"] or MRImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = values["SOPInstanceUID"] or "1.2.3"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path
