"""The generated files as the package reads them."""

from bidsanon.bids.standard import (
    bids_version,
    data_kinds,
    image_fields,
    image_kinds,
    metadata_fields,
    sidecar_rules,
    suffix_fields,
)


def test_the_version_is_read_from_the_files() -> None:
    assert bids_version().count(".") == 2


def test_every_kind_of_image_that_heuristics_make_is_known() -> None:
    wanted = {
        ("anat", "T1w"),
        ("anat", "T2w"),
        ("anat", "FLAIR"),
        ("dwi", "dwi"),
        ("fmap", "epi"),
        ("fmap", "phasediff"),
        ("func", "bold"),
        ("func", "sbref"),
        ("perf", "asl"),
        ("pet", "pet"),
    }
    assert wanted <= image_kinds()


def test_a_kind_that_bids_does_not_know_has_no_rules() -> None:
    assert sidecar_rules("anat", "bold") == ()


def test_rules_of_an_entity_hold_for_names_that_have_it() -> None:
    rules = {rule.name: rule for rule in sidecar_rules("func", "bold")}
    echo = rules["entity_rules.EntitiesEchoMetadata"]
    phase = rules["entity_rules.EntitiesPartMetadata"]

    assert echo.holds_for({"echo": "1"})
    assert not echo.holds_for({"run": "1"})
    assert phase.holds_for({"part": "phase"})
    assert not phase.holds_for({"part": "mag"})
    assert rules["func.MRIFuncRequired"].holds_for({})


def test_a_field_named_for_one_kind_of_image_is_a_field_of_all() -> None:
    assert "RepetitionTime" in image_fields()
    assert "TimeZero" in image_fields()
    assert "EEGReference" not in image_fields()


def test_a_field_with_two_meanings_has_two_schemas() -> None:
    assert len(image_fields()["EchoTime"]) == 2
    assert "EchoTime__fmap" in metadata_fields()


def test_the_fields_of_every_suffix_can_be_told() -> None:
    assert all(suffix_fields(suffix) for _, suffix in data_kinds())
    assert "StimulusPresentation" in suffix_fields("events")
    assert "SamplingFrequency" in suffix_fields("physio")
