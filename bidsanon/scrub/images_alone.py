"""Images and sidecars that are delivered without a dataset around them, as they may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from bidsanon.bids.nifti import ImageError
from bidsanon.bids.sidecars import GRADIENT_EXTENSIONS, SidecarError, read_json_file
from bidsanon.files import write_json, write_text
from bidsanon.findings import Finding, finding
from bidsanon.scrub.gradients import GradientError, scrub_gradients
from bidsanon.scrub.images import scrub_image
from bidsanon.scrub.scans import session_clock
from bidsanon.scrub.sidecars import SidecarPolicy, add_method, scrub_sidecar
from bidsanon.session import DeidentifiedSeries, DeidentifiedSession


@dataclass(frozen=True, kw_only=True)
class ScrubbedImages:
    """What was taken out of some images.

    Attributes
    ----------
    removed_keys
        How often each sidecar key was removed. Names of keys, never values.
    findings
        What the scrub gate says; where one is an error, a file is missing.
    """

    removed_keys: dict[str, int]
    findings: tuple[Finding, ...]


def scrub_images(
    images: Iterable[tuple[Path, str, int]],
    deidentified: DeidentifiedSession,
    *,
    into: Path,
    device_pseudonym: Callable[[str], str],
    threads: int,
) -> ScrubbedImages:
    """Copy images, their sidecars and gradients as they may be delivered.

    Parameters
    ----------
    images
        Each image, its name without extension relative to `into`, and the index of its series.
    deidentified
        The copies that they were made of: when the first was acquired, and by which method they
        were de-identified.
    into
        A folder.
    device_pseudonym
        Gives the pseudonym of a scanner's serial number.
    threads
        How many threads compress at once; the bytes do not depend on it.
    """
    clock = session_clock({}, otherwise=deidentified.first_acquisition)
    policy = SidecarPolicy(device_pseudonym=device_pseudonym, to_noon=clock.time_to_noon)
    removed: Counter[str] = Counter()
    findings: list[Finding] = []
    series = {one.source.index: one for one in deidentified.series if one.methods}
    for source, name, index in images:
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            scrub_image(source, _with(target, ".nii.gz"), threads=threads)
            removed += _sidecar(source, target, series.get(index, deidentified), policy)
            for extension in GRADIENT_EXTENSIONS:
                table = source.with_suffix(extension)
                if table.is_file():
                    text = scrub_gradients(table.read_text("utf-8"), extension=extension)
                    write_text(_with(target, extension), text)
        except ImageError as error:
            findings.append(finding("SCRUB_BAD_IMAGE", location=name, problem=error))
        except SidecarError as error:
            findings.append(finding("SCRUB_BAD_SIDECAR", location=name, problem=error))
        except (GradientError, UnicodeDecodeError):
            findings.append(
                finding("SCRUB_BAD_TABLE", location=name, problem="its gradients are no numbers")
            )
    return ScrubbedImages(removed_keys=dict(sorted(removed.items())), findings=tuple(findings))


def _sidecar(
    source: Path,
    target: Path,
    made_of: DeidentifiedSeries | DeidentifiedSession,
    policy: SidecarPolicy,
) -> Counter[str]:
    sidecar = scrub_sidecar(read_json_file(source.with_suffix(".json")), policy)
    methods = made_of.methods if isinstance(made_of, DeidentifiedSeries) else (made_of.method,)
    content = add_method(sidecar.content, methods=list(methods), codes=made_of.method_codes)
    write_json(_with(target, ".json"), content)
    return sidecar.removed


def _with(target: Path, extension: str) -> Path:
    return target.with_name(target.name + extension)
