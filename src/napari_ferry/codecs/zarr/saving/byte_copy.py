"""Copies of single files of a store to files, in the kernel where possible."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple

import xxhash

from napari_ferry.arrays.stamp import unreadable
from napari_ferry.codecs.zarr.saving.store_files import write_all
from napari_ferry.codecs.zarr.store import FolderStore, Store

BUFFER_BYTES = 1 << 18
"""Size of the parts of files copied at once; they stay in the cache of the processor."""

_ENTRY_BYTES = 32 << 20
"""Size of the parts of entries of ZIP files; a deflated one is read whole for each part."""


def copy_file(
    store: Store, key: str, create: Callable[[], BinaryIO], buffer: memoryview
) -> str | None:
    """Copy a file, and return its digest; ``None`` if it is missing.

    Parameters
    ----------
    store : Store
        The source.
    key : str
        Key of the file.
    create : callable
        Creates the unbuffered target.
    buffer : memoryview
        Memory of `BUFFER_BYTES` for a part of the file.

    Raises
    ------
    UnreadableFileError
        The file cannot be read.
    """
    parts = _parts_of(store, key, buffer)
    first = next(parts, None)
    if first is None:
        return None
    hasher = xxhash.xxh3_64()
    with create() as target:
        for part in itertools.chain((first,), parts):
            done = _copy_in_kernel(part.file, target, part.start, len(part.data))
            write_all(target, part.data[done:])
            hasher.update(part.data)
    return hasher.hexdigest()


def _copy_in_kernel(source: BinaryIO | None, target: BinaryIO, start: int, nbytes: int) -> int:
    """Copy bytes between files in the kernel, and return their number, possibly 0.

    It takes less time than reading and writing. Errors are left to these.
    """
    if source is None or not hasattr(os, "copy_file_range"):
        return 0
    with suppress(OSError):  # io.UnsupportedOperation of a file in memory, too
        return os.copy_file_range(source.fileno(), target.fileno(), nbytes, start)
    return 0


class _Part(NamedTuple):
    """Bytes of a file, and an open file with the same bytes at an offset, if there is one."""

    data: bytes | memoryview
    file: BinaryIO | None = None
    start: int = 0


def _parts_of(store: Store, key: str, buffer: memoryview) -> Iterator[_Part]:
    """Yield the bytes of a file in parts, at least one; none if the file is missing."""
    if isinstance(store, FolderStore):
        yield from _read_parts(store, key, buffer)
        return
    nbytes = store.size(key)
    if nbytes is None:
        return
    for start in range(0, max(1, nbytes), _ENTRY_BYTES):
        yield _Part(store.read_part(key, start, min(_ENTRY_BYTES, nbytes - start)) or b"")


def _read_parts(store: FolderStore, key: str, buffer: memoryview) -> Iterator[_Part]:
    """Yield the bytes of a file in a folder; each part is valid until the next one."""
    path = os.path.join(store.folder, key)  # noqa: PTH118 - a tenth of the time of `Path`
    try:
        with open(path, "rb", 0) as file:  # noqa: PTH123 - thousands of files
            n = file.readinto(buffer)
            yield _Part(buffer[:n], file)
            start = n
            while n := file.readinto(buffer):
                yield _Part(buffer[:n], file, start)
                start += n
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise unreadable(f"{store.name}/{key}", error) from error
