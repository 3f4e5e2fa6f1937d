"""Asks a heuristic for names and lets heudiconv convert. Imported in the worker's process only.

What is known of heudiconv's inside is known here:

- its conversion table under ``.heudiconv`` is reused when it should not be, and evaluated as
  Python: it is never written, since :func:`heudiconv.convert.conversion_info` and
  :func:`heudiconv.convert.convert` are called without what stands around them;
- one series that fails takes all others with it: they are converted one by one;
- the word "Date" anywhere in a sidecar stops it;
- other output than compressed NIfTI comes out wrong (an uncompressed name with compressed content)
  or holds whole DICOM files: neither is asked for;
- images that dcm2niix makes beside the one that it reports stay under an unfinished name;
- nipype makes two links to every file, which takes longer than dcm2niix takes to read them: they
  are spared where the files fill a folder of their own;
- it drops the incomplete volumes of interrupted XA runs, and says so in its log only.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import posixpath
import re
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import heudiconv.bids
import heudiconv.convert
from heudiconv.utils import SeqInfo, load_json, save_json
from nipype.interfaces.dcm2nii import Dcm2niix

from bidsanon.convert import naming
from bidsanon.convert.describing import describe_series
from bidsanon.convert.job import (
    Advance,
    Answer,
    Item,
    LeftOut,
    Mode,
    Request,
    RuleUse,
    SeenAcquisition,
)
from bidsanon.convert.loading import Asking, HeuristicFailedError, WrongAnswerError

_UNMATCHED = "the heuristic gives it no name"
_DICOM_ONLY = ("dicom", ("dicom",), ["dicom"])
_DUPLICATE_MARK = "__dup"
_UNFINISHED = re.compile(r"_heudiconv\d{3}(?P<rest>.*)$")
_DCM2NIIX_SETTINGS = {"compression": 1}
"""The fastest: scrubbing compresses anew what is published."""
_MASKED_DATE = "D\ue000ate"
_REMOVED_KEYS = frozenset(
    first + second
    for first in ("Acquisition", "Study", "Series")
    for second in ("DateTime", "Date")
)


def run_heudiconv(request: Request, heuristic: ModuleType, asking: Asking) -> Answer:
    """Ask the heuristic for names, and convert if that is asked for and every name will do."""
    series, left_out = describe_series(request, heuristic, asking)
    if request.mode is Mode.DESCRIBE:
        return Answer(left_out=tuple(left_out), seen=tuple(_seen(request, series)))
    items, files_of = _names(request, heuristic, series, asking)
    answer = Answer(
        items=tuple(items),
        left_out=(*left_out, *_unmatched(request, heuristic, series, items, asking)),
        rules=tuple(_rules(request, heuristic, series, asking)),
    )
    if request.mode is Mode.PLAN or any(item.problem for item in items) or _any_repeated(items):
        return answer
    return replace(answer, items=tuple(_convert(request, heuristic, items, files_of, asking)))


def _names(
    request: Request,
    heuristic: ModuleType,
    series: Mapping[SeqInfo, list[str]],
    asking: Asking,
) -> tuple[list[Item], list[list[str]]]:
    """Ask the heuristic for its names; the second list holds the files of each."""
    with asking("infotodict"):
        table = heuristic.infotodict(list(series))
        _require_table(table, {info.series_id for info in series}, heuristic)
    with asking("fill in the names that infotodict gives"):
        rows = heudiconv.convert.conversion_info(
            request.subject,
            str(request.output),
            _images_only(table),
            {info.series_id: files for info, files in series.items()},
            request.session,
        )
    number_of = _acquisition_of_files(request)
    items: list[Item] = []
    for prefix, _, files in rows:
        name = os.path.relpath(prefix, request.output)
        acquisitions = tuple(sorted({number_of[file] for file in files}))
        item = Item(
            name=name, acquisitions=acquisitions, duplicate=_DUPLICATE_MARK in Path(name).name
        )
        items.append(replace(item, problem=_problem(request, item)))
    return items, [files for _, _, files in rows]


def _require_table(table: object, known: Collection[str], heuristic: ModuleType) -> None:
    """Refuse what heudiconv could not take for names of series.

    Raises
    ------
    WrongAnswerError
        Which says what is wrong with it.
    """
    line = getattr(getattr(heuristic.infotodict, "__code__", None), "co_firstlineno", None)
    if not isinstance(table, dict):
        raise WrongAnswerError(f"infotodict gives {type(table).__name__} and not a dict", line)
    for key, named in table.items():
        if not (isinstance(key, tuple) and len(key) > 1 and isinstance(key[0], str)):
            raise WrongAnswerError("a key of infotodict is no (template, outtypes, None)", line)
        groups = (one if isinstance(one, list) else [one] for one in named or ())
        for one in (each for group in groups for each in group):
            series_id = one.get("item") if isinstance(one, dict) else one
            if str(series_id) not in known:
                problem = "infotodict names something that is not the series_id of any series"
                raise WrongAnswerError(problem, line)


def _seen(request: Request, series: Mapping[SeqInfo, list[str]]) -> Iterator[SeenAcquisition]:
    number_of = _acquisition_of_files(request)
    for info, files in series.items():
        custom: Any = info.custom
        seen = custom._asdict() if hasattr(custom, "_asdict") else {}
        yield SeenAcquisition(acquisition=number_of[files[0]], seen=seen)


def _rules(
    request: Request,
    heuristic: ModuleType,
    series: Mapping[SeqInfo, list[str]],
    asking: Asking,
) -> Iterator[RuleUse]:
    """Ask a drafted heuristic what each of its rules matches; others have no such function."""
    ask = getattr(heuristic, "rule_matches", None)
    if not callable(ask):
        return
    number_of = _acquisition_of_files(request)
    numbers = {info.series_id: number_of[files[0]] for info, files in series.items()}
    with asking("rule_matches"):
        for line, name, ids in ask(list(series)):
            found = tuple(sorted(numbers[series_id] for series_id in ids))
            yield RuleUse(line=line, name=name, acquisitions=found)


def _acquisition_of_files(request: Request) -> dict[str, int]:
    return {
        str(file): number
        for number, acquisition in enumerate(request.acquisitions)
        for file in acquisition.files
    }


def _any_repeated(items: Iterable[Item]) -> bool:
    names = [item.name for item in items if not item.duplicate]
    return len(set(names)) < len(names)


def _images_only(table: Mapping[Any, Any]) -> dict[Any, Any]:
    """Take the names of images from a heuristic's answer; ``outtype`` may be a text by mistake."""
    return {key: items for key, items in table.items() if items and key[1] not in _DICOM_ONLY}


