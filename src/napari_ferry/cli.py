"""The command line: ``napari-ferry info``, ``convert``, ``repair``, ``demo``."""

from __future__ import annotations

import argparse
import os
import sys
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from napari_ferry.arguments import to_path
from napari_ferry.as_seen import option_sources, plan_as_seen
from napari_ferry.codecs import codecs, find_codec, find_file_codec, imload
from napari_ferry.errors import (
    FerryError,
    FerryWarning,
    HiddenColourError,
    InvalidImageError,
    UnsupportedFormatError,
)
from napari_ferry.image import Image
from napari_ferry.options import Option, options_of
from napari_ferry.plan import Plan, run
from napari_ferry.progress import Progress, size_text
from napari_ferry.raw_layout.layout import Layout


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process when absent.

    Returns
    -------
    int
        Exit status: 0, 1 after an error, 130 when interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser(arguments).parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", FerryWarning)
            warnings.showwarning = _show_warning
            status: int = options.run(options)
            return status
    except FerryError as error:
        print(f"napari-ferry: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # what we print to has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("napari-ferry: interrupted; what stood there before still does.", file=sys.stderr)
        return 130


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "napari-ferry", description="Look into image files, and convert them without loading them."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    info = commands.add_parser("info", help="say what is in a file or folder")
    info.add_argument("path", type=Path)
    info.set_defaults(run=_info)
    convert = commands.add_parser("convert", help="save a file or folder in another format")
    _add_convert_options(convert)
    convert.set_defaults(run=_convert, options=[])
    target = _target_of(arguments)
    if target is not None:
        convert.set_defaults(options=_add_codec_options(convert, _codecs_of(target)))
    repair = commands.add_parser("repair", help="find the layout of raw files without a sidecar")
    _add_repair_options(repair)
    repair.set_defaults(run=_repair)
    demo = commands.add_parser("demo", help="open napari with samples, and save them every way")
    demo.add_argument("--screenshot", type=Path, metavar="FILE", help="write a picture and quit")
    demo.set_defaults(run=_demo)
    return parser


def _add_convert_options(parser: argparse.ArgumentParser) -> None:
    """Add what every conversion takes."""
    parser.add_argument("source", type=Path, metavar="IN")
    parser.add_argument("target", type=Path, metavar="OUT", help="its suffix chooses the format")
    parser.add_argument("--image", type=int, metavar="N", help="only the N-th image, from 0")
    parser.add_argument("--axes", help="names for the axes, such as tzyx, instead of the file's")
    parser.add_argument("--overwrite", action="store_true", help="replace what stands there")
    parser.add_argument(
        "--as-seen",
        action=argparse.BooleanOptionalAction,
        help="save what napari shows, in colours, or the samples; movies choose what they need",
    )
    parser.add_argument("--workers", type=int, metavar="N", help="number of threads")


def _add_repair_options(parser: argparse.ArgumentParser) -> None:
    """Add what may be known of a raw file, and what to do with what is found."""
    parser.add_argument(
        "path", type=Path, metavar="FILE", help="a raw file, or a folder of one camera"
    )
    parser.add_argument("--dtype", help="type of a sample, such as uint16 or >u2")
    parser.add_argument("--byte-order", choices=["little", "big"], help="order of its bytes")
    for name in ("frames", "y", "x", "channels"):
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"how many {name}, if known")
    parser.add_argument(
        "--offset", type=int, metavar="BYTES", help="length of the header, if known"
    )
    parser.add_argument(
        "--write", action="store_true", help="write the sidecar of the first layout"
    )
    parser.add_argument(
        "--whole-frames",
        action="store_true",
        help="describe the frames that are whole, where the file ends within one",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a sidecar, which is kept as a backup"
    )


def _target_of(arguments: Sequence[str]) -> Path | None:
    """Return the file that a conversion is to make, which says what options there are.

    Options of every format are known here, as their values would be taken for names.
    """
    if list(arguments[:1]) != ["convert"]:
        return None
    parser = _Guess(add_help=False)
    _add_convert_options(parser)
    _add_codec_options(parser, codecs())
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


def _codecs_of(target: Path) -> Sequence[types.ModuleType]:
    """Return the codec of a file, none where it is not known."""
    try:
        return [find_codec(target)]
    except UnsupportedFormatError:
        return []


def _add_codec_options(
    parser: argparse.ArgumentParser, formats: Sequence[types.ModuleType]
) -> list[str]:
    """Add the options of formats, from the signatures of their functions; return their names."""
    found = options_of([source for codec in formats for source in option_sources(codec)])
    for option in found:
        parser.add_argument(
            f"--{option.name.replace('_', '-')}",
            dest=option.name,
            default=option.default,
            help=_help_of(option),
            **_kind_of(option),
        )
    return [option.name for option in found]


