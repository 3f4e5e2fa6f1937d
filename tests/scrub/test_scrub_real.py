"""What dcm2niix says of real scanners' DICOM: every key is known, and every value kept fits."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bidsanon.bids.keys import key_rules
from bidsanon.external import DCM2NIIX, require_program, run_program
from bidsanon.scrub.sidecars import SidecarPolicy, scrub_sidecar

POLICY = SidecarPolicy(device_pseudonym=lambda _: "SCANNER", to_noon=lambda _: "12:00:00")
PLACES = {"InstitutionName", "InstitutionAddress", "StationName", "DeviceSerialNumber"}


@pytest.mark.parametrize(
    "name",
    [
        "ge-mr750-epi",
        "philips-dual-echo-bold",
        "philips-r53-enhanced-fmap",
        "siemens-ve11-dwi-head",
        "siemens-ve11-epi-mosaic",
        "siemens-ve11-fmap-gre",
        "siemens-ve11-pdt2-tse",
        "siemens-xa10-enhanced-bold",
    ],
)
def test_real_sidecars(shared_data: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    source = shared_data(name)
    command = [require_program(DCM2NIIX), "-b", "o", "-ba", "n", "-o", tmp_path, source]
    run_program(command, timeout_s=60)
    sidecars = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]

    assert sidecars
    for content in sidecars:
        scrubbed = scrub_sidecar(content, POLICY)
        published = json.dumps(scrubbed.content)
        assert content.keys() <= key_rules().keys()
        assert scrubbed.misfits == ()
        for key in PLACES & content.keys():
            assert f'"{content[key]}"' not in published
