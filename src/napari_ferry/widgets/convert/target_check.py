"""Numbers of the targets of the checked rows, and what prevents saving them, before a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from napari_ferry.batch.batch_record import Record
from napari_ferry.batch.inputs import Input
from napari_ferry.batch.jobs import assign_targets, find_job_collisions
from napari_ferry.batch.output_names import Naming, number_targets
from napari_ferry.errors import FerryError
from napari_ferry.widgets.convert.convert_words import in_form_words, same_target
from napari_ferry.widgets.convert.row import Row


def number_rows(rows: Sequence[Row], naming: Naming) -> list[Row]:
    """Give the checked rows their numbers if names have numbers; return the changed rows."""
    chosen = [row for row in rows if row.is_checked and naming.has_index]
    counts = [_count_targets(row, naming) for row in chosen]
    numbers = {id(row): each for row, each in zip(chosen, number_targets(counts), strict=True)}
    changed = [row for row in rows if row.numbers != numbers.get(id(row))]
    for row in changed:
        row.numbers, row.is_inspected = numbers.get(id(row)), False
    return changed


def _count_targets(row: Row, naming: Naming) -> int | None:
    """Return the number of targets of a row; None before its images are counted."""
    if not naming.has_images:
        return 1
    return None if row.facts is None else row.facts.n_images


class TargetCheck(NamedTuple):
    """What prevents saving the targets of the checked rows.

    Parameters
    ----------
    collision : str
        Sentence about the first two data sets with one target; empty without any.
    conflicts : mapping of str or Path to str
        Source of a data set with the target of another one -> a sentence for its row.
    folder : str
        Why nothing can be saved in the folder of the targets; empty if it is possible.
    """

    collision: str = ""
    conflicts: Mapping[object, str] = {}
    folder: str = ""

    def obstacle(self, *, is_pending: bool) -> str:
        """Return the sentence about what prevents a batch; empty if nothing does.

        Parameters
        ----------
        is_pending : bool
            Whether anything is to be saved.
        """
        return self.collision or (self.folder if is_pending else "")


class TargetChecker:
    """Checks of targets, in which collisions are searched again only for other rows or names."""

    def __init__(self) -> None:
        self._key: object = None
        self._found = TargetCheck()

    def check(self, rows: Sequence[Row], naming: Naming) -> TargetCheck:
        """Check the targets of the checked rows; for another thread.

        Targets of images are not checked before the images of each data set are counted.
        """
        counts = {
            row.input: count
            for row in rows
            if row.is_checked and (count := _count_targets(row, naming)) is not None
        }
        is_known = len(counts) == sum(row.is_checked for row in rows)
        key = (naming, counts)
        if key != self._key and is_known:
            self._key, self._found = key, _find_conflicts(counts, naming)
        found = self._found if is_known else TargetCheck()
        return found._replace(folder=_check_folder(naming))


def _find_conflicts(counts: Mapping[Input, int], naming: Naming) -> TargetCheck:
    """Find the data sets whose target another one has."""
    try:
        jobs, _ = assign_targets([*counts], naming, counts.get)
    except FerryError:  # reported when the batch begins
        return TargetCheck()
    collisions = [*find_job_collisions(jobs)]
    if not collisions:
        return TargetCheck()

    conflicts: dict[object, str] = {}
    for first, second in collisions:
        for job, other in ((first, second), (second, first)):
            name = Path(other.input.source).name
            conflicts.setdefault(job.input.source, same_target(name, job.target.name))
    return TargetCheck(in_form_words(collisions[0].sentence), conflicts)


def _check_folder(naming: Naming) -> str:
    """Return why nothing can be saved in the folder of the targets."""
    try:
        Record(folder=naming.folder).check_writable()
    except FerryError as error:
        return in_form_words(str(error))
    return ""
