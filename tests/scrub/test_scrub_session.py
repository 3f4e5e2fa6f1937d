"""A whole session: nothing identifying comes along, nothing scientific stays behind."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sessions.converted import (
    METHOD,
    PLANTED,
    converted_session,
    defaced_session,
    nifti,
    write_image,
    write_scans,
)
from tree_digests import tree_digest

from bidsanon.deface.gate import says_defaced
from bidsanon.files import files_below
from bidsanon.findings import Severity, errors
from bidsanon.scrub import scrub_session
from bidsanon.session import (
    CodedConcept,
    DefacedSession,
    DefaceVerdict,
    DeidentifiedSeries,
    ScrubbedSession,
    SourceSeries,
)

T1W = "sub-01/ses-01/anat/sub-01_ses-01_T1w"
SCANS = "sub-01/ses-01/sub-01_ses-01_scans.tsv"
FULL_DATES = CodedConcept(value="113106", scheme="DCM", meaning="full dates")

Scrub = Callable[[DefacedSession], ScrubbedSession]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "heudiconv"
    root.mkdir()
    return root


@pytest.fixture
def scrub(tmp_path: Path) -> Scrub:
    def _scrub(defaced: DefacedSession) -> ScrubbedSession:
        into = tmp_path / "candidate"
        into.mkdir(exist_ok=True)
        return scrub_session(defaced, into=into, device_pseudonym=lambda _serial: "SCANNER")

    return _scrub


def _codes(scrubbed: ScrubbedSession) -> list[str]:
    return [found.code for found in scrubbed.findings if found.severity is not Severity.INFO]


def test_the_session_comes_out_with_its_files_and_no_others(tree: Path, scrub: Scrub) -> None:
    scrubbed = scrub(converted_session(tree))

    names = {p.relative_to(scrubbed.root).as_posix() for p in files_below(scrubbed.root)}
    came_in = {p.relative_to(tree).as_posix() for p in files_below(tree)}
    assert errors(scrubbed.findings) == ()
    assert came_in - names == {"sub-01/ses-01/func/sub-01_ses-01_task-rest_events.tsv"}
    assert names <= came_in


@pytest.mark.parametrize("value", PLANTED)
def test_no_planted_value_is_left_in_any_byte(tree: Path, scrub: Scrub, value: str) -> None:
    defaced = converted_session(tree)
    before = b"".join(p.read_bytes() for p in files_below(tree))
    before += b"".join(gzip.decompress(p.read_bytes()) for p in tree.rglob("*.gz"))

    scrubbed = scrub(defaced)

    after = b"".join(p.read_bytes() for p in files_below(scrubbed.root))
    after += b"".join(gzip.decompress(p.read_bytes()) for p in scrubbed.root.rglob("*.gz"))
    assert value.encode() in before
    assert value.encode() not in after


def test_what_describes_the_acquisition_is_kept(tree: Path, scrub: Scrub) -> None:
    scrubbed = scrub(converted_session(tree))

    sidecar = json.loads((scrubbed.root / f"{T1W}.json").read_text())
    assert sidecar["EchoTime"] == 0.03
    assert sidecar["ShimSetting"] == [1, -2, 3]
    assert sidecar["ProtocolName"] == "a_protocol"
    assert sidecar["DeviceSerialNumber"] == "SCANNER"
    assert scrubbed.removed_keys["StationName"] == 5


def test_images_that_were_defaced_say_so_and_others_do_not(tree: Path, scrub: Scrub) -> None:
    scrubbed = scrub(converted_session(tree))

    face = json.loads((scrubbed.root / f"{T1W}.json").read_text())
    bold = next(scrubbed.root.rglob("*_bold.json"))
    none = json.loads(bold.read_text())
    assert face["DeidentificationMethod"] == [
        METHOD,
        "Face removed by bidsanon 0.0.1 with a template",
    ]
    assert none["DeidentificationMethod"] == [METHOD]
    values = [code["CodeValue"] for code in face["DeidentificationMethodCodeSequence"]]
    assert values == ["113100", "113102"]
    assert [c["CodeValue"] for c in none["DeidentificationMethodCodeSequence"]] == ["113100"]


def test_a_face_that_was_kept_is_said_to_be_there_and_why(tree: Path, scrub: Scrub) -> None:
    converted = converted_session(tree)
    kept = tuple(
        replace(outcome, verdict=DefaceVerdict.KEPT, engine="", engine_version="", reason="consent")
        for outcome in converted.outcomes
    )
    scrubbed = scrub(replace(converted, outcomes=kept))

    sidecar = json.loads((scrubbed.root / f"{T1W}.json").read_text())
    assert sidecar["DeidentificationMethod"] == [METHOD, "Face not removed: consent"]
    assert [c["CodeValue"] for c in sidecar["DeidentificationMethodCodeSequence"]] == ["113100"]
    assert not says_defaced(scrubbed.root / f"{T1W}.json")


@pytest.mark.parametrize("verdict", [DefaceVerdict.NO_FACE, DefaceVerdict.ALREADY_DEFACED])
def test_an_image_without_a_face_says_why_there_is_none(
    tree: Path, scrub: Scrub, verdict: DefaceVerdict
) -> None:
    converted = converted_session(tree)
    outcomes = tuple(replace(o, verdict=verdict, reason="no head") for o in converted.outcomes)
    scrubbed = scrub(replace(converted, outcomes=outcomes))

    sidecar = json.loads((scrubbed.root / f"{T1W}.json").read_text())
    assert sidecar["DeidentificationMethod"] == [METHOD, "No face to remove: no head"]
    assert not says_defaced(scrubbed.root / f"{T1W}.json")


def test_a_defacemask_is_published_and_says_what_it_is(tree: Path, scrub: Scrub) -> None:
    converted = converted_session(tree)
    mask = T1W.replace("_T1w", "_mod-T1w_defacemask")
    write_image(tree / f"{mask}.nii.gz", nifti(), {})
    outcomes = tuple(
        replace(o, mask=f"{mask}.nii.gz") if o.path == f"{T1W}.nii.gz" else o
        for o in converted.outcomes
    )
    scrubbed = scrub(replace(converted, outcomes=outcomes))

    assert errors(scrubbed.findings) == ()
    (said,) = json.loads((scrubbed.root / f"{mask}.json").read_text())["DeidentificationMethod"]
    assert said == "0 where the face was removed by bidsanon 0.0.1 with a template"


def test_what_was_done_to_a_series_before_is_told_too(tree: Path, scrub: Scrub) -> None:
    defaced = converted_session(tree)
    codes = (CodedConcept(value="replace", scheme="mri_reface", meaning="Replace the face"),)
    series = DeidentifiedSeries(
        source=SourceSeries(
            index=1,
            series_instance_uid="",
            series_number=1,
            modality="MR",
            description="",
            study_date="",
            start="",
            instances=(),
        ),
        folder=tree,
        files=(),
        methods=("mri_reface 0.3.4", METHOD),
        method_codes=codes,
    )
    deidentified = replace(defaced.converted.deidentified, series=(series,))
    converted = replace(defaced.converted, deidentified=deidentified)
    scrubbed = scrub(replace(defaced, converted=converted))
    sidecar = json.loads(next(scrubbed.root.rglob("*_bold.json")).read_text())
    assert sidecar["DeidentificationMethod"] == ["mri_reface 0.3.4", METHOD]
    (code,) = sidecar["DeidentificationMethodCodeSequence"]
    assert code["CodeValue"] == "replace"


def test_the_times_are_told_from_noon_on(tree: Path, scrub: Scrub) -> None:
    scrubbed = scrub(converted_session(tree))

    lines = (scrubbed.root / SCANS).read_bytes().decode().split("\n")
    assert lines[0] == "filename\tacq_time"
    assert lines[1] == "anat/sub-01_ses-01_T1w.nii.gz\t1912-03-04T12:00:00.000000"
    assert lines[2].endswith("task-rest_bold.nii.gz\t1912-03-04T12:05:00.000000")
    assert lines[5] == "dwi/sub-01_ses-01_dwi.nii.gz\tn/a"


def test_the_same_session_gives_the_same_bytes(tree: Path, tmp_path: Path) -> None:
    defaced = converted_session(tree)
    digests = set()
    for threads in (1, 2):
        into = tmp_path / str(threads)
        into.mkdir()
        scrub_session(defaced, into=into, device_pseudonym=str.lower, threads=threads)
        digests.add(tree_digest(into))

    assert len(digests) == 1


def test_the_converted_session_stays_as_it_is(tree: Path, scrub: Scrub) -> None:
    defaced = converted_session(tree)
    before = tree_digest(tree)

    scrub(defaced)

    assert tree_digest(tree) == before


def test_a_session_without_a_label_and_without_scans(tree: Path, scrub: Scrub) -> None:
    write_image(tree / "sub-01/anat/sub-01_T1w.nii.gz", nifti(), {"EchoTime": 1})

    scrubbed = scrub(defaced_session(tree, ["sub-01/anat/sub-01_T1w.nii.gz"], session=None))

    assert errors(scrubbed.findings) == ()
    table = (scrubbed.root / "sub-01/sub-01_scans.tsv").read_text()
    assert table == "filename\tacq_time\nanat/sub-01_T1w.nii.gz\tn/a\n"


def test_what_was_withheld_is_nowhere(tree: Path, scrub: Scrub) -> None:
    converted_session(tree)
    (tree / f"{T1W}.nii.gz").unlink()
    kept = [p.relative_to(tree).as_posix() for p in sorted(tree.rglob("*.nii.gz"))]

    scrubbed = scrub(defaced_session(tree, kept, withheld=[f"{T1W}.nii.gz"]))

    assert errors(scrubbed.findings) == ()
    assert not list(scrubbed.root.rglob("*T1w*"))
    table = (scrubbed.root / SCANS).read_text()
    assert "T1w" not in table
    assert "task-rest_bold.nii.gz\t1912-03-04T12:00:00.000000" in table


@pytest.mark.parametrize(
    "name",
    [
        "sub-01/ses-01/anat/sub-01_ses-01_T1w.dicom.tgz",
        "sub-01/ses-01/anat/notes.txt",
        "sub-01/ses-01/anat/.hidden",
        "sub-01/ses-01/anat/sub-01_ses-01_T2w.json",
        "sub-01/ses-01/func/sub-01_ses-01_task-rest_physio.tsv.gz",
        "sub-01/ses-01/func/sub-01_ses-01_task-other_events.tsv",
    ],
)
def test_a_kind_of_file_that_is_not_known_stops_the_session(
    tree: Path, scrub: Scrub, name: str
) -> None:
    defaced = converted_session(tree)
    (tree / name).write_text("{}")

    scrubbed = scrub(defaced)

    assert _codes(scrubbed) == ["SCRUB_UNKNOWN_FILE"]
    assert errors(scrubbed.findings)[0].location == name
    assert not (scrubbed.root / name).exists()


def test_a_link_is_not_followed(tree: Path, scrub: Scrub, tmp_path: Path) -> None:
    defaced = converted_session(tree)
    outside = tmp_path / "outside.nii.gz"
    outside.write_bytes(gzip.compress(nifti()))
    (tree / "sub-01/ses-01/anat/sub-01_ses-01_run-2_T1w.nii.gz").symlink_to(outside)

    assert _codes(scrub(defaced)) == ["SCRUB_UNKNOWN_FILE"]


def test_a_sidecar_that_cannot_be_read_stops_the_session(tree: Path, scrub: Scrub) -> None:
    defaced = converted_session(tree)
    path = tree / f"{T1W}.json"
    path.chmod(0o644)
    path.write_text('{"EchoTime": nan}')

    assert _codes(scrub(defaced)) == ["SCRUB_BAD_SIDECAR"]


def test_a_damaged_image_stops_the_session(tree: Path, scrub: Scrub) -> None:
    defaced = converted_session(tree)
    path = tree / f"{T1W}.nii.gz"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-30])

    assert _codes(scrub(defaced)) == ["SCRUB_BAD_IMAGE"]


@pytest.mark.parametrize("name", ["dwi/sub-01_ses-01_dwi.bval", "dwi/sub-01_ses-01_dwi.bvec"])
def test_a_gradient_table_with_words_stops_the_session(tree: Path, scrub: Scrub, name: str) -> None:
    defaced = converted_session(tree)
    (tree / "sub-01/ses-01" / name).write_text("Mara Doe")

    assert _codes(scrub(defaced)) == ["SCRUB_BAD_TABLE"]


def test_texts_that_a_heuristic_wrote_are_cleaned_and_that_is_told(
    tree: Path, tmp_path: Path
) -> None:
    defaced = converted_session(tree)
    sidecar = tree / f"{T1W}.json"
    content = json.loads(sidecar.read_text()) | {"Instructions": "sit still, Mara"}
    sidecar.chmod(0o644)
    sidecar.write_text(json.dumps(content))

    scrubbed = scrub_session(
        defaced,
        into=tmp_path,
        device_pseudonym=str,
        clean=lambda text: text.replace(", Mara", ""),
    )

    assert json.loads((tmp_path / f"{T1W}.json").read_text())["Instructions"] == "sit still"
    (told,) = [found for found in scrubbed.findings if found.code == "SCRUB_TEXT_CLEANED"]
    assert told.location == f"{T1W}.json#/Instructions"
    assert "Mara" not in told.message


def test_a_value_of_the_wrong_shape_is_told_without_the_value(tree: Path, scrub: Scrub) -> None:
    defaced = converted_session(tree)
    path = tree / f"{T1W}.json"
    path.chmod(0o644)
    path.write_text(json.dumps({"EchoTime": "Doe^Mara"}))

    scrubbed = scrub(defaced)

    assert _codes(scrubbed) == ["SCRUB_MISFIT"]
    misfit = next(found for found in scrubbed.findings if found.code == "SCRUB_MISFIT")
    assert misfit.location == f"{T1W}.json#/EchoTime"
    assert "Mara" not in str(misfit)


def test_a_date_that_was_not_shifted_stops_the_session(tree: Path, scrub: Scrub) -> None:
    defaced = converted_session(tree)
    write_scans(tree / SCANS, {"anat/sub-01_ses-01_T1w.nii.gz": "2019-03-04T08:15:00"})

    assert _codes(scrub(defaced)) == ["SCRUB_DATE_NOT_SHIFTED"]


def test_a_profile_that_retains_full_dates_may_have_them(tree: Path, scrub: Scrub) -> None:
    converted_session(tree)
    write_scans(tree / SCANS, {"anat/sub-01_ses-01_T1w.nii.gz": "2019-03-04T08:15:00"})

    scrubbed = scrub(defaced_session(tree, [f"{T1W}.nii.gz"], codes=(FULL_DATES,)))

    assert _codes(scrubbed) == []
    assert "2019-03-04T12:00:00.000000" in (scrubbed.root / SCANS).read_text()


def test_a_scan_that_is_not_there_stops_the_session(tree: Path, scrub: Scrub) -> None:
    defaced = converted_session(tree)
    write_scans(tree / SCANS, {"anat/sub-01_ses-01_T2w.nii.gz": "n/a"})

    assert _codes(scrub(defaced)) == ["SCRUB_SCAN_MISSING"]


@pytest.mark.parametrize("content", [b"filename\n\ta\n", b"\xff\xfe", b""])
def test_a_scans_table_that_cannot_be_read_stops_the_session(
    tree: Path, scrub: Scrub, content: bytes
) -> None:
    defaced = converted_session(tree)
    (tree / SCANS).write_bytes(content)

    assert _codes(scrub(defaced)) == ["SCRUB_BAD_TABLE"]


def test_the_context_of_a_perfusion_series_comes_along(tree: Path, scrub: Scrub) -> None:
    asl = tree / "sub-01/ses-01/perf/sub-01_ses-01_asl.nii.gz"
    write_image(asl, nifti((4, 5, 6, 2)), {})
    context = asl.with_name("sub-01_ses-01_aslcontext.tsv")
    context.write_bytes(b"volume_type\tnote\r\nlabel\tMara\r\ncontrol\tDoe\r\n")

    scrubbed = scrub(defaced_session(tree, [asl.relative_to(tree).as_posix()]))

    published = scrubbed.root / context.relative_to(tree)
    assert published.read_bytes() == b"volume_type\nlabel\ncontrol\n"


def test_what_goes_from_sidecars_is_said_once_with_every_key(tree: Path, scrub: Scrub) -> None:
    scrubbed = scrub(converted_session(tree))
    (said,) = (found for found in scrubbed.findings if found.code == "SCRUB_KEYS_REMOVED")
    assert said.location == "sub-01/ses-01"
    assert said.message.startswith(f"{sum(scrubbed.removed_keys.values())} sidecar entries")
    assert said.message.endswith(", ".join(sorted(scrubbed.removed_keys)))


def test_an_image_that_loses_what_stood_beside_its_voxels_is_named(
    tree: Path, scrub: Scrub
) -> None:
    defaced = converted_session(tree)
    plain = tree / f"{T1W}.nii.gz"
    write_image(plain, nifti((4, 5, 6)), json.loads((tree / f"{T1W}.json").read_text()))
    said = {f.location for f in scrub(defaced).findings if f.code == "SCRUB_IMAGE_EXTRAS"}
    others = {image.path for image in defaced.converted.images} - {f"{T1W}.nii.gz"}
    assert said == others
