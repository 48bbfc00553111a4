"""OME-XML of a series, for programs of Open Microscopy.

https://ngff.openmicroscopy.org/0.5/, section "bioformats2raw.layout": the document is optional, but
some readers find no images without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from napari_ferry.arrays.array_layout import Placeholder
from napari_ferry.codecs.zarr.ome_documents import channels_of
from napari_ferry.codecs.zarr.saving.image_plan import ImagePlan
from napari_ferry.image import Image, describe
from napari_ferry.image.record import parse_description
from napari_ferry.ome_xml import OME_DTYPES, write_companion_xml

SERIES_XML = "OME/METADATA.ome.xml"
"""Key of the document in the store."""


def has_series_xml(plans: Sequence[ImagePlan]) -> bool:
    """Return True if OME-XML can describe all images of a series."""
    return bool(plans) and all(
        planned.key.isdecimal() and planned.is_ome and planned.encoder.dtype.name in OME_DTYPES
        for planned in plans
    )


def describe_series(plans: Sequence[ImagePlan]) -> str:
    """Return the OME-XML of a series: axes and channels as in the store."""
    return write_companion_xml([_stored_image(planned) for planned in plans])


def _stored_image(planned: ImagePlan) -> Image:
    """Return an image as it is stored: in the order of the store, with colors as channels."""
    image = planned.image
    axes = [axis if axis.name in "tzyx" else replace(axis, name="c") for axis in planned.axes]
    description = parse_description(describe(image))
    has_channels = any(axis.name == "c" for axis in axes)
    is_named = image.is_rgb or "c" in image.axis_names
    return Image(
        (Placeholder(planned.levels[0].shape, planned.encoder.dtype),),
        tuple(axes),
        tuple(channels_of(description)) if description and has_channels and is_named else (),
        name=image.name,
        display={} if has_channels else image.display,
    )
