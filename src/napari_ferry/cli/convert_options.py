"""Options of ``napari-ferry convert``: those of every conversion, and those of the output's format.

The format is known only when the output is, so that a command line is parsed twice.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from napari_ferry.batch.output_names import NamedSource
from napari_ferry.batch.parallel_jobs import AT_ONCE
from napari_ferry.cli.batch_targets import choose_naming, has_many_targets
from napari_ferry.cli.formats import add_format_options
from napari_ferry.cli.output_path import choose_target, parse_suffix
from napari_ferry.errors import FerryError, InvalidImageError
from napari_ferry.io.protocol import Codec
from napari_ferry.io.search import codecs, find_codec, known_suffix, suffixes

SHARED = ("crop", "scale", "frame_rate")
"""Options of the images, and of movies with a value of another form or with another meaning."""


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every conversion."""
    parser.add_argument(
        "sources",
        metavar="IN",
        nargs="+",
        help='file, folder, pattern such as "img_*.tif", or list of these as @list.txt; several '
        "for a folder OUT",
    )
    parser.add_argument(
        "target",
        metavar="OUT",
        help="file, whose suffix selects the format (none: OME-Zarr), or folder or pattern such as "
        "out/{name}.mp4 for a file named as each IN",
    )

    _add_image_options(parser.add_argument_group("images"))
    _add_save_options(parser.add_argument_group("saving"))
    _add_batch_options(parser.add_argument_group("many files"))


def _add_image_options(group: argparse._ArgumentGroup) -> None:
    """Add options for parts and metadata of the images."""
    group.add_argument("--image", type=int, metavar="N", help="only image N, counted from 0")

    group.add_argument("--axes", help="names of the axes, such as tzyx, instead of those in IN")
    group.add_argument(
        "--crop",
        action="append",
        default=[],
        metavar="RANGES",
        help="ranges START:STOP of axes: t=:100,y=10um:20um; one index (z=3) drops its axis",
    )
    group.add_argument(
        "--channel",
        action="append",
        default=[],
        metavar="C",
        help="only some channels, by name or index: GFP,2",
    )
    group.add_argument(
        "--scale", action="append", default=[], help="distance of pixels: z=2um,y=0.5um,x=0.5um"
    )
    group.add_argument(
        "--unit", action="append", default=[], help="unit of lengths or of time: um, t=ms"
    )
    group.add_argument(
        "--frame-rate",
        type=float,
        metavar="F",
        help="frames per second: of a movie as it plays, otherwise the scale of t",
    )


def _add_save_options(group: argparse._ArgumentGroup) -> None:
    """Add options for the target and the save."""
    group.add_argument(
        "--format",
        type=parse_suffix,
        choices=suffixes(),
        metavar="SUFFIX",
        help="format to save, such as .ome.tif",
    )

    group.add_argument("--overwrite", action="store_true", help="replace existing files")
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="print files, sizes and losses, and write nothing",
    )
    group.add_argument(
        "--as-seen",
        action=argparse.BooleanOptionalAction,
        help="draw as napari displays, or save samples (default: draw movies if necessary)",
    )
    group.add_argument("--workers", type=int, metavar="N", help="number of threads")
    group.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help=f"save on the Dask cluster with this scheduler: {AT_ONCE}",
    )
    group.add_argument("-q", "--quiet", action="store_true", help="print only warnings and errors")


def _add_batch_options(group: argparse._ArgumentGroup) -> None:
    """Add options for conversions of many files."""
    group.add_argument(
        "-r", "--recursive", action="store_true", help="search the folders in a folder, too"
    )
    group.add_argument(
        "--name",
        metavar="PATTERN",
        help="names in the folder OUT, from {name}, {parent}, {suffix}, {index}, {image}",
    )
    group.add_argument("--json", action="store_true", help="print a report of each file as JSON")


def join_paths(options: argparse.Namespace, rest: Sequence[str]) -> None:
    """Sort all paths of a command line into sources and a target, the last path.

    Parameters
    ----------
    options : Namespace
        The parsed options, to be changed.
    rest : sequence of str
        Paths behind an option, left over by the parser.
    """
    paths: list[str] = [*options.sources, options.target, *rest]
    options.sources, options.target = paths[:-1], paths[-1]


def formats_in(arguments: Sequence[str]) -> Sequence[Codec]:
    """Return the codec of the output file of a conversion; nothing for other commands.

    The parser knows the options of every format; otherwise it would read their values as names
    of files.
    """
    if list(arguments[:1]) != ["convert"]:
        return []

    parser = _LenientParser(add_help=False)
    add_common_options(parser)
    add_format_options(parser, codecs(), skipped=SHARED)
    try:
        parsed, rest = parser.parse_known_args(arguments[1:])
        join_paths(parsed, [word for word in rest if not word.startswith("-")])
        codecs_found = {find_codec(target) for target in _sample_targets(parsed)}
        return [*codecs_found] if len(codecs_found) == 1 else []
    except FerryError:  # the actual parser or the command reports it
        return _named_format(arguments)


def _sample_targets(options: argparse.Namespace) -> list[Path]:
    """Return files of the formats to save; none if these depend on the contents of a folder.

    Raises
    ------
    FerryError
        The target is not valid.
    """
    if not has_many_targets(options):
        return [choose_target(options.sources[0], options.target, options.format)]
    naming = choose_naming(options)
    if naming.suffix or known_suffix(naming.pattern, to_open=True):
        return naming.name_targets([NamedSource("any")])
    if not all(known_suffix(each, to_open=True) for each in options.sources):
        return []
    return naming.name_targets([NamedSource(source) for source in options.sources])


def _named_format(arguments: Sequence[str]) -> Sequence[Codec]:
    """Return the codec of the option ``--format``, as in a request for help without files."""
    parser = _LenientParser(add_help=False)
    parser.add_argument("--format")
    try:
        parsed, _ = parser.parse_known_args(arguments)
        return [find_codec(Path(f"OUT.{parsed.format.removeprefix('.')}"))] if parsed.format else []
    except FerryError:
        return []


class _LenientParser(argparse.ArgumentParser):
    """Parser for a first pass: accepts any text as a value, and does not exit."""

    def add_argument(self, *names: str, **options: Any) -> argparse.Action:
        """Add an argument without a check of its values."""
        unchecked = {k: v for k, v in options.items() if k not in ("type", "choices")}
        return super().add_argument(*names, **unchecked)

    def error(self, message: str) -> NoReturn:
        """Raise an error instead of ending the process."""
        raise InvalidImageError(message)
