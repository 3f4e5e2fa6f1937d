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
from bidsanon.publish.export import (
    Exported,
    Selection,
    export_archive,
    require_free_out,
    select_files,
)
from bidsanon.publish.file_set import arrange
from bidsanon.publish.ledger import Addition, Ledger, root_texts
from bidsanon.publish.lock import dataset_lock, lock_file, publishing_folder, session_claim
from bidsanon.publish.place import (
    SessionPlace,
    clean_label,
    private_beside,
    require_dataset_folder,
    require_free,
)
from bidsanon.publish.session import (
    Publication,
    added_by_hand,
    files_of,
    publish_session,
    published_elsewhere,
    require_nothing_added,
    settle_dataset,
)
from bidsanon.publish.transaction import Item, Memory, install, interrupted, recover
from bidsanon.publish.upkeep import keeping_own

__all__ = [
    "DICOMDIR",
    "Addition",
    "Delivery",
    "Exported",
    "Item",
    "Ledger",
    "Memory",
    "Packing",
    "Publication",
    "Selection",
    "SessionPlace",
    "added_by_hand",
    "arrange",
    "clean_label",
    "dataset_lock",
    "deliver",
    "delivery_lock",
    "export_archive",
    "files_of",
    "install",
    "interrupted",
    "keeping_own",
    "lock_file",
    "packing_of_out",
    "private_beside",
    "publish_session",
    "published_elsewhere",
    "publishing_folder",
    "recover",
    "require_dataset_folder",
    "require_free",
    "require_free_out",
    "require_nothing_added",
    "require_place",
    "root_texts",
    "select_files",
    "session_claim",
    "settle_dataset",
    "settle_delivery",
    "write_dicomdir",
]
