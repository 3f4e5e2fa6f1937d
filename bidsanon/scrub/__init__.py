"""The scrub stage: sidecars, headers and tables keep what is allowed and nothing else."""

from bidsanon.scrub.dataset import ScrubbedDataset, list_dataset, scrub_dataset
from bidsanon.scrub.images_alone import ScrubbedImages, scrub_images
from bidsanon.scrub.root_texts import scrubbed_root_texts
from bidsanon.scrub.session import scrub_session
from bidsanon.scrub.sidecars import add_face_kept, add_face_removed
from bidsanon.scrub.stored_files import DatasetPolicy, FileChange
from bidsanon.scrub.told import told_by_dataset

__all__ = [
    "DatasetPolicy",
    "FileChange",
    "ScrubbedDataset",
    "ScrubbedImages",
    "add_face_kept",
    "add_face_removed",
    "list_dataset",
    "scrub_dataset",
    "scrub_images",
    "scrub_session",
    "scrubbed_root_texts",
    "told_by_dataset",
]
