"""``napari-ferry convert``: a file or folder in another format."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from napari_ferry.cli.formats import add_format_options
from napari_ferry.errors import InvalidImageError, ReopenError, UnsupportedFormatError
from napari_ferry.image import Image
from napari_ferry.io import Codec, codecs, find_codec, imload
from napari_ferry.rendering.save import plan
from napari_ferry.saving import Plan, Progress, run
from napari_ferry.saving.progress import size_text


def add_options(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """Add what every conversion takes, and what the format takes that `arguments` ask for."""
    _add_common_options(parser)
    parser.set_defaults(run=_convert, options=[])
    target = _target_of(arguments)
    if target is not None:
        parser.set_defaults(options=add_format_options(parser, _codecs_of(target)))


def _add_common_options(parser: argparse.ArgumentParser) -> None:
    """Add what every conversion takes."""
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT", help="its suffix chooses the format")
    parser.add_argument("--image", type=int, metavar="N", help="only the N-th image, from 0")
    parser.add_argument("--axes", help="names for the axes, such as tzyx, instead of the file's")
    parser.add_argument("--overwrite", action="store_true", help="replace what stands there")
    parser.add_argument(
        "--as-seen",
        action=argparse.BooleanOptionalAction,
        help="save what napari shows, in colors, or the samples; movies choose what they need",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="number of threads")


def _target_of(arguments: Sequence[str]) -> Path | None:
    """Return the file that a conversion is to make, which says what options there are.

    Options of every format are known here, as their values would be taken for names.
    """
    if list(arguments[:1]) != ["convert"]:
        return None
    parser = _Guess(add_help=False)
    _add_common_options(parser)
    add_format_options(parser, codecs())
    try:
        found, _ = parser.parse_known_args(arguments[1:])
    except InvalidImageError:  # the parser itself says so
        return None
    return Path(found.target)


class _Guess(argparse.ArgumentParser):
    """A parser that looks ahead: it takes any text as a value, and does not end the program."""

    def add_argument(self, *names: str, **options: Any) -> argparse.Action:
        asked = {k: v for k, v in options.items() if k not in ("type", "choices")}
        return super().add_argument(*names, **asked)

    def error(self, message: str) -> NoReturn:
        raise InvalidImageError(message)


def _codecs_of(target: Path) -> Sequence[Codec]:
    """Return the codec of a file, none where it is not known."""
    try:
        return [find_codec(target)]
    except UnsupportedFormatError:
        return []


def _convert(options: argparse.Namespace) -> int:
    """Save a file in another format, with a progress bar."""
    try:
        return _convert_once(options)
    except ReopenError:
        said = "looked gray and has colors further on: begun again, in color"
        print(f"napari-ferry: {options.source} {said}.", file=sys.stderr)
    return _convert_once(options)


def _convert_once(options: argparse.Namespace) -> int:
    images = imload(options.source, axes=options.axes)
    if options.image is not None:
        if not 0 <= options.image < len(images):
            raise InvalidImageError(
                f"{options.source} holds {len(images)} images, counted from 0; there is no "
                f"{options.image}."
            )
        images = [images[options.image]]
    chosen = {name: getattr(options, name) for name in options.options}
    planned = _plan(images, options.target, {"as_seen": options.as_seen, **chosen})
    for loss in planned.losses:
        print(f"napari-ferry: {loss}", file=sys.stderr)
    for path in _run_with_bar(planned, overwrite=options.overwrite, workers=options.workers):
        print(f"{path}: {size_text(path.stat().st_size)}")
    return 0


def _plan(images: Sequence[Image], target: Path, chosen: Mapping[str, Any]) -> Plan:
    """Plan a conversion; where it fails for several images, say how to choose one."""
    try:
        return plan(images, target, **chosen)
    except InvalidImageError as error:
        if len(images) == 1:
            raise
        raise InvalidImageError(
            f"{str(error).rstrip('.')} (--image N converts one of the {len(images)}, counted from "
            "0)."
        ) from error


def _run_with_bar(planned: Plan, *, overwrite: bool, workers: int | None) -> list[Path]:
    from tqdm import tqdm

    total = planned.source_bytes
    with tqdm(total=total, unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:

        def report(progress: Progress) -> None:
            bar.update(progress.done - bar.n)

        return run(planned, overwrite=overwrite, workers=workers, progress=report)
