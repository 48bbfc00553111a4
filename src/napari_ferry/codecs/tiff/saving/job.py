"""One save as TIFF: choice of description, pages, and one file or a series."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from napari_ferry.arrays import whole_region
from napari_ferry.codecs.tiff.names import stem_of
from napari_ferry.codecs.tiff.saving.headers import (
    CLASSIC_BYTES,
    file_bytes,
    header_writer,
    is_ome,
    single_file_xml,
    writer_options,
)
from napari_ferry.codecs.tiff.saving.layer import Flavor, Layer
from napari_ferry.codecs.tiff.saving.page_encoder import PageFormat, page_format
from napari_ferry.codecs.tiff.saving.series_description import part_path
from napari_ferry.codecs.tiff.tiff_options import Compression
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.imagej import unsupported_reason
from napari_ferry.saving import PlannedFile
from napari_ferry.saving.partial.interruption import resumable_nonce


@dataclass(frozen=True, kw_only=True)
class Job:
    """One save as TIFF.

    Parameters
    ----------
    layers : tuple of Layer
        The whole images, in order.
    path : Path
        Name of the data set; a series has numbered names in the same folder.
    flavor : {"imagej", "ome", "json"}
        Description of the images.
    compression : {"none", "zlib", "zstd", "lzw"}
        Compression of the pages.
    pyramid : bool, optional
        True to add halved copies of each plane; ``None`` for large planes in OME-TIFF only.
    cap : float
        Maximum size of one file in bytes.
    nonce : str
        Random identifier of a series; empty for a single file.
    """

    layers: tuple[Layer, ...]
    path: Path
    flavor: Flavor
    compression: Compression
    pyramid: bool | None
    cap: float
    nonce: str = ""

    @property
    def images(self) -> tuple[Image, ...]:
        """The images, in order."""
        return tuple(layer.image for layer in self.layers)

    @property
    def nframes(self) -> int:
        """Number of frames of all images."""
        return sum(layer.nframes for layer in self.layers)

    @property
    def is_series(self) -> bool:
        """True if the data set is split into several files."""
        return bool(self.nonce)

    @cached_property
    def pages(self) -> tuple[PageFormat, ...]:
        """Format of the pages of each image."""
        return tuple(map(self._page_format, self.layers))

    def _page_format(self, layer: Layer) -> PageFormat:
        image, is_ome_tiff = layer.image, self.flavor == "ome"
        keeps_levels = self.pyramid is None and len(image.levels) > 1
        return page_format(
            layer.shape[layer.lead :],
            layer.dtype,
            self.compression,
            may_tile=is_ome_tiff,
            pyramid=(keeps_levels or self.pyramid) if is_ome_tiff else False,
            is_labels=image.kind == "labels" or image.dtype == bool,
        )

    @property
    def is_encoded(self) -> bool:
        """True if pages are compressed, tiled, or have halved copies."""
        return any(page.is_encoded for page in self.pages)

    @property
    def max_page_bytes(self) -> int:
        """Upper bound of the size of all pages in bytes."""
        pairs = zip(self.layers, self.pages, strict=True)
        return sum(layer.nframes * page.max_bytes for layer, page in pairs)

    @cached_property
    def single_file(self) -> PlannedFile:
        """The single file of all images, of any size."""
        if self.is_encoded:
            first = writer_options(self.layers, self.flavor).first
            text = sum(len(str(options).encode()) for options in first)
            return PlannedFile(path=self.path, nbytes=self.max_page_bytes + text)
        xml = single_file_xml(self.layers) if self.flavor == "ome" else ""
        create = header_writer(self.layers, self.flavor, xml, {})
        nbytes = file_bytes(self.layers, create)
        return PlannedFile(path=self.path, nbytes=nbytes, create=create)


def choose_job(
    images: Sequence[Image],
    path: Path,
    *,
    cap: float,
    compression: Compression,
    pyramid: bool | None,
) -> Job:
    """Choose the description of images, and one file or a series.

    An ImageJ hyperstack is one image in one classic TIFF file. All other files are OME-TIFF, or
    plain TIFF with JSON for data types unknown to OME.

    Parameters
    ----------
    images : sequence of Image
        Images with y and x, and s of a color, last.
    path, cap, compression, pyramid
        See `Job`.

    Raises
    ------
    InvalidImageError
        The name or the pyramid requires OME-TIFF, which does not have the data type; or several
        images, one of them of such a type, exceed the cap.
    """
    foreign = [image for image in images if not is_ome([image])]
    requires_ome = stem_of(path) != path.stem or bool(pyramid)
    if requires_ome and foreign:
        raise InvalidImageError(
            f"OME-TIFF cannot hold {foreign[0].dtype.name}: save as .tif, or convert to "
            f"{'int32' if foreign[0].kind == 'labels' else 'a smaller integer or float32'} first."
        )

    job = Job(
        layers=tuple(Layer(image, whole_region(image.shape)) for image in images),
        path=path,
        flavor="json" if foreign else "ome",
        compression=compression,
        pyramid=pyramid,
        cap=cap,
    )
    single = job  # ImageJ does not read BigTIFF
    if not requires_ome and len(images) == 1 and unsupported_reason(images[0]) is None:
        hyperstack = replace(job, flavor="imagej")
        single = hyperstack if hyperstack.max_page_bytes < CLASSIC_BYTES else job
    return single if _is_below_cap(single) else _as_series(job)


def _is_below_cap(job: Job) -> bool:
    """Return True if a single file is smaller than the cap."""
    # the descriptions of many frames are not made if the encoded pages alone are too large
    if job.is_encoded and job.max_page_bytes >= job.cap:
        return False
    return job.single_file.nbytes < job.cap


def _as_series(job: Job) -> Job:
    """Split a save into several files; uncompressed ones continue an interrupted save."""
    foreign = [image for image in job.images if not is_ome([image])]
    if foreign and len(job.images) > 1:
        raise InvalidImageError(
            f"{len(job.images)} images exceed the size cap, and one of them is "
            f"{foreign[0].dtype}, which OME-TIFF cannot hold: save them one by one, or raise the "
            "cap."
        )
    interrupted = None if job.is_encoded else resumable_nonce(part_path(job.path, 0))
    return replace(job, nonce=interrupted or uuid.uuid4().hex)
