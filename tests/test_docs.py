"""Whatever a reader is shown is run: README, guides, docstrings."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import re
import shlex
from pathlib import Path

import pytest

import napari_ferry
from napari_ferry.cli import main
from napari_ferry.image.record import parse_description

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MODULES = sorted(
    info.name for info in pkgutil.walk_packages(napari_ferry.__path__, "napari_ferry.")
)


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    return [code for kind, code in BLOCK.findall(page.read_text("utf-8")) if kind == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_of_pages_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code in blocks(page, "python"):
        exec(compile(code, page.name, "exec"), names)
    for block in blocks(page, "console"):
        for line in re.findall(r"^\$ napari-ferry (.*?)(?:  #.*)?$", block, re.MULTILINE):
            assert main(shlex.split(line)) == 0, capsys.readouterr().err


def test_json_of_formats_is_what_we_read():
    record, sidecar = (json.loads(code) for code in blocks(ROOT / "docs/formats.md", "json"))
    assert parse_description(record).axes[0].unit == "second"
    assert list(sidecar) == ["frames", "y", "x", "dtype"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_run(name):
    failures, _ = doctest.testmod(importlib.import_module(name), verbose=False)
    assert failures == 0