def _problem(request: Request, item: Item) -> str:
    if not naming.lies_within_session(item.name, subject=request.subject, session=request.session):
        return "OUTSIDE_SESSION"
    if item.duplicate or naming.check_prefix(item.name) is None:
        return ""
    return "INVALID_BIDS_NAME"


def _unmatched(
    request: Request,
    heuristic: ModuleType,
    series: Mapping[SeqInfo, list[str]],
    items: Iterable[Item],
    asking: Asking,
) -> Iterator[LeftOut]:
    """Say of each series without a name why it has none, in the heuristic's words if it has any."""
    reasons: Mapping[str, str] = {}
    why = getattr(heuristic, "why_skipped", None)
    if callable(why):
        with asking("why_skipped"):
            reasons = dict(why(list(series)))
    number_of = _acquisition_of_files(request)
    named = {number for item in items for number in item.acquisitions}
    for info, files in series.items():
        number = number_of[files[0]]
        if number not in named:
            named.add(number)
            yield LeftOut(acquisition=number, reason=reasons.get(info.series_id, _UNMATCHED))


def _convert(
    request: Request,
    heuristic: ModuleType,
    items: list[Item],
    files_of: list[list[str]],
    asking: Asking,
) -> Iterator[Item]:
    _guard(heuristic, asking)
    tune = heudiconv.bids.tuneup_bids_json_files
    heudiconv.convert.__dict__["tuneup_bids_json_files"] = _allowing_the_word_date(tune)
    advances = request.output.with_name("progress")
    _settings_file(request).write_text(json.dumps(_DCM2NIIX_SETTINGS))
    to_come = [item.name for item in items if not item.duplicate]
    for item, files in zip(items, files_of, strict=True):
        done = item
        if not item.duplicate:
            done = _convert_item(request, heuristic, item, files)
            to_come.remove(item.name)
        with advances.open("a") as stream:
            stream.write(Advance(item=done, to_come=tuple(to_come)).to_line())
        yield done
    options = getattr(heuristic, "POPULATE_INTENDED_FOR_OPTS", None)
    folder = request.output / naming.session_folder(request.subject, request.session)
    if options is not None and folder.is_dir():
        with asking("what its POPULATE_INTENDED_FOR_OPTS ask for"):
            _link_field_maps(folder, options)


def _link_field_maps(folder: Path, options: Mapping[str, Any]) -> None:
    """Link field maps as a heuristic asks; where sidecars lack what that needs, none is linked.

    heudiconv reads shims and times before it writes anything, and stops where one is not said, as
    no scanner but Siemens' says shims. What is not linked here is linked when it is scrubbed.
    """
    try:
        heudiconv.bids.populate_intended_for(str(folder), **options)
    except (IndexError, KeyError, OSError):
        traceback.print_exc()


