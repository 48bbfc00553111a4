"""The command line: ``napari-ferry info``, ``convert``, ``demo``."""

from __future__ import annotations

import argparse
import inspect
import os
import sys
import types
import typing
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_ferry.codecs import find_codec, imload, plan
from napari_ferry.errors import FerryError, FerryWarning, InvalidImageError
from napari_ferry.image import Image
from napari_ferry.plan import Plan, run
from napari_ferry.progress import Progress


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
    convert.add_argument("source", type=Path, metavar="IN")
    convert.add_argument("target", type=Path, metavar="OUT", help="its suffix chooses the format")
    convert.add_argument("--image", type=int, metavar="N", help="only the N-th image, from 0")
    convert.add_argument("--axes", help="names for the axes, such as tzyx, instead of the file's")
    convert.add_argument("--overwrite", action="store_true", help="replace what stands there")
    convert.add_argument("--workers", type=int, metavar="N", help="number of threads")
    convert.set_defaults(run=_convert, options={})
    _add_codec_options(convert, arguments)
    demo = commands.add_parser("demo", help="open napari with samples, and save them every way")
    demo.add_argument("--screenshot", type=Path, metavar="FILE", help="write a picture and quit")
    demo.set_defaults(run=_demo)
    return parser


def _add_codec_options(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """Add the options of the format that the command line names, from its codec's signature."""
    names = [word for word in arguments[1:] if not word.startswith("-")]
    try:
        codec = find_codec(Path(names[1])) if len(names) > 1 else None
    except FerryError:
        codec = None
    if codec is None:
        return
    signature = inspect.signature(codec.plan, eval_str=True)
    options = [p for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in options:
        flag = f"--{option.name.replace('_', '-')}"
        parser.add_argument(
            flag,
            dest=option.name,
            type=_converter(option.annotation),
            default=option.default,
            help=f"{_help_of(codec.plan, option.name)} (default: {option.default})",
        )
    parser.set_defaults(options=[option.name for option in options])


def _converter(annotation: Any) -> Callable[[str], Any]:
    """Return what reads an option's text: its type, or ``none`` where that is allowed."""
    if isinstance(annotation, types.UnionType):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        return lambda text: None if text.lower() == "none" else kinds[0](text)
    return annotation  # type: ignore[no-any-return]


def _help_of(function: Callable[..., Any], name: str) -> str:
    """Return the first sentence that a docstring says of a parameter."""
    lines = inspect.getdoc(function).splitlines()  # type: ignore[union-attr]
    at = next((i for i, line in enumerate(lines) if line.startswith(f"{name} :")), None)
    text = [] if at is None else [line.strip() for line in lines[at + 1 : at + 6]]
    return " ".join(text).split("; ")[0].split(". ")[0].replace("%", "%%")


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"napari-ferry: {message}", file=sys.stderr)


def _info(options: argparse.Namespace) -> int:
    """Print what is in a file."""
    images = imload(options.path)
    path: Path = options.path
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    print(f"{path}: {_size(sum(file.stat().st_size for file in files))}")
    writer = getattr(find_codec(path), "written_by", None) if path.is_file() else None
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
        ("pixels", _size(image.nbytes)),
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
    images = imload(options.source, axes=options.axes)
    if options.image is not None:
        if not 0 <= options.image < len(images):
            raise InvalidImageError(
                f"{options.source} holds {len(images)} images, counted from 0; there is no "
                f"{options.image}."
            )
        images = [images[options.image]]
    chosen = {name: getattr(options, name) for name in options.options}
    planned = plan(images, options.target, **chosen)
    for loss in planned.losses:
        print(f"napari-ferry: {loss}", file=sys.stderr)
    for path in _run_with_bar(planned, overwrite=options.overwrite, workers=options.workers):
        print(f"{path}: {_size(path.stat().st_size)}")
    return 0


def _run_with_bar(planned: Plan, *, overwrite: bool, workers: int | None) -> list[Path]:
    from tqdm import tqdm

    total = sum(write.nbytes for write in planned.writes)
    with tqdm(total=total, unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:

        def report(progress: Progress) -> None:
            bar.update(progress.done - bar.n)

        return run(planned, overwrite=overwrite, workers=workers, progress=report)


def _demo(options: argparse.Namespace) -> int:
    from napari_ferry.widgets.demo import show_demo

    return show_demo(options.screenshot)


def _size(nbytes: int) -> str:
    """Return a number of bytes as text in units of 1000.

    >>> _size(999), _size(1_500_000)
    ('999 B', '1.5 MB')
    """
    value, units = float(nbytes), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.4g} {units[0]}"
