r"""Image <-> the metadata of an ImageJ hyperstack, as tifffile hands them over and takes them.

ImageJ describes a stack by lines ``key=value`` in the first ImageDescription and by the private
tags IJMetadata (FileInfo and TiffEncoder of https://github.com/imagej/ImageJ are the
specification). Planes are stored in the order t z c. What ImageJ has no place for rides as one
line ``napari-ferry: {...}`` in its Info text, see `description`.
"""

from napari_ferry.imagej.axis_steps import step_losses
from napari_ferry.imagej.read import has_sound_counts, parse_imagej
from napari_ferry.imagej.write import ImageJTags, to_imagej, unsupported_reason

__all__ = [
    "ImageJTags",
    "has_sound_counts",
    "parse_imagej",
    "step_losses",
    "to_imagej",
    "unsupported_reason",
]
