"""Companion files, and the files of their sets in folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.cli import main
from napari_ferry.codecs.tiff.images import set_description
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.plugin import commands
from tiff_files import GRAY, NAMESPACE, ome_set

DATA = pixels((3, 20, 30))


def write(
    folder: Path, names: Sequence[str], data: NDArray[np.uint16] = DATA, pointer: str = ""
) -> Path:
    """Write a set with a companion file, and return that."""
    companion = folder / "s.companion.ome"
    companion.write_text(ome_set(names), "utf-8")
    pointer = pointer or companion.name
    text = f'<OME {NAMESPACE}><BinaryOnly MetadataFile="{pointer}" UUID="urn:uuid:m"/></OME>'
    for name, plane in zip(names, data, strict=True):
        path = folder / name.replace("\\", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, plane, description=text, **GRAY)
    return companion


@pytest.mark.parametrize("names", ["p{}.ome.tif", "sub/p{}.ome.tif", "t{}/p.ome.tif", "a\\p{}.tif"])
@pytest.mark.parametrize("door", ["file", "folder"])
def test_a_companion_file_opens_the_set(names: str, door: str, tmp_path: Path) -> None:
    companion = write(tmp_path, [names.format(t) for t in range(3)])
    (image,) = imload(companion if door == "file" else tmp_path)
    assert image.name == "s"
    assert_same_pixels(np.asarray(image.array).squeeze(), DATA)


@pytest.mark.parametrize(
    "pointer", ["s.companion.ome", "../s.companion.ome", "..\\s.companion.ome"]
)
def test_a_file_below_a_companion_opens_the_set(pointer: str, tmp_path: Path) -> None:
    names = [f"sub/p{t}.ome.tif" for t in range(3)]
    write(tmp_path, names, pointer=pointer)
    for name in names:
        (image,) = imload(tmp_path / name)
        assert_same_pixels(np.asarray(image.array).squeeze(), DATA)
    (image,) = imload(tmp_path / "sub")
    assert_same_pixels(np.asarray(image.array).squeeze(), DATA)


@pytest.mark.parametrize(
    "name", ["../p1.ome.tif", "/p1.ome.tif", "a/../../p1.ome.tif", "link/p1.tif"]
)
def test_files_outside_the_folder_are_never_opened(name: str, tmp_path: Path) -> None:
    inner = tmp_path / "in"
    inner.mkdir()
    for outside in ("p1.ome.tif", "p1.tif"):
        tifffile.imwrite(tmp_path / outside, DATA[1], **GRAY)
    (inner / "link").symlink_to(tmp_path)
    names = ["p0.ome.tif", name, "p2.ome.tif"]
    companion = write(inner, [names[0], names[2]], DATA[[0, 2]])
    companion.write_text(ome_set(names), "utf-8")
    with pytest.warns(FerryWarning, match="is missing from the folder"):
        (image,) = imload(companion)
    expected = DATA * np.array([1, 0, 1], "uint16")[:, None, None]
    assert_same_pixels(np.asarray(image.array).squeeze(), expected)


def test_renamed_files_are_found_by_uuid(tmp_path: Path) -> None:
    names = [f"p{t}.ome.tif" for t in range(3)]
    companion = tmp_path / "s.companion.ome"
    companion.write_text(ome_set(names), "utf-8")
    for t, plane in enumerate(DATA):
        text = f'<OME {NAMESPACE} UUID="urn:uuid:{t}"><BinaryOnly MetadataFile="x"/></OME>'
        tifffile.imwrite(tmp_path / f"other_{t}.ome.tif", plane, description=text, **GRAY)
    (image,) = imload(companion)
    assert_same_pixels(np.asarray(image.array).squeeze(), DATA)


def test_other_files_beside_a_set_are_named(tmp_path: Path) -> None:
    write(tmp_path, [f"p{t}.ome.tif" for t in range(3)])
    tifffile.imwrite(tmp_path / "other.tif", DATA[0], **GRAY)
    with pytest.warns(FerryWarning, match=r"other\.tif is left out"):
        (image,) = imload(tmp_path)
    assert_same_pixels(np.asarray(image.array).squeeze(), DATA)


@pytest.mark.parametrize("text", ["", "words", "<OME/>", ome_set(["gone.ome.tif"])])
def test_a_companion_file_without_images_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "s.companion.ome"
    path.write_text(text, "utf-8")
    with pytest.raises(UnreadableFileError, match=r"s\.companion\.ome"):
        imload(path)


def test_napari_and_the_command_line_open_companion_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    companion = write(tmp_path, [f"sub/p{t}.ome.tif" for t in range(3)])
    reader = commands.get_tiff_reader(str(companion))
    assert reader is not None
    (layer,) = reader(str(companion))
    assert_same_pixels(np.asarray(layer[0]).squeeze(), DATA)
    assert main(["info", str(companion)]) == 0
    assert "1 x 1 x 20 x 30" in capsys.readouterr().out.replace("3 x", "1 x")


def test_a_companion_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.companion.ome").write_text(f"<OME {NAMESPACE}/>", "utf-8")
    tifffile.imwrite(tmp_path / "a.tif", DATA[0], **GRAY)
    with pytest.raises(UnreadableFileError, match=r"s\.companion\.ome describes no image that can"):
        imload(tmp_path / "s.companion.ome")


def test_a_companion_that_is_too_large_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    companion = write(tmp_path, ["p0.ome.tif", "p1.ome.tif", "p2.ome.tif"])
    monkeypatch.setattr(set_description, "_MAX_COMPANION", 10)
    with pytest.raises(UnreadableFileError, match="too large for a description"):
        imload(companion)
