"""Companions of files that were opened together, such as sidecars and parts."""

from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image as ImageLayer

from layer_files import Clock, open_layers, pixels, save
from napari_ferry import imsave
from napari_ferry.errors import UnreadableFileError
from napari_ferry.layers.layer_data import from_layers
from napari_ferry.plugin.commands import get_binary_reader
from napari_ferry.plugin.recently_opened import RecentlyOpened


@pytest.mark.parametrize("order", [("raw.bin", "raw.json"), ("raw.json", "raw.bin")])
def test_a_raw_file_and_its_sidecar_are_one_layer(order: tuple[str, str], tmp_path: Path):
    data = pixels(4, 16, 20)
    save(tmp_path / "raw.bin", ImageLayer(data, name="recording"))
    (layer,) = open_layers(*(tmp_path / name for name in order))
    assert layer.name == "recording"
    assert np.array_equal(layer.data, data)


@pytest.mark.parametrize("order", [("raw.bin", "raw.json"), ("raw.json", "raw.bin")])
def test_a_list_of_both_is_one_layer(order: tuple[str, str], tmp_path: Path):
    save(tmp_path / "raw.bin", ImageLayer(pixels(4, 16, 20), name="recording"))
    paths = [str(tmp_path / name) for name in order]
    reader = get_binary_reader(paths)
    assert reader is not None
    ((_, meta, kind),) = reader(paths)
    assert (meta["name"], kind) == ("recording", "image")


@pytest.mark.parametrize("name", ["raw.bin", "raw.json"])
def test_a_raw_file_can_be_opened_again_at_once(name: str, tmp_path: Path):
    save(tmp_path / "raw.bin", ImageLayer(pixels(4, 16, 20)))
    assert len(open_layers(tmp_path / name)) == 1
    assert len(open_layers(tmp_path / name)) == 1


def test_only_the_companion_is_skipped_and_only_once(tmp_path: Path, clock: Clock):
    save(tmp_path / "raw.bin", ImageLayer(pixels(4, 16, 20)))
    opened = [len(open_layers(tmp_path / f"raw{suffix}")) for suffix in (".bin", ".json") * 2]
    assert opened == [1, 0, 1, 0]
    opened = [len(open_layers(tmp_path / f"raw{suffix}")) for suffix in (".bin", ".bin", ".json")]
    assert opened == [1, 1, 0]
    open_layers(tmp_path / "raw.json")
    clock.now += 5.1
    assert len(open_layers(tmp_path / "raw.bin")) == 1


def test_parts_that_are_dropped_together_are_one_layer(tmp_path: Path, clock: Clock):
    data = pixels(6, 64, 64)
    cap = 2.5 * data[0].nbytes / 1e9
    for suffix in (".tif", ".ome.tif"):
        paths = imsave(data, tmp_path / f"long{suffix}", size_cap=cap)
        other = imsave(data, tmp_path / f"other{suffix}")
        for dropped in (paths, paths[::-1]):
            (layer, *others) = open_layers(*dropped, *other)
            assert np.array_equal(layer.data, data)
            assert len(others) == 1
        assert len(open_layers(paths[1])) == len(open_layers(paths[1])) == 1
        clock.now += 5.1
        assert len(open_layers(paths[2])) == 1


def test_companions_are_remembered_briefly_and_consumed_once(tmp_path: Path):
    clock = Clock()
    dropped = RecentlyOpened(seconds=5, clock=clock)
    a, b, c = (tmp_path / name for name in "abc")
    assert not dropped.consume(a)
    dropped.opened(a, [a, b, c])
    assert [dropped.consume(path) for path in (a, b, b)] == [False, True, False]
    clock.now += 5
    assert not dropped.consume(c)


def test_parts_and_their_folder_are_the_whole(tmp_path: Path, clock: Clock):
    data = pixels(6, 64, 64)
    image = from_layers([ImageLayer(data, name="long", gamma=0.5).as_layer_data_tuple()])
    paths = imsave(image, tmp_path / "long.tif", size_cap=2.5 * data[0].nbytes / 1e9)
    assert len(paths) == 3
    for opened in ([paths[0]], [paths[2]], [tmp_path]):
        clock.now += 60
        (layer,) = open_layers(*opened)
        assert np.array_equal(layer.data, data)
        assert (layer.name, layer.gamma) == ("long", 0.5)
    (layer,) = open_layers(*paths, stack=True)
    assert np.array_equal(layer.data, data)


def test_each_part_of_an_incomplete_series_reports_it(tmp_path: Path):
    data = pixels(6, 64, 64)
    first, *others = imsave(data, tmp_path / "long.tif", size_cap=2.5 * data[0].nbytes / 1e9)
    first.unlink()
    for part in others:  # within seconds, as a second try would be
        with pytest.raises(UnreadableFileError, match="long_00000"):
            open_layers(part)
