"""Known fields of a layout, judged by the bytes of the file."""

from __future__ import annotations

import numpy as np
import pytest

from napari_ferry import find_layouts
from napari_ferry.codecs.binary.layout import parse_known_fields
from napari_ferry.codecs.binary.layout.find import search_layouts
from raw_files import scene, stored, write

SHAPE = (12, 128, 128)


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "a.raw", stored("<u2", scene(SHAPE)))


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "known",
    [{"x": 125}, {"y": 125}, {"frames": 11}, {"dtype": "float32"}, {"x": 64}, {"offset": 100}],
)
def test_wrong_values_are_unlikely_and_a_rival_is_named(path, known):
    found = search_layouts(path, parse_known_fields(**known))
    assert found.rival is not None
    assert found.rival.shape == SHAPE
    assert found.rival.dtype == np.uint16
    assert all(layout.confidence < 0.05 for layout in found.layouts)
    for layout in found.layouts:
        assert "the bytes contradict the given values: 12 x 128 x 128" in layout.reasons[0]


def test_unlikely_layouts_are_found_by_the_public_function(path):
    found = find_layouts(path, x=125)
    assert found
    for layout in found:
        assert "the bytes contradict the given values: 12 x 128 x 128" in layout.reasons[0]


@pytest.mark.parametrize(
    "known", [{}, {"x": 128}, {"dtype": "uint16"}, {"channels": 2}, {"y": 128, "frames": 12}]
)
def test_right_values_stay_likely(path, known):
    found = search_layouts(path, parse_known_fields(**known))
    assert found.rival is None
    assert found.layouts[0].confidence > 0.8


def test_values_without_a_layout_get_the_rival_alone(path):
    found = search_layouts(path, parse_known_fields(x=125, y=77, frames=12, offset=3))
    assert not found.layouts
    assert found.rival is not None
    assert found.rival.shape == SHAPE


def test_a_known_header_contradicts_values(tmp_path):
    path = tmp_path / "a.raw"
    with path.open("wb") as file:
        np.save(file, stored("<u2", scene(SHAPE)))
    found = search_layouts(path, parse_known_fields(x=125))
    assert found.rival is not None
    assert found.rival.shape == SHAPE
    assert all(layout.confidence < 0.05 for layout in found.layouts)


def test_noise_contradicts_nothing(tmp_path):
    path = tmp_path / "noise.raw"
    path.write_bytes(np.random.default_rng(0).bytes(2 * 70 * 90))
    found = search_layouts(path, parse_known_fields(x=90))
    assert found.rival is None
    assert found.layouts
