"""Readers that nobody here wrote, asked what they see in TIFF files and GIFs.

Each is asked once for many files, because starting it takes longer than reading them. A reader that
is not installed skips the tests that ask it; how to install them, and where they are looked for:

=================  ===========================================================================
Bio-Formats        ``FERRY_BIOFORMATS_JAR`` names ``bioformats_package.jar``, of version 7.
ImageJ             ``FERRY_IMAGEJ_JAR`` names ``ij.jar``; otherwise that of Debian's ``imagej``.
geotiff.js, UTIF,  ``FERRY_NODE_MODULES`` names the folder ``node_modules`` that ``npm install``
Viv, Chromium      makes of ``../shared/tools/package.json``; Chromium itself is Debian's.
libtiff            ``tiffinfo`` is in the path; Debian's ``libtiff-tools`` brings it.
=================  ===========================================================================

Bio-Formats and ImageJ need ``java`` of a JDK, version 11 or later. The programs that put the
questions lie in ``../shared/tools``, beside the repository.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from helpers import SHARED

Seen = dict[Path, dict[str, Any]]
"""What a reader sees in each file; ``error`` where it cannot read it."""

TOOLS = SHARED.parent / "tools"
_DEBIAN_IMAGEJ = Path("/usr/share/java/ij.jar")
_TIMEOUT = 300
_JAVA = ("java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Dfile.encoding=UTF-8")

# ImageJ's own tags 50838 and 50839 are not libtiff's concern.
_UNKNOWN_TAG = re.compile(r"TIFFReadDirectory: Warning, Unknown field with tag \d+ .*encountered")


def ask_bio_formats(paths: Sequence[Path]) -> Seen:
    """Return the format and the series that Bio-Formats sees in each file."""
    return _ask_java(_setting("FERRY_BIOFORMATS_JAR"), "BioFormatsOracle.java", paths)


def ask_imagej(paths: Sequence[Path]) -> Seen:
    """Return the hyperstack that ImageJ sees in each file."""
    jar = _setting("FERRY_IMAGEJ_JAR", _DEBIAN_IMAGEJ)
    return _ask_java(jar, "ImageJOracle.java", paths)


def ask_libtiff(paths: Sequence[Path]) -> Seen:
    """Return how many pages libtiff decodes in each file, and what it complains of."""
    if shutil.which("tiffinfo") is None:
        pytest.skip("tiffinfo is not in the path: it is in libtiff-tools")
    return {path: _ask_tiffinfo(path) for path in paths}


def ask_javascript(paths: Sequence[Path], folder: Path) -> dict[str, Seen]:
    """Return what geotiff.js and UTIF see in each file, by the name of the reader.

    `folder` is for what runs there.
    """
    seen: dict[str, Seen] = {"geotiff": {}, "utif2": {}}
    for line in _ask_node("tiffread.mjs", paths, folder):
        reader, file, *words = line.split(" ")
        if reader not in seen:  # UTIF talks to itself
            continue
        if words[0] == "ERR":
            seen[reader][Path(file)] = {"error": " ".join(words[1:])}
        else:
            seen[reader][Path(file)] = {
                **dict(zip(("pages", "X", "Y"), map(int, words[:3]), strict=True)),
                "sha256": words[-1],
            }
    return seen


def ask_viv(paths: Sequence[Path], folder: Path) -> Seen:
    """Return what Viv's loader of OME-TIFF sees in each file, asked one by one."""
    seen: Seen = {}
    for path in paths:
        text = "\n".join(_ask_node("viv.mjs", [path], folder))
        seen[path] = json.loads(text) if text.startswith("{") else {"error": text}
    return seen


def ask_chromium(paths: Sequence[Path], folder: Path) -> Seen:
    """Return what Chromium shows of each GIF: hashes of its frames as RGBA, and their times."""
    if not Path("/usr/bin/chromium").is_file():
        pytest.skip("/usr/bin/chromium is absent: it is in Debian's chromium")
    asked, answers = folder / "asked.txt", folder / "answers.jsonl"
    asked.write_text("\n".join(map(str, paths)), "utf-8")
    _ask_node("gifdec.mjs", [asked, answers], folder)
    found = map(json.loads, answers.read_text("utf-8").splitlines())
    return {Path(answer["f"]): answer for answer in found}


def _ask_java(jar: Path, program: str, paths: Sequence[Path]) -> Seen:
    """Run a program from its source, and return its answers, a line of JSON for each file."""
    lines = _run([*_JAVA, "-cp", str(jar), str(_tool(program)), *map(str, paths)])
    found = (json.loads(line, strict=False) for line in lines if line.startswith("{"))
    return {Path(answer["file"]): answer for answer in found}


def _ask_tiffinfo(path: Path) -> dict[str, Any]:
    """Return what libtiff says when it decodes every strip and tile of a file."""
    done = subprocess.run(
        ["tiffinfo", "-D", str(path)], capture_output=True, timeout=_TIMEOUT, check=False
    )
    said = done.stderr.decode(errors="replace").splitlines()
    problems = [line for line in said if not _UNKNOWN_TAG.search(line)]
    if done.returncode:
        problems.append(f"exit status {done.returncode}")
    pages = done.stdout.count(b"=== TIFF directory")
    return {"pages": pages, "error": "; ".join(problems) or None}


def _ask_node(program: str, paths: Sequence[Path], folder: Path) -> list[str]:
    """Run a program of JavaScript beside the libraries that it imports."""
    modules = _setting("FERRY_NODE_MODULES")
    if not (folder / program).exists():
        shutil.copy(_tool(program), folder / program)
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(modules, target_is_directory=True)
    return _run(["node", str(folder / program), *map(str, paths)])


def _run(command: Sequence[str]) -> list[str]:
    """Run a reader to its end, and return the lines that it prints; skip where it is absent."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not in the path")
    done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace").splitlines()


def _setting(name: str, default: Path | None = None) -> Path:
    """Return the file or folder that a variable of the environment names, or skip."""
    found = Path(os.environ[name]) if name in os.environ else default
    if found is None:
        pytest.skip(f"{name} is not set: see tests/foreign_readers.py")
    if not found.exists():
        pytest.skip(f"{name} is {found}, which is not there: see tests/foreign_readers.py")
    return found


def _tool(name: str) -> Path:
    """Return one of the programs that put the questions, or skip where they are absent."""
    if not (TOOLS / name).is_file():
        pytest.skip(f"the program {name} is absent, looked for in {TOOLS}")
    return TOOLS / name
