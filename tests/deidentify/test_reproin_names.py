"""ReproIn's names of series are left whole: heudiconv's reproin makes BIDS names of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsanon.deidentify.descriptors import clean_descriptor

BEGINNINGS = (
    "anat anat-T1w anat-T2w anat-FLAIR anat-MP2RAGE anat-inplaneT2 anat-scout scout func func-bold "
    "func-sbref dwi dwi-sbref fmap fmap-epi fmap-magnitude perf-asl bids_anat-T1w"
)
ENTITIES = (
    "ses-01 ses-baseline ses-day1 ses-pre ses-20w ses+ ses= ses-DATE ses-{date} task-rest "
    "task-nback task-facesMatching task-stopsignal task-movieDM task-monetaryincentivedelay "
    "acq-MPRAGE acq-mb8 acq-p2 acq-2.5mm acq-iso08mm acq-b1000d64 acq-hardi64 acq-s4x3.5mm "
    "acq-norm run-01 run+ run= dir-AP dir-PA dir-LR rec-NORM echo-1 SBRef _dup1 _dup01 _cancelled"
)


@settings(max_examples=300)
@given(
    st.sampled_from(["", "WIP ", "PU:"]),
    st.sampled_from(BEGINNINGS.split()),
    st.lists(st.sampled_from(ENTITIES.split()), max_size=5, unique=True),
)
def test_a_name_of_reproin_is_left_whole(prefix: str, beginning: str, entities: list[str]) -> None:
    name = prefix + "_".join([beginning, *entities])
    cleaned = clean_descriptor(name, frozenset())
    assert (cleaned.text, cleaned.cut) == (name, ())


@pytest.mark.parametrize("name", ["anat-T1w_ses-20240131", "func-bold_Dr_Smith"])
def test_what_identifies_is_cut_from_it_all_the_same(name: str) -> None:
    assert clean_descriptor(name, frozenset()).text != name
