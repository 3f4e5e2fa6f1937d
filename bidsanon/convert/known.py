"""What a lab knows of its images and no header holds, read from a file and written into sidecars.

The file is a JSON object: for each suffix ("asl", "MP2RAGE", "pet") the fields of BIDS and their
values. What a header says is never overruled. ``VolumeTypes`` of "asl" is no field: the types of
its volumes, repeated as often as there are volumes, become ``aslcontext.tsv``.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bidsanon.bids.keys import KeyAction, key_rules
from bidsanon.bids.sidecars import SidecarError, read_json_file, read_json_object
from bidsanon.bids.tables import write_table
from bidsanon.convert.naming import IMAGE
from bidsanon.errors import PolicyError
from bidsanon.files import write_json, write_text
from bidsanon.resources import schema_errors
from bidsanon.session import ConvertedImage

SCHEMA = "known.schema.json"

_VOLUME_TYPES = "VolumeTypes"
_LABELLED = "asl"
_KNOWABLE = {KeyAction.KEEP, KeyAction.CLEAN}
_WRITABLE = 0o644


@dataclass(frozen=True, kw_only=True)
class KnownFacts:
    """What a lab knows.

    Attributes
    ----------
    fields
        The fields of each suffix, with their values.
    volume_types
        The types of the volumes of a labelled run, in their order; repeated.
    digest
        The SHA-256 of the file that says so, in hexadecimal; empty where there is none.
    """

    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    volume_types: tuple[str, ...] = ()
    digest: str = ""


NOTHING_KNOWN = KnownFacts()
"""What is known where no file says anything."""


def load_known(file: Path) -> KnownFacts:
    """Read what a lab knows.

    Raises
    ------
    PolicyError
        If the file cannot be read, or says something that no sidecar can hold.
    """
    try:
        written = file.read_bytes()
        content = read_json_object(written)
    except OSError as error:
        raise PolicyError(
            f"the file of known facts cannot be read ({error.strerror})",
            cure="check its path and its permissions",
        ) from error
    except SidecarError as error:
        raise PolicyError(
            f"the file of known facts cannot be understood: {error}",
            cure='write {"asl": {"BackgroundSuppression": true}}, and more of that kind',
        ) from error
    problems = sorted(set(_problems(content)))
    if problems:
        raise PolicyError(
            f"the file of known facts cannot be used: {'; '.join(problems)}",
            cure="use the fields that BIDS has for images of that suffix",
        )
    return KnownFacts(
        fields={
            suffix: {key: value for key, value in said.items() if key != _VOLUME_TYPES}
            for suffix, said in content.items()
        },
        volume_types=tuple(content.get(_LABELLED, {}).get(_VOLUME_TYPES, ())),
        digest=hashlib.sha256(written).hexdigest(),
    )


def _problems(content: Mapping[str, Any]) -> Iterator[str]:
    for error in schema_errors(SCHEMA, content):
        schema: Any = error.schema
        yield f"{error.absolute_path[0]}: {schema['description']}"
    rules = key_rules()
    for suffix, said in content.items():
        for key in said if isinstance(said, dict) else ():
            is_field = key in rules and rules[key].action in _KNOWABLE
            if not is_field and (suffix, key) != (_LABELLED, _VOLUME_TYPES):
                yield f"{suffix}: {key} is no field of a sidecar that may be published"


def write_known(root: Path, images: Iterable[ConvertedImage], known: KnownFacts) -> None:
    """Write into the sidecars what the lab knows and no header says."""
    for image in images:
        said = known.fields.get(image.suffix)
        sidecar = root / (image.path.removesuffix(IMAGE) + ".json")
        if said and sidecar.exists():
            sidecar.chmod(_WRITABLE)
            write_json(sidecar, {**said, **read_json_file(sidecar)})
        if image.suffix == _LABELLED and known.volume_types:
            _write_context(root, image, known.volume_types)


def _write_context(root: Path, image: ConvertedImage, types: tuple[str, ...]) -> None:
    import nibabel  # noqa: PLC0415  # slow, and needed for labelled runs alone

    table = root / (image.path.removesuffix(f"{_LABELLED}{IMAGE}") + "aslcontext.tsv")
    if table.exists():
        return
    shape = nibabel.Nifti1Image.from_filename(root / image.path).shape
    volumes = shape[3] if len(shape) > 3 else 1  # noqa: PLR2004  # the fourth axis
    rows = [{"volume_type": one} for one in itertools.islice(itertools.cycle(types), volumes)]
    write_text(table, write_table(("volume_type",), rows))
