"""De-identified copies as NIfTI images: converted, scrubbed and searched, without BIDS names."""

from __future__ import annotations

from pathlib import Path

from bidsanon.convert import convert_to_images
from bidsanon.deidentify import Replacements
from bidsanon.external import DCM2NIIX, program_version
from bidsanon.files import fresh_folder
from bidsanon.findings import Finding, Gate, finding
from bidsanon.identity import IdentifyingValue
from bidsanon.pipeline.deidentify_run import DeidentifyRun
from bidsanon.pipeline.workspace import Workspace
from bidsanon.progress import Progress
from bidsanon.scrub import scrub_images
from bidsanon.validate.residue import search_residue
from bidsanon.vault import PersonPlan


def make_images(
    run: DeidentifyRun,
    space: Workspace,
    tree: Path,
    *,
    identity: tuple[IdentifyingValue, ...],
    plans: tuple[PersonPlan, ...],
    progress: Progress,
) -> None:
    """Convert the copies and lay out what may be delivered, through three gates.

    Each person's images get a folder of their own where there are several persons.

    Raises
    ------
    GateRefusedError
        If a gate says no.
    """
    several = len(run.persons) > 1
    made: list[Finding] = []
    scrubbed: list[Finding] = []
    for number, (person, plan) in enumerate(zip(run.persons, plans, strict=True), start=1):
        work = fresh_folder(space.work / f"images-{number:04d}")
        converted = convert_to_images(
            person, work=work, jobs=run.request.options.jobs, progress=progress
        )
        made += converted.findings
        folder = f"{plan.patient_id}/" if several else ""
        with progress.step("scrubbing"):
            result = scrub_images(
                [
                    (image.source, folder + image.name, image.series_index)
                    for image in converted.images
                ],
                person,
                into=tree,
                device_pseudonym=Replacements(plan).device,
                threads=run.request.options.jobs,
            )
        scrubbed += result.findings
        for image in converted.images:
            names = run.images.setdefault(image.series_index, [])
            names.append(f"{folder}{image.name}.nii.gz")
        for key, count in result.removed_keys.items():
            run.removed_keys[key] = run.removed_keys.get(key, 0) + count
    run.files = sum(map(len, run.images.values()))
    if not run.files:
        made.append(finding("NO_IMAGE_MADE"))
    version = program_version(DCM2NIIX)
    if version:
        run.tools["dcm2niix"] = version
    run.gates.judge(Gate.CONVERT, made)
    run.gates.judge(Gate.SCRUB, scrubbed)
    with progress.step("searching for residue"):
        allowed = [text for plan in plans for text in (plan.patient_id, plan.patient_name)]
        run.residue = search_residue(tree, identity, allowed=allowed, jobs=run.request.options.jobs)
    run.gates.judge(Gate.RESIDUE, run.residue.findings)
