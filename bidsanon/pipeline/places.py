"""The places that a user names, checked before anything is read or written.

Sources, what is made of them, and the private folder must be possible, and lie apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from bidsanon.errors import StorageError, UsageError

_LONGEST_NAME = 200  # bytes: what stands beside it, and in the private folder, is called after it


def require_private_folder(private: Path) -> None:
    """Refuse a private folder that is a file, or that would lie below one.

    Raises
    ------
    UsageError
        If it is so.
    """
    require_possible_place(private, name="the private folder")
    if os.path.exists(private) and not private.is_dir():  # noqa: PTH110 - see require_sources
        raise UsageError("the private folder is a file", cure="give a folder with --private")


def may_enter(private: Path) -> bool:
    """Tell whether a private folder may be read; one that is not there may."""
    there = os.path.exists(private)  # noqa: PTH110 - see require_sources
    return not there or os.access(private, os.R_OK | os.X_OK)


def require_own_private_folder(private: Path) -> None:
    """Refuse a private folder that cannot be one, or is somebody else's, where it is to be read.

    Raises
    ------
    UsageError
        If it is a file, or would lie below one.
    StorageError
        If it may not be entered.
    """
    require_private_folder(private)
    if not may_enter(private):
        raise StorageError(
            "the private folder may not be entered",
            cure="it is open to its owner alone: let them run it, or name another with --private",
        )


def require_possible_place(place: Path, *, name: str) -> None:
    """Refuse a place that would lie below a file, or whose name no record can hold.

    Raises
    ------
    UsageError
        If one of its parents is a file, or its name is too long or is not UTF-8.
    """
    written = os.fsencode(place)
    if written.decode("utf-8", "replace").encode() != written:
        raise UsageError(f"the path of {name} is not UTF-8", cure="choose another name")
    if len(os.fsencode(place.name)) > _LONGEST_NAME:
        raise UsageError(f"the name of {name} is too long", cure="choose a shorter one")
    if any(map(os.path.isfile, place.parents)):
        raise UsageError(f"{name} would lie below a file", cure="check how it is spelled")


def require_sources(sources: Iterable[Path], places: Mapping[str, Path]) -> None:
    """Refuse a source that is not there, or shares its tree with what is written.

    Originals within the dataset would be published with it, and what lies in the private folder
    is replaced by the next run. A medium's directory stands for the folder that holds it.

    Parameters
    ----------
    sources
        As the user gave them.
    places
        What is written, by what it is called in messages.

    Raises
    ------
    UsageError
        If one of them cannot be a source.
    """
    for number, source in enumerate(sources, start=1):
        # Path.exists would raise where a folder above it may not be entered.
        if not os.path.exists(source):  # noqa: PTH110
            raise UsageError(
                f"SOURCE number {number} is not there",
                cure="check how it is spelled, and that you may enter the folders above it",
            )
        originals = source.resolve()
        if originals.name.upper() == "DICOMDIR":
            originals = originals.parent
        for name, folder in places.items():
            if folder.resolve().is_relative_to(originals):
                raise UsageError(
                    f"{name} lies within SOURCE number {number}",
                    cure="choose a place outside the source: originals are never touched",
                )
            if originals.is_relative_to(folder.resolve()):
                raise UsageError(
                    f"SOURCE number {number} lies within {name}",
                    cure=f"move the originals out of {name} first",
                )
