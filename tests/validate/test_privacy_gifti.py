"""Who wrote a GIFTI surface, where and when, stands in its metadata."""

from __future__ import annotations

from pathlib import Path

import pytest
from privacy_trees import findings_of, raw_dataset, write

from bidsanon.validate.privacy import check_privacy

SURFACE = "derivatives/a/sub-01/anat/sub-01_hemi-L_pial.surf.gii"


def surface(*, behind: int = 0, plain: bool = False, **said: str) -> str:
    """Return a surface with metadata; `behind` so many bytes of data."""
    form = "{}" if plain else "<![CDATA[{}]]>"
    entries = "\n".join(
        f"<MD>\n  <Name>{form.format(key)}</Name>\n  <Value>{form.format(value)}</Value>\n</MD>"
        for key, value in said.items()
    )
    data = f"<DataArray><Data>{'A' * behind}</Data></DataArray>" if behind else ""
    return f'<?xml version="1.0"?>\n<GIFTI>{data}<MetaData>{entries}</MetaData></GIFTI>\n'


def told(root: Path, content: str) -> dict[str, list[str]]:
    raw_dataset(root, whole=False)
    write(root, SURFACE, content)
    found = findings_of(check_privacy(root))
    return {code: places for code, places in found.items() if SURFACE in str(places)}


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("behind", [0, (1 << 20) - 100])
@pytest.mark.parametrize(
    ("code", "key", "value"),
    [
        ("PRIVACY_PLACE_KEY", "UserName", "quillfeather"),
        ("PRIVACY_DATE", "Date", "2021-03-12"),
        ("PRIVACY_DATE", "Date", "Fri Mar 12 10:11:12 2021"),
        ("PRIVACY_DATE", "Date", "Fri Mar  5 10:11:12 CET 2021"),
        ("PRIVACY_IDENTIFYING_KEY", "PatientName", "Quillfeather"),
    ],
)
def test_metadata_that_tell_of_people_are_found(
    tmp_path: Path, code: str, key: str, value: str, behind: int, *, plain: bool
) -> None:
    found = told(tmp_path, surface(behind=behind, plain=plain, **{key: value}))
    assert found == {code: [f"{SURFACE}#/{key}"]}


def test_metadata_of_a_surface_alone_have_nothing_said_of_them(tmp_path: Path) -> None:
    said = {"AnatomicalStructurePrimary": "CortexLeft", "Name": "lh.pial", "UniqueID": "{1-2}"}
    assert told(tmp_path, surface(**said)) == {}
