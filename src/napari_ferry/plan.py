"""A save that has not happened yet, and the only place that makes it happen."""

from __future__ import annotations

import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from napari_ferry.blocks import (
    Box,
    Pixels,
    box_shape,
    chunk_edges,
    split_box,
    write_block,
)
from napari_ferry.errors import (
    FerryError,
    SaveCancelledError,
    SaveError,
    TargetError,
    TargetExistsError,
)
from napari_ferry.frames import Frames
from napari_ferry.image import Array
from napari_ferry.lazy import Stack
from napari_ferry.partial import PartialFolder, sync_file

_WRITE_BYTES = 256 << 20
"""Pixels that one `Write` of a pre-sized file lays down."""


@dataclass(frozen=True)
class PlannedFile:
    """One file that a save will make.

    Parameters
    ----------
    path : Path
        Where it will stand.
    nbytes : int
        Its size in bytes, estimated where compression decides.
    create : callable
        Makes the file under a partial name: all of it, or header and length for the writes to
        fill.
    may_replace : callable, optional
        Whether the file that stands there is of the same data set, for files whose names the
        user did not choose. Anything may be replaced when absent, once overwriting was agreed.
    """

    path: Path
    nbytes: int
    create: Callable[[Path], None]
    may_replace: Callable[[Path], bool] | None = None


@dataclass(frozen=True)
class Write:
    """One independent step of a save: some pixels of a source, into one file.

    It may be repeated, and depends on nothing but its own pixels.

    Parameters
    ----------
    path : Path
        The file that it fills or makes, as in `Plan.files`.
    array : array
        Where the pixels come from.
    box : Box
        Which of them.
    put : callable
        Puts the pixels into the file, given its partial path.
    """

    path: Path
    array: Array
    box: Box
    put: Callable[[Path, Pixels], None]

    @property
    def nbytes(self) -> int:
        """Bytes of pixels that it reads."""
        itemsize = np.dtype(self.array.dtype).itemsize
        return int(np.prod(box_shape(self.box), dtype=np.int64)) * itemsize


