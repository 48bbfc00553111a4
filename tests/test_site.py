"""The site: every page is in its navigation, and the references leave nothing out."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import napari_ferry
from napari_ferry.cli import make_parser
from napari_ferry.cli.formats import format_flags
from napari_ferry.io.search import codecs, find_codec
from page_links import ROOT, anchors, links_of

DOCS = ROOT / "docs"
SOURCE = Path(napari_ferry.__file__).parent
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.MULTILINE | re.DOTALL)


def contents_of(page: Path) -> list[Path]:
    """Return the pages that a page lists in the navigation."""
    lines = [line for text in TOCTREE.findall(page.read_text("utf-8")) for line in text.split("\n")]
    names = [re.sub(r".*<(.*)>$", r"\1", line) for line in lines if line and line[0] != ":"]
    return [DOCS / f"{name}.md" for name in names]


@pytest.mark.slow  # and what `make docs` does
def test_the_site_is_built_without_a_warning(tmp_path: Path):
    pytest.importorskip("sphinx", reason="Sphinx is not installed: it is in the group docs")
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    folders = [str(DOCS), str(tmp_path / "site"), "--doctree-dir", str(tmp_path / "doctrees")]
    environment = os.environ | {"PYTHONPATH": str(SOURCE.parent)}
    done = subprocess.run(
        [*command, *folders], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    pages = [*(tmp_path / "site").glob("**/*.html")]
    assert pages
    outside = re.compile(r'<(?:script|link|img)\b[^>]* (?:src|href)="(?:https?:)?//')
    assert [page.name for page in pages if outside.search(page.read_text("utf-8"))] == []


def test_every_page_is_once_in_the_navigation():
    pages = [*DOCS.glob("**/*.md")]
    listed = [each for page in pages for each in contents_of(page)]
    assert sorted([DOCS / "index.md", *listed]) == sorted(pages)


def load(path: Path) -> ModuleType:
    """Return a module of the site, which is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_of_the_command_line_has_every_command_and_option():
    module = load(DOCS / "extensions" / "command_line.py")
    assert module.MARK in (DOCS / "options.md").read_text("utf-8")
    text = module.describe_commands()
    _, commands = make_parser(None)
    for name, command in commands.items():
        section = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)[1]
        flags = {flag for action in command._actions for flag in action.option_strings}
        assert [flag for flag in flags - {"-h", "--help"} if f"`{flag}" not in section] == []
    assert [flag for flag in format_flags() if f"`{flag}" not in text] == []


kept_table = load(DOCS / "kept_table.py")


def read_table(text: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the mark and the notes of each feature in each format, as the page has them."""
    notes = dict(re.findall(r"^(\d+)\. (.*)$", text, re.MULTILINE))
    lines = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|")]
    suffixes, rows = [cell.strip(" `") for cell in lines[0][1:]], lines[2:]
    columns: dict[str, dict[str, tuple[str, ...]]] = {suffix: {} for suffix in suffixes}
    for feature, *cells in rows:
        for suffix, cell in zip(suffixes, cells, strict=True):
            mark, *numbers = cell.replace(",", " ").split()
            columns[suffix][feature.strip()] = (mark, *(notes[number] for number in numbers))
    return columns


def test_the_table_of_what_is_kept_has_every_format():
    known = {find_codec(Path(f"cells{suffix}")) for suffix in kept_table.FORMATS}
    assert known == {codec for codec in codecs() if codec.SUFFIXES}


@pytest.mark.parametrize("suffix", kept_table.FORMATS)
def test_the_table_of_what_is_kept_is_true(suffix: str):
    page = kept_table.PAGE.read_text("utf-8")
    table = page.partition(kept_table.BEGIN)[2].partition(kept_table.END)[0]
    written = {name: {*cell} for name, cell in read_table(table)[suffix].items()}
    column = kept_table.make_column(suffix)
    assert written == {name: {cell.mark, *cell.notes} for name, cell in column.items()}, (
        "docs/kept.md is not up to date: run make docs"
    )


def sentences_of(tree: ast.Module) -> Iterator[str]:
    """Return all texts in a module; in place of each value that is filled in, there is a NUL."""
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values):
                yield "".join(v.value if isinstance(v, ast.Constant) else "\0" for v in values)
            case ast.Constant(value=str(text)):
                yield text


def test_the_messages_of_the_questions_are_those_of_the_code():
    quoted = re.findall(r'^### "(.*)"$', (DOCS / "faq.md").read_text("utf-8"), re.MULTILINE)
    assert len(quoted) >= 25
    trees = (ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py"))
    said = {text for tree in trees for text in sentences_of(tree)}
    patterns = {text: ".*".join(map(re.escape, re.split(r"\s*…\s*", text))) for text in quoted}
    missing = [text for text in quoted if not any(map(re.compile(patterns[text]).search, said))]
    assert missing == []


def test_every_picture_is_made_by_the_script_and_used():
    script = (DOCS / "make_pictures.py").read_text("utf-8")
    pages = [ROOT / "README.md", *DOCS.glob("**/*.md")]
    used = {target for page in pages for target, _ in links_of(page)}
    pictures = {path for kind in ("png", "gif") for path in (DOCS / "pictures").glob(f"*.{kind}")}
    for path in pictures:
        light = path.with_stem(path.stem.removesuffix("-dark"))
        assert light in used
        assert f'"{light.stem}' in script


QUESTIONS = {
    "which formats are there": ("README.md", "docs/formats.md"),
    "what gets lost": ("docs/kept.md", "docs/faq.md#what-gets-lost-when-i-save"),
    "how to cap a size": ("docs/size-cap.md",),
    "how to repair a raw file": ("docs/repair.md",),
    "how to make a movie at 30 frames per second in real time": (
        "docs/movie-for-a-talk.md#30-frames-per-second-in-real-time",
    ),
    "how to save from a script with progress": ("docs/notebook.md#save-with-progress-and-stop",),
    "how to convert 300 files": ("docs/command-line.md#many-files",),
    "does it open in Fiji": ("docs/programs.md#tiff",),
    "what is safe when it crashes": ("docs/design.md#why-files-are-written-beside-their-place",),
    "how to add a format": ("CONTRIBUTING.md#how-to-add-a-format",),
}
"""What a stranger asks, and where it is answered."""


def clicks_from_the_readme() -> dict[Path, int]:
    """Return the pages that can be reached with at most two clicks, and their number."""
    clicks = {ROOT / "README.md": 0}
    for count in (1, 2):
        for page in [page for page in clicks if page.suffix == ".md"]:
            for target, _ in links_of(page):
                clicks.setdefault(target, count)
    return clicks


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_within_two_clicks_from_the_readme(question: str):
    clicks = clicks_from_the_readme()
    for answer in QUESTIONS[question]:
        page, _, anchor = answer.partition("#")
        assert ROOT / page in clicks
        assert not anchor or anchor in anchors(ROOT / page)
