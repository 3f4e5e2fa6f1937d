"""What the user asks of ``deidentify``, checked before anything is read or written."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bidsanon.deface import DefaceOptions
from bidsanon.errors import UsageError
from bidsanon.files import require_apart
from bidsanon.pipeline.faces_kept import require_defacing
from bidsanon.pipeline.options import AUTO, USUAL_RUN, RunOptions
from bidsanon.pipeline.places import (
    require_possible_place,
    require_private_folder,
    require_sources,
)
from bidsanon.pipeline.workspace import DELIVERIES, private_words
from bidsanon.publish import Delivery, clean_label, packing_of_out

_NOT_PLAIN = re.compile(r"[^0-9A-Za-z_-]+")
_IN_A_NAME = re.compile(r"[^\\=\x00-\x1f]{1,64}")
_DIGEST = 8
SHOWING_FACES = frozenset({"MR", "CT", "PT", "NM"})
"""The modalities of images from which a head can be rendered."""
DOCUMENTS = frozenset({"KO", "PR", "SR"})
"""The modalities of what has no pixels."""


class OutputFormat(StrEnum):
    """What is delivered."""

    DICOM = "dicom"
    """De-identified DICOM."""
    NIFTI = "nifti"
    """What dcm2niix makes of it: images and their sidecars."""


@dataclass(frozen=True, kw_only=True)
class DeidentifyRequest:
    """A source to de-identify.

    Attributes
    ----------
    sources
        Folders, archives, DICOMDIRs or files: identified, never written to.
    delivery
        Where the result goes.
    private
        The identified side's folder.
    name
        What this OUT is called in the private folder.
    output
        What is delivered.
    subject
        The person's label, without its prefix; empty where the vault names them.
    assign
        Whether the vault gives each person a label and no pseudonym.
    patient_name
        What becomes (0010,0010); None: what becomes (0010,0020).
    deface
        What is asked of defacing; None: faces are not looked for.
    options
        How the run goes about it.
    """

    sources: tuple[Path, ...]
    delivery: Delivery
    private: Path
    name: str
    output: OutputFormat = OutputFormat.DICOM
    subject: str = ""
    assign: bool = False
    patient_name: str | None = None
    deface: DefaceOptions | None = None
    options: RunOptions = USUAL_RUN

    @property
    def one_person(self) -> bool:
        """Whether the source may hold one person only: their label or name is given."""
        return bool(self.subject) or self.patient_name is not None

    @property
    def private_words(self) -> str:
        """Which folder the private folder is, for messages."""
        return private_words(self.private, beside=_private_beside(self.delivery.out), name="OUT")


def make_deidentify_request(
    sources: tuple[Path, ...],
    *,
    out: Path,
    output: OutputFormat = OutputFormat.DICOM,
    subject: str | None = None,
    patient_name: str | None = None,
    private: Path | None = None,
    deface: DefaceOptions | None = None,
    options: RunOptions = USUAL_RUN,
) -> DeidentifyRequest:
    """Check what the user asks for and return it as a record.

    Parameters
    ----------
    out
        The folder or archive to make.
    private
        None: ``OUT.private`` beside OUT, without the suffix of an archive.
    deface
        None: faces are not looked for.

    Raises
    ------
    UsageError
        If it cannot be: a label that is not letters and digits, a source that is not there, OUT
        in the source or the source in OUT, the private folder in OUT, options of defacing that do
        not go together.
    """
    out = out.resolve()  # one private folder, however OUT is named
    packing, stem = packing_of_out(out)
    if not stem:
        raise UsageError("OUT is the root of the file system", cure="give a folder or an archive")
    private = (private or _private_beside(out)).absolute()
    require_possible_place(out, name="OUT")
    require_private_folder(private)
    require_apart(private, out, first_name="the private folder", second_name="OUT")
    require_sources(sources, {"OUT": out, "the private folder": private})
    assign = subject == AUTO
    digest = hashlib.sha256(os.fsencode(out)).hexdigest()[:_DIGEST]
    name = f"{_NOT_PLAIN.sub('_', stem)}-{digest}"
    return DeidentifyRequest(
        sources=sources,
        delivery=Delivery(out=out, packing=packing, record=private / DELIVERIES / f"{name}.json"),
        private=private,
        name=name,
        output=output,
        subject="" if assign or subject is None else clean_label(subject, prefix="sub-"),
        assign=assign,
        patient_name=_clean_name(patient_name),
        deface=require_defacing(deface) if deface is not None else None,
        options=options,
    )


def _private_beside(out: Path) -> Path:
    return out.with_name(f"{packing_of_out(out)[1]}.private")


def _clean_name(name: str | None) -> str | None:
    """Return a patient's name as (0010,0010) can hold it in any character set.

    Raises
    ------
    UsageError
        If it cannot.
    """
    if name is None:
        return None
    text = name.strip()
    if not text.isascii() or not _IN_A_NAME.fullmatch(text):
        raise UsageError(
            "--name may hold up to 64 ASCII characters, and neither a backslash nor an equals sign",
            cure="choose another, such as --name Anonymous^Head",
        )
    return text
