"""Images whose chunks are copied from their store without decoding."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_ferry.arrays.regions import split_by_bytes, whole_region
from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.ome_documents import store_order
from napari_ferry.codecs.zarr.saving.chunk_copy import CopiedBlocks, StoredChunks
from napari_ferry.codecs.zarr.saving.chunk_layout import Level, choose_chunks
from napari_ferry.codecs.zarr.saving.document_translation import (
    compression_of,
    keep_v2,
    keep_v3,
    translate_v2,
)
from napari_ferry.codecs.zarr.saving.image_plan import ImagePlan, plan_image
from napari_ferry.codecs.zarr.saving.planned_block import BlockGrid
from napari_ferry.codecs.zarr.saving.pyramid import Position, plan_pyramid
from napari_ferry.codecs.zarr.saving.source_pyramid import SourcePyramid, read_pyramid
from napari_ferry.codecs.zarr.zarr_options import StoreOptions
from napari_ferry.image import Image
from napari_ferry.saving.write import write_bytes

_COPY_BYTES = 32 << 20
"""Maximum bytes of pixels in the files copied by one write, unless one file has more."""

_CHUNK_OVERHEAD = 64
"""Usual maximum of bytes a compressor adds to an incompressible chunk, apart from 1 %."""


@dataclass(frozen=True, kw_only=True)
class CopiedImage(ImagePlan):
    """One image in a new store, all of whose levels are copied.

    Parameters
    ----------
    pyramid : SourcePyramid
        The levels in the store of the source.
    documents : list of mapping
        The metadata of each level in the new store.
    """

    pyramid: SourcePyramid
    documents: list[dict[str, Any]]

    @property
    def levels(self) -> list[Level]:
        """Levels of the source, by their keys in the new store."""
        return [
            Level(
                key=f"{self.key}/{k}" if self.key else str(k),
                shape=array.shape,
                chunks=array.chunks,
                file=array.files.file_shape,
                halved=halved,
                factors=(1,) * array.ndim,
            )
            for k, (array, halved) in enumerate(zip(self.pyramid.arrays, self._halved, strict=True))
        ]

    @property
    def positions(self) -> list[Position]:
        """Positions of the levels in the source."""
        return self.pyramid.positions

    @property
    def downsampling(self) -> Mapping[str, Any]:
        """Method of downsampling of the source."""
        return self.pyramid.description

    @property
    def keeps_levels(self) -> bool:
        """True: smaller levels are copied as they are."""
        return True

    @property
    def is_complete(self) -> bool:
        """True if the source declares all of its chunks to be present."""
        return all(array.files.is_complete for array in self.pyramid.arrays)

    @property
    def is_encoded(self) -> bool:
        """True if the chunks of a level are compressed."""
        return any(compression_of(document) != "none" for document in self.documents)

    @property
    def nbytes(self) -> int:
        """Maximum size of the files of all levels, in bytes."""
        return sum(
            math.prod(-(-n // side) for n, side in zip(level.shape, level.chunks, strict=True))
            * self._most_bytes(level)
            for level in self.levels
        )

    def _most_bytes(self, level: Level) -> int:
        """Return the size of the largest chunk, with its part of the index of a shard."""
        nbytes = math.prod(level.chunks) * self.encoder.dtype.itemsize
        return nbytes + (nbytes // 100 + _CHUNK_OVERHEAD if self.is_encoded else 0)

    def least_bytes(self, limit: int) -> int:
        """Return the size of the files to copy in bytes; one above `limit` is not exact."""
        nbytes = 0
        for array in self.pyramid.arrays:
            if nbytes <= limit:
                chunks = StoredChunks(array, whole_region(array.shape))
                nbytes += chunks.read_size(limit - nbytes)
        return nbytes

    def array_documents(self) -> dict[str, dict[str, Any]]:
        """Return the metadata of each level by its key."""
        return {
            level.key: document for level, document in zip(self.levels, self.documents, strict=True)
        }

    def block_grids(self) -> Iterator[BlockGrid]:
        """Yield the blocks of each level: regions of whole files to copy."""
        for array, level in zip(self.pyramid.arrays, self.levels, strict=True):
            chunks = StoredChunks(array, whole_region(array.shape))
            most = write_bytes(_COPY_BYTES, array.nbytes)
            regions = split_by_bytes(chunks, chunks.region, most)
            yield CopiedBlocks(
                array=chunks, regions=regions, level=level, prefix=self.options.prefix
            )

    @property
    def is_halved(self) -> bool:
        """True if each level has half the resolution of the one before along some axes."""
        ratios = [ratio for each in self._ratios[1:] for ratio in each]
        return all(any(math.isclose(ratio, n, rel_tol=0.1) for n in (1, 2)) for ratio in ratios)

    @property
    def _ratios(self) -> list[tuple[float, ...]]:
        """Factors of each level from the one before."""
        factors = [position.factors for position in self.positions]
        return [
            tuple(b / a for a, b in zip(*pair, strict=True))
            for pair in itertools.pairwise([factors[0], *factors])
        ]

    @property
    def _halved(self) -> list[tuple[bool, ...]]:
        return [tuple(ratio > 1.5 for ratio in each) for each in self._ratios]


def plan_copy(
    image: Image, key: str, options: StoreOptions, parent: ImagePlan | None = None
) -> CopiedImage | None:
    """Plan to copy an image, or return ``None`` if it must be encoded.

    Parameters
    ----------
    image, key, options, parent
        As for `plan_image`.
    """
    if image.kind == "labels" and image.dtype == bool:
        return None
    found = store_order(image.axis_names)
    order = tuple(range(image.ndim)) if found is None else found
    pyramid = read_pyramid(image.levels, order)
    if pyramid is None:
        return None

    encoded = plan_image(image, key, options, parent)
    names = [axis.name for axis in encoded.axes]
    documents = [
        _translate(*each, names, options)
        for each in zip(pyramid.arrays, pyramid.documents, strict=True)
    ]
    kept = [document for document in documents if document is not None]
    if len(kept) < len(documents) or not _fits(image, order, pyramid, options):
        return None

    copied = CopiedImage(**{**vars(encoded), "sections": ()}, pyramid=pyramid, documents=kept)
    if parent is None:
        return copied if _has_levels(copied) else None
    return copied if _follows(copied, parent) else None


def _translate(
    array: ZarrArray, document: Mapping[str, Any], names: Sequence[str], options: StoreOptions
) -> dict[str, Any] | None:
    """Return the metadata of an array in the new store, or ``None`` if its chunks differ there."""
    is_v3 = document.get("zarr_format") == 3
    if options.version == "0.4":
        return None if is_v3 else keep_v2(document)
    metadata = array.files.metadata
    return keep_v3(document, names) if is_v3 else translate_v2(document, metadata, names)


def _fits(
    image: Image, order: Sequence[int], pyramid: SourcePyramid, options: StoreOptions
) -> bool:
    """Return True if the source agrees with every given option."""
    first = pyramid.arrays[0]
    names = [image.axis_names[axis] for axis in order]
    kinds = {compression_of(document) for document in pyramid.documents}
    pairs: list[tuple[object, object]] = [
        (options.compression, kinds.pop() if len(kinds) == 1 else ""),
        (options.shards, first.files.metadata.shards is not None),
        (options.levels, len(pyramid.arrays)),
    ]
    if len(pyramid.arrays) > 1:
        pairs.append((options.downsample, pyramid.description.get("type")))
    if options.chunks is not None:
        chosen = choose_chunks(first.shape, names, first.dtype.itemsize, options.chunks)
        pairs.append((chosen, first.chunks))
    return all(wanted is None or wanted == found for wanted, found in pairs)


def _has_levels(copied: CopiedImage) -> bool:
    """Return True if an image has smaller levels, needs none, or is to have none."""
    is_single = len(copied.levels) == 1 and copied.options.levels is None
    return not is_single or len(plan_pyramid(copied.levels[0].shape, copied.axes, None)) == 1


def _follows(copied: CopiedImage, parent: ImagePlan) -> bool:
    """Return True if the levels of labels match the levels of their image."""
    if len(copied.levels) != len(parent.levels):
        return False
    names = [axis.name for axis in parent.axes]
    for own, other in zip(copied.positions, parent.positions, strict=True):
        known = dict(zip(names, other.factors, strict=True))
        factors = [known.get(axis.name, 1.0) for axis in copied.axes]
        if not np.allclose(own.factors, factors, rtol=0.1):
            return False
    return True


def plan_any(
    image: Image, key: str, options: StoreOptions, parent: ImagePlan | None = None
) -> ImagePlan:
    """Plan one image, whose chunks are copied if they remain as they are.

    Parameters
    ----------
    image, key, options, parent
        As for `plan_image`.
    """
    copied = plan_copy(image, key, options, parent)
    return plan_image(image, key, options, parent) if copied is None else copied


def plan_labeled(
    image: Image, labels: Mapping[str, Image], options: StoreOptions
) -> tuple[ImagePlan, list[ImagePlan]]:
    """Plan an image and its labels, all with the same levels.

    Parameters
    ----------
    image : Image
        The image, in the root of the store.
    labels : mapping of str to Image
        Labels by the keys of their groups.
    options : StoreOptions
        Options of the save.
    """
    parent = plan_any(image, "", options)
    plans = [plan_any(each, key, options, parent) for key, each in labels.items()]
    is_mixed = not all(isinstance(each, CopiedImage) for each in plans)
    if is_mixed and isinstance(parent, CopiedImage) and not parent.is_halved:
        parent = plan_image(image, "", options)  # labels cannot be made for other levels
        plans = [plan_any(each, key, options, parent) for key, each in labels.items()]
    return parent, plans
