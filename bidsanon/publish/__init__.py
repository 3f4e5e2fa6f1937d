"""Putting a session into a dataset, or files into a folder, in one step, under a lock."""

from bidsanon.publish.delivery import (
    Delivery,
    Packing,
    deliver,
    delivery_lock,
    packing_of_out,
    require_place,
    settle_delivery,
)
from bidsanon.publish.dicomdir import DICOMDIR, write_dicomdir
from bidsanon.publish.file_set import arrange
from bidsanon.publish.lock import dataset_lock, publishing_folder, session_claim
from bidsanon.publish.place import (
    SessionPlace,
    clean_label,
    require_dataset_folder,
    require_free,
)
from bidsanon.publish.session import publish_session, settle_dataset
from bidsanon.publish.transaction import Item, install, interrupted, recover

__all__ = [
    "DICOMDIR",
    "Delivery",
    "Item",
    "Packing",
    "SessionPlace",
    "arrange",
    "clean_label",
    "dataset_lock",
    "deliver",
    "delivery_lock",
    "install",
    "interrupted",
    "packing_of_out",
    "publish_session",
    "publishing_folder",
    "recover",
    "require_dataset_folder",
    "require_free",
    "require_place",
    "session_claim",
    "settle_dataset",
    "settle_delivery",
    "write_dicomdir",
]