def _kind_of(option: Option) -> dict[str, Any]:
    """Return how an option of a type is given: as one of several words, as a switch, as a value."""
    if option.words:
        return {"choices": list(option.words)}
    if option.kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    return {"type": _or_none(option.kind) if option.is_optional else option.kind}


def _or_none(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return what reads a text as a type, or as ``none``."""

    def convert(text: str) -> Any:
        return None if text.lower() == "none" else kind(text)

    name = getattr(kind, "__name__", "value")
    convert.__name__ = f"{name} or none"  # argparse says: invalid float or none value
    return convert


def _help_of(option: Option) -> str:
    """Return what an option does, and its default."""
    said = option.help.replace("%", "%%")
    is_said = option.default is None or option.default is False or option.default == ""
    return said if is_said else f"{said} (default: {option.default})"


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"napari-ferry: {message}", file=sys.stderr)


def _info(options: argparse.Namespace) -> int:
    """Print what is in a file."""
    path = to_path(options.path)
    images = imload(path)
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    print(f"{path}: {size_text(sum(file.stat().st_size for file in files))}")
    writer = getattr(find_file_codec(path), "written_by", None) if path.is_file() else None
    if writer is not None:
        print(f"written by: {writer(path) or 'unknown'}")
    for i, image in enumerate(images):
        print(f"image {i}: {image.name or 'no name'}")
        for key, value in _describe(image):
            print(f"    {key + ':':<12}{value}")
    return 0


def _describe(image: Image) -> list[tuple[str, str]]:
    lines = [
        ("kind", image.kind),
        ("shape", " x ".join(map(str, image.shape))),
        ("axes", " ".join(image.axis_names)),
        ("dtype", str(image.dtype)),
        ("pixels", size_text(image.nbytes)),
        ("scale", ", ".join(f"{a.name} {a.scale:g} {a.unit or 'pixel'}" for a in image.axes)),
    ]
    if image.frame_rate is not None:
        lines.append(("frame rate", f"{image.frame_rate:g} per second"))
    if image.channels:
        names = ", ".join(c.name or f"channel {i}" for i, c in enumerate(image.channels))
        lines.append(("channels", names))
    if len(image.levels) > 1:
        lines.append(("levels", ", ".join(str(level.shape) for level in image.levels)))
    if "assumed" in image.metadata:
        lines.append(("assumed", str(image.metadata["assumed"])))
    return lines


def _convert(options: argparse.Namespace) -> int:
    """Save a file in another format, with a progress bar."""
    try:
        return _convert_once(options)
    except HiddenColourError:
        said = "looked gray and has colours further on: begun again, in colour"
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
        return plan_as_seen(images, target, **chosen)
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


def _repair(options: argparse.Namespace) -> int:
    """Print the layouts that a raw file may have, and write the sidecar of the first."""
    from napari_ferry.codecs.binary import data_file
    from napari_ferry.repair import find_sidecars, one_each

    names = ("dtype", "byte_order", "frames", "y", "x", "channels", "offset")
    known = {name: getattr(options, name) for name in names}
    path = to_path(options.path)
    path = data_file(path) if path.suffix.lower() == ".json" else path
    found, per_file = find_sidecars(path, replaced=options.overwrite, **known)
    _print_layouts(found)
    if not options.write:
        return 0
    from napari_ferry.repair import write_sidecar

    for data, layout in one_each(per_file).items():
        sidecar, kept = write_sidecar(
            data, layout, overwrite=options.overwrite, is_cut=options.whole_frames
        )
        print(f"{sidecar}: {layout}" + (f" (before: {kept.name})" if kept else ""))
    return 0


def _print_layouts(found: Sequence[Layout]) -> None:
    """Print a table, the likeliest first, with reasons below each."""
    print(f"{'sure':>5}  {'dtype':<8} {'header':>7} {'frames':>7} {'y':>6} {'x':>6} {'ch':>3}")
    shown = [one for i, one in enumerate(found) if i < 3 or one.confidence >= 0.01]
    for one in shown:
        dtype = one.dtype.str.lstrip("|<") if one.dtype.str[0] != ">" else one.dtype.str
        sizes = f"{one.offset:>7} {one.frames:>7} {one.y:>6} {one.x:>6} {one.channels:>3}"
        print(f"{one.confidence:>5.0%}  {dtype:<8} {sizes}")
        for reason in one.reasons:
            print(f"       - {reason}")


def _demo(options: argparse.Namespace) -> int:
    from napari_ferry.widgets.demo import show_demo

    return show_demo(options.screenshot)
