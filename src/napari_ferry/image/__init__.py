"""Images: lazy arrays with named axes, their JSON record, and the objects convertible to them."""

from napari_ferry.image.axes import Axis, Channel
from napari_ferry.image.checks import check_pixels, common_losses
from napari_ferry.image.image import Image
from napari_ferry.image.record import describe
from napari_ferry.image.saveables import Saveable, as_images

__all__ = [
    "Axis",
    "Channel",
    "Image",
    "Saveable",
    "as_images",
    "check_pixels",
    "common_losses",
    "describe",
]
