"""Tar archives of which nobody knows who made them, read in bounded memory."""

from __future__ import annotations

import tarfile

_LONGEST_HEADER = 1 << 20
_LONG_HEADERS = frozenset(
    {
        *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
        *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    }
)


class CarefulTarInfo(tarfile.TarInfo):
    """A member of a tar archive of which no long header is read into memory.

    The names and attributes of a member can stand in a header of any size before it, which tarfile
    reads whole: compressed, a few MB of it become gigabytes.
    """

    def _proc_member(self, tarfile_: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _LONG_HEADERS and self.size > _LONGEST_HEADER:
            raise tarfile.ReadError("a header is too long")
        member: tarfile.TarInfo = super()._proc_member(tarfile_)  # type: ignore[misc]
        return member
