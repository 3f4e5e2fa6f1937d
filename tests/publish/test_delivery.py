"""OUT is as it was, or complete; and nothing but what bidsanon put there is ever replaced."""

from __future__ import annotations

import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
from tree_digests import tree_digest

from bidsanon.errors import ConflictError, StorageError, UsageError
from bidsanon.publish import (
    Delivery,
    Packing,
    deliver,
    delivery_lock,
    packing_of_out,
    publishing_folder,
    require_place,
    settle_delivery,
)
from bidsanon.publish import delivery as module


def a_delivery(out: Path) -> Delivery:
    packing, stem = packing_of_out(out)
    return Delivery(out=out, packing=packing, record=out.with_name(f"{stem}.private") / "r.json")


def a_tree(folder: Path, text: str = "one") -> Path:
    (folder / "1.2" / "1.2.3").mkdir(parents=True)
    (folder / "1.2" / "1.2.3" / "1.2.3.4.dcm").write_text(text)
    (folder / "1.2" / "1.2.3" / "1.2.3.5.dcm").write_text(text * 3)
    return folder


def put(delivery: Delivery, tree: Path, *, overwrite: bool = False) -> None:
    with delivery_lock(delivery):
        deliver(delivery, tree, overwrite=overwrite)


@pytest.mark.parametrize("name", ["out.tar", "out.tar.xz", "OUT.RAR", "out.7z"])
def test_an_archive_of_another_kind_is_refused_and_does_not_become_a_folder(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="kind that is not written"):
        packing_of_out(tmp_path / name)
    (tmp_path / name).mkdir()
    assert packing_of_out(tmp_path / name) == (Packing.FOLDER, name)


@pytest.mark.parametrize(
    ("name", "packing", "stem"),
    [
        ("out", Packing.FOLDER, "out"),
        ("out.zip", Packing.ZIP, "out"),
        ("OUT.ZIP", Packing.ZIP, "OUT"),
        ("out.tar.gz", Packing.TAR_GZ, "out"),
        ("out.v2.tgz", Packing.TAR_GZ, "out.v2"),
        ("out.v2", Packing.FOLDER, "out.v2"),
    ],
)
def test_the_name_of_out_says_what_it_becomes(name: str, packing: Packing, stem: str) -> None:
    assert packing_of_out(Path(name)) == (packing, stem)


def test_an_archive_needs_a_name_before_its_suffix() -> None:
    with pytest.raises(UsageError):
        packing_of_out(Path("/data/.zip"))


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_appears_with_everything_in_it_and_nothing_beside_it(
    tmp_path: Path, exists: bool
) -> None:
    out = tmp_path / "data" / "out"
    if exists:
        out.mkdir(parents=True)
    put(a_delivery(out), a_tree(tmp_path / "new"))
    assert (out / "1.2/1.2.3/1.2.3.4.dcm").read_text() == "one"
    assert not publishing_folder(out).exists()


def test_what_is_delivered_can_be_read_by_others(tmp_path: Path) -> None:
    tree = a_tree(tmp_path / "new")
    tree.chmod(0o700)
    (tree / "1.2/1.2.3/1.2.3.4.dcm").chmod(0o600)
    out = tmp_path / "out"
    put(a_delivery(out), tree)
    assert out.stat().st_mode & 0o777 == 0o755
    assert (out / "1.2/1.2.3/1.2.3.4.dcm").stat().st_mode & 0o777 == 0o644


def test_archives_hold_all_and_neither_times_nor_owners(tmp_path: Path) -> None:
    for name in ("a.zip", "b.tar.gz"):
        put(a_delivery(tmp_path / name), a_tree(tmp_path / f"tree-of-{name}"))
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert packed.testzip() is None
        assert packed.read("deidentified/1.2/1.2.3/1.2.3.4.dcm") == b"one"
        assert {member.date_time for member in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    with tarfile.open(tmp_path / "b.tar.gz") as packed:
        members = packed.getmembers()
        assert [member.name for member in members] == sorted(member.name for member in members)
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
        content = packed.extractfile("deidentified/1.2/1.2.3/1.2.3.5.dcm")
        assert content is not None
        assert content.read() == b"oneoneone"


@pytest.mark.parametrize("name", ["a.zip", "a.tgz"])
def test_an_archive_is_the_same_bytes_whenever_and_however_it_was_made(
    tmp_path: Path, name: str
) -> None:
    first, second = tmp_path / "x" / name, tmp_path / "y" / name
    put(a_delivery(first), a_tree(tmp_path / "one"))
    other = a_tree(tmp_path / "two")
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    with delivery_lock(a_delivery(second)):
        deliver(a_delivery(second), other, overwrite=False, jobs=3)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_what_stands_there_is_not_replaced_unasked(tmp_path: Path, name: str) -> None:
    delivery = a_delivery(tmp_path / name)
    put(delivery, a_tree(tmp_path / "a"))
    before = tree_digest(tmp_path)
    with pytest.raises(ConflictError) as error:
        put(delivery, a_tree(tmp_path / "b"))
    assert "--overwrite" in error.value.cure
    remove(tmp_path / "b")
    assert tree_digest(tmp_path) == before


def remove(folder: Path) -> None:
    module.remove_tree(folder)


@pytest.mark.parametrize("name", ["out", "out.zip", "out.tgz"])
def test_what_an_earlier_run_put_there_is_replaced_on_request(tmp_path: Path, name: str) -> None:
    delivery = a_delivery(tmp_path / name)
    put(delivery, a_tree(tmp_path / "a"))
    put(delivery, a_tree(tmp_path / "b", "two"), overwrite=True)
    put(delivery, a_tree(tmp_path / "c", "three"), overwrite=True)
    other = a_delivery(tmp_path / "other" / name)
    put(other, a_tree(tmp_path / "d", "three"))
    assert tree_digest(delivery.out) == tree_digest(other.out)
    if delivery.out.is_file():
        assert delivery.out.read_bytes() == other.out.read_bytes()
    assert not publishing_folder(delivery.out).exists()


def add_a_file(out: Path) -> None:
    (out / "thesis.txt").write_text("mine")


def add_an_empty_folder(out: Path) -> None:
    (out / "1.2" / "mine").mkdir()


def change_a_file(out: Path) -> None:
    path = out / "1.2/1.2.3/1.2.3.4.dcm"
    path.write_text("two")
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1))


