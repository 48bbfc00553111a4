"""``napari-ferry convert``: save a file or folder in another format."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_ferry.arguments import find_url
from napari_ferry.arrays.progress import Report, size_text
from napari_ferry.cli.batch import convert_many
from napari_ferry.cli.batch_targets import has_many_targets
from napari_ferry.cli.convert_help import CONVERT_USAGE, describe_formats
from napari_ferry.cli.convert_options import SHARED, add_common_options, formats_in
from napari_ferry.cli.dry_run import show_plan
from napari_ferry.cli.excerpt import crop_images
from napari_ferry.cli.formats import add_format_options, format_flags
from napari_ferry.cli.output_path import choose_target
from napari_ferry.cli.scale_options import ScaleOptions
from napari_ferry.cli.terminal import has_bar, report, show
from napari_ferry.errors import (
    InvalidImageError,
    ReopenError,
    collecting_warnings,
)
from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.image import Image
from napari_ferry.io import imload
from napari_ferry.io.search import codecs
from napari_ferry.rendering.save import plan
from napari_ferry.saving import Plan, run
from napari_ferry.saving.disk.new_folders import new_folders
from napari_ferry.saving.plan_run import check_save


def add_options(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> None:
    """Add the options of every conversion, and those of the format in `arguments`.

    Without arguments, the options of all formats are added.
    """
    add_common_options(parser)
    parser.set_defaults(run=convert, options=[], format_flags=format_flags())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = CONVERT_USAGE
    formats = codecs() if arguments is None else formats_in(arguments)
    parser.epilog = describe_formats(formats)
    if formats:
        names = add_format_options(parser, formats, skipped=SHARED)
        parser.set_defaults(options=names)


def convert(options: argparse.Namespace) -> int:
    """Save a file in another format, or each of many files, here or on a cluster."""
    if options.cluster is None or options.dry_run:
        options.client = None
        return _convert_any(options)
    from napari_ferry.saving.execution.cluster.connection import connecting

    with connecting(options.cluster) as options.client:
        return _convert_any(options)


def _convert_any(options: argparse.Namespace) -> int:
    """Save a file in another format, or each of many files."""
    options.source = options.sources[0]
    if options.json or has_many_targets(options):
        return convert_many(options, _plan, _run)
    try:
        return _convert_once(options)
    except ReopenError:
        report(
            f"{options.source} looked gray, but later frames have colors: the conversion restarts "
            "in color."
        )
    return _convert_once(options)


def _convert_once(options: argparse.Namespace) -> int:
    """Save a file in another format, with a progress bar."""
    target = choose_target(options.source, options.target, options.format)
    images, planned = _plan(options, target)
    if options.dry_run:
        show_plan(planned, images)
        check_save(planned, overwrite=options.overwrite)
        return 0

    if not options.quiet:
        for loss in planned.losses:
            report(f"note: lost or assumed: {loss}")
    for path in _run_with_bar(planned, options):
        if not options.quiet:
            show(f"{path}: {size_text(stored_bytes([path]))}")
    return 0


def _plan(options: argparse.Namespace, target: Path) -> tuple[list[Image], Plan]:
    """Open the source, and plan to save the chosen part of it; return both."""
    source = options.source
    images = imload(source if find_url(source) else Path(source), axes=options.axes)
    if options.image is not None:
        images = [_choose_image(images, options)]

    try:
        return _plan_part(images, target, options)
    except InvalidImageError as error:
        if len(images) == 1 or not _can_plan(images[0], target, options):
            raise
        raise InvalidImageError(
            f"{str(error).rstrip('.')} (--image N converts one of the {len(images)} images, "
            "counted from 0)."
        ) from error


def _plan_part(
    images: Sequence[Image], target: Path, options: argparse.Namespace
) -> tuple[list[Image], Plan]:
    """Return the chosen part of images, and the plan to save it."""
    own, drawn = _sort_shared(options)
    steps = ScaleOptions(scale=own["scale"], unit=tuple(options.unit), frame_rate=own["frame_rate"])
    part = crop_images(steps.apply(images), own["crop"], options.channel)
    chosen = {name: getattr(options, name) for name in options.options if name not in SHARED}
    return part, plan(part, target, **{"as_seen": options.as_seen, **chosen, **drawn})


def _can_plan(image: Image, target: Path, options: argparse.Namespace) -> bool:
    """Return True if one of several images can be saved without the others."""
    with collecting_warnings([]):
        try:
            _plan_part([image], target, options)
        except InvalidImageError:
            return False
    return True


def _choose_image(images: Sequence[Image], options: argparse.Namespace) -> Image:
    """Return the image of the option ``--image``.

    Raises
    ------
    InvalidImageError
        It does not exist.
    """
    if not 0 <= options.image < len(images):
        raise InvalidImageError(
            f"{options.source} holds {len(images)} images, but --image is {options.image}: "
            f"give a number from 0 to {len(images) - 1}."
        )
    image: Image = images[options.image]
    return image


def _sort_shared(options: argparse.Namespace) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Return the values of shared options for the images, and those for the format.

    A format that draws has a crop without names of axes, a scale that is one number, and a frame
    rate.
    """
    own = {"crop": tuple(options.crop), "scale": tuple(options.scale), "frame_rate": None}
    drawn: dict[str, Any] = {}
    known = [name for name in SHARED if name in options.options]
    if "crop" in known and options.crop and "=" not in "".join(options.crop):
        drawn["crop"], own["crop"] = " ".join(options.crop), ()
    if "scale" in known and len(options.scale) == 1 and _is_number(options.scale[0]):
        drawn["scale"], own["scale"] = float(options.scale[0]), ()
    if options.frame_rate is not None:
        (drawn if "frame_rate" in known else own)["frame_rate"] = options.frame_rate
    return own, drawn


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _run_with_bar(planned: Plan, options: argparse.Namespace) -> list[Path]:
    """Carry out a plan, with a progress bar on a terminal unless the command is quiet."""
    with new_folders(planned.paths[0].parent):
        return _run(options, planned, overwrite=options.overwrite, progress=has_bar(options))


def _run(
    options: argparse.Namespace,
    planned: Plan,
    *,
    overwrite: bool,
    progress: Report | bool,
    cancel: Callable[[], bool] | None = None,
) -> list[Path]:
    """Carry out a plan, with the options of the command line for all saves."""
    return run(
        planned,
        overwrite=overwrite,
        workers=options.workers,
        client=options.client,
        progress=progress,
        cancel=cancel,
    )
