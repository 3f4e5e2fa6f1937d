"""dataset_description.json, README and CITATION.cff: what stands in them, and who wrote it.

What a person wrote stays. What a lab says in its own file (``[dataset]``) fills what is empty, what
was made of the folder's name, and what a program left to be filled in; the rest only where the lab
asks for that. Where there is a CITATION.cff, what it gives stands there alone, as BIDS wants it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bidsanon.bids.dataset_facts import CITATION, NOTHING_SAID, DatasetFacts
from bidsanon.bids.sidecars import SidecarError, json_like, read_json_object
from bidsanon.errors import PolicyError

DESCRIPTION = "dataset_description.json"
BIDS_VERSION = "1.10.1"
"""What a new dataset claims: a release that every validator in use knows (3.0.1 and later)."""
_NEW_DESCRIPTION = {"BIDSVersion": BIDS_VERSION, "DatasetType": "raw"}
OLDEST_PUBLISHED_AGE = 89
READMES = ("README", "README.md", "README.rst", "README.txt")

_CODE_URLS = {
    "heudiconv": "https://github.com/nipy/heudiconv",
    "dcm2niix": "https://github.com/rordenlab/dcm2niix",
}
_CITED_AS = {
    "authors": "Authors",
    "license": "License",
    "message": "HowToAcknowledge",
    "references": "ReferencesAndLinks",
}
"""What a key of CITATION.cff gives, as a field of dataset_description.json."""
DATACITE = "datacite.yml"
"""What GIN and OpenNeuro know besides: DataCite's fields, in each's own order."""
_IN_DATACITE = {
    "authors": "Authors",
    "creators": "Authors",
    "license": "License",
    "rightsList": "License",
    "funding": "Funding",
    "fundingReferences": "Funding",
}
"""What a key of datacite.yml gives, as a field of dataset_description.json."""
_FILLED_KEY = re.compile(
    r"^(?P<indent>[ \t]*)(?P<key>[A-Za-z]+):[ \t]*"
    r"(?:[^\s#\[]|\[[ \t]*[^\s\]]"
    r"|(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*(?P=indent)(?:[ \t]+|(?=-))[^\s#])",
    re.MULTILINE,
)
"""A key of YAML with a value, or with a block of its own below it."""
_CITATION_KEY = re.compile(r"^([a-z-]+):", re.MULTILINE)
_UNFILLED = re.compile(r"\s*|.*\bTODO\b.*|First\d+ Last\d+|\.\.\.", re.DOTALL)
"""What nobody wrote: nothing, and what heudiconv leaves to be filled in."""
_HEADING = "## How the data were de-identified"
_MADE = """\
This dataset follows the Brain Imaging Data Structure (BIDS). Its images were converted from DICOM
by heudiconv and dcm2niix, and every session passed the checks of bidsanon before it was added.
"""
_HOW = f"""{_HEADING}

- The DICOM headers were de-identified by DICOM PS3.15 Annex E before conversion. Each sidecar
  names the method under `DeidentificationMethod` and `DeidentificationMethodCodeSequence`.
- Dates in the `scans.tsv` files are not the real ones, unless a session's method says that it
  retains full dates (code 113106): all dates of a participant were shifted by one number of days,
  to 1925 or before. The first acquisition of each session is set to 12:00:00, and the others
  follow at their true intervals.
- Ages are in years, and {OLDEST_PUBLISHED_AGE} stands for {OLDEST_PUBLISHED_AGE} and above.
- The face was removed from each image that shows one, and its sidecar says so; where it was kept,
  the sidecar says why.
- Sidecars hold the fields of BIDS and those of dcm2niix that describe the acquisition. Names of
  institutions, stations and people, and free comments, were removed; the serial number of a
  scanner is a pseudonym.
