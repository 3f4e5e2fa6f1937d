"""Surfaces and volumes of other programs lose who made them and where, and no data."""

from __future__ import annotations

import gzip
import io
import re
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidsanon.bids.gifti import GiftiError, read_gifti
from bidsanon.bids.mgh import MghError, read_mgh
from bidsanon.deidentify.descriptors import clean_descriptor
from bidsanon.scrub.columns import TablePolicy
from bidsanon.scrub.stored_surfaces import scrub_stored_gifti
from bidsanon.scrub.stored_volumes import scrub_stored_mgh

POLICY = TablePolicy(
    device_pseudonym=str,
    clean=lambda text: clean_descriptor(text, frozenset()).text,
    without_known=lambda text: text.replace("Quillfeather", ""),
)
OF_NIBABEL = Path(nib.__file__).parent
REAL = sorted((OF_NIBABEL / "gifti/tests/data").glob("*.gii"))
ARRAYS = re.compile(rb"<Data>.*?</Data>", re.DOTALL)
DATE = "Fri Mar 12 10:11:12 2021"


def gifti(**said: str) -> bytes:
    points = nib.gifti.GiftiDataArray(
        np.arange(12, dtype=np.float32).reshape(4, 3),
        intent="NIFTI_INTENT_POINTSET",
        meta=nib.gifti.GiftiMetaData(said),
    )
    image = nib.gifti.GiftiImage(darrays=[points], meta=nib.gifti.GiftiMetaData(said))
    return bytes(image.to_bytes())


def scrubbed(folder: Path, content: bytes) -> tuple[tuple[str, ...], bytes]:
    source, target = folder / "x.surf.gii", folder / "target"
    source.write_bytes(content)
    words = scrub_stored_gifti(source, target, POLICY)
    assert scrub_stored_gifti(source, None, POLICY) == words
    return words, target.read_bytes() if words else content


def meta(content: bytes) -> dict[str, str]:
    return {e.key: e.value for e in read_gifti(io.BytesIO(content)).entries}


def test_metadata_lose_who_where_and_when(tmp_path: Path) -> None:
    content = gifti(
        UserName="quillfeather",
        Date=DATE,
        WorkingDirectory="/home/quillfeather/x",
        AnatomicalStructurePrimary="CortexLeft",
        Name="/data/Quillfeather/surf/lh.pial",
        Unheard="1",
    )
    words, written = scrubbed(tmp_path, content)
    assert words == ("8 metadata of who, where and when removed", "2 text(s) of metadata cleaned")
    assert meta(written) == {"AnatomicalStructurePrimary": "CortexLeft", "Name": "lh.pial"}
    assert b"uill" not in written
    assert ARRAYS.findall(written) == ARRAYS.findall(content)
    image = nib.gifti.GiftiImage.from_bytes(written)
    assert np.array_equal(image.darrays[0].data, np.arange(12).reshape(4, 3))
    assert scrubbed(tmp_path, written) == ((), written)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_surfaces_of_programs_keep_all_their_data(tmp_path: Path, path: Path) -> None:
    content = path.read_bytes()
    _, written = scrubbed(tmp_path, content)
    assert ARRAYS.findall(written) == ARRAYS.findall(content)
    kept = meta(written).items()
    assert kept <= meta(content).items()
    assert not {"username", "date"} & {key.lower() for key, _ in kept}


def test_comments_and_instructions_go_wherever_they_stand(tmp_path: Path) -> None:
    content = gifti().replace(
        b"<DataArray", b"<!-- by \xc3\xa4 > -- Quill? --><?who me?><DataArray", 1
    )
    assert b"Quill" in content.replace(b" -- Quill?", b" Quill?")
    words, written = scrubbed(tmp_path, content.replace(b" -- Quill?", b" Quill?"))
    assert words == ("2 comment(s) removed",)
    assert written == gifti()


def test_other_characters_stay_what_they_are(tmp_path: Path) -> None:
    content = gifti(Name="surface <a> & \N{LATIN SMALL LETTER O WITH DIAERESIS} of Quillfeather")
    _, written = scrubbed(tmp_path, content)
    assert meta(written)["Name"] == "surface <a> & \N{LATIN SMALL LETTER O WITH DIAERESIS} of"


