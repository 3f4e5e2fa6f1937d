"""Times ``bidsanon scrub`` against reading and decompressing alone. See README.md beside this."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from measuring import Cost, measure
from residue import (
    HEAD,
    MEMORY_TARGET_MB,
    TARGET,
    make_files,
    make_images,
    read_all,
    rows,
    usual_arguments,
)

_LEVEL = 6
_DESCRIP = slice(148, 228)
_TOLD = b"TE=30;Time=081500.000;phase=1"
_WHEN = 1_500_000_000
_IDENTIFYING = {
    "PatientName": "Quillfeather^Mara",
    "InstitutionName": "St Aldwyn Infirmary",
    "DeviceSerialNumber": "999217",
    "AcquisitionTime": "08:15:00.000000",
    "global": {"const": {"AccessionNumber": "4512998177"}},
}


def main() -> None:
    """Make the sets, run the programs in turns, and print what they took."""
    arguments = usual_arguments(__doc__).parse_args()
    if arguments.read:
        read_all(arguments.read, jobs=arguments.jobs)
        return
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        images = soil(make_images(Path(folder) / "images", gigabytes=arguments.gigabytes))
        files = soil(make_files(Path(folder) / "files", count=arguments.files))
        print(HEAD)
        for name, root in (("images", images), ("files", files)):
            for line in _compare(name, root, arguments):
                print(line, flush=True)
            shutil.rmtree(root)
    print(
        f"\nMedians of {arguments.repeat} runs, in turns, with --jobs {arguments.jobs}. Targets: "
        f"within {TARGET} times of reading the images, below {MEMORY_TARGET_MB} MB."
    )


def soil(root: Path) -> Path:
    """Let every header, sidecar and table of scans of a dataset tell what they should not."""
    images: dict[bytes, bytes] = {}
    for path in sorted(root.rglob("*.nii.gz")):
        packed = path.read_bytes()
        begin = packed[:4096]
        if begin not in images:
            images[begin] = _soiled(packed)
        path.write_bytes(images[begin])
    for path in sorted(root.rglob("sub-*.json")):
        path.write_text(json.dumps(json.loads(path.read_text()) | _IDENTIFYING, indent=2))
    for path in sorted(root.rglob("*_scans.tsv")):
        path.write_text(path.read_text().replace("1915-03-02T12:00:00", "2023-05-17T08:15:00"))
    return root


def _soiled(packed: bytes) -> bytes:
    content = bytearray(gzip.decompress(packed))
    content[_DESCRIP] = _TOLD.ljust(80, b"\0")
    stream = io.BytesIO()
    with gzip.GzipFile("quillfeather.nii", "wb", _LEVEL, stream, mtime=_WHEN) as written:
        written.write(content)
    return stream.getvalue()


def _compare(name: str, root: Path, arguments: argparse.Namespace) -> Iterator[str]:
    """Yield the rows of one set."""
    copy = root.with_name(f"{root.name}-scrubbed")
    scrub: list[str | Path] = [
        sys.executable,
        "-m",
        "bidsanon",
        "scrub",
        copy,
        "--jobs",
        str(arguments.jobs),
    ]
    programs: dict[str, tuple[Callable[[], object], list[str | Path]]] = {
        "reading and decompressing": (
            lambda: None,
            [sys.executable, __file__, "--jobs", str(arguments.jobs), "--read", root],
        ),
        "scrub --dry-run": (lambda: _renew(root, copy), [*scrub, "--dry-run"]),
        "scrub": (lambda: None, scrub),
        "scrub again": (lambda: None, scrub),
    }
    costs: dict[str, list[Cost]] = {program: [] for program in programs}
    for _ in range(arguments.repeat):
        for program, (prepare, command) in programs.items():
            prepare()
            costs[program].append(measure(command, log=root.with_name("log")))
    shutil.rmtree(copy)
    yield from rows(name, costs, size=read_all(root, jobs=arguments.jobs))


def _renew(root: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy)


if __name__ == "__main__":
    main()
