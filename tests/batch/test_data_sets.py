"""Data sets in folders: what is one, and how few files are opened to find that out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from helpers import make_image, pixels
from napari_ferry import imsave
from napari_ferry.batch.data_sets import group_files, is_data_set, list_folder
from napari_ferry.codecs.tiff.folders import file_sets


def save_frames(folder: Path) -> None:
    for k in range(3):
        imsave(make_image("yx"), folder / f"img_{k}.tif")


def save_words(folder: Path) -> None:
    for name in ("mean", "max"):
        imsave(make_image("yx"), folder / f"{name}.tif")


def save_recordings(folder: Path) -> None:
    for k in range(3):
        imsave(make_image("tyx"), folder / f"rec_{k}.tif")


def save_series(folder: Path) -> None:
    imsave(make_image("tyx", t=20), folder / "rec.tif", size_cap=5.5e-6)


def save_channels(folder: Path) -> None:
    imsave(make_image("tcyx"), folder / "rec.tif", partition="c")


def save_one(folder: Path) -> None:
    imsave(make_image("yx"), folder / "img_1.tif")


def save_pictures(folder: Path) -> None:
    imsave(make_image("tyx", "uint8"), folder / "img.png")


def save_metamorph(folder: Path) -> None:
    for word in ("w1GFP", "w2RFP"):
        for t in (1, 2):
            imsave(make_image("yx"), folder / f"exp_{word}_t{t}.tif")


def save_raw(folder: Path) -> None:
    for k in range(2):
        imsave(make_image("tyx"), folder / f"rec_{k}.bin")


@pytest.mark.parametrize(
    ("save", "is_one"),
    [
        (save_frames, True),
        (save_words, False),
        (save_recordings, False),
        (save_series, False),
        (save_channels, True),
        (save_one, False),
        (save_pictures, True),
        (save_metamorph, True),
        (save_raw, False),
    ],
)
def test_a_folder_is_one_data_set_or_has_several(
    save: Callable[[Path], None], is_one: bool, tmp_path: Path
) -> None:
    save(tmp_path)
    assert is_data_set(tmp_path) is is_one


def test_a_store_is_one_data_set_and_an_empty_folder_is_none(tmp_path: Path) -> None:
    imsave(make_image("yx"), tmp_path / "a.ome.zarr")
    (tmp_path / "a.ome.zarr").rename(tmp_path / "plain")
    (tmp_path / "empty").mkdir()
    assert is_data_set(tmp_path / "plain")
    assert not is_data_set(tmp_path / "empty")
    assert not is_data_set(tmp_path / "missing")


def names(paths: list[Path]) -> list[str]:
    return [each.path.name for each in group_files(paths)]


def test_files_of_one_data_set_are_one(tmp_path: Path) -> None:
    save_series(tmp_path)
    save_raw(tmp_path)
    imsave(make_image("tyx"), tmp_path / "z.tif")
    found = list(group_files(list_folder(tmp_path)))
    assert [each.path.name for each in found] == [
        *("rec_0.bin", "rec_00000.tif", "rec_1.bin", "z.tif")
    ]
    assert [len(each.files) for each in found][::2] == [2, 2]
    assert len(found[1].files) == len([*tmp_path.glob("rec_0*.tif")]) > 1


def test_any_file_of_an_ome_set_stands_for_the_set(tmp_path: Path) -> None:
    uuids = {
        name: f"urn:uuid:00000000-0000-0000-0000-00000000000{k}" for k, name in enumerate("ab")
    }
    data = "".join(
        f'<TiffData IFD="0" FirstT="{k}" PlaneCount="1">'
        f'<UUID FileName="{name}.ome.tif">{uuid}</UUID></TiffData>'
        for k, (name, uuid) in enumerate(uuids.items())
    )
    for name, uuid in uuids.items():
        text = (
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{uuid}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" '
            f'Type="uint16" SizeX="7" SizeY="5" SizeC="1" SizeZ="1" SizeT="2">{data}</Pixels>'
            "</Image></OME>"
        )
        tifffile.imwrite(
            tmp_path / f"{name}.ome.tif", pixels((5, 7)), description=text, metadata=None
        )
    paths = list_folder(tmp_path)
    (found,) = group_files(paths)
    assert [*found.files] == paths
    (other,) = group_files(paths[1:])
    assert [*other.files] == paths


def test_one_of_many_files_is_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    read = file_sets.read_header
    monkeypatch.setattr(
        file_sets, "read_header", lambda path: opened.append(path.name) or read(path)
    )
    for k in range(12):
        imsave(np.zeros((2, 4, 4), np.uint8), tmp_path / f"mouse {k} trial.tif")
    assert len(names(list_folder(tmp_path))) == 12
    assert opened == ["mouse 0 trial.tif"]


def test_a_damaged_file_is_a_data_set_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "broken.tif").write_bytes(b"II*\0")
    assert names([tmp_path / "broken.tif"]) == ["broken.tif"]
