"""ImageJ hyperstacks, saved and parsed through tifffile, for several tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from hypothesis import strategies as st

from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.record import Description
from napari_ferry.imagej import parse_imagej, parse_sizes, to_imagej
from napari_ferry.units import METERS, SECONDS


def make(axes: str, shape: tuple[int, ...], dtype: Any = np.uint16, **fields: Any) -> Image:
    array = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return replace(Image.from_array(array, axes), **fields)


def calibrate(image: Image, **steps: tuple[float, str | None]) -> Image:
    axes = [
        replace(axis, **dict(zip(("scale", "unit"), steps.get(axis.name, ()), strict=False)))
        for axis in image.axes
    ]
    return replace(image, axes=tuple(axes))


def save(image: Image, path: Path) -> None:
    tags = to_imagej(image)
    lead = len(tags.order)
    data = np.transpose(image.load(), (*tags.order, *range(lead, image.ndim)))
    tifffile.imwrite(
        path,
        data.reshape(tags.shape6),
        imagej=True,
        resolution=tags.resolution,
        metadata=tags.metadata,
    )


def read(path: Path, **changes: Any) -> Description:
    with tifffile.TiffFile(path) as tif:
        page, metadata = tif.pages.first, dict(tif.imagej_metadata or {})
        ratios = [page.tags[f"{axis}Resolution"].value for axis in "XY"]
        resolution = (ratios[0][0] / ratios[0][1], ratios[1][0] / ratios[1][1])
        resolution = changes.pop("resolution", resolution)
        metadata = {k: v for k, v in {**metadata, **changes}.items() if v is not None}
        y, x, *samples = page.shape
        return parse_imagej(
            metadata, resolution, (y, x), page.dtype.name, *samples or [1],
            parse_sizes(metadata, len(tif.pages)),
        )  # fmt: skip


def parse(metadata: dict[str, Any], nframes: int | None = None, **more: Any) -> Description:
    resolution = more.get("resolution", (4.0, 2.0))
    metadata = {"ImageJ": "1.53t", **metadata}
    return parse_imagej(
        metadata,
        resolution,
        (5, 7),
        "uint16",
        more.get("samples", 1),
        parse_sizes(metadata, nframes),
    )


def axes_of(description: Description) -> str:
    return "".join(axis.name for axis in description.axes)


FULL = calibrate(
    make(
        "ctzyx",
        (2, 4, 3, 5, 7),
        name="cells",
        metadata={"Info": "mouse 4\n", "k": [1, "é"]},
        channels=(Channel("DAPI", "#0000ff", (1, 9.5)), Channel("GFP", "#00ff00", (0, 4095))),
        display={"gamma": 0.5},
    ),
    t=(20.0, "millisecond"),
    z=(2.0, "micrometer"),
    y=(0.25, "micrometer"),
    x=(0.15, "micrometer"),
)

TEXT = st.text(max_size=12)
SCALES = st.one_of(st.floats(allow_nan=False, allow_infinity=False).filter(bool), st.just(0.15))
UNITS = st.one_of(st.none(), st.sampled_from(sorted({**METERS, **SECONDS})), st.just("degree"))
COLORS = st.one_of(st.none(), st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}"))
LIMITS = st.one_of(st.none(), st.tuples(st.floats(-1e6, 0), st.floats(1e-3, 1e6)))


@st.composite
def images(draw: st.DrawFn) -> Image:
    is_rgb = draw(st.booleans())
    names = [*draw(st.lists(st.sampled_from("tzc"), unique=True)), "y", "x", *["s"] * is_rgb]
    most = {"c": 1} if is_rgb else {}
    shape = [3 if n == "s" else draw(st.integers(1, most.get(n, 3))) for n in names]
    dtype = "uint8" if is_rgb else draw(st.sampled_from(["uint8", "uint16", "float32"]))
    count = dict(zip(names, shape, strict=True)).get("c", 1)
    channels = [
        Channel(draw(st.one_of(st.none(), TEXT)), draw(COLORS), draw(LIMITS)) for _ in range(count)
    ]
    metadata = draw(
        st.dictionaries(
            st.one_of(TEXT, st.sampled_from(["Info", "Labels", "ROI"])),
            st.one_of(st.integers(), TEXT),
        )
    )
    return Image(
        (np.zeros(shape, dtype),),
        tuple(Axis(name, draw(SCALES), draw(UNITS), draw(SCALES)) for name in names),
        tuple(channels) if draw(st.booleans()) else (),
        draw(TEXT),
        draw(st.sampled_from(["image", "labels"])),
        draw(st.dictionaries(TEXT, TEXT, max_size=2)),
        metadata,
    )
