"""The text reader: there where it is installed whole, and nothing is fetched where it is not."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from bidsanon import ocr
from bidsanon.cli.doctor import installed_parts


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *, models: tuple[str, ...]) -> None:
    """Pretend that rapidocr is installed with these models, and onnxruntime too."""
    (folder / "models").mkdir()
    for model in models:
        (folder / "models" / model).touch()
    package = ModuleSpec("rapidocr", None, is_package=True)
    package.submodule_search_locations = [str(folder)]
    specs = {"rapidocr": package, "onnxruntime": ModuleSpec("onnxruntime", None)}
    monkeypatch.setattr(ocr, "find_spec", specs.get)
    monkeypatch.setattr(ocr, "version", lambda name: f"{name} 3.10.0".split()[1])


def test_without_the_package_there_is_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "find_spec", {}.get)
    assert ocr.text_reader(threads=1) is None
    assert ocr.reader_version() is None


@pytest.mark.parametrize("models", [(), ("PP-OCRv6_det_small.onnx",), ("PP-OCRv6_rec_small.onnx",)])
def test_without_its_models_it_counts_as_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: tuple[str, ...]
) -> None:
    install(tmp_path, monkeypatch, models=models)
    assert ocr.text_reader(threads=1) is None
    assert ocr.reader_version() is None


def test_without_its_engine_it_counts_as_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, models=("a_det_b.onnx", "a_rec_b.onnx"))
    whole = ocr.find_spec
    monkeypatch.setattr(ocr, "find_spec", lambda name: whole(name) if name != ocr.ENGINE else None)
    assert ocr.text_reader(threads=1) is None


def test_doctor_names_it_and_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, models=("a_det_b.onnx", "a_rec_b.onnx"))
    (part,) = (part for part in installed_parts() if part.name == ocr.PACKAGE)
    assert (part.version, part.needed) == ("3.10.0", False)
    assert "bidsanon[ocr]" in part.install