@dataclass(frozen=True)
class Plan:
    """A save that has not happened yet. Making one reads no pixels.

    Parameters
    ----------
    files : tuple of PlannedFile
        Every file it will make, the one that names the data set first.
    writes : tuple of Write
        What fills them, in any order.
    losses : tuple of str
        A sentence for each thing that the format cannot hold.
    nframes : int
        Frames that will be saved.
    identity : str
        All else that tells this save from another, such as the description it stores.
    stale : tuple of Path
        Files of an earlier data set of this name, which go when it is replaced.
    """

    files: tuple[PlannedFile, ...]
    writes: tuple[Write, ...]
    losses: tuple[str, ...] = ()
    nframes: int = 0
    identity: str = ""
    stale: tuple[Path, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of all files."""
        return sum(file.nbytes for file in self.files)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files will stand."""
        return tuple(file.path for file in self.files)

    @property
    def standing(self) -> tuple[Path, ...]:
        """What stands there now and would be replaced or taken away."""
        return tuple(path for path in (*self.paths, *self.stale) if os.path.lexists(path))

    @property
    def fingerprint(self) -> str:
        """A short text that tells this save from any other."""
        parts = [f"{file.path.name}:{file.nbytes}" for file in self.files]
        parts += [f"{write.path.name}:{write.box}" for write in self.writes]
        return xxhash.xxh3_128_hexdigest("\n".join([self.identity, *parts]).encode())


@dataclass(frozen=True)
class Progress:
    """How far a save is.

    Parameters
    ----------
    done, total : int
        Bytes of pixels.
    rate : float
        Bytes per second so far.
    seconds_left : float
        Estimated from the rate.
    """

    done: int
    total: int
    rate: float
    seconds_left: float


def run(
    plan: Plan,
    *,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Path]:
    """Carry out a save: everything is written beside the target first, then moved in place.

    A crash, an error or a cancel leaves what stood there. A save of several files that was
    killed is taken up again by the same call: files that are whole are not written again.

    Parameters
    ----------
    plan : Plan
        What a codec planned.
    overwrite : bool
        Whether files that stand there may be replaced.
    workers : int, optional
        Threads. When absent, one for pixels in memory and up to four where reading them costs
        computing.
    progress : callable, optional
        Called with `Progress` as bytes go out, from the threads that write.
    cancel : callable, optional
        Asked between blocks; the save stops when it returns true, as ``Event().is_set`` does.

    Returns
    -------
    list of Path
        The files, as planned.

    Raises
    ------
    TargetExistsError
        Files stand there and `overwrite` is false, or one of them is not of this data set.
    TargetError
        The place cannot be written to, or another save to it is under way.
    SaveError
        Reading or writing failed on the way.
    SaveCancelledError
        `cancel` returned true.
    """
    paths = list(plan.paths)
    plan = _resolve(plan)
    _check_target(plan, overwrite)
    try:
        folder = PartialFolder(plan.files[0].path, plan.fingerprint)
        folder.open()
    except FerryError:
        raise
    except OSError as error:
        raise _target_error(plan.files[0].path, error) from error
    keep = False
    try:
        _check_standing(plan, overwrite)
        monitor = _Monitor(sum(write.nbytes for write in plan.writes), progress, cancel)
        _make_files(plan, folder, monitor, workers or _default_workers(plan))
        folder.commit([(_partial_name(plan, f.path), f.path) for f in plan.files], _there(plan.stale))
    except FerryError:
        raise
    except OSError as error:
        raise SaveError(
            f"Saving {plan.files[0].path} failed ({error.strerror or error}); what stood there "
            "before is still there: make room or choose another place, and save again."
        ) from error
    except KeyboardInterrupt:
        keep = bool(folder.done)
        raise
    finally:
        folder.close(keep=keep)
    return paths


def pixel_writes(
    path: Path,
    array: Array,
    box: Box,
    *,
    lead: int,
    strides: Sequence[int],
    dtype: np.dtype[Any],
    offset: int = 0,
    locate: Callable[[Path], int] | None = None,
) -> list[Write]:
    """Plan the writes that lay a box of an array uncompressed into a pre-sized file.

    Parameters
    ----------
    path : Path
        The file.
    array : array
        The source; of a `Stack`, each part is read by itself.
    box : Box
        The region of the source.
    lead : int
        Leading axes, along which the region may be cut into several writes.
    strides : sequence of int
        Bytes in the file from one index to the next, along each axis of the source.
    dtype : data type
        How samples are stored.
    offset : int
        Where the box' first sample lies, in bytes from the beginning of the pixels.
    locate : callable, optional
        Finds where the pixels begin in the partial file; they begin at 0 when absent.
    """
    if isinstance(array, Stack):
        a, writes = array.axis, []
        inner, steps = (*box[:a], *box[a + 1 :]), (*strides[:a], *strides[a + 1 :])
        for k in range(box[a].start, box[a].stop):
            writes += pixel_writes(
                path,
                array.parts[k],
                inner,
                lead=lead - 1,
                strides=steps,
                dtype=dtype,
                offset=offset + (k - box[a].start) * strides[a],
                locate=locate,
            )
        return writes
    shape = box_shape(box)
    frame_bytes = int(np.prod(shape[lead:], dtype=np.int64)) * np.dtype(array.dtype).itemsize
    pieces = split_box(box, lead, max(1, _WRITE_BYTES // max(1, frame_bytes)), chunk_edges(array))
    writes = []
    for piece in pieces:
        start = [p.start - b.start for p, b in zip(piece, box, strict=True)]
        at = offset + sum(i * step for i, step in zip(start, strides, strict=True))
        put = partial(
            _put_pixels, offset=at, strides=tuple(strides), dtype=dtype, locate=locate
        )
        writes.append(Write(path, array, piece, put))
    return writes


def _put_pixels(
    path: Path,
    pixels: Pixels,
    *,
    offset: int,
    strides: tuple[int, ...],
    dtype: np.dtype[Any],
    locate: Callable[[Path], int] | None,
) -> None:
    """Lay pixels into a pre-sized file."""
    offset += locate(path) if locate else 0
    with path.open("r+b") as file:
        for block in pixels:
            write_block(file, offset, strides, block, dtype)


@dataclass
class _Monitor:
    """Counts the bytes of all threads, reports them, and stops them all."""

    total: int
    report: Callable[[Progress], None] | None
    cancel: Callable[[], bool] | None
    done: int = 0
    skipped: int = 0
    stopped: bool = False
    started: float = field(default_factory=time.perf_counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Raise if the save is to stop."""
        if self.stopped or (self.cancel is not None and self.cancel()):
            raise SaveCancelledError("The save was cancelled; what stood there before still does.")

    def count(self, pixels: NDArray[Any]) -> None:
        """Count pixels that were written, and raise if the save is to stop."""
        self.add(pixels.nbytes)

    def add(self, nbytes: int, *, skipped: bool = False) -> None:
        """Count bytes; those that need no writing do not make the rate."""
        with self.lock:
            self.done += nbytes
            self.skipped += nbytes if skipped else 0
            seconds = max(1e-9, time.perf_counter() - self.started)
            rate = (self.done - self.skipped) / seconds
            left = (self.total - self.done) / rate if rate else float("inf")
            if self.report:
                self.report(Progress(self.done, self.total, rate, left))
        self.check()


def _make_files(plan: Plan, folder: PartialFolder, monitor: _Monitor, workers: int) -> None:
    """Write every file under its partial name, by several threads."""
    resumable = len(plan.files) > 1
    with ThreadPoolExecutor(workers, thread_name_prefix="ferry-save") as pool:
        waiting: dict[Future[str], Path] = {}
        try:
            for file in plan.files:
                writes = [write for write in plan.writes if write.path == file.path]
                digests = _Digests(folder, _partial_name(plan, file.path), len(writes), resumable)
                if digests.are_of(writes, monitor):
                    continue
                target = folder.file(digests.name)
                file.create(target)
                digests.finish_if_whole(target)
                for i, write in enumerate(writes):
                    while len(waiting) >= 2 * workers:
                        waiting = _collect(waiting)
                    job = pool.submit(_carry_out, write, target, monitor, digests, i)
                    waiting[job] = file.path
            while waiting:
                waiting = _collect(waiting)
        finally:
            monitor.stopped = True


def _carry_out(
    write: Write, target: Path, monitor: _Monitor, digests: _Digests, index: int
) -> str:
    """Do one write, in a thread of its own."""
    monitor.check()
    hasher = xxhash.xxh3_64() if digests.wanted else None

    def count(pixels: NDArray[Any]) -> None:
        if hasher:
            hasher.update(np.ascontiguousarray(pixels).reshape(-1).view(np.uint8))
        monitor.count(pixels)

    write.put(target, Pixels(write.array, write.box, count))
    digest = hasher.hexdigest() if hasher else ""
    digests.put(index, digest, target)
    return digest


def _collect(waiting: dict[Future[str], Path]) -> dict[Future[str], Path]:
    """Wait for one job at least; raise what it raised."""
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for job in done:
        job.result()
    return {job: path for job, path in waiting.items() if job not in done}


class _Digests:
    """The pixels that one file was made of, so that a whole file is known again."""

    def __init__(self, folder: PartialFolder, name: str, count: int, wanted: bool) -> None:
        self.folder = folder
        self.name = name
        self.wanted = wanted
        self.found: list[str | None] = [None] * count
        self.lock = threading.Lock()

    def put(self, index: int, digest: str, target: Path) -> None:
        """Note that one write is done; with the last of them the file is whole."""
        with self.lock:
            self.found[index] = digest
            self.finish_if_whole(target)

    def finish_if_whole(self, target: Path) -> None:
        """Flush the file when nothing is left to write into it."""
        whole = [digest for digest in self.found if digest is not None]
        if len(whole) == len(self.found):
            sync_file(target)
            if self.wanted:
                self.folder.note_whole(self.name, whole)

    def are_of(self, writes: Iterable[Write], monitor: _Monitor) -> bool:
        """Whether an interrupted save left this file whole, of the pixels it has to hold."""
        known = self.folder.done.get(self.name)
        writes = list(writes)
        if not writes or known is None or not self.folder.file(self.name).exists():
            return False
        if [_digest(write, monitor) for write in writes] != known:
            return False
        monitor.add(sum(write.nbytes for write in writes), skipped=True)
        return True


def _digest(write: Write, monitor: _Monitor) -> str:
    """Hash the pixels of a write, in the order in which they are written."""
    hasher = xxhash.xxh3_64()
    for block in Pixels(write.array, write.box):
        monitor.check()
        hasher.update(np.ascontiguousarray(block.pixels).reshape(-1).view(np.uint8))
    return hasher.hexdigest()


def _default_workers(plan: Plan) -> int:
    """One thread feeds a disk from memory; computing or decoding the source gains by more."""
    in_memory = all(isinstance(write.array, np.ndarray) for write in plan.writes)
    return 1 if in_memory else min(4, os.cpu_count() or 1)


def _partial_name(plan: Plan, path: Path) -> str:
    return f"new-{plan.paths.index(path)}{path.suffix}"


def _there(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.exists()]


def _resolve(plan: Plan) -> Plan:
    """Follow symlinks, so that what they point at is replaced and the links stay.

    Raises
    ------
    TargetError
        A link points nowhere.
    """
    places: dict[Path, Path] = {}
    for path in (*plan.paths, *plan.stale):
        if path.is_symlink() and not path.exists():
            raise TargetError(
                f"{path} is a link to {os.readlink(path)}, which is not there: remove the link or "
                "choose another name."
            )
        places[path] = Path(os.path.realpath(path)) if path.is_symlink() else path.absolute()
    return replace(
        plan,
        files=tuple(replace(file, path=places[file.path]) for file in plan.files),
        writes=tuple(replace(write, path=places[write.path]) for write in plan.writes),
        stale=tuple(places[path] for path in plan.stale),
    )


def _check_target(plan: Plan, overwrite: bool) -> None:
    """Refuse a place that cannot be written to, before the first byte."""
    for path in plan.paths:
        _check_place(path)
    _check_standing(plan, overwrite)
    parent = plan.files[0].path.parent
    free = shutil.disk_usage(parent).free
    if plan.nbytes > free:
        raise TargetError(
            f"{parent} has {free / 1e9:.2f} GB free and the save needs {plan.nbytes / 1e9:.2f} GB: "
            "make room or choose another disk."
        )


def _check_place(path: Path) -> None:
    if not path.parent.is_dir():
        raise TargetError(
            f"The folder {path.parent} is not there: make it, or choose another one."
        )
    name = os.fsencode(path.name)
    if len(name) > 255 or b"\0" in name or (os.name == "nt" and os.path.isreserved(path)):
        raise TargetError(f"{path.name[:60]!r} cannot be a file's name here: choose another one.")
    if path.is_dir():
        raise TargetError(f"{path} is a folder: give the name of a file.")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise TargetError(f"{path} is a device or a pipe, not a file: choose another name.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise TargetError(f"The folder {path.parent} cannot be written to: choose another one.")
    if path.exists() and not os.access(path, os.W_OK):
        raise TargetError(f"{path} is write-protected: unlock it, or choose another name.")


def _check_standing(plan: Plan, overwrite: bool) -> None:
    """Refuse to replace what was not agreed, or what is not of the same data set."""
    if plan.standing and not overwrite:
        names = ", ".join(path.name for path in plan.standing[:3])
        more = f" and {len(plan.standing) - 3} more" if len(plan.standing) > 3 else ""
        raise TargetExistsError(
            f"{names}{more} in {plan.files[0].path.parent} would be replaced: agree to overwrite, "
            "or choose another name."
        )
    for file in plan.files:
        if file.may_replace and file.path.exists() and not file.may_replace(file.path):
            raise TargetExistsError(
                f"{file.path} is not part of the data set that would be replaced: "
                "move it away, or choose another name."
            )


def _target_error(path: Path, error: OSError) -> TargetError:
    return TargetError(
        f"{path.parent} cannot be written to ({error.strerror or error}): choose another folder."
    )
