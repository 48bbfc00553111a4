"""Every codec, and the codec of a path."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import napari_ferry.codecs as packages
from napari_ferry.errors import UnsupportedFormatError
from napari_ferry.io.protocol import Codec, hooks_of, suffixes_of

if TYPE_CHECKING:
    from napari_ferry.saving.document_repair import RepairPlanner


@cache
def codecs() -> tuple[Codec, ...]:
    """Return every codec, in order of the names of their packages."""
    import pkgutil

    names = sorted(info.name for info in pkgutil.iter_modules(packages.__path__))
    modules = (importlib.import_module(f"{packages.__name__}.{name}.codec") for name in names)
    return tuple(cast("Codec", module) for module in modules)


def suffixes(*, to_open: bool = False) -> tuple[str, ...]:
    """Return the suffixes of all formats, to save or to open."""
    return tuple(suffix for codec in codecs() for suffix in suffixes_of(codec, to_open=to_open))


def add_default_suffix(path: Path) -> Path:
    """Return the path of a file to save, with the default suffix if it has none."""
    default = next((each for each in codecs() if hooks_of(each).IS_DEFAULT), None)
    if path.suffix or not path.name or default is None:
        return path
    return path.with_name(path.name + default.SUFFIXES[0])


@cache
def _codec_of_suffix(*, to_open: bool) -> dict[str, Codec]:
    """Return the codec of each suffix; of one in several codecs, the first."""
    return {name: each for each in codecs()[::-1] for name in suffixes_of(each, to_open=to_open)}


def known_suffix(name: str, *, to_open: bool = False) -> str:
    """Return the longest suffix of a format in a name, as it is spelled there; empty if none.

    >>> known_suffix("day 1.cells.OME.tif"), known_suffix("cells.v2")
    ('.OME.tif', '')
    """
    parts = name.split(".")[1:]
    endings = (f".{'.'.join(parts[k:])}" for k in range(len(parts)))  # the longest first
    known = _codec_of_suffix(to_open=to_open)
    return next((ending for ending in endings if ending.lower() in known), "")


def find_codec(path: Path, *, to_open: bool = False) -> Codec:
    """Return the codec with the longest suffix of a name, ignoring case.

    Parameters
    ----------
    path : Path
        A file, which need not exist.
    to_open : bool
        True to open it, False to save it.

    Raises
    ------
    UnsupportedFormatError
        No codec has such a suffix.
    """
    suffix = known_suffix(path.name, to_open=to_open)
    codec = _codec_of_suffix(to_open=to_open).get(suffix.lower())
    if codec is None:
        action = "opened" if to_open else "saved"
        ending = f"ends in {path.suffix}" if path.suffix else "has no suffix"
        raise UnsupportedFormatError(
            f"{path.name} {ending} and cannot be {action}: use one of "
            f"{', '.join(suffixes(to_open=to_open))}."
        )
    return codec


def find_source_codec(path: Path) -> Codec:
    """Return the codec of an existing file or folder.

    A codec that claims the path comes first. Otherwise a suffix decides: that of a file, or in a
    folder those of its files. In a folder, a claim of a codec that opens folders of files counts as
    one of its files (see `Hooks.FOLDER_PRIORITY`).

    Raises
    ------
    UnsupportedFormatError
        No codec opens it.
    """
    ranked = sorted(codecs(), key=lambda codec: hooks_of(codec).FOLDER_PRIORITY)  # stores first
    claiming = next((codec for codec in ranked if hooks_of(codec).claims(path)), None)
    if path.is_dir() and (claiming is None or hooks_of(claiming).FOLDER_PRIORITY):
        return _find_folder_codec(path, claiming)
    return find_codec(path, to_open=True) if claiming is None else claiming


def find_repair(path: Path) -> RepairPlanner | None:
    """Return the `Hooks.repair` of the codec identified by a claim or a suffix, if it has one."""
    for codec in codecs():
        hooks = hooks_of(codec)
        known = suffixes_of(codec, to_open=True)
        if hooks.repair and (path.name.lower().endswith(known) or hooks.claims(path)):
            return hooks.repair
    return None


def _find_folder_codec(folder: Path, claiming: Codec | None) -> Codec:
    """Return the codec with the highest priority, and of those the one with most files."""
    listed = os.listdir(folder)  # noqa: PTH208 - a tenth of the time, and folders may be large
    names = [name for name in listed if not name.startswith(".")]
    text = "\0".join([*names, ""]).lower()  # one long text is searched faster than many short ones
    ranks = []
    for codec in codecs():
        if not (priority := hooks_of(codec).FOLDER_PRIORITY):
            continue
        count = _count_names(text, codec.SUFFIXES) + int(codec is claiming)
        if count:
            ranks.append((priority, count, codec))
    if not ranks:
        raise UnsupportedFormatError(_no_stack_message(folder, text.split("\0")))
    return max(ranks, key=lambda rank: rank[:2])[2]


def _count_names(text: str, suffixes: Sequence[str]) -> int:
    """Return the number of names, each ended by a null character, with one of some suffixes."""
    shortest = [
        each for each in suffixes if not any(each.endswith(s) for s in suffixes if s != each)
    ]
    return sum(text.count(f"{suffix}\0") for suffix in shortest)


def _no_stack_message(folder: Path, names: list[str]) -> str:
    """Return a message about a folder whose files are not one stack; their names in lower case."""
    single = next((name for name in sorted(names) if name.endswith(suffixes(to_open=True))), None)
    if single is not None:
        return (
            f"{folder.name} holds {Path(single).suffix} data, which are not opened as one stack: "
            "open each of them by its own path."
        )
    return f"{folder.name} holds no files that can be opened: expected {', '.join(suffixes())}."
