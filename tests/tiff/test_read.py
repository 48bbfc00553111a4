"""ImageJ hyperstacks of other programs in TIFF files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload, imsave
from napari_ferry.errors import FerryWarning
from napari_ferry.files.short_texts import count_things
from napari_ferry.image import Channel
from tiff_files import GRAY


def test_an_imagej_hyperstack_with_colors_and_ranges(tmp_path: Path) -> None:
    data = pixels((2, 4, 3, 6, 7))
    ramp = np.arange(256, dtype=np.uint8)
    luts = [np.stack([ramp * on for on in rgb]) for rgb in ((1, 0, 0), (0, 1, 1), (1, 1, 1))]
    tifffile.imwrite(
        tmp_path / "foreign.tif",
        data,
        imagej=True,
        resolution=(1 / 0.2, 1 / 0.25),
        metadata={
            **{"axes": "TZCYX", "unit": "um", "spacing": 2.0, "finterval": 0.1},
            **{"LUTs": luts, "Ranges": (0.0, 10.0, 5.0, 500.0, 1.0, 65535.0), "mode": "composite"},
        },
    )

    (image,) = imload(tmp_path / "foreign.tif")
    assert_same_pixels(image.array, data.swapaxes(1, 2))
    assert image.axis_names == tuple("tczyx")
    assert [axis.scale for axis in image.axes] == pytest.approx([0.1, 1, 2, 0.25, 0.2])
    assert [axis.unit for axis in image.axes] == ["second", None, *["micrometer"] * 3]
    assert image.frame_rate == pytest.approx(10)
    assert image.channels == (
        Channel(None, "#ff0000", (0, 10)),
        Channel(None, "#00ffff", (5, 500)),
        Channel(None, "#ffffff", (1, 65535)),
    )


@pytest.mark.parametrize("order", ["czt", "zct", "tzc", "ctz", "xyczt(default)"])
def test_the_order_of_early_hyperstacks(order: str, tmp_path: Path) -> None:
    text = f"ImageJ=1.11a\nimages=24\nchannels=2\nslices=3\nframes=4\norder={order}\n"
    data = pixels((24, 20, 30))
    with tifffile.TiffWriter(tmp_path / "h.tif", byteorder=">") as writer:
        for page in data:
            writer.write(page, description=text, contiguous=False, **GRAY)
    (image,) = imload(tmp_path / "h.tif")
    with tifffile.TiffFile(tmp_path / "h.tif") as tif:
        stored, letters = tif.series[0].asarray(), tif.series[0].axes.lower()
    assert image.axis_names == tuple("tczyx")
    turned = stored.transpose([letters.index(name) for name in "tczyx"])
    assert_same_pixels(np.asarray(image.array), turned)


@pytest.mark.parametrize("order", ["<", ">"])
def test_imagej_beyond_4_gb(order: str, tmp_path: Path) -> None:
    path, n = tmp_path / "h.tif", 5000
    text = f"ImageJ=1.53t\nimages={n}\nframes={n}\nhyperstack=true\n"
    tifffile.imwrite(path, pixels((1000, 500)), byteorder=order, description=text, **GRAY)
    with tifffile.TiffFile(path) as tif:
        start = tif.pages.first.dataoffsets[0]
    last = pixels((1000, 500)) + 7
    with path.open("r+b") as file:  # the rest is a hole
        file.seek(start + (n - 1) * last.nbytes)
        file.write(last.astype(f"{order}u2").tobytes())
    (image,) = imload(path)
    assert image.shape == (n, 1000, 500)
    assert_same_pixels(np.asarray(image.array[-1]).astype("uint16"), last)
    assert_same_pixels(np.asarray(image.array[0]).astype("uint16"), pixels((1000, 500)))
    assert not image.array[2500].any()
    os.truncate(path, path.stat().st_size - 1)
    with pytest.warns(FerryWarning, match="declares 5,000 planes, but the file has 4,999 pages"):
        (image,) = imload(path)
    assert image.shape == (n - 1, 1000, 500)


@pytest.mark.parametrize(
    ("counts", "shape"),
    [
        ({"images": 9, "frames": 9}, (5, 6, 7)),
        ({"images": 9, "slices": 9}, (5, 6, 7)),
        ({"images": 9}, (5, 6, 7)),
        ({"images": 8_000_000, "channels": 8_000_000}, (5, 6, 7)),
        ({"images": 6, "frames": 3, "channels": 2}, (2, 2, 6, 7)),
        ({"images": 12, "frames": 2, "slices": 6}, (1, 5, 6, 7)),
    ],
)
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_more_planes_than_pages_are_cut_with_a_warning(
    counts: dict[str, int], shape: tuple[int, ...], options: dict[str, Any], tmp_path: Path
) -> None:
    text = "ImageJ=1.53t\n" + "".join(f"{key}={value}\n" for key, value in counts.items())
    data = pixels((5, 6, 7))
    tifffile.imwrite(tmp_path / "a.tif", data, description=text, **options, **GRAY)
    planes = count_things(counts["images"], "plane")
    message = f"declares {planes}, but the file has 5 pages"
    with pytest.warns(FerryWarning, match=message):
        (image,) = imload(tmp_path / "a.tif")
    assert image.shape == shape
    assert_same_pixels(np.asarray(image.array).reshape(-1, 6, 7), data[: np.prod(shape[:-2])])


@pytest.mark.parametrize(
    ("counts", "shape", "message"),
    [
        ({"images": 3, "frames": 3}, (5, 6, 7), "all of them are shown"),
        ({"images": 3, "slices": 3}, (5, 6, 7), "all of them are shown"),
        ({"images": 1}, (5, 6, 7), "all of them are shown"),
        ({"images": 4, "channels": 2, "frames": 2}, (2, 2, 6, 7), "the first 4 are shown"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_more_pages_than_planes_give_a_warning(
    counts: dict[str, int],
    shape: tuple[int, ...],
    message: str,
    options: dict[str, Any],
    tmp_path: Path,
) -> None:
    text = "ImageJ=1.53t\n" + "".join(f"{key}={value}\n" for key, value in counts.items())
    data = pixels((5, 6, 7))
    tifffile.imwrite(tmp_path / "a.tif", data, description=text, **options, **GRAY)
    planes = count_things(counts["images"], "plane")
    message = f"declares {planes}, but the file has 5 pages: {message}"
    with pytest.warns(FerryWarning, match=message):
        (image,) = imload(tmp_path / "a.tif")
    assert image.shape == shape
    assert image.axes[0].name == ("z" if "slices" in counts else "t")
    assert_same_pixels(np.asarray(image.array).reshape(-1, 6, 7), data[: np.prod(shape[:-2])])


def test_a_page_of_another_kind_after_a_hyperstack_is_left_out(tmp_path: Path) -> None:
    data = pixels((5, 6, 7))
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(data, description="ImageJ=1.53t\nimages=5\nframes=5\n", **GRAY)
        writer.write(data[0, :3], **GRAY)
    with pytest.warns(FerryWarning, match="has 6 pages: the first 5 are shown"):
        (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, data)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.97])
@pytest.mark.parametrize("writer", ["ours", "tifffile"])
def test_planes_before_the_end_of_a_file_that_is_cut_off_are_shown(
    tmp_path: Path, writer: str, part: float
) -> None:
    """The other directories of such files follow all pixels, so that they are lost first."""
    stack = np.arange(40 * 64 * 64, dtype=np.uint16).reshape(40, 64, 64)
    path = tmp_path / "a.tif"
    if writer == "ours":
        imsave(stack, path)
    else:
        tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "TYX"})
    os.truncate(path, int(path.stat().st_size * part))

    with pytest.warns(FerryWarning, match="is cut off: its ImageJ header declares 40 planes"):
        (image,) = imload(path)
    n_complete = path.stat().st_size // stack[0].nbytes
    assert image.shape[0] in (n_complete, n_complete - 1)
    np.testing.assert_array_equal(image, stack[: image.shape[0]])


@pytest.mark.parametrize("order", [None, "tzcyx", "cztyx", "zctyx"])
def test_labels_belong_to_their_planes_when_read_and_saved(
    order: str | None, tmp_path: Path
) -> None:
    stack = np.arange(12, dtype=np.uint16).repeat(30).reshape(2, 3, 2, 5, 6)
    labels = [f"plane {k}" for k in range(12)]
    metadata = {"axes": "TZCYX", "Labels": labels}
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata=metadata)
    (image,) = imload(tmp_path / "a.tif", order=order)
    assert image.metadata["Labels"] == [f"plane {k}" for k in image.load()[..., 0, 0].ravel()]
    (part,) = imload(tmp_path / "a.tif", order=order, partition={"c": 1})
    assert part.metadata["Labels"] == [f"plane {k}" for k in part.load()[..., 0, 0].ravel()]

    imsave(image, tmp_path / "b.tif")
    with tifffile.TiffFile(tmp_path / "b.tif") as tif:
        assert (tif.imagej_metadata or {})["Labels"] == labels
    assert imload(tmp_path / "b.tif")[0].metadata["Labels"] == image.metadata["Labels"]