def _settings_file(request: Request) -> Path:
    return request.output.with_name("dcm2niix.json")


def _convert_item(request: Request, heuristic: ModuleType, item: Item, files: list[str]) -> Item:
    before = _files_below(request.output)
    converted = True
    _link_files(not _fill_their_folder(files))
    with _dropped_volumes() as dropped:
        try:
            heudiconv.convert.convert(
                [(str(request.output / item.name), ("nii.gz",), files)],
                converter="dcm2niix",
                scaninfo_suffix=getattr(heuristic, "scaninfo_suffix", ".json"),
                custom_callable=getattr(heuristic, "custom_callable", None),
                with_prov=False,
                bids_options="notop",
                outdir=str(request.output),
                min_meta=True,
                overwrite=False,
                dcmconfig=str(_settings_file(request)),
            )
        except HeuristicFailedError:
            raise
        except Exception:  # noqa: BLE001  # heudiconv raises bare errors of many classes
            traceback.print_exc()
            converted = False
    made = sorted(_files_below(request.output) - before)
    asides = [name for name in made if not converted or _UNFINISHED.search(name)]
    for name in asides:
        (request.output / name).unlink()
    if not converted:
        return item
    kinds = [_kind(name) for name in asides if name.endswith(naming.IMAGE)]
    return replace(
        item,
        outputs=tuple(name for name in made if name not in asides),
        asides=(*kinds, *(["an incomplete volume"] * len(dropped))),
    )


def _guard(heuristic: ModuleType, asking: Asking) -> None:
    """Let a heuristic's ``custom_callable`` be asked as its other functions are."""
    own = getattr(heuristic, "custom_callable", None)
    if own is None:
        return

    def guarded(*arguments: object) -> None:
        with asking("custom_callable"):
            own(*arguments)

    heuristic.__dict__["custom_callable"] = guarded


def _link_files(wanted: bool) -> None:
    """Say whether nipype makes a folder of links for dcm2niix, or names the files' own folder."""
    sources = Dcm2niix.input_spec.class_traits()["source_names"]
    sources.copyfile = False if wanted else None


def _fill_their_folder(files: Collection[str]) -> bool:
    """Tell whether files are all that is in one folder: dcm2niix reads whole folders."""
    folders = {Path(file).parent for file in files}
    if len(folders) != 1:
        return False
    with os.scandir(folders.pop()) as entries:
        return {entry.path for entry in entries} == set(files)


@contextlib.contextmanager
def _dropped_volumes() -> Iterator[list[str]]:
    """Collect what heudiconv logs of the incomplete volumes that it drops."""
    said: list[str] = []

    def listen(record: logging.LogRecord) -> bool:
        if "partial volume" in record.getMessage():
            said.append(record.getMessage())
        return True

    logger = logging.getLogger("heudiconv.convert")
    logger.addFilter(listen)
    try:
        yield said
    finally:
        logger.removeFilter(listen)


def _kind(name: str) -> str:
    found = _UNFINISHED.search(name)
    assert found is not None  # noqa: S101  # only such names are asked about
    return found["rest"].removesuffix(naming.IMAGE).strip("_") or "unfinished"


def _files_below(folder: Path) -> set[str]:
    return {
        posixpath.join(*path.relative_to(folder).parts)
        for path in folder.rglob("*")
        if not path.is_dir()
    }


def _allowing_the_word_date(
    tune: Callable[[list[str]], None],
) -> Callable[[list[str]], None]:
    """Hide the word "Date" from heudiconv while it looks for dates in sidecars.

    It refuses a sidecar with that word in any key or value, be it in a series' description or in
    the meaning of the code that says how dates were treated.
    """

    def tune_hidden(json_files: list[str]) -> None:
        _rewrite(json_files, "Date", _MASKED_DATE)
        tune(json_files)
        _rewrite(json_files, _MASKED_DATE, "Date")

    return tune_hidden


def _rewrite(json_files: Iterable[str], old: str, new: str) -> None:
    for file in json_files:
        save_json(file, _with_text(load_json(file), old, new))


def _with_text(value: Any, old: str, new: str) -> Any:
    match value:
        case dict():
            return {
                key if key in _REMOVED_KEYS else key.replace(old, new): _with_text(inner, old, new)
                for key, inner in value.items()
            }
        case list():
            return [_with_text(inner, old, new) for inner in value]
        case str():
            return value.replace(old, new)
        case _:
            return value
