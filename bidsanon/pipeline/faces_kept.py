"""What is asked of defacing, and that the reason for which faces stay leads to nobody."""

from __future__ import annotations

from bidsanon.deface import DefaceOptions, require_options
from bidsanon.deidentify.descriptors import clean_descriptor
from bidsanon.dicom_names import holds_name
from bidsanon.errors import UsageError
from bidsanon.notes import NoteReason
from bidsanon.plain_names import names_in_words


def require_defacing(options: DefaceOptions) -> DefaceOptions:
    """Return options of defacing that go together, and whose reason names nobody by itself.

    Raises
    ------
    UsageError
        If they do not (:func:`~bidsanon.deface.require_options`), or the reason for which faces
        stay holds what is cut from any free text: a name, a day, a number, an address. It is
        written into sidecars, the report and the journal.
    """
    options = require_options(options)
    kinds = {reason.value for reason in clean_descriptor(options.because, frozenset()).reasons}
    if holds_name(options.because) or names_in_words(options.because):
        kinds.add(NoteReason.NAME.value)
    if kinds:
        raise UsageError(
            "the reason given by --because holds what may lead to somebody "
            f"({', '.join(sorted(kinds))}), and it is written into the sidecars, the report and "
            "the journal",
            cure='say why faces stay without names, dates, numbers and addresses: "consent for '
            "faces\"; an approval's number has its place in EthicsApprovals",
        )
    return options
