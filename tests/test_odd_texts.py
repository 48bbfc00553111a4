"""Names that are not UTF-8, and texts with halves of surrogate pairs: saved in every format."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faults import run_python
from napari_ferry import (
    Axis,
    Channel,
    FerryError,
    FerryWarning,
    Image,
    UnreadableFileError,
    imload,
    imsave,
    load_binary,
    load_gif,
    load_images,
    load_video,
    plan,
    save_binary,
    save_gif,
    save_images,
    save_video,
)
from napari_ferry.cli import main
from napari_ferry.errors import escape_surrogates

BYTES = np.repeat(np.arange(5, dtype=np.uint8), 128 * 128).reshape(5, 128, 128) * 20
SERIES = {"size_cap": 9e-5}
"""Options of a series: more than one frame of uint16, and less than all."""
SAVES: list[tuple[str, str, dict[str, Any]]] = [
    (".tif", "u1", {}),
    (".tif", "u2", SERIES),
    (".tif", "i8", {"size_cap": 3e-4}),
    (".tif", "u2", {"metadata_json": True, **SERIES}),
    (".tif", "u2", {"compression": "zlib", **SERIES}),
    (".ome.tif", "u2", {}),
    (".ome.tif", "u2", {"pyramid": True}),
    (".ome.tif", "u2", SERIES),
    (".bin", "u2", {}),
    (".gif", "u1", {}),
    (".mp4", "u1", {}),
    (".mkv", "u1", {}),
]
each_save = pytest.mark.parametrize(("suffix", "dtype", "options"), SAVES)

on_linux = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="names are always valid text on this system"
)
NOT_UTF8 = "cells\udcff\udcfe"


@on_linux
@each_save
def test_a_name_that_is_not_utf8(suffix: str, dtype: str, options: dict[str, Any], tmp_path: Path):
    path = tmp_path / f"{NOT_UTF8}{suffix}"
    pixels = BYTES.astype(dtype)
    if "compression" in options:
        pixels += np.random.default_rng(0).integers(0, 60000, pixels.shape, dtype)
    assert plan(pixels, path, **options).nbytes > 0
    paths = imsave(pixels, path, **options)
    assert all(NOT_UTF8 in written.name for written in paths)
    assert ("size_cap" in options) == (len([p for p in paths if p.suffix == ".tif"]) > 1)
    for written in paths:
        if written.suffix == suffix[suffix.rindex(".") :]:
            (image,) = imload(written)
            assert image.name == NOT_UTF8
            assert np.abs(np.asarray(image.array).astype(float) - pixels).max() <= 1
    imsave(pixels, path, overwrite=True, **options)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@on_linux
def test_parts_of_such_a_series_are_distinguished(tmp_path: Path):
    """Both series have the same names in their descriptions."""
    for i, name in enumerate(["a\udcff", "a\udcfe"]):
        imsave(np.full((5, 128, 128), i, "u2"), tmp_path / f"{name}.tif", **SERIES)
    for i, name in enumerate(["a\udcff", "a\udcfe"]):
        (image,) = imload(tmp_path / f"{name}_00001.tif")
        assert (np.asarray(image.array) == i).all()


@on_linux
def test_functions_for_arrays_accept_such_names(tmp_path: Path):
    save_images(tmp_path, BYTES, NOT_UTF8)
    save_binary(tmp_path, BYTES, NOT_UTF8)
    save_video(tmp_path, BYTES, 10, NOT_UTF8)
    save_gif(tmp_path, BYTES, 10, NOT_UTF8)
    for load, suffix in (load_images, "tif"), (load_binary, "bin"), (load_gif, "gif"):
        assert np.array_equal(load(tmp_path / f"{NOT_UTF8}.{suffix}"), BYTES)
    assert load_video(tmp_path / f"{NOT_UTF8}.mp4").shape == BYTES.shape
    assert np.array_equal(load_binary(tmp_path / NOT_UTF8), BYTES)


@on_linux
def test_messages_escape_such_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / f"{NOT_UTF8}.tif"
    with pytest.raises(UnreadableFileError) as error:
        imload(path)
    assert r"cells\udcff\udcfe.tif is not there" in str(error.value)
    assert str(FerryWarning(str(path))).isprintable()
    assert main(["info", str(path)]) == 1
    assert r"cells\udcff\udcfe.tif is not there" in capsys.readouterr().err


@on_linux
def test_the_command_line_accepts_such_names(tmp_path: Path):
    imsave(BYTES, tmp_path / f"{NOT_UTF8}.bin")
    code = "import sys; from napari_ferry.cli import main; sys.exit(main(sys.argv[1:]))"
    status, out, err = run_python(
        code, "convert", tmp_path / f"{NOT_UTF8}.bin", tmp_path / f"new{NOT_UTF8}.tif"
    )
    assert (status, err) == (0, "")
    assert r"newcells\udcff\udcfe.tif: " in out
    assert np.array_equal(np.asarray(imload(tmp_path / f"new{NOT_UTF8}.tif")[0].array), BYTES)


@pytest.mark.skipif(os.name == "nt", reason="NTFS allows every 16-bit unit")
@pytest.mark.parametrize("name", ["a\ud800.tif", "\udfff/a.tif", "a\ud83d.bin"])
def test_a_name_impossible_on_this_system_is_refused(name: str, tmp_path: Path):
    path = tmp_path / name
    for refused in imload, load_images, load_binary, lambda path: imsave(BYTES, path):
        with pytest.raises(FerryError, match="is not a character: correct the name"):
            refused(path)
    assert list(tmp_path.iterdir()) == []


# --- texts of images ----------------------------------------------------------------------------

TEXTS = ["\ud800", "a\udcffb", "\ud83d x", "\udc80" * 100]


def images(text: str) -> dict[str, Image]:
    """Return images with a text in each place that a user can write to."""
    axes = (Axis("t"), Axis("y"), Axis("x"))
    channels = (Channel(text, "#ff0000"), Channel("b"))
    pair = np.stack([BYTES, BYTES], 1)
    notes = {"notes": text, "Info": text, "Labels": [text] * 5, "Properties": {text: text}}
    return {
        "name": Image((BYTES,), axes, name=text),
        "channel": Image((pair,), (axes[0], Axis("c"), *axes[1:]), channels, "x"),
        "metadata": Image((BYTES,), axes, name="x", metadata={"k": text, text: 1, **notes}),
        "display": Image((BYTES,), axes, name="x", display={"colormap": "gray", text: text}),
    }


@pytest.mark.sample(8)
@each_save
@pytest.mark.parametrize("place", ["name", "channel", "metadata", "display"])
@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_half_a_surrogate_pair_in_a_text(
    suffix: str, dtype: str, options: dict[str, Any], place: str, text: str, tmp_path: Path
):
    given = images(text)[place]
    cap = {"size_cap": 7e-5} if "size_cap" in options else {}
    paths = imsave(given, tmp_path / f"a{suffix}", **{**options, **cap})
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    image = imload(paths[0])[0]
    if suffix in (".gif", ".mp4", ".mkv"):
        return
    assert image.name == given.name
    assert image.channels == given.channels
    assert image.metadata.get("k") == given.metadata.get("k")


def test_escapes_in_json_are_lossless():
    texts = ["a", "µ", "\udcff", "\ud800\\", '"\ud83d"', "\U0001f600"]
    assert json.loads(escape_surrogates(json.dumps(texts, ensure_ascii=False))) == texts