"""


def root_documents(
    existing: Mapping[str, str],
    *,
    name: str,
    tools: Mapping[str, str],
    facts: DatasetFacts = NOTHING_SAID,
) -> dict[str, str]:
    """Return dataset_description.json, and README and CITATION.cff where they are to be written.

    Parameters
    ----------
    existing
        The text of each file that the root holds already, by name.
    name
        The dataset's name where nobody gives one.
    tools
        The version of each tool that made the session, by name.
    facts
        What the lab says of its dataset.

    Raises
    ------
    PolicyError
        If the existing dataset_description.json cannot be understood.
    """
    filled = _filled_description(existing, name=name, facts=facts)
    description = {"Name": name, **_NEW_DESCRIPTION, **filled}
    description["GeneratedBy"] = _generated_by(description.get("GeneratedBy"), tools)
    readme = _readme_to_write(existing, facts)
    return {
        DESCRIPTION: root_json_text(description),
        **({readme: readme_text(facts.name or name, facts)} if readme else {}),
        **({CITATION: facts.citation_file()} if facts.citation else {}),
    }


def filled_documents(
    existing: Mapping[str, str], *, name: str, facts: DatasetFacts
) -> dict[str, str]:
    """Return what changes where the lab's facts fill what nobody wrote, and no session comes.

    A dataset_description.json is made only where the lab gives the dataset's name, and README says
    what the lab says: how the data were de-identified is for whoever made them to say.

    Parameters
    ----------
    existing, name, facts
        As for :func:`root_documents`.

    Raises
    ------
    PolicyError
        If the existing dataset_description.json cannot be understood.
    """
    facts = settle_facts(existing, facts)
    files = {}
    filled = _filled_description(existing, name=name, facts=facts)
    standing = existing.get(DESCRIPTION)
    if standing is not None and filled != read_root_json(standing, name=DESCRIPTION):
        files[DESCRIPTION] = json_like(standing.encode(), filled)
    elif standing is None and facts.name:
        files[DESCRIPTION] = root_json_text({"Name": facts.name, **_NEW_DESCRIPTION, **filled})
    readme = _readme_to_write(existing, facts)
    if readme and facts.readme:
        by_us = _HEADING in existing.get(readme, "")
        text = readme_text(facts.name or name, facts) if by_us else f"{facts.readme.rstrip()}\n"
        files[readme] = text
    if facts.citation:
        files[CITATION] = facts.citation_file()
    return {path: text for path, text in files.items() if existing.get(path) != text}


def _filled_description(
    existing: Mapping[str, str], *, name: str, facts: DatasetFacts
) -> dict[str, Any]:
    """Return dataset_description.json with what the lab says where nobody wrote."""
    described = read_root_json(existing.get(DESCRIPTION), name=DESCRIPTION)
    ours = facts.description
    free = {f for f in (*described, *ours) if _may_fill(f, described, name=name, facts=facts)}
    kept = {f: value for f, value in described.items() if f not in facts.cited & free}
    return {**kept, **{f: value for f, value in ours.items() if f in free - facts.cited}}


def settle_facts(existing: Mapping[str, str], facts: DatasetFacts) -> DatasetFacts:
    """Return what of a lab's facts can go beside the CITATION.cff and the Authors that are there.

    It is asked once, when a session comes, and remembered with it: what is written afterwards
    depends on each file alone.

    Parameters
    ----------
    existing
        The text of each file that the root holds, by name.
    facts
        What the lab says of its dataset.

    Raises
    ------
    PolicyError
        If the existing dataset_description.json cannot be understood.
    """
    if facts.overrule:
        return facts
    citation = existing.get(CITATION)
    if citation is not None and not (facts.citation and citation == facts.citation_file()):
        return facts.without(citation_gives(citation))
    described = read_root_json(existing.get(DESCRIPTION), name=DESCRIPTION)
    if facts.citation and not _may_fill("Authors", described, name="", facts=facts):
        return facts.without({"Authors"})
    return facts


def kept_documents(existing: Mapping[str, str], *, name: str, facts: DatasetFacts) -> Iterator[str]:
    """Yield where the lab says something else than a person wrote, which stays.

    Parameters
    ----------
    existing, name, facts
        As for :func:`root_documents`.
    """
    described = read_root_json(existing.get(DESCRIPTION), name=DESCRIPTION)
    for field, said in facts.description.items():
        if described.get(field, said) != said and not _may_fill(
            field, described, name=name, facts=facts
        ):
            yield f"{DESCRIPTION}#/{field}"
    readme = next((readme for readme in READMES if readme in existing), None)
    if facts.readme and readme and not _readme_to_write(existing, facts):
        same = existing[readme] == readme_text(facts.name or name, facts)
        yield from [] if same else [readme]
    if CITATION in existing and settle_facts(existing, facts) != facts:
        yield CITATION


def readme_text(title: str, facts: DatasetFacts) -> str:
    """Return README: what the lab says of its study, and how the data were de-identified.

    Parameters
    ----------
    title
        The dataset's name.
    facts
        What the lab says of its dataset.
    """
    if not facts.readme:
        return f"# {title}\n\n{_MADE}\n{_HOW}"
    text = facts.readme.rstrip()
    return f"{text}\n" if _HEADING in text else f"{text}\n\n{_HOW}"


def says_nothing_of_study(readme: str) -> bool:
    """Tell a README that bidsanon wrote, and nobody since, from one that says something."""
    return _UNFILLED.fullmatch(readme) is not None or (
        readme.startswith("# ") and readme.partition("\n\n")[2] == f"{_MADE}\n{_HOW}"
    )


def citation_gives(citation: str) -> frozenset[str]:
    """Return the fields of dataset_description.json that a CITATION.cff gives."""
    keys = _CITATION_KEY.findall(citation)
    return frozenset(_CITED_AS[key] for key in keys if key in _CITED_AS)


def datacite_gives(datacite: str) -> frozenset[str]:
    """Return the fields of dataset_description.json that a datacite.yml gives."""
    keys = {found["key"] for found in _FILLED_KEY.finditer(datacite)}
    return frozenset(_IN_DATACITE[key] for key in keys if key in _IN_DATACITE)


def is_unfilled(value: Any) -> bool:
    """Tell a value that nobody wrote: missing, empty, or left by a program to be filled in."""
    values = value if isinstance(value, list) else [value]
    return all(v is None or (isinstance(v, str) and _UNFILLED.fullmatch(v)) for v in values)


def read_root_json(text: str | None, *, name: str) -> dict[str, Any]:
    """Read a JSON file of the root; an empty object where there is none.

    Raises
    ------
    PolicyError
        If it is not a JSON object.
    """
    if text is None:
        return {}
    try:
        return read_json_object(text.encode())
    except SidecarError as error:
        raise broken_root_file(name, error) from error


def root_json_text(content: Mapping[str, Any]) -> str:
    """Write a JSON file of the root."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def broken_root_file(name: str, problem: object) -> PolicyError:
    """Return the error of a file at the root that cannot be understood."""
    return PolicyError(
        f"{name} of the dataset cannot be understood: {problem}",
        cure=f"repair {name} by hand, and run it again",
    )


def _may_fill(field: str, described: Mapping[str, Any], *, name: str, facts: DatasetFacts) -> bool:
    """Tell whether the lab's word may stand for a field's.

    Nobody wrote there, or the same, or the lab asks for it.
    """
    standing = described.get(field)
    if facts.overrule or is_unfilled(standing) or standing == facts.description.get(field):
        return True
    return field == "Name" and standing == name


def _generated_by(standing: Any, tools: Mapping[str, str]) -> list[Any]:
    """Return who made the dataset: as it is, with the tools added that are not named yet."""
    generated_by = list(standing or ())
    known = {(item.get("Name"), item.get("Version")) for item in generated_by}
    for tool, version in tools.items():
        if (tool, version) not in known:
            url = {"CodeURL": _CODE_URLS[tool]} if tool in _CODE_URLS else {}
            generated_by.append({"Name": tool, "Version": version, **url})
    return generated_by


def _readme_to_write(existing: Mapping[str, str], facts: DatasetFacts) -> str:
    """Return which README is written; empty where the one that stands there stays."""
    present = next((readme for readme in READMES if readme in existing), None)
    if present is None:
        return "README"
    fills = facts.overrule or says_nothing_of_study(existing[present])
    return present if facts.readme and fills else ""
