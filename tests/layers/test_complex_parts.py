"""Complex images in napari: magnitude and phase."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from napari.layers import Layer

from napari_ferry import Image, imload, imsave
from napari_ferry.image import Axis, Channel
from napari_ferry.layers import from_layers, to_layers


def complex_pixels(shape: tuple[int, ...], dtype: str = "complex64") -> np.ndarray:
    rng = np.random.default_rng(3)
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)


@pytest.mark.parametrize(("dtype", "real"), [("complex64", "float32"), ("complex128", "float64")])
@pytest.mark.parametrize("shape", [(12, 16), (3, 12, 16)])
def test_a_complex_file_is_magnitude_and_phase(
    tmp_path: Path, shape: tuple[int, ...], dtype: str, real: str
) -> None:
    data = complex_pixels(shape, dtype)
    tifffile.imwrite(tmp_path / "a.tif", data, metadata=None, photometric="minisblack")
    magnitude, phase = to_layers(imload(tmp_path / "a.tif"))
    assert (magnitude[1]["name"], phase[1]["name"]) == ("a magnitude", "a phase")
    assert magnitude[0].dtype == phase[0].dtype == real
    assert (np.asarray(magnitude[0]) == np.abs(data)).all()
    assert (np.asarray(phase[0]) == np.angle(data)).all()
    assert phase[1]["contrast_limits"] == [-np.pi, np.pi]
    for layer in (magnitude, phase):
        assert Layer.create(*layer).data.shape == shape


def test_each_channel_and_level_has_both_parts() -> None:
    data = complex_pixels((2, 12, 16))
    channels = (Channel("X"), Channel("Y", contrast_limits=(1, 2)))
    image = Image((data, data[:, ::2, ::2]), tuple(map(Axis, "cyx")), channels)
    layers = to_layers([image])
    assert [meta["name"] for _, meta, _ in layers] == [
        "X magnitude", "X phase", "Y magnitude", "Y phase",
    ]  # fmt: skip
    assert all(len(levels) == 2 for levels, _, _ in layers)
    assert (np.asarray(layers[3][0][1]) == np.angle(data[1, ::2, ::2])).all()
    assert tuple(layers[2][1]["contrast_limits"]) == (1, 2)


def test_saved_layers_are_both_parts(tmp_path: Path) -> None:
    data = complex_pixels((12, 16))
    layers = to_layers([Image.from_array(data, name="wave")])
    imsave(from_layers(layers), tmp_path / "a.tif")
    magnitude, phase = to_layers(imload(tmp_path / "a.tif"))
    assert (magnitude[1]["name"], phase[1]["name"]) == ("wave magnitude", "wave phase")
    assert (np.asarray(phase[0]) == np.angle(data)).all()
    assert phase[1]["visible"] is False
