"""Lines for a terminal: no file drives it, and no encoding makes a command fail."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_ferry import Axis, Channel, Image, imsave
from napari_ferry.cli import main
from napari_ferry.cli.terminal import to_printable

HOSTILE = "\x1b]0;owned\x07\x1b[2Jcells\u202e"


@pytest.mark.parametrize("suffix", [".bin", ".ome.tif"])
def test_names_in_files_do_not_drive_the_terminal(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    axes = (Axis("c"), Axis("y"), Axis("x"))
    image = Image((np.zeros((1, 4, 4), np.uint8),), axes, (Channel("red\x1b[31m"),), HOSTILE)
    imsave(image, tmp_path / f"a{suffix}")
    assert main(["info", str(tmp_path / f"a{suffix}")]) == 0
    printed = capsys.readouterr().out
    assert "cells\\u202e" in printed
    assert not [c for c in printed if c != "\n" and not c.isprintable()]


def test_messages_about_hostile_names_are_printable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "\x1b[31mred.tif").write_bytes(b"text")
    assert main(["info", str(tmp_path / "\x1b[31mred.tif")]) == 1
    assert "\\x1b[31mred.tif" in capsys.readouterr().err


def test_other_text_stays_as_it_is() -> None:
    for text in ("µm, 日本, é 🙂", "two\nlines"):
        assert to_printable(text) == text


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_an_output_of_few_characters_is_no_obstacle(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imsave(np.zeros((2, 4, 4), np.uint8), tmp_path / "日本.tif")
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    assert main(["info", str(tmp_path / "日本.tif")]) == 0
    sys.stdout.flush()
    assert b"\\u65e5\\u672c.tif" in raw.getvalue()
