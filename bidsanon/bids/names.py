"""BIDS file names: taking them apart, and whether they are valid, by the standard's own rules.

The rules come from bidsschematools, which turns each into a regular expression. A name that none
of them matches is looked at part by part, so that a user reads what is wrong with it and not only
that it is wrong.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any

_PAIR = re.compile(r"([A-Za-z0-9]+)-([^-]*)")
_LABEL_CURE = "use letters and digits only"


@dataclass(frozen=True, kw_only=True)
class BidsName:
    """A file name taken apart. Whether it is valid is for :func:`check_name` to say.

    Attributes
    ----------
    path
        The file, relative to the dataset, with forward slashes.
    entities
        In the order of the name, as it spells them: ``{"sub": "01", "task": "rest"}``.
    datatype
        The folder that says what kind of data it is ("anat"); empty where there is none.
    suffix
        The last part before the extension ("T1w").
    extension
        With its dot: ".nii.gz".
    """

    path: str
    entities: Mapping[str, str]
    datatype: str
    suffix: str
    extension: str

    @property
    def stem(self) -> str:
        """The file's name without its extension: what an image and its sidecar share."""
        return PurePosixPath(self.path).name.removesuffix(self.extension)


def parse_name(path: str) -> BidsName:
    """Take a file name apart.

    Parameters
    ----------
    path
        Relative to the dataset, with forward slashes.
    """
    pure = PurePosixPath(path)
    stem, dot, extension = pure.name.partition(".")
    *pairs, suffix = stem.split("_")
    matches = filter(None, map(_PAIR.fullmatch, pairs))
    entities = {match[1]: match[2] for match in matches}
    parent = pure.parent.name
    return BidsName(
        path=path,
        entities=entities,
        datatype="" if _is_level(parent) else parent,
        suffix=suffix,
        extension=dot + extension,
    )


def check_name(path: str) -> str | None:
    """Say what is wrong with a file name, and what would be right.

    Parameters
    ----------
    path
        Relative to the dataset, with forward slashes.

    Returns
    -------
    str or None
        None where the name is valid BIDS.
    """
    if any(pattern.match(path) for pattern in _patterns()):
        return None
    return _problem(path)


def _problem(path: str) -> str:
    name = parse_name(path)
    checks = (_folders, _pairs, _entity_order, _kind, _entities_of_kind, _extension)
    for check in checks:
        problem = check(name)
        if problem:
            return problem
    return "BIDS knows no file of this name in this folder; see the specification's list of files"


def _folders(name: BidsName) -> str | None:
    parts = PurePosixPath(name.path).parts
    if not parts or name.path.startswith("/") or ".." in parts or "\\" in name.path:
        return "the path must lie within the dataset; start it with sub-<label>/"
    if not parts[0].startswith("sub-"):
        return "the file is in no subject's folder; start the path with sub-<label>/"
    for part in parts[:-1]:
        key, _, label = part.partition("-")
        if key in {"sub", "ses"} and not re.fullmatch(_label_pattern(key), label):
            return f"the folder's label {part!r} is invalid; {_LABEL_CURE}"
        if key in {"sub", "ses"} and name.entities.get(key) != label:
            return f"the file's name does not repeat its folder {part!r}; begin it with {part}_"
    for key in ("sub", "ses"):
        if key in name.entities and f"{key}-{name.entities[key]}" not in parts[:-1]:
            return f"the file is not in a folder {key}-{name.entities[key]}; put it there"
    return None


def _pairs(name: BidsName) -> str | None:
    *pairs, suffix = PurePosixPath(name.path).name.partition(".")[0].split("_")
    seen: set[str] = set()
    for pair in pairs:
        key, hyphen, label = pair.partition("-")
        if not hyphen:
            return f"{pair!r} is no entity; write entities as key-label, such as acq-{pair or 'x'}"
        if key not in entity_facts():
            return f"BIDS has no entity {key!r}; {_suggest_entity(key)}"
        if key in seen:
            return f"the entity {key!r} stands twice; keep one of them"
        if not re.fullmatch(_label_pattern(key), label):
            return f"{pair!r} holds an invalid label; {_label_cure(key)}"
        seen.add(key)
    if "-" in suffix or not suffix:
        return "the name ends without a suffix; end it with one such as _T1w or _bold"
    return None


def _entity_order(name: BidsName) -> str | None:
    order = [entity for entity in entity_facts() if entity in name.entities]
    if order == list(name.entities):
        return None
    right = "_".join(f"{entity}-{name.entities[entity]}" for entity in order)
    return f"the entities stand in the wrong order; write {right}_{name.suffix}"


