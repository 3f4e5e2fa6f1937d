"""The words that stand in datasets whoever they are of: not searched for alone.

A person may be called Head, Brain or Max. Such a name is searched for beside the person's other
names, and not alone: every dataset would hold it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from bidsanon.bids.keys import key_rules
from bidsanon.bids.standard import image_kinds, metadata_fields
from bidsanon.dicom.terms import acquisition_terms
from bidsanon.resources import data_path

TABLE = "residue_words.tsv"
"""Word, and where it stands: in names of files, in documents and README files, in headers and
their codes, in the names of devices and programs, in the calendar, or in English text where a
surname would not stand out."""

_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def is_common(word: str) -> bool:
    """Tell whether a word, in lower case, says nothing about whose dataset it stands in."""
    return word in _common_words()


def is_known_key(key: str) -> bool:
    """Tell whether a sidecar's key is one of BIDS's, dcm2niix's or heudiconv's."""
    return key in key_rules() or key in metadata_fields()


@cache
def _common_words() -> frozenset[str]:
    lines = data_path(TABLE).read_text("utf-8").splitlines()
    listed = (row["word"] for row in csv.DictReader(lines, delimiter="\t"))
    return frozenset((*listed, *acquisition_terms(), *_words_of_bids()))


def _words_of_bids() -> Iterator[str]:
    """Yield the words of which sidecars' keys and closed sets of values are made."""
    texts = [*key_rules(), *(part for kind in image_kinds() for part in kind)]
    for schema in metadata_fields().values():
        texts += _closed_values(schema)
    for text in texts:
        yield text.lower()
        yield from (word.lower() for word in _CAMEL.findall(text))


def _closed_values(schema: Any) -> Iterable[str]:
    if isinstance(schema, list):
        for part in schema:
            yield from _closed_values(part)
    elif isinstance(schema, dict):
        for key, part in schema.items():
            if key == "enum":
                yield from (value for value in part if isinstance(value, str))
            else:
                yield from _closed_values(part)
