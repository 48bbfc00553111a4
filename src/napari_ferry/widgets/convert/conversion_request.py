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
from napari_ferry.batch.output_names import NamedSource, Naming
from napari_ferry.errors import FerryError, collecting_warnings
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

    def target_of(self, source: Input) -> Path:
        """Return the target of a data set; numbers of several are not those of the batch.

        Raises
        ------
        FerryError
            It cannot be named.
        """
        named = NamedSource(source.source, source.folder, source.files)
        return self.naming.name_targets([named])[0]

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
        chosen = images if job.image is None else [images[job.image]]
        try:
            return images, self.plan_images(chosen, job.target)
        except FerryError:
            close_all(images)
            raise


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
