"""Origins of layers: which of the layers of a file takes the place of an earlier one."""

import gc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layer_files import make_channels, open_layers, pixels, save
from napari_ferry import imsave
from napari_ferry.arrays import Frames
from napari_ferry.errors import InvalidImageError
from napari_ferry.layers.blank_frames import BlankingArray
from napari_ferry.plugin import origins
from napari_ferry.plugin.origins import Source, find_layer, origin_of, record_origins

NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=4)


def make_layers(names):
    read = Frames(lambda i: np.zeros((2, 3)), (2, 2, 3), np.float64, 1)
    return [(BlankingArray(read, 1), {"name": name}, "image") for name in names]


def origins_of(layers):
    record_origins(Source(lambda: []), layers)
    return [origins._origins[data] for data, _, _ in layers]


@given(NAMES)
def test_layers_of_an_unchanged_file_keep_their_places(names):
    before, now = make_layers(names), make_layers(names)
    found = [find_layer(origin, now) for origin in origins_of(before)]
    assert found == now


@given(NAMES, st.randoms())
def test_layers_with_unique_names_are_found_in_any_order(names, random):
    before = make_layers(sorted(set(names)))
    now = random.sample(before, len(before))
    assert [find_layer(origin, now) for origin in origins_of(before)] == before


@given(NAMES, NAMES)
def test_a_layer_never_takes_the_place_of_one_with_another_known_name(names, new_names):
    before, now = make_layers(names), make_layers(new_names)
    for (_, meta, _), origin in zip(before, origins_of(before), strict=True):
        with suppress(InvalidImageError):
            _, found, _ = find_layer(origin, now)
            assert found["name"] == meta["name"] or found["name"] not in names


def test_an_origin_ends_with_its_array():
    before = len(origins._origins)
    layers = make_layers("ab")
    origins_of(layers)
    assert len(origins._origins) == before + 2
    del layers
    gc.collect()
    assert len(origins._origins) == before


def test_channels_of_a_file_have_one_source(tmp_path: Path):
    save(tmp_path / "a.tif", *make_channels())
    found = [origin_of(layer) for layer in open_layers(tmp_path / "a.tif")]
    assert [origin.index for origin in found] == [0, 1, 2]
    assert len({origin.source for origin in found}) == 1
    assert found[0].source.paths == (tmp_path / "a.tif",)


def test_duplicates_have_an_origin_and_replaced_data_have_none(tmp_path: Path):
    imsave(pixels(3, 8, 9), tmp_path / "a.tif")
    (layer,) = open_layers(tmp_path / "a.tif")
    duplicate = type(layer).create(*layer.as_layer_data_tuple())
    assert origin_of(duplicate) is origin_of(layer)
    layer.data = np.asarray(layer.data)
    assert origin_of(layer) is None


def test_layers_of_other_types_have_no_origin():
    from napari.layers import Labels, Points, Shapes

    for layer in (Points(np.zeros((3, 2))), Shapes(), Labels(np.zeros((4, 4), int))):
        assert origin_of(layer) is None


def test_a_stack_of_files_knows_all_of_them(tmp_path: Path):
    paths = [tmp_path / f"frame{i}.tif" for i in range(3)]
    for path in paths:
        imsave(pixels(8, 9), path)
    (layer,) = open_layers(*paths, stack=True)
    assert origin_of(layer).source.paths == tuple(paths)


def test_a_missing_layer_is_named(tmp_path: Path):
    (origin,) = origins_of(make_layers(["GFP"]))
    with pytest.raises(InvalidImageError, match=r"no layer of type image named GFP \(it has a, b"):
        find_layer(origin, make_layers(["a", "b"]))
