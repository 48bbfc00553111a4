"""Zarr stores opened by napari: as folders, as files, in a limited number of layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from helpers import assert_same_pixels, pixels
from layer_files import open_layers
from napari_ferry.arrays.read_ahead import QUEUE
from napari_ferry.errors import FerryError, FerryWarning
from napari_ferry.plugin.commands import __getattr__ as command
from napari_ferry.plugin.commands import get_folder_reader
from web_server import serving
from zarr_files import count_reads, write_array, write_group, write_image, write_labels, zip_store

DATA = pixels((2, 2, 32, 40))


@pytest.mark.parametrize("name", ["a.ome.zarr", "a.zarr", "store"])
def test_a_folder_opens_whatever_its_name(name: str, tmp_path: Path) -> None:
    path = write_image(tmp_path / name, [DATA, DATA[..., ::2, ::2]], "tcyx", scale=(1, 1, 2, 3))
    write_labels(path, {"cells": (DATA[0, 0] % 3).astype("u1")})
    layers = open_layers(path)
    assert [type(layer).__name__ for layer in layers] == ["Image", "Image", "Labels"]
    assert layers[0].multiscale
    assert tuple(layers[0].scale) == (1, 2, 3)
    assert_same_pixels(np.asarray(layers[1].data[0][1]), DATA[1, 1])


def test_a_zip_file_opens(tmp_path: Path) -> None:
    path = write_image(tmp_path / "b.zarr", DATA, "tcyx")
    layers = open_layers(zip_store(path, tmp_path / "a.ozx"))
    assert_same_pixels(np.asarray(layers[0].data), DATA[:, 0])
    layers.clear()


def test_a_metadata_file_opens(tmp_path: Path) -> None:
    path = write_image(tmp_path / "b.zarr", DATA, "tcyx")
    assert len(open_layers(path / "zarr.json")) == 2


def test_other_folders_with_a_suffix_are_left_to_other_plugins(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / "0.tif").touch()
    assert get_folder_reader(str(tmp_path / "a.zarr")) is None
    assert get_folder_reader(str(write_array(tmp_path / "b.n5", DATA))) is not None
    reader = command("get_zarr_reader")
    assert reader(str(tmp_path / "a.tif")) is None
    assert reader(str(tmp_path / "a.ozx")) is not None


def test_a_plate_opens_64_fields(tmp_path: Path) -> None:
    plate = tmp_path / "plate.zarr"
    names = [f"A/{k}" for k in range(70)]
    write_group(plate, {"plate": {"wells": [{"path": name} for name in names]}})
    for name in names:
        write_group(plate / name, {"well": {"images": [{"path": "0"}]}})
        write_image(plate / name / "0", DATA[0, 0], "yx")
    assert len(open_layers(plate)) == 64


def test_a_step_reads_only_the_chunks_under_the_tile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pixels((6, 2048, 2048), "u1")
    path = write_image(tmp_path / "a.zarr", [data, data[:, ::8, ::8]], "zyx", chunks=(1, 256, 256))
    (layer,) = open_layers(path)
    QUEUE.wait()
    read = count_reads(monkeypatch)
    visible = layer.data[0][:, 300:500, 300:500]
    with QUEUE.paused():
        assert_same_pixels(np.asarray(visible[3]), data[3, 300:500, 300:500])
    assert read == ["0/c/3/1/1"]


def test_neighbors_of_a_displayed_tile_are_read_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pixels((6, 512, 512), "u1")
    path = write_image(tmp_path / "a.zarr", [data, data[:, ::8, ::8]], "zyx", chunks=(1, 256, 256))
    (layer,) = open_layers(path)
    QUEUE.wait()
    read = count_reads(monkeypatch)
    layer.data[0].close()
    for z in range(6):
        visible = layer.data[0][:, 300:500, 300:500]
        assert_same_pixels(np.asarray(visible[z]), data[z, 300:500, 300:500])
        QUEUE.wait()
        assert f"0/c/{min(z + 1, 5)}/1/1" in read, "the next plane is in the cache"
    assert sorted(read) == [f"0/c/{z}/1/1" for z in range(6)]


def test_a_damaged_chunk_is_blank(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", DATA[:, 0], "tyx", chunks=(1, 32, 40))
    (path / "0" / "c" / "1" / "0" / "0").write_bytes(b"damage")
    (layer,) = open_layers(path)
    with pytest.warns(FerryWarning, match="shown blank"):
        assert not np.asarray(layer.data[1]).any()


@pytest.mark.parametrize("end", ["", "/", "/0"])
def test_an_address_opens(end: str, tmp_path: Path) -> None:
    write_image(tmp_path / "a.ome.zarr", DATA, "tcyx")
    with serving(tmp_path) as server:
        viewer = ViewerModel()
        viewer.open(f"{server.address}/a.ome.zarr{end}", plugin="napari-ferry")
        assert_same_pixels(np.asarray(viewer.layers[0].data[1])[..., :9, :9], DATA[1, 0, :9, :9])


def test_an_address_of_another_format_is_refused() -> None:
    with pytest.raises(FerryError, match="is an address"):
        ViewerModel().open("https://example.org/a.ome.tif", plugin="napari-ferry")
