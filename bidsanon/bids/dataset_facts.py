"""What a lab says of its dataset, and how dataset_description.json and CITATION.cff say it.

Where there is a CITATION.cff, BIDS wants Authors nowhere else (an error of the official validator),
and what else it holds left out of dataset_description.json but for Name and DatasetDOI. Nothing is
made up: an author of whom one text gives the name is a name there, and no family and given name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

CITATION = "CITATION.cff"
FIELDS = (
    *("Name", "Authors", "License", "Funding", "EthicsApprovals", "Acknowledgements"),
    *("HowToAcknowledge", "ReferencesAndLinks", "DatasetDOI", "Keywords"),
)
"""The fields of dataset_description.json that a lab may give, as BIDS calls them."""

_CFF_VERSION = "1.2.0"
_MESSAGE = "If you use this dataset, please cite it as below."
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_BARE_DOI = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)")
_SPDX = {
    **{name: name for name in ("CC0-1.0", "PDDL-1.0", "ODbL-1.0", "ODC-By-1.0")},
    **{f"CC-BY{more}-{n}": f"CC-BY{more}-{n}" for more in ("", "-SA") for n in ("3.0", "4.0")},
    **{f"CC-BY-NC{more}-4.0": f"CC-BY-NC{more}-4.0" for more in ("", "-SA", "-ND")},
    "CC0": "CC0-1.0",
    "PDDL": "PDDL-1.0",
    "CC BY 4.0": "CC-BY-4.0",
}
"""SPDX's name of a licence, as CITATION.cff needs it, by the names that datasets use."""


@dataclass(frozen=True, kw_only=True)
class Author:
    """Somebody who made the dataset.

    Attributes
    ----------
    name
        As one text, where that is what the lab gave.
    family_names, given_names, orcid, affiliation
        In parts.
    """

    name: str = ""
    family_names: str = ""
    given_names: str = ""
    orcid: str = ""
    affiliation: str = ""

    @property
    def whole(self) -> str:
        """The name as Authors of dataset_description.json has it."""
        return self.name or f"{self.given_names} {self.family_names}".strip()


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """What a lab says of its dataset.

    Attributes
    ----------
    fields
        Those of dataset_description.json but Authors, by name.
    authors
        Who made it.
    readme
        What README is to say; empty: nothing of the lab's own.
    columns
        What participants.json is to say of columns of participants.tsv.
    citation
        Whether the authors stand in CITATION.cff rather than in dataset_description.json.
    overrule
        Whether it overrules what a person wrote into the dataset.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    authors: tuple[Author, ...] = ()
    readme: str = ""
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    citation: bool = False
    overrule: bool = False

    @property
    def name(self) -> str:
        """The dataset's name; empty where the lab gives none."""
        return str(self.fields.get("Name", ""))

    @property
    def description(self) -> dict[str, Any]:
        """What dataset_description.json is to say where there is no CITATION.cff."""
        authors = {"Authors": [author.whole for author in self.authors]} if self.authors else {}
        said = {**self.fields, **authors}
        return {name: _written(name, said[name]) for name in FIELDS if name in said}

    @property
    def cited(self) -> frozenset[str]:
        """The fields that its CITATION.cff gives; none where it makes none."""
        if not self.citation:
            return frozenset()
        return frozenset({"Authors", "HowToAcknowledge"} | ({"License"} if self._spdx else set()))

    def without(self, given: Collection[str]) -> DatasetFacts:
        """Return it without fields that stand elsewhere already, and without a CITATION.cff."""
        fields = {name: value for name, value in self.fields.items() if name not in given}
        authors = () if "Authors" in given else self.authors
        return replace(self, fields=fields, authors=authors, citation=False)

    @property
    def _spdx(self) -> str:
        return _SPDX.get(str(self.fields.get("License", "")), "")

    def citation_file(self) -> str:
        """Return CITATION.cff, as the Citation File Format 1.2.0 has it."""
        entries: dict[str, Any] = {
            "cff-version": _CFF_VERSION,
            "message": self.fields.get("HowToAcknowledge", _MESSAGE),
            "title": self.name,
            "type": "dataset",
        }
        doi = _BARE_DOI.fullmatch(str(self.fields.get("DatasetDOI", "")))
        entries |= {"doi": doi[1]} if doi else {}
        entries |= {"license": self._spdx} if self._spdx else {}
        entries |= {"keywords": self.fields["Keywords"]} if "Keywords" in self.fields else {}
        lines = [f"{key}: {_quoted(value)}" for key, value in entries.items()]
        lines.append("authors:")
        for author in self.authors:
            lines += _author_lines(author)
        return "\n".join([*lines, ""])

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON holds it; an empty object where nothing is said."""
        return {} if self == NOTHING_SAID else asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> DatasetFacts:
        """Read what :meth:`as_json` returned.

        Raises
        ------
        KeyError, TypeError
            If it is something else.
        """
        authors = tuple(Author(**one) for one in content.get("authors", ()))
        return cls(**{**content, "authors": authors})


NOTHING_SAID = DatasetFacts()


def facts_of_table(table: Mapping[str, Any], *, readme: str = "") -> DatasetFacts:
    """Make the record of a valid table ``[dataset]``.

    Parameters
    ----------
    table
        As ``schemas/profile.schema.json`` describes it.
    readme
        What the file says that the table names as README-file.
    """
    return DatasetFacts(
        fields={name: table[name] for name in FIELDS if name in table and name != "Authors"},
        authors=tuple(map(_author, table.get("Authors", ()))),
        readme=readme or table.get("README", ""),
        columns=table.get("participants", {}),
        citation=table.get("citation", False),
        overrule=table.get("overrule", False),
    )


def _author(written: str | Mapping[str, str]) -> Author:
    if isinstance(written, str):
        family, comma, given = written.partition(", ")
        if comma and ", " not in given:
            return Author(family_names=family, given_names=given)
        return Author(name=written)
    return Author(**{key.replace("-", "_"): value for key, value in written.items()})


def _author_lines(author: Author) -> Iterator[str]:
    parts = {
        "name": author.name,
        "family-names": author.family_names,
        "given-names": author.given_names,
        "affiliation": author.affiliation,
        "orcid": f"https://orcid.org/{author.orcid}" if author.orcid else "",
    }
    given = [(key, value) for key, value in parts.items() if value]
    for number, (key, value) in enumerate(given):
        yield f"{'    ' if number else '  - '}{key}: {_quoted(value)}"


def _written(name: str, value: Any) -> Any:
    if name == "DatasetDOI":
        doi = _BARE_DOI.fullmatch(value)
        return f"doi:{doi[1]}" if doi else value
    return value


def _quoted(value: Any) -> str:
    """Write a text or texts as YAML: as JSON, with what YAML 1.2 does not print escaped."""
    written = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", written)
