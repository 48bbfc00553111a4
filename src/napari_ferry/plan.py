"""A save that has not happened yet, and the only place that makes it happen."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from napari_ferry.blocks import Box, Pixels, as_bytes, box_shape
from napari_ferry.errors import FerryError, SaveError, TargetError, TargetExistsError
from napari_ferry.image import Array
from napari_ferry.partial import PartialFolder, reserve, sync_file
from napari_ferry.progress import Monitor, Progress
from napari_ferry.target import check_place, check_room, follow_link

if TYPE_CHECKING:
    from concurrent.futures import Future


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
    try:
        plan = _resolve(plan)
        _check_target(plan, overwrite)
        folder = PartialFolder(plan.files[0].path, plan.fingerprint)
        folder.open()
    except FerryError:
        raise
    except OSError as error:
        raise TargetError(
            f"{plan.files[0].path.parent} cannot be written to ({error.strerror or error}): choose "
            "another folder."
        ) from error
    keep = False
    try:
        _check_standing(plan, overwrite)
        monitor = Monitor(sum(write.nbytes for write in plan.writes), progress, cancel)
        _make_files(plan, folder, monitor, workers or _default_workers(plan))
        folder.commit(
            [(_partial_name(plan, f.path), f.path) for f in plan.files], _there(plan.stale)
        )
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


def _make_files(plan: Plan, folder: PartialFolder, monitor: Monitor, workers: int) -> None:
    """Write every file under its partial name, by several threads."""
    from concurrent.futures import ThreadPoolExecutor

    resumable = len({write.path for write in plan.writes}) > 1
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
                reserve(target)
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


def _carry_out(write: Write, target: Path, monitor: Monitor, digests: _Digests, index: int) -> str:
    """Do one write, in a thread of its own."""
    monitor.check()
    hasher = xxhash.xxh3_64() if digests.wanted else None

    def count(pixels: NDArray[Any]) -> None:
        if hasher:
            hasher.update(as_bytes(pixels))
        monitor.count(pixels)

    write.put(target, Pixels(write.array, write.box, count, monitor.check))
    digest = hasher.hexdigest() if hasher else ""
    digests.put(index, digest, target)
    return digest


def _collect(waiting: dict[Future[str], Path]) -> dict[Future[str], Path]:
    """Wait for one job at least; raise what it raised."""
    from concurrent.futures import FIRST_COMPLETED, wait

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

    def are_of(self, writes: Iterable[Write], monitor: Monitor) -> bool:
        """Whether an interrupted save left this file whole, of the pixels it has to hold."""
        known = self.folder.done.get(self.name)
        writes = list(writes)
        if not writes or known is None or not self.folder.file(self.name).exists():
            return False
        if [_digest(write, monitor) for write in writes] != known:
            return False
        monitor.add(sum(write.nbytes for write in writes), skipped=True)
        return True


def _digest(write: Write, monitor: Monitor) -> str:
    """Hash the pixels of a write, in the order in which they are written."""
    hasher = xxhash.xxh3_64()
    for block in Pixels(write.array, write.box, check=monitor.check):
        monitor.check()
        hasher.update(as_bytes(block.pixels))
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
    """Follow symlinks, so that what they point at is replaced and the links stay."""
    places = {path: follow_link(path) for path in (*plan.paths, *plan.stale)}
    return replace(
        plan,
        files=tuple(replace(file, path=places[file.path]) for file in plan.files),
        writes=tuple(replace(write, path=places[write.path]) for write in plan.writes),
        stale=tuple(places[path] for path in plan.stale),
    )


def _check_target(plan: Plan, overwrite: bool) -> None:
    """Refuse a place that cannot be written to, before the first byte."""
    for path in plan.paths:
        check_place(path)
    _check_standing(plan, overwrite)
    check_room(plan.files[0].path.parent, plan.nbytes)


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
