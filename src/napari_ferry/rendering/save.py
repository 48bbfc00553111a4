"""Public functions for saving, `plan` and `imsave`; images are drawn if a movie requires it.

A single gray image with square pixels is not drawn: its samples are the frames and remain
unchanged. An image saved in a format for samples is not drawn either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from napari_ferry.arguments import targeting, to_path
from napari_ferry.arrays.progress import Report
from napari_ferry.errors import InvalidImageError, TargetError
from napari_ferry.image import Image, Saveable
from napari_ferry.image.user_metadata import override_all
from napari_ferry.io.protocol import Codec, hooks_of
from napari_ferry.io.search import add_default_suffix, find_codec
from napari_ferry.rendering.drawing_choice import (
    DEFAULTS,
    SPAN,
    drawing_options,
    is_drawn,
    name_whole_axes,
)
from napari_ferry.rendering.drawing_losses import drawing_losses
from napari_ferry.rendering.frame_range import take_frames
from napari_ferry.rendering.render import render
from napari_ferry.rendering.sample_plan import images_for, plan_samples
from napari_ferry.rendering.save_options import SaveOptions
from napari_ferry.rendering.split_plan import plan_split
from napari_ferry.saving import Plan, run
from napari_ferry.saving.disk.new_folders import new_folders
from napari_ferry.saving.execution.runner import Scheduler
from napari_ferry.signatures import option_names, options_of

_UNCOMPRESSED = "none"
"""Name of no compression in every format."""


def option_sources(codec: Codec) -> tuple[Callable[..., Any], ...]:
    """Return the functions with the options of a format as keyword-only parameters."""
    return (codec.plan, render) if hooks_of(codec).IS_MOVIE else (codec.plan,)


def plan(
    images: Saveable,
    path: str | Path,
    *,
    as_seen: bool | None = None,
    metadata: Mapping[str, Any] | None = None,
    partition: str | Sequence[str] | None = None,
    **options: Unpack[SaveOptions],
) -> Plan:
    """Plan a save; no pixels are read.

    Parameters
    ----------
    images, path, as_seen, metadata, partition, **options
        Parameters of `imsave`.

    Returns
    -------
    Plan
        Its ``files`` with their sizes, and its ``losses``: what the format cannot store.

    Raises
    ------
    UnsupportedFormatError, InvalidImageError
        The format is unknown, cannot hold an image, or lacks an option.
    TargetError
        The target cannot be accessed, or its name is not a valid file name.

    Examples
    --------
    >>> import numpy as np
    >>> planned = plan(np.zeros((10, 64, 64), np.uint16), "cells.tif")
    >>> planned.nframes, [file.path.name for file in planned.files]
    (10, ['cells.tif'])
    """
    path = _to_target(path)
    codec = find_codec(path)
    chosen = _name_compression(codec, options)
    _check_options(codec, path, chosen, drawn=bool(as_seen))
    given = images_for(codec, images)
    if metadata is not None:
        given = override_all(given, metadata)

    def plan_images(images: list[Image], path: Path) -> Plan:
        """Plan a part with the options of the whole save."""
        return _plan_images(images, path, as_seen, chosen)

    if partition is None:
        return plan_images(given, path)
    return plan_split(given, path, partition, plan_images)


def imsave(
    images: Saveable,
    path: str | Path,
    *,
    overwrite: bool = False,
    workers: int | None = None,
    client: Scheduler | None = None,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
    as_seen: bool | None = None,
    metadata: Mapping[str, Any] | None = None,
    partition: str | Sequence[str] | None = None,
    **options: Unpack[SaveOptions],
) -> list[Path]:
    """Save images in the format selected by the suffix of the path.

    Losses in a format are not printed: ``plan(images, path).losses`` lists them.
    A save that fails or is stopped leaves existing files unchanged.

    Parameters
    ----------
    images : Image, array, Dataset, or sequence or dict of them
        Images to save, from bottom to top if they are drawn. Arrays of one shape,
        (y, x) or (y, x, 3 or 4), in a sequence are the frames of one image. An array of integers
        (frames, y, x, 3 or 4) is in color; in formats for samples, so is a uint8 array
        (y, x, 3 or 4).
    path : str or Path
        Target; its suffix selects the format. A name without suffix becomes a store,
        ``<name>.ome.zarr``. Missing folders are made.
    overwrite : bool
        True to replace existing files, by complete files only.
    workers, cancel
        Number of threads, and a function that stops the save by returning True, as for `run`.
    client : dask.distributed.Client, cluster or str, optional
        Cluster that carries out the save, as for `run`.
    progress : callable or bool, optional
        True shows a progress bar on a terminal or in a notebook; a function gets a `Progress`.
    as_seen : bool, optional
        True to draw images as napari displays them, False to save their samples. By default,
        formats for samples store these, and a movie is drawn if several layers, color, pixels that
        are not square or an option of `render` require it.
    metadata : mapping, optional
        Metadata to replace, as in `imload`, such as ``{"scale": {"y": 0.5, "x": 0.5}}``.
    partition : str or sequence of str, optional
        Axes along which each index is saved as a file: ``"tc"`` makes files such as
        ``cells.t_03.c_actin.tif``, which `imload` opens as one image by their folder, a list or a
        pattern. Characters not allowed in names are percent-encoded. Axes that include y and x are
        those within a file instead.
    **options
        Options of the format, here with their defaults. ``compression=True`` is the usual
        lossless compression of the format, False is none.

        .bin .raw .dat: all samples of an image; metadata in NAME.json
        .gif: a movie as displayed, in up to 256 colors
            frame_rate=None: Frames per second, up to 50, the most that browsers play
            loop=0: Number of repetitions after the first playback, 0 for endless
            colors=256: Maximum number of colors per frame, 2 to 256
            dither=False: Approximate missing colors by a fixed pattern of available ones
        .png .apng: frames as displayed, or exact gray samples
            frame_rate=None: Frames per second
            loop=0: Number of repetitions of an animation after the first playback, 0 for endless
        .tif .tiff .ome.tif .ome.tiff: all samples; metadata for Fiji, or as OME-XML
            size_cap=3.9: Maximum size of one file in GB (1e9 bytes)
            compression="none" or "zlib", "zstd", "lzw": Lossless compression of the pages
            pyramid=None: Save smaller copies of each plane, in OME-TIFF, so that large planes are
                displayed quickly
            metadata_json=False: Write all metadata of the images to <name>.json as well
        .mp4 .mov .mkv: a movie as displayed; .mkv: exact gray samples
            frame_rate=None: Frames per second
            quality="high" or "small", "good", "best": Quality of H.264, from small files to files
                that look like the original
            codec="auto" or "h264", "ffv1": Encoding: H.264 has 8 bits and plays everywhere, FFV1
                preserves 8- and 16-bit samples exactly, in .mkv
        .ome.zarr .zarr .ozx: all samples and metadata, in chunks
            version="0.5" or "0.4": Version of OME-Zarr
            chunks=None or "2D", "3D": Shape of the parts that are read at once
            shards=None: Store many chunks in one file, in version 0.5
            levels=None: Number of resolutions, the full one included
            downsample=None or "mean", "nearest", "mode": Value of the pixels of smaller copies
            compression=None or "zstd", "lz4", "best", "none": Lossless compression by Blosc
        .gif .png .apng .mp4 .mov .mkv: also the options of `render`, axis, position, start, stop,
            step, speed, plane, thickness, projection, scale, fit, flip, crop, grid, grid_stride,
            grid_spacing, background, time_stamp, scale_bar, color_bar, text, text_corner

    Returns
    -------
    list of Path
        Paths of the written files.

    Raises
    ------
    UnsupportedFormatError, InvalidImageError
        The format is unknown, cannot hold an image, or lacks an option.
    TargetError, SaveError
        The files exist, or cannot be written; as for `run`.

    Examples
    --------
    >>> import numpy as np
    >>> cells = np.zeros((20, 64, 64), np.uint16)
    >>> files = imsave(cells, "cells.tif", compression=True, metadata={"scale": {"t": 0.1}})
    >>> [path.name for path in files]
    ['cells.tif']
    """
    planned = plan(images, path, as_seen=as_seen, metadata=metadata, partition=partition, **options)
    with new_folders(planned.paths[0].parent):
        return run(
            planned,
            overwrite=overwrite,
            workers=workers,
            client=client,
            progress=progress,
            cancel=cancel,
        )


def _to_target(path: str | Path) -> Path:
    """Return the target of a save, with the suffix of the default format if it has none.

    Raises
    ------
    TargetError
        It is a folder, or its name is not a valid file name.
    """
    target = to_path(path, TargetError)
    with targeting(target):
        if not target.suffix and target.is_dir():
            raise TargetError(
                f"{target.name} is a folder: add a file name, such as {target / 'images.tif'}."
            )
    return add_default_suffix(target)


def _name_compression(codec: Codec, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with the name of a compression in place of True or False."""
    wanted = options.get("compression")
    option = next((each for each in options_of([codec.plan]) if each.name == "compression"), None)
    if not isinstance(wanted, bool) or option is None:
        return dict(options)
    words = [option.default, *option.words]
    usual = next(word for word in words if word != _UNCOMPRESSED)
    return {**options, "compression": usual if wanted else _UNCOMPRESSED}