def _kind(name: BidsName) -> str | None:
    datatypes = {datatype for rule in name_rules() for datatype in rule["datatypes"]}
    homes = sorted(
        {d for r in name_rules() if name.suffix in r["suffixes"] for d in r["datatypes"]}
    )
    if not name.datatype:
        return f"the file is in no datatype's folder; put it in {_either(homes or ['anat'])}/"
    if name.datatype not in datatypes:
        return f"BIDS has no datatype {name.datatype!r}; {_suggest(name.datatype, datatypes)}"
    if _rules_for(name):
        return None
    if homes:
        return f"{name.suffix!r} does not belong in {name.datatype}/; it goes to {_either(homes)}/"
    known = {
        s for rule in name_rules() if name.datatype in rule["datatypes"] for s in rule["suffixes"]
    }
    return f"BIDS has no suffix {name.suffix!r} in {name.datatype}/; {_suggest(name.suffix, known)}"


def _entities_of_kind(name: BidsName) -> str | None:
    rules = _rules_for(name)
    allowed = {entity for rule in rules for entity in rule["entities"]}
    for entity in name.entities:
        if entity not in allowed:
            return f"a {name.suffix} file has no entity {entity!r}; leave it out"
    required = set.intersection(*({e for e, r in x["entities"].items() if r} for x in rules))
    for entity in entity_facts():
        if entity in required and entity not in name.entities:
            return f"a {name.suffix} file needs the entity {entity!r}; add {entity}-<label>"
    return None


def _extension(name: BidsName) -> str | None:
    known = sorted({extension for rule in _rules_for(name) for extension in rule["extensions"]})
    if name.extension in known:
        return None
    files = [extension for extension in known if not extension.endswith("/")]
    return f"a {name.suffix} file does not end in {name.extension!r}; use {_either(files)}"


def _is_level(folder: str) -> bool:
    return folder in {"", "."} or folder.startswith(("sub-", "ses-"))


def _suggest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=3, cutoff=0.5)
    return f"perhaps {_either(close)} is meant" if close else f"it has {', '.join(sorted(known))}"


def _suggest_entity(key: str) -> str:
    short = next((name for name, e in entity_facts().items() if key == e["long_name"]), None)
    return f"write {short}-<label>" if short else _suggest(key, entity_facts())


def _either(words: list[str]) -> str:
    return " or ".join(words)


def _label_cure(entity: str) -> str:
    allowed = entity_facts()[entity]["enum"]
    if allowed:
        return f"BIDS allows {_either(allowed)}"
    return "use digits only" if entity_facts()[entity]["format"] == "index" else _LABEL_CURE


def _label_pattern(entity: str) -> str:
    facts = entity_facts()[entity]
    return "|".join(facts["enum"]) if facts["enum"] else str(facts["pattern"])


@cache
def _standard() -> Any:
    # Imported here: reading the standard takes a tenth of a second.
    from bidsschematools import schema  # noqa: PLC0415

    return schema.load_schema()


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    from bidsschematools import rules, schema  # noqa: F401, PLC0415

    return tuple(re.compile(rule["regex"]) for rule in rules.regexify_all()[0])


@cache
def entity_facts() -> dict[str, dict[str, Any]]:
    """Return what each entity allows, by its name in file names, in the standard's order."""
    standard = _standard()
    names: dict[str, dict[str, Any]] = {}
    for long_name in standard.rules.entities:
        entity = standard.objects.entities[long_name]
        names[entity["name"]] = {
            "long_name": long_name,
            "format": entity["format"],
            "pattern": standard.objects.formats[entity["format"]]["pattern"],
            "enum": [_enum_value(value) for value in entity.get("enum", ())],
        }
    return names


def _enum_value(value: Any) -> str:
    return value if isinstance(value, str) else str(value["name"])


@cache
def name_rules() -> tuple[dict[str, Any], ...]:
    """Return the rules for files in subjects' folders; entities by name, True where required."""
    standard = _standard()
    short = {name: entity["name"] for name, entity in standard.objects.entities.items()}
    groups = standard.rules.files.raw.values()
    rules = (rule for group in groups for rule in group.values())
    return tuple(
        {
            "datatypes": tuple(rule["datatypes"]),
            "suffixes": tuple(rule["suffixes"]),
            "extensions": tuple(rule["extensions"]),
            "entities": {
                short[entity]: _level(level) == "required"
                for entity, level in rule["entities"].items()
            },
        }
        for rule in rules
        if "suffixes" in rule and "datatypes" in rule
    )


def _level(level: Any) -> str:
    return level if isinstance(level, str) else str(level["level"])


def _rules_for(name: BidsName) -> list[dict[str, Any]]:
    return [
        rule
        for rule in name_rules()
        if name.datatype in rule["datatypes"] and name.suffix in rule["suffixes"]
    ]
