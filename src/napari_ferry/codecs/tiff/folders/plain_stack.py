"""Files of one layout, joined along time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from napari_ferry.arrays import Frames
from napari_ferry.codecs.tiff.folders.file_grid import stack_names
from napari_ferry.codecs.tiff.folders.same_layout import FileStack, join_files
from napari_ferry.codecs.tiff.images.page_runs import FRAME_VALUES
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import ASSUMED, ASSUMED_TIME


def join_stack(paths: Sequence[Path], name: str, firsts: Sequence[Image]) -> list[Image]:
    """Join files of one layout, in order.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    name : str
        Name of the stack; empty for the name of the first file.
    firsts : sequence of Image
        The images of the first file.

    Raises
    ------
    UnreadableFileError
        A file is damaged or does not match the others.
    """
    if len(paths) == 1:
        return [*firsts]
    model, images = _choose_model(paths, firsts)
    extends = [image.axes[0].name == "t" for image in images]
    stacks = join_files(paths, images, extends, model=model)
    names = stack_names(name, paths[0], firsts)
    return [_stack(*parts) for parts in zip(images, stacks, extends, names, strict=True)]


def _choose_model(paths: Sequence[Path], firsts: Sequence[Image]) -> tuple[int, Sequence[Image]]:
    """Return the number and the images of the file with the layout of the others.

    It is the first one, unless that has one frame and the second one several along time.
    """
    is_frame = len(firsts) == 1 and firsts[0].ndim == firsts[0].frame_ndim
    if not is_frame or paths[0].stat().st_size >= paths[1].stat().st_size:
        return 0, firsts
    others = read_images(paths[1])
    is_longer = len(others) == 1 and others[0].axes[0].name == "t"
    return (1, others) if is_longer and others[0].shape[1:] == firsts[0].shape else (0, firsts)


def _stack(first: Image, stack: FileStack, extends: bool, name: str) -> Image:
    """Join files along time: along their own first axis if it `extends`, else along a new axis."""
    shape = (sum(stack.lengths), *(first.shape[1:] if extends else first.shape))
    lead = len(shape) - first.frame_ndim
    axes = first.axes if extends else (Axis("t"), *first.axes)
    metadata = {key: value for key, value in first.metadata.items() if key != FRAME_VALUES}
    if not extends:
        metadata[ASSUMED] = ASSUMED_TIME
    array = Frames(stack.reader, shape, first.dtype, lead)
    return replace(first, levels=(array,), axes=axes, name=name, metadata=metadata)
