"""intake_io: every function and parameter on its page."""

from __future__ import annotations

from typing import Any

import numpy as np
import tifffile

from migration.pages import Check, Names, Page, paths_of, same
from napari_ferry import Image, imload


def pixels_of(image: Image, axes: str) -> Any:
    """Return the pixels of an image with its axes in another order, by numpy."""
    names = "".join(image.axis_names)
    return np.einsum(f"{names}->{axes}", np.asarray(image))


def opened(
    axes: str = "tczyx", shape: tuple[int, ...] = (2, 2, 3, 12, 16), **expected: object
) -> Check:
    """Return a check of the only image in a list: axes, shape, and step and unit of axes."""

    def check(found: Any, names: Names) -> bool:
        (image,) = found
        steps = {axis.name: (axis.scale, axis.unit) for axis in image.axes}
        return (
            "".join(image.axis_names) == axes
            and image.shape == shape
            and image.dtype == "uint16"
            and all(steps[name] == value for name, value in expected.items())
        )

    return check


STEPS = {
    "t": (0.5, "second"),
    "z": (2.0, "micrometer"),
    "y": (0.25, "micrometer"),
    "x": (0.2, "micrometer"),
}


def is_part(found: Any, names: Names) -> bool:
    whole = tifffile.imread("hyper.tif").reshape(2, 3, 2, 12, 16)
    return opened("czyx", (2, 3, 12, 16))(found, names) and same(
        found[0], whole[1].transpose(1, 0, 2, 3)
    )


def is_ordered(found: Any, names: Names) -> bool:
    (whole,) = imload("hyper.tif")
    is_reordered = opened("ctzyx", **STEPS)(found, names)
    return is_reordered and same(found[0], pixels_of(whole, "ctzyx"))


def has_channels(*expected: str) -> Check:
    """Return a check of the names of channels."""
    return lambda found, names: [channel.name for channel in found[0].channels] == [*expected]


def is_variable(found: Any, names: Names) -> bool:
    """Return True for a lazy DataArray with the coordinates and units of the file."""
    steps = {axis: found.coords[axis].values[1] for axis in STEPS}
    units = {axis: found.coords[axis].attrs["units"] for axis in STEPS}
    return (
        found.chunks is not None and {axis: (steps[axis], units[axis]) for axis in STEPS} == STEPS
    )


def is_set(found: Any, names: Names) -> bool:
    (image,) = found
    channels = sorted(channel.name for channel in image.channels)
    return opened("ictyx")(found, names) and channels == ["actin", "nuclei"]


def saved(*paths: str, compression: str = "NONE") -> Check:
    """Return a check that files were written which open as the image with its calibration."""

    def check(found: Any, names: Names) -> bool:
        (image,) = imload(found[0] if len(found) == 1 else found)
        if found[0].suffix == ".tif":
            with tifffile.TiffFile(found[0]) as tif:
                assert tif.pages[0].compression.name == compression
        return (
            paths_of(found) == [*paths]
            and same(image, names["pixels"])
            and opened(**STEPS)([image], names)
            and has_channels("nuclei", "actin")([image], names)
        )

    return check


def holds_both(found: Any, names: Names) -> bool:
    images = imload(found[0])
    pairs = zip(images, names["dataset"].data_vars.items(), strict=True)
    return paths_of(found) == ["new.tif"] and all(
        image.name == name and same(image, variable.data) for image, (name, variable) in pairs
    )


def is_of_pixels(found: Any, names: Names) -> bool:
    return (
        same(found, names["pixels"])
        and opened(y=(0.25, "micrometer"), x=(0.2, "micrometer"))([found], names)
        and has_channels("a", "b")([found], names)
    )


PARTS = '"parts/filename.var_image.i_{i}.c_'

PAGE = Page(
    name="intake-io",
    system="intake_io",
    signatures={
        "imload": "(uri) partition= metadata_only= output_axis_order= axes spacing spacing_units "
        "coords metadata=",
        "imsave": "image uri= compress= partition=",
        "FilePatternSource": "folder= axis_tags= extensions= include_filters= exclude_filters= "
        "ixs=",
        "ListSource": "items= axis=",
        "get_axes": "(image)",
        "get_spacing": "(image) axes=",
        "get_spacing_units": "(image) axes=",
        "to_numpy": "(image)",
        "to_xarray": "(image) spacing= axes= coords= spacing_units= name= attrs=",
        "partition_gen": "(image) inner_axes= uri=",
    },
    files={"hyper.tif": "hyper.tif", "parts": "part_documented_lower"},
    checks={
        'imload("hyper.tif")': opened(**STEPS),
        'imload("hyper.tif")[0].to_dataset().hyper': is_variable,
        'imload("hyper.tif", partition={"t": 1})': is_part,
        'imload("hyper.tif", order="ctzyx")': is_ordered,
        'imload("hyper.tif", metadata={"axes": "tczxy"})': opened("tczxy"),
        'imload("hyper.tif", metadata={"spacing": {"t": 0.3}})': opened(t=(0.3, "second")),
        'imload("hyper.tif", metadata={"spacing_units": {"t": "ms"}})': opened(
            t=(0.5, "millisecond")
        ),
        'imload("hyper.tif", metadata={"coords": {"c": ["dapi", "gfp"]}})': has_channels(
            "dapi", "gfp"
        ),
        'imsave(image, "new.tif")': saved("new.tif"),
        'imsave(image, "new")': saved("new.ome.zarr"),
        'imsave(image, "new.tif", compression=True)': saved("new.tif", compression="ADOBE_DEFLATE"),
        'imsave(image, "new.tif", partition="yx")': saved(
            *(
                f"new.t_{t:02}.c_{c}.z_{z:02}.tif"
                for t in range(2)
                for c in ("nuclei", "actin")
                for z in range(3)
            )
        ),
        'imsave(dataset, "new.tif")': holds_both,
        f'imload({PARTS}{{c}}.tif")': is_set,
        f'imload({PARTS}nuclei.tif", partition={{"i": 0}})': opened("tyx", (3, 12, 16)),
        'imload(["hyper.tif", "hyper.tif"])': opened(shape=(4, 2, 3, 12, 16)),
        "found.axis_names": lambda found, names: "".join(found) == "tczyx",
        'found.axis("y").scale': lambda found, names: found == 0.25,
        'found.axis("y").unit': lambda found, names: found == "micrometer",
        "np.asarray(found)": lambda found, names: same(found, names["pixels"]),
        'Image.from_array(pixels, "tczyx", name="cells").replace(scale={"y": 0.25, "x": 0.2}, '
        'unit="um", channels=["a", "b"])': is_of_pixels,
        'plan(image, "new.tif", partition="zyx")': lambda found, names: (
            [file.path.name for file in found.files]
            == [f"new.t_{t:02}.c_{c}.tif" for t in range(2) for c in ("nuclei", "actin")]
        ),
    },
)
