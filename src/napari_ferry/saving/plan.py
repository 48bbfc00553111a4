"""A save that has not happened yet, and the only place that makes it happen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from napari_ferry.arguments import check_workers, targeting
from napari_ferry.errors import FerryError, SaveError, TargetExistsError
from napari_ferry.saving.disk import sync_file
from napari_ferry.saving.partial import PartialFolder, interrupted_save
from napari_ferry.saving.progress import Monitor, Progress
from napari_ferry.saving.stream import EncodeTask, Stream, make_stream
from napari_ferry.saving.target import check_place, check_room, follow_link
from napari_ferry.saving.write import PlannedFile, Write, make_files, partial_name

if TYPE_CHECKING:
    from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A save that has not happened yet. Making one reads no pixels.

    Parameters
    ----------
    files : tuple of PlannedFile
        Every file it will make, the one that names the data set first.
    writes : tuple of Write
        What fills them, in any order.
    losses : tuple of str
        A sentence for each thing that the format cannot hold, and for what of a movie's pace is
        assumed.
    nframes : int
        Frames that will be saved.
    identity : str
        All else that tells this save from another, such as the description it stores.
    stale : tuple of Path
        Files of an earlier data set of this name, which go when it is replaced.
    nonce : str
        What tells the files of this save from those of any other, where they carry it; a save
        that takes up an interrupted one carries on with its nonce.
    stream : Stream, optional
        What makes those files whose bytes must come in order.
    frame_rate : Fraction, optional
        Frames per second, of a movie.
    """

    files: tuple[PlannedFile, ...]
    writes: tuple[Write, ...] = ()
    losses: tuple[str, ...] = ()
    nframes: int = 0
    identity: str = ""
    stale: tuple[Path, ...] = ()
    nonce: str = ""
    stream: Stream | None = None
    frame_rate: Fraction | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all files, at most."""
        return sum(file.nbytes for file in self.files)

    @property
    def source_bytes(self) -> int:
        """Bytes of pixels that will be read, which progress counts."""
        return sum(step.nbytes for step in self._steps)

    @property
    def _steps(self) -> tuple[Write | EncodeTask, ...]:
        return (*self.writes, *(self.stream.tasks if self.stream else ()))

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the files will stand; a compressed series may become fewer."""
        return tuple(file.path for file in self.files)

    @property
    def standing(self) -> tuple[Path, ...]:
        """What stands there now and would be replaced or taken away."""
        return tuple(path for path in (*self.paths, *self.stale) if os.path.lexists(path))

    @property
    def fingerprint(self) -> str:
        """A short text that tells this save from any other."""
        parts = [f"{file.path.name}:{file.nbytes}" for file in self.files]
        parts += [f"{write.path.name}:{write.region}" for write in self.writes]
        parts += [f"{task.region}" for task in self.stream.tasks] if self.stream else []
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
        Threads. When absent, one for pixels that go from memory to the disk as they are, and more
        where computing or encoding them takes longer than that.
    progress : callable, optional
        Called with `Progress` as bytes go out, from the threads that write.
    cancel : callable, optional
        Asked between blocks; the save stops when it returns true, as ``Event().is_set`` does.

    Returns
    -------
    list of Path
        The files that were made, as planned.

    Raises
    ------
    InvalidImageError
        A number of threads below 1.
    TargetExistsError
        Files stand there and `overwrite` is false, or one of them is not of this data set.
    TargetError
        The place cannot be written to, or another save to it is under way.
    SaveError
        Reading or writing failed on the way.
    SaveCancelledError
        `cancel` returned true.
    """
    asked = plan
    check_workers(workers)
    with targeting(plan.paths[0].parent):
        plan = _resolve(plan)
        _check_target(plan, overwrite)
        places = _places(asked, plan)
        folder = PartialFolder(plan.files[0].path, places, plan.fingerprint, plan.nonce)
        folder.open()
    keep = False
    try:
        _check_standing(plan, plan.standing, overwrite)
        standing = plan.standing
        monitor = Monitor(plan.source_bytes, progress, cancel)
        workers = workers or default_workers(plan, os.cpu_count() or 1)
        make_files(plan.files, plan.writes, folder, monitor, workers)
        count = _make_stream(plan, folder, monitor, workers)
        made = _made(plan, count)
        stale = [path for path in dict.fromkeys((*plan.stale, *standing)) if path not in made]
        _check_standing(plan, [*made, *stale], overwrite)
        names = [partial_name(i, path) for i, path in enumerate(plan.paths)]
        folder.commit([*zip(_kept(plan, names, count), made, strict=True)], _there(stale))
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
    return list(_made(asked, count))


def _made(plan: Plan, count: int) -> tuple[Path, ...]:
    """Return the files that were made, when a stream made so many of its own."""
    if plan.stream is None:
        return plan.paths
    others = [path for path in plan.paths if path not in plan.stream.paths]
    return (*plan.stream.made(count), *others)


def _kept(plan: Plan, names: Sequence[str], count: int) -> list[str]:
    """Return the partial names of the files that were made, in the order of `_made`."""
    streamed = plan.stream.paths if plan.stream else ()
    pairs = [*zip(names, plan.paths, strict=True)]
    own = [name for name, path in pairs if path in streamed][:count]
    return own + [name for name, path in pairs if path not in streamed]


def _make_stream(plan: Plan, folder: PartialFolder, monitor: Monitor, workers: int) -> int:
    """Make the files of a stream, and return how many."""
    if plan.stream is None:
        return 0
    places = {path: folder.file(partial_name(i, path)) for i, path in enumerate(plan.paths)}
    partials = [places[path] for path in plan.stream.paths]
    count = make_stream(plan.stream, partials, monitor, workers)
    for partial in partials[:count]:
        sync_file(partial)
    return count


def default_workers(plan: Plan, cores: int) -> int:
    """Return the number of threads that a save is carried out by, on so many cores.

    One feeds a disk from memory; computing, decoding or encoding gains by more.
    """
    if plan.stream:
        return min(8, cores)
    return 1 if all(isinstance(w.array, np.ndarray) for w in plan.writes) else min(4, cores)


def _there(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path.exists()]


def _resolve(plan: Plan) -> Plan:
    """Follow symlinks, so that what they point at is replaced and the links stay.

    Of what is taken away, the link goes, not what it points at.
    """
    alone = plan.stream.alone if plan.stream else None
    # Where the folder of an interrupted save stands beside what the link of the first file points
    # at, it is that save that set it aside.
    first = plan.paths[0]
    is_torn = os.path.islink(first) and interrupted_save(first) is not None  # noqa: PTH114
    places = {
        path: follow_link(path, may_be_gone=is_torn and path == first)
        for path in (*plan.paths, *([alone] if alone else ()))
    }
    return replace(
        plan,
        files=tuple(replace(file, path=places[file.path]) for file in plan.files),
        writes=tuple(replace(write, path=places[write.path]) for write in plan.writes),
        stale=tuple(path.absolute() for path in plan.stale),
        stream=plan.stream
        and replace(
            plan.stream,
            paths=tuple(places[path] for path in plan.stream.paths),
            alone=places[alone] if alone else None,
        ),
    )


def _places(asked: Plan, plan: Plan) -> dict[str, Path]:
    """Return where each file that a save may make or take away stands, by the name it was given.

    Links were followed in `plan`, so that places may be in several folders. Of several files with
    one name, only the first is found by it.
    """
    pairs = [*zip(asked.paths, plan.paths, strict=True)]
    if asked.stream and plan.stream and asked.stream.alone and plan.stream.alone:
        pairs.append((asked.stream.alone, plan.stream.alone))
    pairs += zip(asked.stale, plan.stale, strict=True)
    return {given.name: place for given, place in reversed(pairs)}


def _check_target(plan: Plan, overwrite: bool) -> None:
    """Refuse a place that cannot be written to, before the first byte."""
    for path in plan.paths:
        check_place(path)
    _check_standing(plan, plan.standing, overwrite)
    # what is encoded may become much smaller: a disk that is too full says so when it is
    check_room(plan.files[0].path.parent, sum(f.nbytes for f in plan.files if f.create))


def _check_standing(plan: Plan, paths: Sequence[Path], overwrite: bool) -> None:
    """Refuse to replace what was not agreed, or what is not of the same data set."""
    standing = [path for path in paths if os.path.lexists(path)]
    if standing and not overwrite:
        names = ", ".join(path.name for path in standing[:3])
        more = f" and {len(standing) - 3} more" if len(standing) > 3 else ""
        raise TargetExistsError(
            f"{names}{more} in {plan.files[0].path.parent} would be replaced: agree to overwrite, "
            "or choose another name."
        )
    for file in plan.files:
        if file.may_replace and file.path in standing and not file.may_replace(file.path):
            raise TargetExistsError(
                f"{file.path} is not part of the data set that would be replaced: "
                "move it away, or choose another name."
            )