@pytest.mark.parametrize(
    "content",
    [
        b"<GIFTI><MetaData>",
        b"<svg/>",
        b"no XML",
        b'<!DOCTYPE GIFTI [<!ENTITY a "b">]><GIFTI>&a;</GIFTI>',
        "<?xml version='1.0' encoding='utf-16'?><GIFTI/>".encode("utf-16"),
        b"<GIFTI>" * 100 + b"</GIFTI>" * 100,
        b"<GIFTI><Label>of Quillfeather</Label></GIFTI>",
        b'<GIFTI><DataArray ExternalFileName="/home/quillfeather/a.dat"/></GIFTI>',
        gifti() + b"<!-- more --> text",
    ],
)
def test_what_is_not_understood_or_has_to_stay_is_not_cleaned(
    tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(GiftiError):
        scrubbed(tmp_path, content)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(gifti(Name="a", Date=DATE)) - 1), other=st.binary(max_size=3))
def test_a_damaged_surface_is_read_or_refused(place: int, other: bytes) -> None:
    content = gifti(Name="a", Date=DATE)
    try:
        facts = read_gifti(io.BytesIO(content[:place] + other + content[place + 3 :]))
    except GiftiError:
        return
    assert all(entry.whole.begin < entry.whole.end for entry in facts.entries)


def tag(number: int, content: bytes, form: str = ">iq") -> bytes:
    return struct.pack(form, number, len(content)) + content


COMMAND = tag(3, b"mri_convert /home/quillfeather/a.dcm b.mgz\0")


def volume(*tags: bytes) -> bytes:
    made = io.BytesIO()
    image = nib.MGHImage(np.arange(27, dtype=np.int16).reshape(3, 3, 3), np.eye(4))
    image.to_file_map({"image": nib.FileHolder(fileobj=made)})
    return made.getvalue() + b"".join(tags)


def scrubbed_volume(
    folder: Path, content: bytes, name: str = "x.mgh"
) -> tuple[tuple[str, ...], bytes]:
    source, target = folder / name, folder / "target"
    source.write_bytes(content)
    words = scrub_stored_mgh(source, target, POLICY)
    assert scrub_stored_mgh(source, None, POLICY) == words
    return words, target.read_bytes() if words else content


def test_commands_and_paths_go_and_everything_else_stays(tmp_path: Path) -> None:
    path = tag(31, b"/home/quillfeather/mri/talairach.xfm\0")
    content = volume(tag(41, b"ROW\0"), path, COMMAND, COMMAND, tag(43, bytes(8)))
    words, written = scrubbed_volume(tmp_path, content)
    assert words == ("2 a command line emptied", "1 the path of a transform emptied")
    assert len(written) == len(content)
    changed = [n for n in range(len(content)) if written[n] != content[n]]
    assert min(changed) >= len(volume(tag(41, b"ROW\0")))
    assert b"quill" not in written
    assert b"ROW" in written
    assert scrubbed_volume(tmp_path, written) == ((), written)


def test_a_compressed_volume_has_the_same_voxels(tmp_path: Path) -> None:
    (tmp_path / "named.mgz").write_bytes(gzip.compress(volume(COMMAND), mtime=99))
    words, written = scrubbed_volume(tmp_path, (tmp_path / "named.mgz").read_bytes(), "x.mgz")
    assert len(words) == 2
    (tmp_path / "y.mgz").write_bytes(written)
    image = nib.load(tmp_path / "y.mgz")
    assert np.array_equal(np.asarray(image.dataobj), np.arange(27).reshape(3, 3, 3))
    assert gzip.decompress(written) == volume(COMMAND).replace(
        COMMAND[12:], bytes(len(COMMAND) - 12)
    )


def test_a_volume_that_tells_nothing_is_left_alone(tmp_path: Path) -> None:
    content = (OF_NIBABEL / "tests/data/test.mgz").read_bytes()
    whole = gzip.decompress(content)
    assert scrubbed_volume(tmp_path, whole) == ((), whole)
    assert scrubbed_volume(tmp_path, b"") == ((), b"")


@pytest.mark.parametrize(
    "content",
    [
        volume(tag(5, b"/home/quillfeather/lut.txt\0")),
        volume(tag(1, b"", ">ii"), b"/home/quillfeather/lut.txt"),
        volume(tag(0, b"", ">ii"), b"of Quillfeather"),
        volume(COMMAND[:-9]),
        volume(struct.pack(">iq", 3, -4), bytes(9)),
        volume()[:300],
        volume()[:99],
        b"\0\0\0\2" + volume()[4:],
        volume()[:100] + b"of Quillfeather" + volume()[115:],
    ],
)
def test_volumes_that_cannot_be_cleaned_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(MghError):
        scrubbed_volume(tmp_path, content)


def test_damaged_compression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MghError):
        scrubbed_volume(tmp_path, gzip.compress(volume(COMMAND))[:-30], "x.mgz")


def test_volume_without_end_takes_no_memory() -> None:
    with pytest.raises(MghError):
        read_mgh(io.BytesIO(volume() + bytes((1 << 26) + 99)))
