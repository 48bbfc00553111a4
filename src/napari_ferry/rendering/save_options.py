"""Types of the options of all formats, for type checks of the keywords of `imsave`."""

from __future__ import annotations

from typing import Literal, TypedDict


class SaveOptions(TypedDict, total=False):
    """Options of all formats for `imsave` and `plan`, and those of `render` for movies.

    Their values, defaults and meaning are in the signatures of the formats, with which a test
    compares these types.
    """

    axis: str | None
    background: str
    chunks: Literal["2D", "3D"] | None
    codec: Literal["auto", "ffv1", "h264"]
    color_bar: Literal["bottom_left", "bottom_right", "top_left", "top_right"] | None
    colors: int
    compression: Literal["best", "lz4", "lzw", "none", "zlib", "zstd"] | bool | None
    crop: str | None
    dither: bool
    downsample: Literal["mean", "mode", "nearest"] | None
    fit: Literal["1080p", "4K"] | None
    flip: Literal["both", "horizontal", "vertical"] | None
    frame_rate: float | None
    grid: str | None
    grid_spacing: float
    grid_stride: int
    levels: int | None
    loop: int | None
    metadata_json: bool
    plane: str
    position: str | None
    projection: Literal["max", "mean", "min", "sum"] | None
    pyramid: bool | None
    quality: Literal["best", "good", "high", "small"]
    scale: float
    scale_bar: Literal["bottom_left", "bottom_right", "top_left", "top_right"] | None
    shards: bool | None
    size_cap: float | None
    speed: float | None
    start: int
    step: int
    stop: int | None
    text: str
    text_corner: Literal["bottom_left", "bottom_right", "top_left", "top_right"]
    thickness: str | None
    time_stamp: Literal["bottom_left", "bottom_right", "top_left", "top_right"] | None
    version: Literal["0.4", "0.5"]
