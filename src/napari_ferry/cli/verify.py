"""``napari-ferry verify``: read all pixels of a file or folder, and report damage."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from napari_ferry.arguments import to_path
from napari_ferry.arrays import Array
from napari_ferry.arrays.array_protocol import Shaped, close
from napari_ferry.arrays.damage_search import find_damage
from napari_ferry.arrays.progress import size_text
from napari_ferry.arrays.regions import array_bytes
from napari_ferry.batch.data_sets import list_data_sets
from napari_ferry.cli.formats import to_command_line
from napari_ferry.cli.terminal import report, show
from napari_ferry.errors import FerryError, collecting_warnings
from napari_ferry.files.short_texts import count_things, list_few
from napari_ferry.io import imload
from napari_ferry.io.protocol import hooks_of
from napari_ferry.io.search import find_source_codec


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "path", type=Path, metavar="PATH", help="a file, or a folder of one or more data sets"
    )
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    """Read everything; return 1 if anything is damaged, missing or warned about."""
    path = to_path(options.path)
    try:
        return _verify_data_set(path)
    except FerryError:
        data_sets = list_data_sets(path) if path.is_dir() else []
        if not data_sets:
            raise
    return max(map(_verify_entry, data_sets))


def _verify_entry(path: Path) -> int:
    """Verify one of the data sets in a folder; an error is reported, and others follow."""
    try:
        return _verify_data_set(path)
    except FerryError as error:
        report(to_command_line(error))
        return 1


def _verify_data_set(path: Path) -> int:
    """Read all pixels of a data set, and print what is found.

    Raises
    ------
    FerryError
        It cannot be opened.
    """
    problems: list[str] = []
    started = time.perf_counter()
    with collecting_warnings(problems):
        images = imload(path)
        arrays = [level for image in images for level in image.levels]
        _read_all(arrays, problems)
        problems += _check_rest(path)

    for problem in dict.fromkeys(problems):
        show(problem)
    seconds = max(1e-9, time.perf_counter() - started)
    nbytes = sum(map(array_bytes, arrays))
    show(
        f"{path}: {count_things(len(images), 'image')}, {size_text(nbytes)} of pixels read "
        f"({size_text(nbytes / seconds)} per second): {_result(problems)}"
    )
    unchecked = [image for image in images if _lacks_checksums(image.array)]
    if unchecked:
        names = list_few([image.name or "an image without a name" for image in unchecked])
        show(f"{names}: stored without checksums, so that changed bytes may not be found")
    return 1 if problems else 0


def _read_all(arrays: Sequence[Array], problems: list[str]) -> None:
    """Read all levels of all images, and append messages about damage."""
    with _counting_bytes(arrays) as count:
        for array in arrays:
            problems += find_damage(array, count)
            close(array)


def _check_rest(path: Path) -> list[str]:
    """Return messages about damage outside the pixels, in words of the format."""
    path = path.absolute()  # which may be a pattern
    return hooks_of(find_source_codec(path)).check(path) if path.exists() else []


def _lacks_checksums(array: Array) -> bool:
    return isinstance(array, Shaped) and array.lacks_checksums


@contextmanager
def _counting_bytes(arrays: Sequence[Array]) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal; the result, called with bytes, moves it on."""
    from tqdm import tqdm

    total = sum(array_bytes(array) for array in arrays)
    with tqdm(total=total, unit="B", unit_scale=True, disable=not sys.stderr.isatty()) as bar:
        lock = threading.Lock()

        def count(nbytes: int) -> None:
            """Move the bar by some bytes; called from several threads."""
            with lock:
                bar.update(nbytes)

        yield count


def _result(problems: Sequence[str]) -> str:
    n_problems = len(dict.fromkeys(problems))
    return count_things(n_problems, "problem") if n_problems else "no damage found"
