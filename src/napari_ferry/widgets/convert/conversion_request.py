"""What the fields of the form ask for: sources, names, format and options of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from napari_ferry.batch.batch_options import complete_options
from napari_ferry.batch.batch_record import digest_options
from napari_ferry.batch.inputs import Input
from napari_ferry.batch.jobs import Job
from napari_ferry.batch.output_names import NamedSource, Naming, TargetNumbers
from napari_ferry.errors import FerryError, UnreadableFileError, collecting_warnings
from napari_ferry.image import Image
from napari_ferry.io import imload
from napari_ferry.rendering.save import plan
from napari_ferry.saving import Plan
from napari_ferry.widgets.plan_summary import Format


@dataclass(frozen=True)
class ConversionRequest:
    """Names of the targets, and the options of their format.

    Parameters
    ----------
    naming : Naming
        Folder and names of the targets.
    format : Format
        Their format.
    options : mapping
        Options of the format, and for a movie those of `render`.
    """

    naming: Naming
    format: Format
    options: Mapping[str, Any]

    @cached_property
    def record_options(self) -> dict[str, Any]:
        """All options, as the record of a batch has them."""
        return complete_options(self.format.codec, self.options)

    @cached_property
    def digest(self) -> str:
        """Digest of the options in the record of a batch."""
        return digest_options(self.record_options)

    def targets_of(
        self, source: Input, n_images: int = 1, numbers: TargetNumbers | None = None
    ) -> list[Path]:
        """Return the target of all images of a data set, or of each if each has its own.

        Parameters
        ----------
        source : Input
            The data set.
        n_images : int
            Number of its images.
        numbers : TargetNumbers, optional
            Numbers of its targets in the batch; by default those of a batch of one data set.

        Raises
        ------
        FerryError
            They cannot be named.
        """
        count = n_images if self.naming.has_images else 1
        first, total = numbers or TargetNumbers(1, count)
        named = (NamedSource(source.source, source.folder, source.files, k) for k in range(count))
        return [self.naming.name_target(each, first + k, total) for k, each in enumerate(named)]

    def plan_images(self, images: Sequence[Image], target: Path) -> Plan:
        """Plan to save images.

        Raises
        ------
        FerryError
            The format cannot store them, or an option is not valid.
        """
        return plan(images, target, **self.options)

    def plan_job(self, job: Job) -> tuple[Sequence[Image], Plan]:
        """Open the source of a job, and plan to save it.

        Raises
        ------
        FerryError
            It cannot be opened or saved.
        """
        images = imload(job.input.source)
        try:
            return images, self.plan_images(_choose_image(images, job), job.target)
        except FerryError:
            close_all(images)
            raise


def _choose_image(images: Sequence[Image], job: Job) -> Sequence[Image]:
    """Return the only image of a job, or all of them.

    Raises
    ------
    UnreadableFileError
        The file has changed since its images were counted.
    """
    if job.image is None:
        return images
    if job.image >= len(images):
        raise UnreadableFileError(
            f"{Path(job.input.source).name} no longer has image {job.image}, counted from 0: "
            "choose its folder again."
        )
    return [images[job.image]]


@contextmanager
def opening_images(source: Input) -> Iterator[list[Image]]:
    """Return a context with the images of a data set, without warnings; they are closed after it.

    Raises
    ------
    FerryError
        They cannot be opened.
    """
    with collecting_warnings([]):
        images = imload(source.source)
        try:
            yield images
        finally:
            close_all(images)


def close_all(images: Iterable[Image]) -> None:
    """Close the files of images."""
    for image in images:
        image.close()
