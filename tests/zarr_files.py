"""Zarr stores written by zarr-python, with metadata of OME-NGFF."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from napari_ferry.codecs.zarr.store import FolderStore

TYPES = {"t": "time", "c": "channel"}


def write_array(path: Path, data: NDArray[Any], **options: Any) -> Path:
    """Write an array; options are those of `zarr.create_array`."""
    options = {"zarr_format": 3, "chunks": tuple(max(1, n // 2) for n in data.shape), **options}
    if options["zarr_format"] == 2 and data.ndim:
        options = {"chunk_key_encoding": {"name": "v2", "separator": "/"}, **options}
    array = zarr.create_array(str(path), shape=data.shape, dtype=data.dtype, **options)
    array[...] = data
    return path


def write_group(path: Path, attributes: Mapping[str, Any], version: str = "0.5") -> Path:
    """Write a group of OME-NGFF: Zarr 3 for version 0.5, and Zarr 2 for 0.4."""
    path.mkdir(parents=True, exist_ok=True)
    if version == "0.4":
        (path / ".zgroup").write_text('{"zarr_format": 2}')
        (path / ".zattrs").write_text(json.dumps(attributes))
        return path
    content = {"ome": {"version": version, **attributes}}
    group = {"zarr_format": 3, "node_type": "group", "attributes": content}
    (path / "zarr.json").write_text(json.dumps(group))
    return path


def edit_json(path: Path, **changes: Any) -> None:
    """Change values of a JSON object in a file; a value of ... removes its key."""
    values = {**json.loads(path.read_text()), **changes}
    kept = {key: value for key, value in values.items() if value is not ...}
    path.write_text(json.dumps(kept))


def describe_axes(axes: Sequence[str], units: Mapping[str, str] | None = None) -> list[Any]:
    """Return the axes of a multiscale."""
    return [
        {"name": name, "type": TYPES.get(name, "space")}
        | ({"unit": (units or {})[name]} if name in (units or {}) else {})
        for name in axes
    ]


def write_image(
    path: Path,
    data: NDArray[Any] | Sequence[NDArray[Any]],
    axes: Sequence[str],
    version: str = "0.5",
    *,
    scale: Sequence[float] | None = None,
    translation: Sequence[float] | None = None,
    units: Mapping[str, str] | None = None,
    multiscale: Mapping[str, Any] | None = None,
    attributes: Mapping[str, Any] | None = None,
    **options: Any,
) -> Path:
    """Write an image of OME-NGFF: its levels, and the attributes of its group."""
    levels = [data] if isinstance(data, np.ndarray) else list(data)
    datasets = []
    for k, level in enumerate(levels):
        factors = [n / m for n, m in zip(levels[0].shape, level.shape, strict=True)]
        steps = [a * b for a, b in zip(scale or [1.0] * level.ndim, factors, strict=True)]
        transformations: list[Any] = [{"type": "scale", "scale": steps}]
        if translation is not None:
            transformations.append({"type": "translation", "translation": list(translation)})
        datasets.append({"path": str(k), "coordinateTransformations": transformations})
    described = {"axes": describe_axes(axes, units), "datasets": datasets, **(multiscale or {})}
    if version == "0.4":
        described = {"version": version, **described}
    write_group(path, {"multiscales": [described], **(attributes or {})}, version)
    for k, level in enumerate(levels):
        if version == "0.4":
            write_array(path / str(k), level, zarr_format=2, **options)
        else:
            write_array(path / str(k), level, dimension_names=list(axes), **options)
    return path


def write_labels(path: Path, labels: Mapping[str, NDArray[Any]], version: str = "0.5") -> None:
    """Add labels to the image of a group, with a color for 1 and none for others."""
    write_group(path / "labels", {"labels": [*labels]}, version)
    colors = [{"label-value": 1, "rgba": [255, 0, 51, 255]}]
    for name, data in labels.items():
        attributes = {"image-label": {"colors": colors, "source": {"image": "../../"}}}
        axes = "tczyx"[-data.ndim :]
        write_image(path / "labels" / name, data, axes, version, attributes=attributes)


def zip_store(folder: Path, target: Path, **options: Any) -> Path:
    """Put a store into a ZIP file."""
    made = shutil.make_archive(str(target), "zip", folder, **options)
    return Path(made).rename(target)


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the chunks that are read from folders."""
    read: list[str] = []
    of_store = FolderStore.read

    def counting(store: FolderStore, key: str, most: int) -> bytes | None:
        read.append(key)
        return of_store(store, key, most)

    monkeypatch.setattr(FolderStore, "read", counting)
    return read
