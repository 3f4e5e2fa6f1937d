"""Putting a session into a dataset in one step, under a lock."""

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
    "Item",
    "SessionPlace",
    "clean_label",
    "dataset_lock",
    "install",
    "interrupted",
    "publish_session",
    "publishing_folder",
    "recover",
    "require_dataset_folder",
    "require_free",
    "session_claim",
    "settle_dataset",
]
