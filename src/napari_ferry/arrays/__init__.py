"""Lazy arrays and their regions, regardless of the meaning of axes."""

from napari_ferry.arrays.array_protocol import Array
from napari_ferry.arrays.blocks import BlockReader
from napari_ferry.arrays.frames import Frames
from napari_ferry.arrays.loading import read_array
from napari_ferry.arrays.region_grid import Region
from napari_ferry.arrays.regions import split_by_frames, whole_region

__all__ = [
    "Array",
    "BlockReader",
    "Frames",
    "Region",
    "read_array",
    "split_by_frames",
    "whole_region",
]
