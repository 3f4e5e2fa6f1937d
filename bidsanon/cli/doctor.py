"""``bidsanon doctor``: what is installed, and what each missing part would add."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass

import click

from bidsanon.errors import MissingToolError
from bidsanon.external import (
    BIDS_VALIDATOR,
    DCM2NIIX,
    FLIRT,
    GIT,
    Program,
    find_program,
    program_version,
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One thing that bidsanon can use.

    Attributes
    ----------
    name
        What it is called.
    needed
        Whether bidsanon cannot do without it.
    version
        Its version; None where it is missing.
    adds
        What it adds.
    install
        How to get it.
    """

    name: str
    needed: bool
    version: str | None
    adds: str
    install: str


_PACKAGES = {
    "pydicom": "knows DICOM's dictionary and character sets",
    "heudiconv": "turns series into a BIDS dataset",
    "nibabel": "reads NIfTI images",
    "pydeface": "brings the template head and the face mask",
    "jsonschema": "checks sidecars against the schemas",
    "bidsschematools": "knows the BIDS standard",
    "pybids": "reads the dataset back",
}
_PROGRAMS = (
    (DCM2NIIX, True, "reads DICOM series into NIfTI"),
    (BIDS_VALIDATOR, True, "is the official BIDS validator"),
    (GIT, False, "lets validate look through the history that a dataset has"),
    (FLIRT, False, "lets pydeface itself register the template (--deface pydeface)"),
)


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def command(as_json: bool) -> int:
    """Say what is installed, and what each missing part would add.

    Exit code 0 when nothing that is needed is missing, 6 otherwise.
    """
    parts = installed_parts()
    missing = [p for p in parts if p.needed and p.version is None]
    if as_json:
        record = {"python": platform.python_version(), "parts": [asdict(p) for p in parts]}
        click.echo(json.dumps(record, indent=2))
        return MissingToolError.exit_code if missing else 0
    for part in parts:
        state = part.version or ("MISSING" if part.needed else "not there")
        click.echo(f"{part.name:<22} {state:<16} {part.adds}")
        if part.version is None:
            click.echo(f"{'':<22} {'':<16} to get it: {part.install}")
    click.echo("bidsanon can convert." if not missing else "bidsanon cannot convert.")
    return MissingToolError.exit_code if missing else 0


def installed_parts() -> list[Part]:
    """Look at every part that bidsanon needs or can use."""
    packages = [
        Part(
            name=name,
            needed=True,
            version=_package_version(name),
            adds=adds,
            install=f"pip install {name}",
        )
        for name, adds in _PACKAGES.items()
    ]
    programs = [_program(program, needed, adds) for program, needed, adds in _PROGRAMS]
    return [*packages, _passphrases(), _reader(), _face_finder(), _hdf5(), *programs, *_engines()]


def _engines() -> list[Part]:
    from bidsanon.deface import available_engines  # noqa: PLC0415 - start-up time

    return [
        Part(
            name=f"--deface {row.name}",
            needed=False,
            version="there" if row.available else None,
            adds=row.adds,
            install=row.cure,
        )
        for row in available_engines()
    ]


def _passphrases() -> Part:
    return Part(
        name="cryptography",
        needed=False,
        version=_package_version("cryptography"),
        adds="protects the vault with a passphrase",
        install="pip install 'bidsanon[passphrase]'",
    )


def _reader() -> Part:
    from bidsanon.ocr import INSTALL, PACKAGE, reader_version  # noqa: PLC0415 - start-up time

    return Part(
        name=PACKAGE,
        needed=False,
        version=reader_version(),
        adds="finds burned-in text in the pixels; without it only headers tell of it",
        install=INSTALL,
    )


def _face_finder() -> Part:
    from bidsanon.deface.cascade import (  # noqa: PLC0415 - start-up time
        INSTALL,
        PACKAGE,
        opencv_version,
    )

    return Part(
        name=PACKAGE,
        needed=False,
        version=opencv_version(),
        adds="looks for faces before and after; without it only the relief is measured",
        install=INSTALL,
    )


def _hdf5() -> Part:
    from bidsanon.hdf5 import INSTALL, PACKAGE, reader_version  # noqa: PLC0415 - start-up time

    return Part(
        name=PACKAGE,
        needed=False,
        version=reader_version(),
        adds="lets validate look into SNIRF, NWB and MATLAB 7.3, which are named as not read else",
        install=INSTALL,
    )


def _package_version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - start-up time

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _program(program: Program, needed: bool, adds: str) -> Part:
    found = find_program(program) is not None
    return Part(
        name=program.name,
        needed=needed,
        version=(program_version(program) or "unknown version") if found else None,
        adds=adds,
        install=program.install,
    )
