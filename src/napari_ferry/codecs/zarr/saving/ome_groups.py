"""Attributes of the groups of a new store: OME-NGFF, and our own record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_ferry.codecs.zarr.completeness import COMPLETE
from napari_ferry.codecs.zarr.ome_documents import (
    describe_axes,
    describe_labels,
    describe_rendering,
    describe_transformations,
)
from napari_ferry.codecs.zarr.saving.image_plan import ImagePlan
from napari_ferry.codecs.zarr.zarr_options import Version
from napari_ferry.image import describe
from napari_ferry.image.record import KEY, parse_description


def wrap(ome: Mapping[str, Any], version: Version) -> dict[str, Any]:
    """Return attributes of OME-NGFF: in an object with the version since 0.5."""
    return {"ome": {"version": version, **ome}} if version != "0.4" else dict(ome)


def image_attributes(planned: ImagePlan, version: Version, source: str = "") -> dict[str, Any]:
    """Return the attributes of the group of an image.

    Parameters
    ----------
    planned : ImagePlan
        The image.
    version : {"0.5", "0.4"}
        Version of OME-NGFF.
    source : str
        Path of the image of labels; empty if there is none.
    """
    record = describe(planned.image)
    if planned.is_complete:
        record[COMPLETE] = True
    multiscale = _describe_multiscale(planned)
    if not planned.is_ome:
        return {KEY: {**record, "multiscales": [multiscale]}}

    if version == "0.4":
        multiscale = {"version": version, **multiscale}
    ome: dict[str, Any] = {"multiscales": [multiscale]}
    if planned.image.kind == "labels" and planned.encoder.dtype.kind in "iu":
        ome["image-label"] = describe_labels(planned.image.display, version, source)
    elif (description := parse_description(record)) is not None:
        omero = describe_rendering(description)
        ome |= {} if omero is None else {"omero": omero}
    return {**wrap(ome, version), KEY: record}


def _describe_multiscale(planned: ImagePlan) -> dict[str, Any]:
    """Return the item of ``multiscales`` of an image."""
    described: dict[str, Any] = {"name": planned.image.name} if planned.image.name else {}
    described["axes"] = describe_axes(planned.axes)
    described["datasets"] = _describe_datasets(planned)
    return {**described, **planned.downsampling}


def _describe_datasets(planned: ImagePlan) -> list[dict[str, Any]]:
    """Return the paths and transformations of all levels."""
    datasets = []
    for level, position in zip(planned.levels, planned.positions, strict=True):
        transformations = describe_transformations(planned.axes, *position)
        path = level.key.rpartition("/")[2]
        datasets.append({"path": path, "coordinateTransformations": transformations})
    return datasets
