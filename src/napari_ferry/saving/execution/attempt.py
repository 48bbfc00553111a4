"""One attempt to carry out a write, in a thread of this process or on a worker of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import xxhash
from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader
from napari_ferry.arrays.blocks import as_bytes
from napari_ferry.saving.partial.write_records import WriteRecord
from napari_ferry.saving.write import Write


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A write, and the record of its earlier attempts.

    Parameters
    ----------
    write : Write
        The write.
    target : Path
        Partial file or folder.
    record : WriteRecord, optional
        Record of the write in an interrupted save.
    identity : str, optional
        Identity of the source; ``None`` if its pixels are compared.
    is_recorded : bool
        True if the write is recorded, so that an interrupted save resumes after it.
    """

    write: Write
    target: Path
    record: WriteRecord | None = None
    identity: str | None = None
    is_recorded: bool = False


class Outcome(NamedTuple):
    """Result of an attempt: the record of the write, and True if it was stored before."""

    record: WriteRecord | None
    is_skipped: bool


def carry_out(
    attempt: Attempt,
    count: Callable[[NDArray[Any]], None] | None,
    check: Callable[[], None],
) -> Outcome:
    """Carry out a write, unless an interrupted save stored the same pixels.

    Parameters
    ----------
    attempt : Attempt
        The write.
    count : callable, optional
        Called with each block of pixels after its use.
    check : callable
        Called before each block; raises to stop.
    """
    write = attempt.write
    array = write.reopen(attempt.target) if write.reopen else write.array
    if attempt.record and _is_stored(attempt, attempt.record, array, check):
        return Outcome(attempt.record, is_skipped=True)

    is_hashed = attempt.is_recorded and not attempt.identity and not write.stores_pixels
    hasher = xxhash.xxh3_64() if is_hashed else None

    def count_block(pixels: NDArray[Any]) -> None:
        """Add a block to the digest, and report it."""
        if hasher:
            hasher.update(as_bytes(pixels))
        if count:
            count(pixels)

    stored = write.put(attempt.target, BlockReader(array, write.region, count_block, check))
    if not stored or not attempt.is_recorded:
        return Outcome(None, is_skipped=False)
    source = attempt.identity or (hasher.hexdigest() if hasher else stored)
    return Outcome(WriteRecord(stored, source), is_skipped=False)


def _is_stored(
    attempt: Attempt, record: WriteRecord, array: Array, check: Callable[[], None]
) -> bool:
    """Return True if an interrupted save stored the same pixels, and they are still there."""
    write = attempt.write
    if write.stored is None or write.stored(attempt.target) != record.stored:
        return False
    return (attempt.identity or _pixel_digest(array, write, check)) == record.source


def _pixel_digest(array: Array, write: Write, check: Callable[[], None]) -> str:
    """Return the digest of the pixels of a write, in the order of writing."""
    hasher = xxhash.xxh3_64()
    for block in BlockReader(array, write.region, check=check):
        check()
        hasher.update(as_bytes(block.pixels))
    return hasher.hexdigest()
