"""Files that refer to others: a file that is opened never makes us open one outside its folder."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import FerryError, imload, imsave
from napari_ferry.files.links import leads_outside
from tiff_files import GRAY, NAMESPACE, ome_set, write_ome_set

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need a permission there")

_lists: list[list[str]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _lists and isinstance(arguments[0], str):
        _lists[-1].append(os.path.realpath(arguments[0]))


sys.addaudithook(_note)  # it cannot be removed again


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """Note the files that are opened, where links lead."""
    _lists.append([])
    try:
        yield _lists[-1]
    finally:
        _lists.pop()


DATA = pixels((3, 20, 30))
STACK = pixels((40, 20, 30))


def write_raw(folder: Path) -> Path:
    imsave(DATA, folder / "a.bin")
    return folder / "a.bin"


def write_sidecar(folder: Path) -> Path:
    return write_raw(folder).with_suffix(".json")


def write_parts(suffix: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        imsave(STACK, folder / f"a{suffix}", size_cap=20_000 / 1e9)
        return folder / f"a_00000{suffix}"

    return write


def write_set(name: str) -> Callable[[Path], Path]:
    return lambda folder: write_ome_set(folder, name, DATA)[0]


WAYS: dict[str, Callable[[Path], Path]] = {
    "raw": write_raw,
    "sidecar": write_sidecar,
    "parts": write_parts(".tif"),
    "ome parts": write_parts(".ome.tif"),
    "companion": write_set("s.companion.ome"),
    "ome set": write_set("s_0.ome.tif"),
}
each_way = pytest.mark.parametrize("write", WAYS.values(), ids=WAYS)


def move_neighbors(path: Path, elsewhere: Path) -> list[Path]:
    """Move all files beside one to another folder, and put links in their place."""
    neighbors, moved = list(path.parent.iterdir()), []
    elsewhere.mkdir()
    for file in neighbors:
        if file != path:
            shutil.move(file, elsewhere / file.name)
            file.symlink_to(elsewhere / file.name)
            moved.append(elsewhere / file.name)
    return moved


def read_all(path: Path) -> str:
    """Read all images of a file; return the warnings and the error."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            for image in imload(path):
                np.asarray(image.array)
        except FerryError as error:
            return str(error)
    return " ".join(str(warning.message) for warning in found)


