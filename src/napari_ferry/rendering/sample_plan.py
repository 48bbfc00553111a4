"""Plans to save the samples of images as they are, without drawing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_ferry.arguments import targeting
from napari_ferry.image import Image, Saveable, as_images
from napari_ferry.io.protocol import Codec, hooks_of
from napari_ferry.io.search import codecs, find_codec
from napari_ferry.saving import Plan
from napari_ferry.saving.target import refuse_inside


def images_for(codec: Codec, images: Saveable) -> list[Image]:
    """Convert images, arrays or a sequence of them to images for a codec.

    Raises
    ------
    InvalidImageError
        As `as_images`.
    """
    hooks = hooks_of(codec)
    return as_images(images, is_movie=hooks.IS_MOVIE, holds_one=hooks.HOLDS_ONE)


def plan_samples(images: Saveable, path: Path, **options: Any) -> Plan:
    """Plan to save the samples of images; nothing is drawn and no pixels are read.

    Parameters, apart from the options of `render`, and errors are those of `napari_ferry.plan`.
    """
    codec = find_codec(path)
    stores = [hooks.claims for hooks in map(hooks_of, codecs()) if not hooks.FOLDER_PRIORITY]
    with targeting(path):
        refuse_inside(path, stores)
        planned: Plan = codec.plan(images_for(codec, images), path, **options)
    return replace(planned, name=path.name)
