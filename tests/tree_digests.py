"""Whether two folders hold the same, or one what it held before."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from bidsanon.files import sha256


def tree_digest(folder: Path) -> str:
    """Digest the names and bytes of everything below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        digest.update(os.fsencode(path.relative_to(folder)) + b"\0")
        if path.is_symlink():
            digest.update(b"link\0" + os.fsencode(path.readlink()))
        elif path.is_file():
            digest.update(b"file\0" + bytes.fromhex(sha256(path)))
    return digest.hexdigest()
