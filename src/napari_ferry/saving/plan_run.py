"""`run`, the only function to carry out a save."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.arguments import check_workers, targeting
from napari_ferry.arrays.progress import Monitor, Report, reporting
from napari_ferry.errors import (
    ClusterError,
    FerryError,
    InvalidImageError,
    SaveError,
    TargetExistsError,
)
from napari_ferry.files.short_texts import list_few
from napari_ferry.saving.disk.replacement import check_replaceable
from napari_ferry.saving.partial.interruption import interrupted_save
from napari_ferry.saving.partial.partial_folder import PartialFolder
from napari_ferry.saving.plan import Plan
from napari_ferry.saving.target import check_folder, check_free_space, check_target, follow_link
from napari_ferry.saving.write import PlannedFile, partial_name

if TYPE_CHECKING:
    from napari_ferry.saving.execution.runner import Scheduler


def run(
    plan: Plan,
    *,
    overwrite: bool = False,
    workers: int | None = None,
    client: Scheduler | None = None,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Path]:
    """Carry out a save: write all files next to the target, then move them in place.

    A crash, an error or a cancellation leaves existing files unchanged. The same call resumes an
    interrupted save, and does not repeat its finished writes.

    Parameters
    ----------
    plan : Plan
        Plan made by a codec.
    overwrite : bool
        True to replace existing files.
    workers : int, optional
        Number of threads. By default one to copy pixels from memory to the disk, and more to
        compute or encode them.
    client : dask.distributed.Client, cluster or str, optional
        Client, cluster, or address of a scheduler: its workers, which have to share the folders,
        carry out the writes. One of them writes a whole GIF, ``.ozx`` or compressed TIFF,
        unless the image is in memory.
    progress : callable or bool, optional
        Called with `Progress` after each block, from the threads that write. True shows a
        progress bar on a terminal or in a notebook.
    cancel : callable, optional
        Called between blocks; the save stops if it returns True, such as ``Event().is_set``.

    Returns
    -------
    list of Path
        The files of the save, as planned.

    Raises
    ------
    InvalidImageError
        `plan` is not a Plan, `cancel` is not a function, `workers` is not a whole number of at
        least 1, or `client` is not a cluster.
    TargetExistsError
        Files exist and `overwrite` is False, or one of them does not belong to this data set.
    TargetError
        The target cannot be written to, or another save to it is in progress.
    SaveError
        Reading or writing failed.
    ClusterError
        The cluster cannot carry out the save, or was lost. The same call resumes it.
    SaveCancelledError
        `cancel` returned True.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import plan
    >>> planned = plan(np.zeros((10, 64, 64), np.uint16), "run.tif")
    >>> files = run(planned) if not planned.losses else []
    >>> [path.name for path in files]
    ['run.tif']
    """
    if not isinstance(plan, Plan):
        raise InvalidImageError(
            f"An object of type {type(plan).__name__} is not a Plan: make one by plan(images, "
            "path), or call imsave(images, path)."
        )
    given = plan
    check_workers(workers)
    with targeting(plan.paths[0].parent):
        plan = _follow_links(plan)
        _check_targets(plan, overwrite)
        targets = _targets_by_name(given, plan)
        folder = PartialFolder(
            plan.paths[0],
            targets,
            plan.fingerprint,
            plan.nonce,
            plan.name,
            has_folders=any(file.is_folder for file in plan.files),
        )
        folder.open()

    keep = False
    try:
        # opening the folder may have put files of an interrupted save in place
        existing = plan.existing
        _check_existing(plan, existing, overwrite)
        with reporting(progress, plan.source_bytes, plan.paths[0].name) as report:
            from napari_ferry.saving.execution.steps import make_all  # nobody needs it before

            monitor = Monitor(total=plan.source_bytes, report=report, cancel=cancel)
            count = make_all(plan, folder, monitor, workers, client)
            _put_in_place(plan, folder, count, existing, overwrite)
            if folder.placement.has_replaced:
                monitor.note("removing the replaced data")
    except ClusterError:
        keep = folder.is_resumable
        raise
    except FerryError:
        raise
    except OSError as error:
        raise SaveError(
            f"Saving {plan.files[0].path.name} failed ({error.strerror or error}); any earlier "
            "version is still there: free some space or choose another folder, and save again."
        ) from error
    except KeyboardInterrupt as interrupt:
        keep = folder.is_resumable
        folder.placement.note_changes(interrupt)
        raise
    finally:
        folder.close(keep=keep)
    return list(_created_paths(given, count))


def _put_in_place(
    plan: Plan, folder: PartialFolder, count: int, existing: Sequence[Path], overwrite: bool
) -> None:
    """Move complete files in place, and remove the existing files replaced by them."""
    created = _created_paths(plan, count)
    new = {*created}
    stale = [path for path in dict.fromkeys((*plan.stale, *existing)) if path not in new]
    _check_existing(plan, [*created, *stale], overwrite)
    names = [partial_name(i, path) for i, path in enumerate(plan.paths)]
    moves = [*zip(_partial_names(plan, names, count), created, strict=True)]
    folder.placement.commit(moves, [path for path in stale if path.exists()])


def check_save(plan: Plan, *, overwrite: bool = False) -> None:
    """Refuse a plan before the first byte, as `run` would; missing folders are to be made.

    Parameters
    ----------
    plan : Plan
        Plan made by a codec.
    overwrite : bool
        True to replace existing files.

    Raises
    ------
    TargetExistsError
        Files exist and `overwrite` is False, or one of them does not belong to this data set.
    TargetError
        The target cannot be written to.
    """
    folder = plan.paths[0].parent.absolute()
    with targeting(folder):
        if check_folder(folder):
            _check_targets(_follow_links(plan), overwrite)
        else:
            _check_space(plan)


def _created_paths(plan: Plan, count: int) -> tuple[Path, ...]:
    """Return the paths of all files, given the number of files from a stream."""
    if plan.stream is None:
        return plan.paths
    others = [path for path in plan.paths if path not in plan.stream.paths]
    return (*plan.stream.created_paths(count), *others)


def _partial_names(plan: Plan, names: Sequence[str], count: int) -> list[str]:
    """Return the partial names of all files, in the order of `_created_paths`."""
    streamed = plan.stream.paths if plan.stream else ()
    pairs = [*zip(names, plan.paths, strict=True)]
    own = [name for name, path in pairs if path in streamed][:count]
    return own + [name for name, path in pairs if path not in streamed]


def _follow_links(plan: Plan) -> Plan:
    """Return a plan to replace the targets of links, and to preserve the links.

    Links among the files to remove are removed themselves.
    """
    single_path = plan.stream.single_path if plan.stream else None

    # an interrupted save may have set aside the target of the first link
    first = plan.paths[0]
    is_interrupted = os.path.islink(first) and interrupted_save(first) is not None  # noqa: PTH114
    targets = {
        path: follow_link(path, may_be_missing=is_interrupted and path == first)
        for path in (*plan.paths, *([single_path] if single_path else ()))
    }

    return replace(
        plan,
        files=tuple(replace(file, path=targets[file.path]) for file in plan.files),
        writes=plan.grouped_writes.replace_paths(targets),
        stale=tuple(path.absolute() for path in plan.stale),
        stream=plan.stream
        and replace(
            plan.stream,
            paths=tuple(targets[path] for path in plan.stream.paths),
            single_path=targets[single_path] if single_path else None,
        ),
    )


def _targets_by_name(given: Plan, plan: Plan) -> dict[str, Path]:
    """Return the path of each file to create or remove, by its given name.

    Links are followed in `plan`, so that paths may be in several folders. If several files have the
    same name, the first one is returned.
    """
    pairs = [*zip(given.paths, plan.paths, strict=True)]
    if given.stream and plan.stream and given.stream.single_path and plan.stream.single_path:
        pairs.append((given.stream.single_path, plan.stream.single_path))
    pairs += zip(given.stale, plan.stale, strict=True)
    return {path.name: target for path, target in reversed(pairs)}


def _check_targets(plan: Plan, overwrite: bool) -> None:
    """Refuse targets without permission or space for a save, before the first byte."""
    for file in plan.files:
        check_target(file.path, is_folder=file.is_folder)
    has_folders = any(file.is_folder for file in plan.files)
    for path in plan.stale:
        check_target(path, is_folder=has_folders and path.is_dir())
    _check_existing(plan, plan.existing, overwrite)
    for path in plan.existing:
        check_replaceable(path)
    _check_space(plan)


def _check_space(plan: Plan) -> None:
    """Refuse a plan that needs more space than the disk of its folder has."""
    # the size of encoded files is only a maximum
    fixed = sum(f.nbytes for f in plan.files if f.create and not f.is_encoded)
    encoded = [
        (file.nbytes, file.least_bytes)
        for file in plan.files
        if file.least_bytes and (file.is_encoded or not file.create)
    ]
    check_free_space(plan.files[0].path.parent, fixed, encoded)


def _check_existing(plan: Plan, paths: Sequence[Path], overwrite: bool) -> None:
    """Refuse to replace files without `overwrite`, or files of another data set."""
    existing = [path for path in paths if os.path.lexists(path)]
    if existing and not overwrite:
        names = list_few([path.name for path in existing])
        raise TargetExistsError(
            f"{names} in {plan.files[0].path.parent} would be replaced: give overwrite=True "
            "(--overwrite on the command line), or choose another name."
        )

    replaced = {*existing}
    for file in plan.files:
        if file.path in replaced and not _may_replace(file):
            found = (
                "is a folder with other files than those of this format"
                if file.is_folder
                else "is not part of the data set that would be replaced"
            )
            raise TargetExistsError(
                f"{file.path.name} {found}: move it away, or choose another name."
            )


def _may_replace(file: PlannedFile) -> bool:
    """Return True if an existing file may be replaced; a folder only if its format allows it."""
    return file.may_replace(file.path) if file.may_replace else not file.is_folder
