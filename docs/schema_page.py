"""The page of what the JSON Schemas of BIDS check, and of what they cannot say."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator

from bidsanon.bids.standard import bids_version, data_kinds
from bidsanon.resources import schema_path

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")

_INTRODUCTION = """\
# What the schemas say, and what they cannot

`bidsanon validate` checks the JSON of a dataset with the JSON Schemas in [schemas](../schemas),
which are made from the machine-readable BIDS standard ({version}). What holds for a file is put
together first, from the dataset's root down; a finding names the file that says it, the place in it
as a JSON pointer, the rule of BIDS and what to do.

| finding | when |
|---|---|
| `SCHEMA_NOT_JSON` | a JSON file cannot be read, is no JSON object, no UTF-8, or over 8 MB |
| `SCHEMA_REQUIRED_MISSING` | a field is missing that BIDS requires, always or as others demand |
| `SCHEMA_VALUE_INVALID` | a field has another type, another range or another word |
| `SCHEMA_VALUE_DOUBTFUL` | a text holds more than its pattern, as paths may |
| `SCHEMA_RULE_BROKEN` | fields do not go together |
| `SCHEMA_RULE_DOUBTFUL` | BIDS advises against it (an echo time of 30 s) |
| `SCHEMA_COLUMN_INVALID` | a column of a table is not described as BIDS has it |
| `SCHEMA_RECOMMENDED_MISSING` | recommended fields are missing, told once for all files of a kind |

The schemas say what the official validator says of a sidecar: a test changes every field of every
kind of data of MRI and PET in a dozen ways and compares. They say more in these cases: a value of
the wrong type is one even where the condition does not hold under which BIDS asks for the field, a
derivative needs `GeneratedBy`, and columns are looked at. In derivatives only the rules about
derivatives require fields. Hidden files, and what `.bidsignore` names, are not looked at.

## Which data

"""
_NOT_EXPRESSED = """
## What JSON Schema cannot say

BIDS writes its rules in a language of its own, which can look at the image, at other files and at
several values at once. JSON Schema cannot. What follows is checked by the official validator, which
`bidsanon validate` runs too; what is written in prose is checked by nobody but a reader.

| rule of BIDS | weight | what it says | why not | holds for |
|---|---|---|---|---|
"""


def schema_page() -> str:
    """Return the page."""
    introduction = _INTRODUCTION.format(version=f"BIDS {bids_version()}")
    lines = "".join(f"{line}\n" for line in _kinds())
    return f"{introduction}{lines}{_NOT_EXPRESSED}{''.join(f'{row}{chr(10)}' for row in _rows())}"


def _kinds() -> Iterator[str]:
    suffixes: dict[str, list[str]] = defaultdict(list)
    for kind in data_kinds().values():
        suffixes[kind.datatype].append(kind.suffix if kind.is_raw else f"{kind.suffix}*")
    yield "| folder | suffixes (with * in derivatives only) |"
    yield "|---|---|"
    for datatype, names in suffixes.items():
        yield f"| `{datatype}` | {' '.join(names)} |"
    yield ""
    yield "And at the root: dataset_description.json (raw or derivative), genetic_info.json,"
    yield "participants.json, samples.json, phenotype/*.json, atlas descriptions; sessions.json and"
    yield "scans.json at any level."


def _rows() -> Iterator[str]:
    text = schema_path("bids/not_expressed.tsv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        cells = [row["rule"], row["level"], row["what"], row["reason"], row["holds_for"]]
        yield f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    """Return a text as a table's cell; its links lead to pages of the specification."""
    return _LINK.sub(r"\1", text).replace("|", r"\|")