@each_way
def test_links_out_of_the_folder_are_not_followed(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    path = write(tmp_path / "in")
    moved = move_neighbors(path, tmp_path / "out")
    assert moved
    with opened_files() as opened:
        said = read_all(path)
    assert not {str(file.resolve()) for file in moved} & {*opened}
    assert "is a link out of its folder" in said or "linked from another folder" in said


@each_way
def test_links_within_the_folder_are_followed(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = write(tmp_path)
    before = [np.asarray(image.array) for image in imload(path)]
    move_neighbors(path, tmp_path / "below")
    for image, expected in zip(imload(path), before, strict=True):
        assert_same_pixels(np.asarray(image.array), expected)


@each_way
def test_links_to_the_folder_of_a_linked_file_are_followed(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    """Somebody links all files of a data set into a folder of their own."""
    (tmp_path / "real").mkdir()
    path = write(tmp_path / "real")
    before = [np.asarray(image.array) for image in imload(path)]
    (tmp_path / "mine").mkdir()
    for file in (tmp_path / "real").iterdir():
        (tmp_path / "mine" / file.name).symlink_to(file)
    for image, expected in zip(imload(tmp_path / "mine" / path.name), before, strict=True):
        assert_same_pixels(np.asarray(image.array), expected)


def test_a_folder_of_links_is_opened(tmp_path: Path) -> None:
    """Links in a folder that is opened were chosen by whoever opens it."""
    (tmp_path / "chosen").mkdir()
    for i, frame in enumerate(DATA):
        (tmp_path / f"{i}").mkdir()
        tifffile.imwrite(tmp_path / f"{i}" / "cell.tif", frame, **GRAY)
        (tmp_path / "chosen" / f"cell{i}.tif").symlink_to(tmp_path / f"{i}" / "cell.tif")
    (image,) = imload(tmp_path / "chosen")
    assert_same_pixels(np.asarray(image.array), DATA)


@pytest.mark.parametrize(
    "name",
    ["..", ".", "/", "../out/x.tif", "/etc/passwd", "out/../../out/x.tif", "a\nb.tif", "x" * 999],
)
def test_names_that_are_paths_are_not_opened(name: str, tmp_path: Path) -> None:
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    tifffile.imwrite(tmp_path / "out" / "x.tif", DATA[0], **GRAY)
    path = tmp_path / "in" / "a.ome.tif"
    other = f'<UUID FileName="{name}">urn:uuid:1</UUID>'
    for text in (
        ome_set(["a.ome.tif", name]),
        f'<OME {NAMESPACE}><BinaryOnly MetadataFile="{name}" UUID="urn:uuid:m"/></OME>',
        f'<OME {NAMESPACE} UUID="urn:uuid:0"><!-- napari_ferry -->{other}</OME>',
    ):
        tifffile.imwrite(path, DATA[0], description=text, **GRAY)
        with opened_files() as opened:
            read_all(path)
        mine = [file for file in opened if file.startswith(str(tmp_path.resolve()))]
        assert {*mine} == {str(path.resolve())}
        assert "/etc/passwd" not in opened


@pytest.mark.parametrize("name", ["../out/x.tif", "link.tif"])
def test_the_index_of_ndtiff_opens_no_file_elsewhere(name: str, tmp_path: Path) -> None:
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    other = tmp_path / "out" / "x.tif"
    tifffile.imwrite(other, DATA[0], **GRAY)
    (tmp_path / "in" / "link.tif").symlink_to(other)
    path = tmp_path / "in" / "a_NDTiffStack.tif"
    write_ndtiff(path, [path.name, name])
    with opened_files() as opened:
        said = read_all(path)
    assert str(path.resolve()) in opened
    assert str(other.resolve()) not in opened
    assert "is not a file in its folder" in said


def write_ndtiff(path: Path, names: list[str]) -> None:
    """Write a data set of frames in files of some names."""
    summary = json.dumps({"Summary": {}}).encode()
    header = struct.pack("<6I", 483729, 3, 2, 2355492, len(summary), 0)[:20] + summary
    start = 8 + len(header) + len(header) % 2
    (y, x), nbytes = DATA[0].shape, DATA[0].nbytes
    tags = [(256, 4, 1, x), (257, 4, 1, y), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(273, 4, 1, start), (277, 3, 1, 1), (278, 4, 1, y), (279, 4, 1, nbytes)]
    tags += [(51123, 2, 16, start + nbytes + 126)]
    path.write_bytes(
        struct.pack("<2sHI", b"II", 42, start + nbytes)
        + header.ljust(start - 8)
        + DATA[0].tobytes()
        + struct.pack("<H", len(tags))
        + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        + bytes(4)
        + b'{"a": 1}'.ljust(16)
    )

    index = b""
    for i, name in enumerate(names):
        axes = json.dumps({"time": i}).encode()
        index += struct.pack("<I", len(axes)) + axes + struct.pack("<I", len(name)) + name.encode()
        index += struct.pack("<8I", start, x, y, 1, 0, 0, 0, 0)
    path.with_name("NDTiff.index").write_bytes(index)


def test_links_that_lead_nowhere_are_outside(tmp_path: Path) -> None:
    opened = tmp_path / "a.tif"
    (tmp_path / "b.tif").symlink_to("/nonexistent")
    assert leads_outside(tmp_path / "b.tif", opened)
    assert not leads_outside(tmp_path / "c.tif", opened)


def test_a_link_to_itself_is_not_followed(tmp_path: Path) -> None:
    imsave(DATA, tmp_path / "a.tif")
    (tmp_path / "metadata.json").symlink_to("metadata.json")
    assert_same_pixels(np.asarray(imload(tmp_path / "a.tif")[0].array), DATA)
