r"""Convert between images and the metadata of ImageJ hyperstacks, in tifffile's representation.

ImageJ describes a stack by ``key=value`` lines in the first ImageDescription and by the private
tags IJMetadata; the classes FileInfo and TiffEncoder of https://github.com/imagej/ImageJ serve as
the specification. Planes are stored in the order t z c. Metadata without an ImageJ equivalent is
stored as one line ``napari-ferry: {...}`` in the Info text, see `napari_ferry.image.record`.
"""

from napari_ferry.imagej.axis_steps import step_losses
from napari_ferry.imagej.read import (
    COUNT_KEYS,
    PlaneSizes,
    has_consistent_counts,
    order_labels,
    parse_imagej,
    parse_sizes,
    single_axis,
)
from napari_ferry.imagej.value_calibration import with_values
from napari_ferry.imagej.write import ImageJTags, to_imagej, unsupported_reason

__all__ = [
    "COUNT_KEYS",
    "ImageJTags",
    "PlaneSizes",
    "has_consistent_counts",
    "order_labels",
    "parse_imagej",
    "parse_sizes",
    "single_axis",
    "step_losses",
    "to_imagej",
    "unsupported_reason",
    "with_values",
]
