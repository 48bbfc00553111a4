"""Code and links in README, guides and docstrings: all code is run, and all links are checked."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import json
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import napari_ferry
from napari_ferry.cli import main
from napari_ferry.image.record import parse_description
from page_links import LINK, REPOSITORY, ROOT, anchors, links_of, local_target

PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINKED = [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
MODULES = sorted(
    info.name for info in pkgutil.walk_packages(napari_ferry.__path__, "napari_ferry.")
)


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    return [code for kind, code in BLOCK.findall(page.read_text("utf-8")) if kind == language]


@contextlib.contextmanager
def servers(page: Path) -> Iterator[None]:
    """Run the programs of Dask that a page starts, while its other code runs."""
    with contextlib.ExitStack() as undo:
        for block in blocks(page, "console"):
            for program, arguments in re.findall(r"^\$ dask (\w+) (.*)$", block, re.MULTILINE):
                command = [sys.executable, "-m", f"distributed.cli.dask_{program}"]
                process = subprocess.Popen(
                    [*command, *shlex.split(arguments)],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
                undo.callback(process.wait)
                undo.callback(process.terminate)
        yield


@pytest.mark.sample(5)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_of_pages_runs(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    with servers(page):
        for code in blocks(page, "python"):
            exec(compile(code, page.name, "exec"), names)
        for block in blocks(page, "console"):
            for line in re.findall(r"^\$ napari-ferry (.*?)(?:  #.*)?$", block, re.MULTILINE):
                assert main(shlex.split(line)) == 0, capsys.readouterr().err


def test_json_of_formats_is_what_we_read():
    (record,) = map(json.loads, blocks(ROOT / "docs/byte-layout.md", "json"))
    (sidecar,) = map(json.loads, blocks(ROOT / "docs/formats/raw.md", "json"))
    assert parse_description(record).axes[0].unit == "second"
    assert list(sidecar) == ["frames", "y", "x", "dtype"]


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_links_and_pictures_are_there(page):
    for target, anchor in links_of(page):
        assert target.exists()
        assert not anchor or anchor in anchors(target), f"{target.name}#{anchor}"


def test_links_of_the_readme_work_on_any_page():
    """The README is also the long description of the package, shown outside of the repository."""
    links = LINK.findall((ROOT / "README.md").read_text("utf-8"))
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


def test_links_of_the_package_are_those_of_the_repository():
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]
    assert {"Homepage", "Documentation", "Source", "Issues", "Changelog"} == urls.keys()
    for url in urls.values():
        assert url.startswith(REPOSITORY)
        target = local_target(ROOT / "README.md", url)
        assert target is None or target.exists(), url


@pytest.mark.sample(150)
@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failures, _ = doctest.testmod(importlib.import_module(name), verbose=False)
    assert failures == 0
