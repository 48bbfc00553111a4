"""The text of a planned save."""

from __future__ import annotations

from collections.abc import Sequence

from napari_ferry.arrays.progress import size_text
from napari_ferry.cli.terminal import show
from napari_ferry.image import Image
from napari_ferry.image.summary import list_facts
from napari_ferry.saving import Plan
from napari_ferry.saving.write import PlannedFile

_MOST_FILES = 12
"""Files that are listed; of more, only the first ones are."""


def show_plan(planned: Plan, images: Sequence[Image]) -> None:
    """Print the images of a plan, its files, their sizes, and its losses."""
    for number, image in enumerate(images):
        show(f"image {number}: {', '.join(list_facts(image))}")

    files = planned.files
    listed = files if len(files) <= _MOST_FILES else files[: _MOST_FILES - 2]
    for file in listed:
        show(f"would write {file.path}: {_size_text(planned, file)}")
    if len(listed) < len(files):
        limit = "at most " if planned.is_encoded else ""
        show(
            f"... and {len(files) - len(listed)} more files: {limit}{size_text(planned.nbytes)} "
            "in all"
        )

    for line in planned.details:
        show(line)
    for loss in planned.losses:
        show(f"lost or assumed: {loss}")
    for path in planned.existing:
        show(f"exists already: {path}")
    show("nothing is written (--dry-run)")


def _size_text(planned: Plan, file: PlannedFile) -> str:
    """Return the size of a file, a maximum if the file is compressed."""
    limit = "at most " if file.is_encoded or planned.stream is not None else ""
    return f"{limit}{size_text(file.nbytes)}"
