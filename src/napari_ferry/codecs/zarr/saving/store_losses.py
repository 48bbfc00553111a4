"""Losses of a save as OME-Zarr, and obstacles for other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

from napari_ferry.codecs.zarr.ome_documents import storable_axis
from napari_ferry.codecs.zarr.saving.array_documents import has_surrogates
from napari_ferry.codecs.zarr.saving.image_plan import ImagePlan
from napari_ferry.codecs.zarr.saving.series_xml import has_series_xml
from napari_ferry.image import Image, common_losses, describe
from napari_ferry.image.axes import is_valid_scale

_UNCOMMON_DTYPES = ("float16", "complex64", "complex128")
"""Data types unknown to viewers in browsers."""

_SERIES = (
    "bioio and ome-zarr-py do not open several images in one store: save each separately for them"
)
_SERIES_WITHOUT_XML = (
    "OME-XML cannot describe all of the images, so napari-ome-zarr, bioio and ome-zarr-py do not "
    "find any: save each separately for them"
)
_ZIP = (
    "napari-ome-zarr, ome-zarr-py and viewers in browsers do not open ZIP files: save as .ome.zarr "
    "for them"
)


def losses_of(plans: Sequence[ImagePlan], *, is_zip: bool) -> tuple[str, ...]:
    """Return one sentence for each loss and each obstacle.

    Parameters
    ----------
    plans : sequence of ImagePlan
        All images of the store.
    is_zip : bool
        True for a store in a ZIP file.
    """
    losses = [loss for planned in plans for loss in _losses(planned)]
    if len(plans) > 1 and plans[0].key:
        losses.append(_SERIES if has_series_xml(plans) else _SERIES_WITHOUT_XML)
    if is_zip:
        losses.append(_ZIP)
    has_pyramid = all(len(planned.levels) > 1 for planned in plans)
    losses += common_losses([_saved_part(planned) for planned in plans], has_pyramid=has_pyramid)
    return tuple(dict.fromkeys(losses))


def _saved_part(planned: ImagePlan) -> Image:
    """Return an image without its smaller levels if they are saved unchanged."""
    image = planned.image
    return replace(image, levels=image.levels[:1]) if planned.keeps_levels else image


def _losses(planned: ImagePlan) -> Iterator[str]:
    image = planned.image
    if not planned.is_ome:
        yield (
            f"OME-Zarr does not have the axes {' '.join(image.axis_names)}, but at most t, z, y, x "
            "and one for channels or anything else: only napari-ferry opens them with names and "
            "scale, and other programs open plain arrays"
        )

    for axis, stored in zip((image.axes[k] for k in planned.order), planned.axes, strict=True):
        if is_valid_scale(axis.scale) and storable_axis(stored).unit != axis.unit:
            yield (
                f"the unit {axis.unit} of axis {axis.name} is not one of OME-Zarr: only "
                "napari-ferry restores it"
            )
        if axis.scale < 0:
            yield (
                f"axis {axis.name} has a negative scale, and programs that check levels strictly, "
                "such as napari-ome-zarr, refuse it"
            )

    if has_surrogates(json.dumps(describe(image), ensure_ascii=False)):
        yield (
            "characters in names or metadata that are not Unicode are replaced by "
            "\N{REPLACEMENT CHARACTER}"
        )

    if image.kind == "labels" and image.dtype.kind not in "biu":
        yield (
            f"labels of {image.dtype.name} are stored as an image, because OME-Zarr has labels of "
            "integers only; napari-ferry opens them as labels"
        )
    if planned.encoder.dtype != image.dtype.newbyteorder("<"):
        yield "labels of bool are stored as 0 and 1 of uint8"
    if image.dtype.name in _UNCOMMON_DTYPES:
        yield f"viewers in browsers do not read samples of {image.dtype.name}"