def _plan_images(
    images: list[Image], path: Path, as_seen: bool | None, options: Mapping[str, Any]
) -> Plan:
    """Plan to save images as samples, or as napari displays them."""
    options = name_whole_axes(images, options)
    if as_seen is None:
        as_seen = is_drawn(images, path, options)
    elif not as_seen and drawing_options(options):
        raise InvalidImageError(
            f"as_seen=False saves samples, but {', '.join(drawing_options(options))} applies to "
            "drawings: omit one of the two."
        )
    return _plan_drawn(images, path, options) if as_seen else _plan_samples(images, path, options)


def _check_options(codec: Codec, path: Path, options: Mapping[str, Any], *, drawn: bool) -> None:
    """Refuse unknown options: those of the format and, if it applies, of `render` are valid."""
    known = option_names(codec.plan)
    if drawn or hooks_of(codec).IS_MOVIE:
        known = list(dict.fromkeys([*known, *DEFAULTS]))
    unknown = sorted(set(options) - set(known))
    if unknown:
        from difflib import get_close_matches

        nearest = get_close_matches(unknown[0], [*known, *option_names(imsave)], 1)
        cure = f"did you mean {nearest[0]}?" if nearest else f"it has {', '.join(known) or 'none'}."
        raise InvalidImageError(f"{path.suffix} has no option {unknown[0]}: {cure}")


def _plan_samples(images: list[Image], path: Path, options: Mapping[str, Any]) -> Plan:
    """Plan to save samples of all frames, or of the requested range of frames."""
    known = option_names(find_codec(path).plan)
    is_part = any(options.get(name, DEFAULTS[name]) != DEFAULTS[name] for name in SPAN)
    saved = [take_frames(image, options) for image in images] if is_part else images
    return plan_samples(saved, path, **{k: v for k, v in options.items() if k in known})


def _plan_drawn(images: list[Image], path: Path, options: Mapping[str, Any]) -> Plan:
    """Plan to save a drawing; its own losses come first."""
    drawing = {name: value for name, value in options.items() if name in DEFAULTS}
    others = {name: value for name, value in options.items() if name not in DEFAULTS}
    planned = plan_samples(render(images, **drawing), path, **others)
    return replace(planned, losses=(*drawing_losses(images, drawing), *planned.losses))
