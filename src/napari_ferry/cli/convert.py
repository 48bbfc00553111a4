"""``napari-ferry convert``: save a file or folder in another format."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from napari_ferry.cli.formats import add_format_options, list_format_options
from napari_ferry.cli.terminal import report, show
from napari_ferry.codec_protocol import Codec
from napari_ferry.codec_search import add_default_suffix, codecs, find_codec
from napari_ferry.errors import (
    InvalidImageError,
    ReopenError,
    TargetError,
    UnsupportedFormatError,
)
from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.image import Image
from napari_ferry.io import imload
from napari_ferry.rendering.save import plan
from napari_ferry.saving import Plan, Progress, run
from napari_ferry.saving.new_folders import new_folders
from napari_ferry.saving.progress import size_text


def add_options(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """Add the options of every conversion, and those of the format in `arguments`."""
    _add_common_options(parser)
    parser.set_defaults(run=_convert, options=[])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = list_format_options()
    target = _target_of(arguments)
    if target is not None:
        parser.set_defaults(options=add_format_options(parser, _codecs_of(target)))


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every conversion."""
    parser.add_argument("source", type=Path, metavar="IN", help="a file or folder")
    parser.add_argument(
        "target",
        type=Path,
        metavar="OUT",
        help="the file to save; its suffix selects the format, OME-Zarr without one",
    )

    parser.add_argument(
        "--image", type=int, metavar="N", help="convert only image N, counted from 0"
    )
    parser.add_argument("--axes", help="axis names, such as tzyx, instead of those in the file")
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    parser.add_argument(
        "--as-seen",
        action=argparse.BooleanOptionalAction,
        help="draw images as napari displays them, or save samples; by default, draw movies if "
        "necessary",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="number of threads")


def _target_of(arguments: Sequence[str]) -> Path | None:
    """Return the output file of a conversion, or ``None`` for other commands.

    The parser knows the options of every format; otherwise it would read their values as names
    of files.
    """
    if list(arguments[:1]) != ["convert"]:
        return None

    parser = _LenientParser(add_help=False)
    _add_common_options(parser)
    add_format_options(parser, codecs())
    try:
        parsed, _ = parser.parse_known_args(arguments[1:])
    except InvalidImageError:  # the actual parser reports it
        return None
    return add_default_suffix(Path(parsed.target))


class _LenientParser(argparse.ArgumentParser):
    """Parser for a first pass: accepts any text as a value, and does not exit."""

    def add_argument(self, *names: str, **options: Any) -> argparse.Action:
        unchecked = {k: v for k, v in options.items() if k not in ("type", "choices")}
        return super().add_argument(*names, **unchecked)

    def error(self, message: str) -> NoReturn:
        raise InvalidImageError(message)


def _codecs_of(target: Path) -> Sequence[Codec]:
    """Return the codec of a file, or nothing for an unknown format."""
    try:
        return [find_codec(target)]
    except UnsupportedFormatError:
        return []


def _convert(options: argparse.Namespace) -> int:
    """Save a file in another format, with a progress bar."""
    try:
        return _convert_once(options)
    except ReopenError:
        report(
            f"{options.source} looked gray, but later frames have colors: the conversion restarts "
            "in color."
        )
    return _convert_once(options)


def _convert_once(options: argparse.Namespace) -> int:
    if options.target.is_dir() and not _codecs_of(options.target):
        example = options.target / f"{options.source.stem}.tif"
        raise TargetError(f"{options.target.name} is a folder: add a file name, such as {example}.")
    images = imload(options.source, axes=options.axes)
    if options.image is not None:
        if not 0 <= options.image < len(images):
            raise InvalidImageError(
                f"{options.source} holds {len(images)} images, but --image is {options.image}: "
                f"give a number from 0 to {len(images) - 1}."
            )
        images = [images[options.image]]

    chosen = {name: getattr(options, name) for name in options.options}
    planned = _plan(images, options.target, {"as_seen": options.as_seen, **chosen})
    for loss in planned.losses:
        report(f"note: {loss}")
    for path in _run_with_bar(planned, overwrite=options.overwrite, workers=options.workers):
        show(f"{path}: {size_text(stored_bytes([path]))}")
    return 0


def _plan(images: Sequence[Image], target: Path, chosen: Mapping[str, Any]) -> Plan:
    """Plan a conversion; an error for several images also explains ``--image``."""
    try:
        return plan(images, target, **chosen)
    except InvalidImageError as error:
        if len(images) == 1:
            raise
        raise InvalidImageError(
            f"{str(error).rstrip('.')} (--image N converts one of the {len(images)} images, "
            "counted from 0)."
        ) from error


def _run_with_bar(planned: Plan, *, overwrite: bool, workers: int | None) -> list[Path]:
    from tqdm import tqdm

    total = planned.source_bytes
    with tqdm(total=total, unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:

        def report(progress: Progress) -> None:
            bar.update(progress.done - bar.n)
            if progress.activity:
                bar.set_postfix_str(progress.activity)

        with new_folders(planned.paths[0].parent):
            return run(planned, overwrite=overwrite, workers=workers, progress=report)
