"""The plan of a new store: its groups and files."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Any

from napari_ferry.codecs.zarr.node import SERIES_LAYOUT
from napari_ferry.codecs.zarr.ome_documents import store_order
from napari_ferry.codecs.zarr.saving.array_documents import v2_documents, v3_documents
from napari_ferry.codecs.zarr.saving.copied_image import plan_any, plan_labeled
from napari_ferry.codecs.zarr.saving.image_plan import ImagePlan
from napari_ferry.codecs.zarr.saving.ome_groups import image_attributes, wrap
from napari_ferry.codecs.zarr.saving.planned_block import to_group
from napari_ferry.codecs.zarr.saving.series_xml import (
    SERIES_XML,
    describe_series,
    has_series_xml,
)
from napari_ferry.codecs.zarr.saving.store_details import details_of
from napari_ferry.codecs.zarr.saving.store_files import make_folder, write_documents
from napari_ferry.codecs.zarr.saving.store_losses import losses_of
from napari_ferry.codecs.zarr.saving.store_replacement import is_pure_store
from napari_ferry.codecs.zarr.saving.zip_stream import ENTRY_BYTES, plan_stream
from napari_ferry.codecs.zarr.store import METADATA_FILES, ZIP_SUFFIX
from napari_ferry.codecs.zarr.zarr_options import StoreOptions
from napari_ferry.image import Image, describe
from napari_ferry.saving import Plan, PlannedFile
from napari_ferry.saving.write_groups import Writes

_UNSAFE = re.compile(r"[^\w .()+-]")
_WINDOWS_DEVICES = ("con", "prn", "aux", "nul")


def plan_store(images: Sequence[Image], path: Path, options: StoreOptions) -> Plan:
    """Plan a store of one image, of an image with labels, or of several images.

    Parameters
    ----------
    images : sequence of Image
        Images that were checked.
    path : Path
        Folder of the store, or a ZIP file.
    options : StoreOptions
        Options of the save.
    """
    plans, groups = _plan_groups(images, options)
    arrays = {key: doc for planned in plans for key, doc in planned.array_documents().items()}
    to_documents = v2_documents if options.version == "0.4" else v3_documents
    documents = to_documents(groups, arrays)
    if has_series_xml(plans):
        documents = ((SERIES_XML, describe_series(plans)), *documents)

    grids = [grid for planned in plans for grid in planned.block_grids()]

    is_zip = path.name.lower().endswith(ZIP_SUFFIX)
    nbytes = sum(planned.nbytes for planned in plans)
    least_bytes = partial(_least_bytes, plans=plans)
    nbytes += sum(len(text.encode()) for _, text in documents)
    if is_zip:
        counts = [(key, 1) for key, _ in documents] + [(each.key, each.n_files) for each in plans]
        nbytes += sum(count * (ENTRY_BYTES + 2 * len(key.encode())) for key, count in counts)
        file = PlannedFile(path=path, nbytes=nbytes, is_encoded=True, least_bytes=least_bytes)
    else:
        file = PlannedFile(
            path=path,
            nbytes=nbytes,
            create=make_folder,
            may_replace=is_pure_store,
            is_encoded=any(planned.is_encoded or not planned.is_complete for planned in plans),
            is_folder=True,
            least_bytes=least_bytes,
            finish=partial(write_documents, documents=documents),
        )

    return Plan(
        files=(file,),
        writes=() if is_zip else Writes(to_group(grid, path) for grid in grids),
        losses=losses_of(plans, is_zip=is_zip),
        details=details_of(plans),
        nframes=sum(math.prod(image.shape[: -image.frame_ndim]) for image in images),
        identity=_identity(images, options),
        stream=plan_stream(path, grids, documents, options.version) if is_zip else None,
    )


def _least_bytes(limit: int, *, plans: Sequence[ImagePlan]) -> int:
    """Return a lower bound of the size of all chunks in bytes; one above `limit` is not exact."""
    nbytes = 0
    for planned in plans:
        if nbytes <= limit:
            nbytes += planned.least_bytes(limit - nbytes)
    return nbytes


def _identity(images: Sequence[Image], options: StoreOptions) -> str:
    """Return the identity of a save, without its files and their size."""
    return json.dumps([astuple(options), *map(describe, images)], sort_keys=True)


def _plan_groups(
    images: Sequence[Image], options: StoreOptions
) -> tuple[list[ImagePlan], dict[str, dict[str, Any]]]:
    """Return the plan of each image, and the attributes of all groups, the root first."""
    if len(images) == 1:
        planned = plan_any(images[0], "", options)
        return [planned], {"": image_attributes(planned, options.version)}
    labels = _labels_of(images)
    return _plan_series(images, options) if labels is None else _plan_labeled(*labels, options)


def _labels_of(images: Sequence[Image]) -> tuple[Image, list[Image]] | None:
    """Return the only image and its labels, or ``None`` if they do not belong together."""
    labels = [image for image in images if image.kind == "labels"]
    others = [image for image in images if image.kind != "labels"]
    if len(others) != 1 or store_order(others[0].axis_names) is None:
        return None
    fits = all(_fits(each, others[0]) for each in labels)
    return (others[0], labels) if fits else None


def _fits(labels: Image, image: Image) -> bool:
    """Return True if labels have the size of an image along each of their axes."""
    names = set(image.axis_names) - {"s"}
    return (
        labels.dtype.kind in "biu"
        and store_order(labels.axis_names) is not None
        and {*labels.axis_names} <= names
        and all(labels.size(name) == image.size(name) for name in labels.axis_names)
    )


def _plan_labeled(
    image: Image, labels: Sequence[Image], options: StoreOptions
) -> tuple[list[ImagePlan], dict[str, dict[str, Any]]]:
    """Return the plans and groups of an image with labels."""
    version = options.version
    names = list(_unique_names(labels))
    by_key = {f"labels/{name}": each for name, each in zip(names, labels, strict=True)}
    parent, plans = plan_labeled(image, by_key, options)
    groups = {
        "": image_attributes(parent, version),
        "labels": wrap({"labels": names}, version),
        **{planned.key: image_attributes(planned, version, "../../") for planned in plans},
    }
    return [parent, *plans], groups


def _unique_names(images: Sequence[Image]) -> Iterator[str]:
    """Yield a unique group name for each image, valid in all file systems."""
    taken = {*METADATA_FILES, *_WINDOWS_DEVICES}
    for image in images:
        composed = unicodedata.normalize("NFC", image.name)  # macOS splits letters and accents
        stem = _UNSAFE.sub("_", composed)[:60].strip(" ._") or "labels"
        names = (stem if k == 1 else f"{stem} {k}" for k in range(1, len(images) + 2))
        name = next(name for name in names if name.casefold() not in taken)
        taken.add(name.casefold())
        yield name


def _plan_series(
    images: Sequence[Image], options: StoreOptions
) -> tuple[list[ImagePlan], dict[str, dict[str, Any]]]:
    """Return the plans and groups of several images, in groups 0, 1 and so on."""
    version = options.version
    plans = [plan_any(image, str(i), options) for i, image in enumerate(images)]
    groups = {
        "": wrap({SERIES_LAYOUT: 3}, version),
        "OME": wrap({"series": [planned.key for planned in plans]}, version),
        **{planned.key: image_attributes(planned, version) for planned in plans},
    }
    return plans, groups
