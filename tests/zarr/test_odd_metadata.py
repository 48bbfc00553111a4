"""Metadata of OME-NGFF that are incomplete, contradictory or new: right, or named in a warning."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from napari.layers import Layer

from helpers import assert_same_pixels, pixels
from napari_ferry import FerryError, FerryWarning, imload
from napari_ferry.layers import to_layers
from zarr_files import edit_json, write_array, write_group, write_image, write_labels

DATA = pixels((2, 3, 16, 20))
LEVELS = (DATA, DATA[..., ::2, ::2], DATA[..., ::4, ::4])
WINDOW = {"min": 0, "max": 65535, "start": 10, "end": 400}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A store, and what it opens as.

    Parameters
    ----------
    write : callable
        Writes the store to a path.
    warning : str
        Part of a warning; empty if there is none.
    error : str
        Part of the message of the error; empty if the store opens.
    facts : mapping
        Expected facts of the first image, as `facts_of` returns them.
    """

    write: Callable[[Path], object]
    warning: str = ""
    error: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def channels(*listed: Any, **omero: Any) -> Callable[[Path], object]:
    """Return a function that writes an image with channels in omero."""
    attributes = {"omero": {"channels": list(listed), **omero}}
    return lambda path: write_image(path, DATA, "tcyx", attributes=attributes)


def channel(**values: Any) -> dict[str, Any]:
    return {"label": "GFP", "color": "00FF00", "window": WINDOW} | values


def scaled(scale: Any, **more: Any) -> Callable[[Path], object]:
    """Return a function that writes an image whose dataset has one scale."""
    steps = [{"type": "scale", "scale": scale}, *more.pop("steps", [])]
    datasets = [{"path": "0", "coordinateTransformations": steps}]
    return lambda path: write_image(path, DATA, "tcyx", multiscale={"datasets": datasets, **more})


def multiscale(version: str = "0.5", **values: Any) -> Callable[[Path], object]:
    """Return a function that writes a pyramid with some values of its multiscale."""
    return lambda path: write_image(path, LEVELS, "tcyx", version, multiscale=values)


def paths(*listed: Any) -> Callable[[Path], object]:
    """Return a function that writes a pyramid whose datasets have some paths."""
    return multiscale(datasets=[{"path": path} for path in listed])


def edited(file: str, **changes: Any) -> Callable[[Path], object]:
    """Return a function that writes a pyramid and changes one of its metadata files."""

    def write(path: Path) -> None:
        version = "0.5" if file.endswith("json") else "0.4"
        write_image(path, LEVELS, "tcyx", version)
        edit_json(path / file, **changes)

    return write


def plate(path: Path) -> None:
    """Write a plate, one well of which is missing, and one is listed without a path."""
    wells = [{"path": "A/1"}, {"path": "B/2"}, {"rowIndex": 3}, None]
    write_group(path, {"plate": {"wells": wells}})
    write_group(path / "A" / "1", {"well": {"images": [{"path": "0"}, {}]}})
    write_image(path / "A" / "1" / "0", DATA, "tcyx")


def series(path: Path, listed: Any = None, count: int = 2) -> None:
    """Write images of bioformats2raw."""
    write_group(path, {"bioformats2raw.layout": 3})
    for k in range(count):
        write_image(path / str(k), DATA[k], "cyx")
    if listed is not None:
        write_group(path / "OME", {"series": listed})


def labels_of_other_levels(path: Path) -> None:
    """Write an image of three levels with labels of one."""
    write_image(path, LEVELS, "tcyx")
    write_labels(path, {"cells": (DATA[0, 0] % 3).astype("i4")})


def several(path: Path) -> None:
    """Write several multiscales, one of which is not an object."""
    write_image(path, LEVELS, "tcyx")
    axes = [{"name": name} for name in "tcyx"]
    listed = [{"axes": axes, "datasets": [{"path": str(k)}], "name": f"n{k}"} for k in range(2)]
    write_group(path, {"multiscales": listed})


def xarray(path: Path) -> None:
    """Write an array as xarray does."""
    zarr.open_group(str(path), mode="w")
    write_array(path / "cells", DATA[0], dimension_names=["channel", "y", "x"])
    write_array(path / "x", np.arange(20) * 0.5 + 1, dimension_names=["x"])


def nested_without_separator(path: Path) -> None:
    """Write chunks in folders, as zarr-python 2 did without saying so."""
    write_image(path, DATA, "tcyx", "0.4")
    edit_json(path / "0" / ".zarray", dimension_separator=...)


