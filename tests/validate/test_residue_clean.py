"""Clean datasets raise no alarm: trees such as bids-examples has, and what convert makes."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from real_sets import MR_SETS
from runs import run_convert
from sessions import MARA, TOBIAS, bold_mosaic, dwi_mosaic, siemens_t1w

from bidsanon.bids.standard import data_kinds, metadata_fields
from bidsanon.identity import IdentifyingValue
from bidsanon.pipeline.validate_identity import known_of_sources, published_labels
from bidsanon.profile import load_profile
from bidsanon.progress import Silent
from bidsanon.validate.residue import search_residue

README = """# Flanker task (event-related)

This dataset was obtained from the OpenfMRI project (http://www.openfmri.org), accession ds000102.
26 healthy adults took part, 18 to 43 years old, mean 24.3. Two runs of 5:36 minutes each.
Scanned on a Siemens Allegra 3.0 T with TR=2000 ms, TE=30 ms, flip angle=80, 40 slices, FoV=192 mm.
A slice is 4 mm thick. Comments added by Russ Poldrack on 2011-10-06. Please cite
Kelly, A.M.C., Uddin, L.Q., Biswal, B.B., Castellanos, F.X., Milham, M.P. (2008). NeuroImage 39(1),
527-537. doi:10.1016/j.neuroimage.2007.08.008
"""
CHANGES = "1.0.1 2018-02-19\n  - Fixed 14 sidecars, by J. Durnez.\n1.0.0 2017-11-30\n  - Initial.\n"
DESCRIPTION = {
    "Name": "Flanker",
    "BIDSVersion": "1.8.0",
    "Authors": ["Kelly AMC", "Uddin LQ", "Smith J"],
    "Funding": ["NIMH R01 MH083246", "DFG 14/2-1"],
    "DatasetDOI": "doi:10.18112/openneuro.ds000102.v1.0.0",
    "License": "CC0",
}

REFUSED = frozenset(
    (
        "siemens-phoenix-sr",  # a scout alone
        "siemens-xa60-interrupted-bold",  # a single volume
        "ge-hd16-t1-already-deidentified",  # a fruit, of which no face could be told
        "transfer-syntaxes",  # one volume nine times under one series
    )
)
"""Sets of which nothing is published; other tests hold the reasons."""


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[IdentifyingValue, ...]:
    """What two persons' sessions say."""
    folder = tmp_path_factory.mktemp("dicom")
    for person in (MARA, TOBIAS):
        for make in (bold_mosaic, dwi_mosaic, siemens_t1w):
            make(folder / person.patient_id / make.__name__, person=person)
    known = known_of_sources([folder], profile=load_profile("bids"), jobs=1, progress=Silent())
    return known.identity


def example(root: Path, *, seed: int) -> Path:
    """Make a tree of every kind of file that BIDS knows, with every field that it knows."""
    chance = random.Random(seed)  # noqa: S311 (examples)
    root.mkdir()
    (root / "README").write_text(README)
    (root / "CHANGES").write_text(CHANGES)
    (root / "dataset_description.json").write_text(json.dumps(DESCRIPTION))
    rows = [f"sub-{n:02d}\t{chance.randint(18, 43)}\t{chance.choice('MF')}\n" for n in range(1, 27)]
    (root / "participants.tsv").write_text("participant_id\tage\tsex\n" + "".join(rows))
    for datatype, suffix in sorted(data_kinds()):
        folder = root / "sub-01" / "ses-test" / datatype
        folder.mkdir(parents=True, exist_ok=True)
        stem = folder / f"sub-01_ses-test_task-flanker_run-1_{suffix}"
        sidecar = {key: filled(schema, chance) for key, schema in metadata_fields().items()}
        stem.with_suffix(".json").write_text(json.dumps(sidecar))
        stem.with_suffix(".tsv").write_text(table(chance))
        stem.with_suffix(".bin").write_bytes(chance.randbytes(1 << 14))
        stem.with_suffix(".tsv.gz").write_bytes(gzip.compress(table(chance).encode()))
    scans = "filename\tacq_time\nanat/sub-01_T1w.nii.gz\t1877-06-15T13:45:30\n"
    (root / "sub-01" / "sub-01_scans.tsv").write_text(scans)
    return root


def table(chance: random.Random) -> str:
    lines = (
        f"{n * 2.0:.3f}\t{chance.random():.6f}\t{chance.choice(('go', 'stop'))}\t"
        f"{chance.randint(0, 99_999)}\n"
        for n in range(60)
    )
    return "onset\tduration\ttrial_type\tsample\n" + "".join(lines)


def filled(schema: dict[str, Any], chance: random.Random) -> object:
    """Return a value such as a field may have."""
    if "enum" in schema:
        return chance.choice(schema["enum"])
    made: dict[str, Callable[[], object]] = {
        "number": lambda: round(chance.uniform(0, 5000), 6),
        "integer": lambda: chance.randint(0, 2**20),
        "boolean": lambda: True,
        "array": lambda: [round(chance.uniform(0, 2), 6) for _ in range(36)],
        "object": lambda: {"Description": "a column", "Units": "mm"},
        "string": lambda: "taken by the usual sequence of the vendor",
    }
    return made.get(str(schema.get("type")), lambda: "n/a")()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2])
def test_a_tree_of_all_that_bids_knows_is_clean(
    tmp_path: Path, identity: tuple[IdentifyingValue, ...], seed: int
) -> None:
    root = example(tmp_path / "ds", seed=seed)
    assert search_residue(root, identity, allowed=("01",), jobs=1).findings == ()


@pytest.mark.parametrize("kind", ["i2", "f4", "u1"])
def test_noise_of_images_is_clean(
    tmp_path: Path, identity: tuple[IdentifyingValue, ...], kind: str
) -> None:
    noise = np.random.default_rng(7).normal(60, 30, (128, 128, 128)).clip(0, 255).astype(kind)
    nib.Nifti1Image(noise, np.eye(4)).to_filename(tmp_path / "sub-01_bold.nii")
    assert search_residue(tmp_path, identity, allowed=(), jobs=1).findings == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MR_SETS if name not in REFUSED])
def test_a_converted_set_is_clean_of_its_originals(
    tmp_path: Path, shared_data: Callable[[str], Path], name: str
) -> None:
    source = shared_data(name)
    run = run_convert(source, dataset=tmp_path / "ds", study="all", withhold=True)
    assert run.refusal is None
    known = known_of_sources([source], profile=load_profile("bids"), jobs=1, progress=Silent())
    labels = [label for _, label in published_labels(tmp_path / "ds")]
    found = search_residue(
        tmp_path / "ds", known.identity, allowed=labels, jobs=1, lookups=known.lookups
    ).findings
    assert [one.location for one in found if one.severity == "error"] == []
