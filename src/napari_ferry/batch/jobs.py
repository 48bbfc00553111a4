"""Jobs of a batch: each data set with its target, known before anything is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from napari_ferry.batch.batch_record import Record
from napari_ferry.batch.inputs import Input, Inputs, Skipped, find_inputs
from napari_ferry.batch.output_names import NamedSource, Naming, find_collisions, parent_name
from napari_ferry.errors import (
    FerryError,
    MissingFileError,
    TargetError,
    UnreadableFileError,
    collecting_warnings,
)
from napari_ferry.files.comparable_names import comparable
from napari_ferry.files.short_texts import list_few
from napari_ferry.io import imload


@dataclass(frozen=True, kw_only=True)
class Job:
    """A data set to convert, and its target.

    Parameters
    ----------
    input : Input
        The data set.
    target : Path
        The file to save.
    image : int, optional
        The only image to save, counted from 0; ``None`` for all.
    """

    input: Input
    target: Path
    image: int | None = None


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """Jobs in order, skipped files, and the record of earlier work.

    Parameters
    ----------
    jobs : tuple of Job
        The jobs.
    skipped : tuple of Skipped
        Files and folders that are not converted.
    record : Record
        The record in the folder of the targets.
    """

    jobs: tuple[Job, ...]
    skipped: tuple[Skipped, ...]
    record: Record

    def check_folder(self, options: str) -> None:
        """Refuse a folder of targets that cannot be written to, unless all are up to date.

        Parameters
        ----------
        options : str
            Digest of the options of the conversion.

        Raises
        ------
        TargetError
            It is a file, or the permission is missing.
        """
        try:
            self.record.check_writable()
        except TargetError:
            if not all(self._is_current(job, options) for job in self.jobs):
                raise

    def _is_current(self, job: Job, options: str) -> bool:
        try:
            entry = self.record.entry(job.target, job.input.source, job.input.files, options)
        except UnreadableFileError:
            return False
        return self.record.is_current(entry)


def find_jobs(sources: Sequence[str | Path], naming: Naming, *, recursive: bool = False) -> Jobs:
    """Find all data sets to convert, and their targets; nothing is written.

    Each data set is opened only if each of its images gets a target of its own.

    Parameters
    ----------
    sources : sequence of str or Path
        Files, folders, addresses, or patterns, as in `find_inputs`.
    naming : Naming
        Names of the targets.
    recursive : bool
        True to search the folders in a folder, too.

    Raises
    ------
    MissingFileError
        Nothing matches a pattern, or nothing can be converted.
    TargetError
        Two data sets have the same target.
    UnsupportedFormatError
        The format of a source is not saved, and no suffix is given.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import imsave
    >>> for k in range(3):
    ...     _ = imsave(np.zeros((3, 8, 8), np.uint8), f"cells {k}.tif")
    >>> found = find_jobs(["*.tif"], Naming(folder=Path("movies"), suffix=".mp4"))
    >>> [job.target.name for job in found.jobs]
    ['cells 0.mp4', 'cells 1.mp4', 'cells 2.mp4']
    """
    record = Record.read(naming.folder)
    inputs = find_inputs(
        sources, recursive=recursive, target=naming.folder, is_output=record.is_output
    )
    if not inputs.found:
        raise MissingFileError(_nothing_found(sources, inputs))
    return name_jobs(inputs, naming, record)


def name_jobs(inputs: Inputs, naming: Naming, record: Record) -> Jobs:
    """Return the jobs of found data sets, skipping each that is its own target.

    Parameters
    ----------
    inputs : Inputs
        The data sets, and the skipped files and folders.
    naming : Naming
        Names of the targets.
    record : Record
        The record in the folder of the targets.

    Raises
    ------
    TargetError
        Two data sets have the same target.
    UnsupportedFormatError
        The format of a source is not saved, and no suffix is given.
    """
    jobs, skipped = assign_targets(inputs.found, naming, _count_images)
    collision = next(find_job_collisions(jobs), None)
    if collision is not None:
        raise TargetError(collision.sentence)
    return Jobs(jobs=tuple(jobs), skipped=(*inputs.skipped, *skipped), record=record)


def assign_targets(
    inputs: Sequence[Input], naming: Naming, count_images: Callable[[Input], int | None]
) -> tuple[list[Job], list[Skipped]]:
    """Return the jobs of data sets, and those that are skipped as their target is an input.

    Parameters
    ----------
    inputs : sequence of Input
        The data sets.
    naming : Naming
        Names of the targets.
    count_images : callable
        Number of the images of a data set, or None if it cannot be opened; called if each image
        has a target of its own.

    Raises
    ------
    UnsupportedFormatError
        The format of a source is not saved, and no suffix is given.
    """
    return _split_own_targets(_name_jobs(inputs, naming, count_images))


def _name_jobs(
    inputs: Sequence[Input], naming: Naming, count_images: Callable[[Input], int | None]
) -> list[Job]:
    """Return the jobs of all inputs, or of each of their images."""
    counts = [count_images(each) if naming.has_images else None for each in inputs]
    chosen = [
        (each, image)
        for each, count in zip(inputs, counts, strict=True)
        for image in ([None] if count is None else range(count))
    ]
    sources = [
        NamedSource(each.source, each.folder, each.files, image or 0) for each, image in chosen
    ]
    targets = naming.name_targets(sources)
    return [
        Job(input=each, target=target, image=image)
        for (each, image), target in zip(chosen, targets, strict=True)
    ]


def _count_images(source: Input) -> int | None:
    """Return the number of the images of a data set; None if it cannot be opened."""
    try:
        with collecting_warnings([]):
            images = imload(source.source)
    except FerryError:  # reported by the job
        return None
    for image in images:
        image.close()
    return len(images)


def _split_own_targets(jobs: Sequence[Job]) -> tuple[list[Job], list[Skipped]]:
    """Return the jobs with targets other than the inputs, and the skipped rest."""
    files = {_real_name(file): job.input for job in jobs for file in job.input.files}
    kept, skipped = [], []
    for job in jobs:
        owner = files.get(_real_name(job.target))
        if owner is None:
            kept.append(job)
        else:
            reason = _own_target(job.input, owner, job.target)
            skipped.append(Skipped(path=Path(job.input.source), reason=reason))
    return kept, skipped


def _real_name(path: Path) -> str:
    """Return a path without links, which a save would follow, as the system compares it."""
    return comparable(os.path.realpath(path))


def single_job(source: str | Path, target: Path) -> Jobs:
    """Return the job of one source and its target; it is not recorded."""
    return Jobs(
        jobs=(Job(input=Input(source=source), target=target),),
        skipped=(),
        record=Record(folder=target.parent, is_kept=False),
    )


def _own_target(source: Input, owner: Input, target: Path) -> str:
    """Return the reason to skip a source with an input as its target."""
    if owner is source:
        return "its own target"
    return f"its target {target.name} is another input"


class Collision(NamedTuple):
    """Two jobs with one target."""

    first: Job
    second: Job

    @property
    def sentence(self) -> str:
        """What the inputs are, and names that tell them apart."""
        first, second = self.first.input, self.second.input
        return (
            f"{first.source} and {second.source} would both be saved as {self.first.target}: give "
            "names that tell them apart (--name on the command line), such as "
            f"{_distinct_pattern(first, second)}."
        )


def find_job_collisions(jobs: Sequence[Job]) -> Iterator[Collision]:
    """Yield the jobs with the target of another job, each with the first that has it."""
    for first, second in find_collisions([job.target for job in jobs]):
        yield Collision(jobs[first], jobs[second])


def _distinct_pattern(first: Input, second: Input) -> str:
    """Return patterns that give two inputs different names."""
    is_one_folder = parent_name(first.source) == parent_name(second.source)
    return "{index}_{name}" if is_one_folder else "{parent}_{name} or {index}_{name}"


def _nothing_found(sources: Sequence[str | Path], inputs: Inputs) -> str:
    """Return the message about sources without a data set."""
    names = list_few([*map(str, sources)])
    if not inputs.skipped:
        return f"There are no images in {names}: check its name, or choose another folder."
    first, more = inputs.skipped[0], len(inputs.skipped) - 1
    others = f", and {more} more" if more else ""
    return (
        f"There is nothing to convert in {names}: {first.path.name} is skipped ({first.reason})"
        f"{others}; choose other files."
    )