def nan_attributes(path: Path) -> None:
    """Write NaN where JSON has no such number."""
    write_image(path, DATA, "tcyx", scale=(1, 1, math.nan, 2), attributes={"omero": None})
    text = (path / "zarr.json").read_text()
    (path / "zarr.json").write_text(text.replace('"omero": null', '"more": NaN'))


def duplicate_keys(path: Path) -> None:
    """Write a key twice."""
    write_image(path, DATA, "tcyx")
    text = (path / "zarr.json").read_text()
    (path / "zarr.json").write_text('{"attributes": {}, ' + text[1:])


OUTER = [{"type": "scale", "scale": [1, 1, 10, 10]}]
SYSTEMS = [{"name": "world", "axes": [{"name": name, "unit": "um"} for name in "tcyx"]}]
AFFINE = [{"type": "affine", "affine": [[1, 0, 0], [0, 1, 0]]}]
ONES = {"scales": [1, 1, 1, 1], "translations": [0, 0, 0, 0]}
NAMED = {"names": ("t", "c", "y", "x"), "pixels": DATA}

CASES: dict[str, Case] = {
    "fewer channels": Case(
        write=channels(channel()), warning="the others have no names", facts={"colors": "#00ff00"}
    ),
    "more channels": Case(write=channels(*[channel()] * 5), warning="the others are left out"),
    "reversed window": Case(
        write=channels(*[channel(window={"start": 9, "end": 1})] * 3),
        warning="window from 9 to 1",
        facts={"limits": None},
    ),
    "empty window": Case(
        write=channels(*[channel(window={"start": 3, "end": 3})] * 3),
        warning="window from 3 to 3",
        facts={"limits": None},
    ),
    "missing window": Case(
        write=channels(*[{"label": "a", "color": "ff0000"}] * 3), facts={"limits": None}
    ),
    "window of range only": Case(
        write=channels(*[channel(window={"min": 0, "max": 9})] * 3),
        warning="without start and end",
        facts={"limits": None},
    ),
    "window as text": Case(
        write=channels(*[channel(window={"start": "0", "end": "9"})] * 3), warning="window from"
    ),
    "color names": Case(write=channels(*[channel(color="green")] * 3), warning="a color 'green'"),
    "color with alpha": Case(
        write=channels(*[channel(color="FF000080")] * 3), facts={"colors": "#ff0000"}
    ),
    "color as number": Case(write=channels(*[channel(color=255)] * 3), warning="a color 255"),
    "label as number": Case(write=channels(*[channel(label=0)] * 3), facts={"channel": "0"}),
    "string scale": Case(
        write=scaled(["1", "1", "2", "2"]), warning="left out", facts={"scales": [1, 1, 1, 1]}
    ),
    "zero scale": Case(
        write=scaled([1, 1, 0, 2]), warning="uncalibrated", facts={"scales": [1, 1, 1, 2]}
    ),
    "negative scale": Case(write=scaled([1, 1, -2, 2]), facts={"scales": [1, 1, -2, 2]}),
    "infinite scale": Case(write=scaled([1, 1, math.inf, 2]), warning="left out", facts=ONES),
    "tiny scale": Case(write=scaled([1, 1, 1e-320, 2]), warning="uncalibrated"),
    "scale of 3 axes": Case(write=scaled([2, 3, 4]), warning="left out", facts=ONES),
    "no transformations": Case(write=paths("0", "1", "2"), facts=ONES),
    "translation only": Case(
        write=multiscale(
            datasets=[
                {
                    "path": "0",
                    "coordinateTransformations": [
                        {"type": "translation", "translation": [0, 0, 3, 4]}
                    ],
                }
            ]
        ),
        facts={"translations": [0, 0, 3, 4]},
    ),
    "translation before scale": Case(
        write=scaled(
            [1, 1, 2, 2], steps=[{"type": "translation", "translation": [0, 0, 1, 1]}] * 2
        ),
        facts={"translations": [0, 0, 2, 2]},
    ),
    "outer transformations": Case(
        write=scaled([1, 1, 2, 3], coordinateTransformations=OUTER),
        facts={"scales": [1, 1, 20, 30]},
    ),
    "affine": Case(write=scaled([1, 1, 2, 3], steps=AFFINE), warning="left out"),
    "0.6 coordinate systems": Case(
        write=multiscale("0.6rc0", axes=None, coordinateSystems=SYSTEMS),
        warning="newer than 0.5",
        facts=NAMED,
    ),
    "no axes": Case(
        write=multiscale(axes=None), warning="opened as t z y x", facts={"names": (*"tzyx",)}
    ),
    "axes as text": Case(write=multiscale("0.4", axes=["t", "c", "y", "x"]), facts=NAMED),
    "duplicate axes": Case(
        write=multiscale(axes=[{"name": name} for name in "xxyx"]), warning="opened as t z y x"
    ),
    "odd unit": Case(
        write=multiscale(axes=[{"name": name, "unit": "furlongs"} for name in "tcyx"]),
        warning="unit",
        facts={"names": (*"tcyx",)},
    ),
    "several multiscales": Case(write=several, facts={"count": 2}),
    "missing level": Case(
        write=paths("0", "9", "2"), warning="the array 9 is missing", facts={"levels": 2}
    ),
    "missing full resolution": Case(write=paths("9", "1"), error="the array 9 is missing"),
    "levels in another order": Case(write=paths("2", "0", "1"), facts={"levels": 3, **NAMED}),
    "duplicate paths": Case(write=paths("0", "0", "1"), facts=NAMED),
    "path out of the store": Case(write=paths("../a.zarr/0"), error="leads out of the store"),
    "path as number": Case(write=paths(0), error="is not the path"),
    "missing wells": Case(write=plate, warning="left out", facts={"count": 1, **NAMED}),
    "series": Case(write=lambda path: series(path, ["1", "0"]), facts={"count": 2}),
    "series without a list": Case(write=series, facts={"count": 2}),
    "series with a missing image": Case(
        write=lambda path: series(path, ["0", "7"]), warning="series 7 is missing"
    ),
    "labels of other levels": Case(write=labels_of_other_levels, facts={"count": 2, "levels": 3}),
    "xarray": Case(write=xarray, facts={"names": (*"cyx",), "scales": [1, 1, 0.5]}),
    "nested chunks": Case(write=nested_without_separator, facts=NAMED),
    "NaN": Case(write=nan_attributes, warning="left out", facts={"names": (*"tcyx",)}),
    "duplicate keys": Case(write=duplicate_keys, facts=NAMED),
    "unknown codec": Case(
        write=edited("0/zarr.json", codecs=["bytes", {"name": "jetraw"}]), error="codec 'jetraw'"
    ),
    "unknown codec of a level": Case(
        write=edited("1/zarr.json", codecs=["bytes", {"name": "jetraw"}]),
        warning="codec 'jetraw'",
        facts={"levels": 2},
    ),
    "unknown compressor": Case(
        write=edited("0/.zarray", compressor={"id": "vlen-utf8"}), error="codec 'vlen-utf8'"
    ),
    "fill value out of range": Case(write=edited("0/zarr.json", fill_value=-1), error="fill value"),
    "group without attributes": Case(write=edited("zarr.json", attributes=...), facts={"count": 3}),
    "attributes as text": Case(write=edited("zarr.json", attributes="x"), facts={"count": 3}),
    "a group as a level": Case(
        write=edited("0/zarr.json", node_type="group"), error="is a group, expected an array"
    ),
    "older format": Case(write=edited("zarr.json", zarr_format=4), error="format 4"),
}


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", CASES)
def test_odd_metadata_are_right_or_named(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    path = tmp_path / "a.zarr"
    case.write(path)
    if case.error:
        with pytest.raises(FerryError, match=rf"^a\.zarr.*{case.error}"):
            imload(path)
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        images = imload(path)
        layers = to_layers(images)
    found = [str(one.message) for one in caught if one.category is FerryWarning]
    assert bool(found) == bool(case.warning), found
    assert case.warning in " ".join(found)
    assert all(text.startswith(("a.zarr", "Axis", "The axes of a.zarr")) for text in found), found
    for data, meta, kind in layers:
        levels = data if meta.get("multiscale") else [data]
        assert all(np.asarray(level[(0,) * (level.ndim - 2)]).ndim == 2 for level in levels)
        assert all(math.isfinite(scale) and scale for scale in meta["scale"])
        Layer.create(data, meta, kind)
    assert facts_of(images, case.facts) == {k: v for k, v in case.facts.items() if k != "pixels"}
    if "pixels" in case.facts:
        assert_same_pixels(np.asarray(images[0].array), case.facts["pixels"])


def facts_of(images: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of images that a case names."""
    image = images[0]
    one = image.channels[0] if image.channels else None
    every = {
        "count": len(images),
        "names": image.axis_names,
        "levels": len(image.levels),
        "scales": [axis.scale for axis in image.axes],
        "translations": [axis.translation for axis in image.axes],
        "colors": one.color if one else None,
        "channel": one.name if one else None,
        "limits": one.contrast_limits if one else None,
    }
    return {key: every[key] for key in wanted if key != "pixels"}