def link_elsewhere(out: Path) -> None:
    (out / "link").symlink_to("/etc")


def remove_a_file(out: Path) -> None:
    (out / "1.2/1.2.3/1.2.3.4.dcm").unlink()


@pytest.mark.parametrize(
    "change", [add_a_file, add_an_empty_folder, change_a_file, link_elsewhere, remove_a_file]
)
def test_what_is_somebodys_own_is_never_replaced(tmp_path: Path, change) -> None:  # noqa: ANN001 - one of the above
    delivery = a_delivery(tmp_path / "out")
    put(delivery, a_tree(tmp_path / "a"))
    change(delivery.out)
    before = tree_digest(delivery.out)
    with pytest.raises(ConflictError, match="did not put there"):
        put(delivery, a_tree(tmp_path / "b"), overwrite=True)
    assert tree_digest(delivery.out) == before


def test_a_folder_that_bidsanon_never_made_is_never_replaced(tmp_path: Path) -> None:
    out = a_tree(tmp_path / "out")
    with pytest.raises(ConflictError):
        put(a_delivery(out), a_tree(tmp_path / "b"), overwrite=True)
    assert (out / "1.2/1.2.3/1.2.3.4.dcm").read_text() == "one"


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_a_file_for_a_folder_and_the_other_way_round_are_refused(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    if name == "out":
        out.write_text("mine")
    else:
        out.mkdir()
    with pytest.raises(UsageError):
        require_place(a_delivery(out), overwrite=True)


def test_whoever_comes_second_is_told_at_once(tmp_path: Path) -> None:
    delivery = a_delivery(tmp_path / "out")
    with delivery_lock(delivery), pytest.raises(ConflictError), delivery_lock(delivery):
        pytest.fail("two held it")
    with delivery_lock(delivery):
        pass


class Crash(BaseException):
    """Stands for a power cut: nothing after it runs."""


def crash_at(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let the process die before its n-th change on the disk."""
    count = 0

    def dying(original):  # noqa: ANN001, ANN202 - wraps methods of pathlib
        def step(self: Path, *arguments: object) -> object:
            nonlocal count
            count += 1
            if count == number:
                raise Crash
            return original(self, *arguments)

        return step

    monkeypatch.setattr(Path, "rename", dying(Path.rename))
    monkeypatch.setattr(Path, "replace", dying(Path.replace))
    monkeypatch.setattr(module.shutil, "move", lambda a, b: Path(a).rename(b))
    monkeypatch.setattr(module, "remove_tree", lambda _: None)  # the dead clean up nothing


@pytest.mark.parametrize("name", ["out", "out.zip"])
@pytest.mark.parametrize("moment", range(1, 8))
def test_a_crash_at_any_moment_leaves_out_as_it_was_or_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int, name: str
) -> None:
    delivery = a_delivery(tmp_path / name)
    put(delivery, a_tree(tmp_path / "a"))
    before = digest(delivery.out)
    other = a_delivery(tmp_path / "other" / name)
    put(other, a_tree(tmp_path / "b", "two"))
    after = digest(other.out)
    tree = a_tree(tmp_path / "c", "two")
    with monkeypatch.context() as context:
        crash_at(context, moment)
        try:
            put(delivery, tree, overwrite=True)
        except Crash:
            pass
        else:
            assert moment > 3, "the crash did not strike"
    with delivery_lock(delivery):
        settle_delivery(delivery)
    assert digest(delivery.out) in {before, after}
    assert not publishing_folder(delivery.out).exists()
    put(delivery, a_tree(tmp_path / "d", "three"), overwrite=True)


def digest(out: Path) -> str:
    return out.read_bytes().hex() if out.is_file() else tree_digest(out)


def test_a_change_that_was_decided_spares_what_somebody_put_there_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = a_delivery(tmp_path / "out")
    with monkeypatch.context() as context:
        context.setattr(module, "settle_delivery", lambda _: None)
        put(delivery, a_tree(tmp_path / "new"))
    assert not delivery.out.exists()
    add_a_file(a_tree(delivery.out, "mine"))
    before = tree_digest(delivery.out)
    with delivery_lock(delivery):
        settle_delivery(delivery)
    assert tree_digest(delivery.out) == before


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(module, "pack_zip", full)
    delivery = a_delivery(tmp_path / "out.zip")
    with pytest.raises(OSError, match="No space"):
        put(delivery, a_tree(tmp_path / "a"))
    assert not delivery.out.exists()
    assert not publishing_folder(delivery.out).exists()


def test_a_copy_to_another_disk_that_fails_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise shutil.Error([("a", "b", "[Errno 28] No space left on device")])

    monkeypatch.setattr(module.shutil, "move", fail)
    with pytest.raises(StorageError, match="OUT"):
        put(a_delivery(tmp_path / "out"), a_tree(tmp_path / "tree"))
    assert not (tmp_path / "out").exists()
