"""Images and their segmentations in one folder."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_ferry import imload, load_images
from napari_ferry.codecs.tiff import codec as tiff
from napari_ferry.errors import FerryWarning
from tiff_files import GRAY


def write(folder: Path, names: Sequence[str], first: int = 0, dtype: str = "uint16") -> list[Path]:
    """Write a file for each name; its pixels are its index."""
    paths = [folder / name for name in names]
    for i, path in enumerate(paths):
        tifffile.imwrite(path, np.full((6, 7), first + i, dtype), **GRAY)
    return paths


@pytest.mark.parametrize(
    "mask",
    [
        *("im_{}_cp_masks.tif", "mask_{}.tif", "im_{}_seg.tif", "im_{}_mask.tif", "seg_{}.tif"),
        *("im_{}_label.tif", "im_{}_labels.tif", "labels_im_{}.tif", "im_{}-segmentation.tif"),
        *("im_{}Mask.tif", "im{}_Masks.tif", "man_seg{}.tif", "im_{}_Simple Segmentation.tif"),
        *("im_{}_GT.tif", "im_{}_cp_outlines.tif", "im_{}_Probabilities.tiff", "MASK{}.tif"),
    ],
)
def test_images_and_masks_are_opened_apart(mask: str, tmp_path: Path) -> None:
    write(tmp_path, [f"im_{t}.tif" for t in range(3)])
    write(tmp_path, [mask.format(t) for t in range(3)], first=50, dtype="uint8")
    with pytest.warns(
        FerryWarning, match=r"2 kinds of files.*3 like im_0\.tif and 3 like"
    ) as caught:
        images, masks = imload(tmp_path)
    assert len(caught) == 1
    assert np.asarray(images.array)[:, 0, 0].tolist() == [0, 1, 2]
    assert np.asarray(masks.array)[:, 0, 0].tolist() == [50, 51, 52]
    assert (images.name, masks.dtype) == (tmp_path.name, "uint8")


def test_one_image_and_its_mask_are_two_images(tmp_path: Path) -> None:
    paths = write(tmp_path, ["cells_seg.tif", "cells.tif"])
    with pytest.warns(FerryWarning, match="2 kinds of files"):
        image, mask = imload(tmp_path)
    assert (image.array[0, 0], mask.array[0, 0]) == (1, 0)
    with pytest.warns(FerryWarning, match="2 kinds of files"):
        assert [each.shape for each in tiff.open_many(paths)] == [(6, 7), (6, 7)]
    with pytest.warns(FerryWarning) as caught:
        assert load_images(tmp_path)[0, 0] == 1
    assert "holds 2 images" in str(caught[-1].message)


def test_masks_alone_are_one_stack(tmp_path: Path) -> None:
    write(tmp_path, [f"im_{t}_cp_masks.tif" for t in range(3)])
    (image,) = imload(tmp_path)
    assert image.shape == (3, 6, 7)


def test_words_with_the_same_numbers_are_images_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, [f"{word}_{t}.tif" for word in ("GFP", "RFP") for t in range(3)])
    with pytest.warns(FerryWarning, match="3 like GFP_0.tif and 3 like RFP_0.tif"):
        first, second = imload(tmp_path)
    assert np.asarray(first.array)[:, 0, 0].tolist() == [0, 1, 2]
    assert np.asarray(second.array)[:, 0, 0].tolist() == [3, 4, 5]
    assert (first.name, second.name) == ("GFP_0", "RFP_0")


@pytest.mark.parametrize(
    "names",
    [
        ["A1.tif", "A2.tif", "B1.tif", "B2.tif"],  # wells
        ["a.tif", "b.tif"],
        ["jan_1.tif", "feb_2.tif", "mar_3.tif"],
        ["segment_1.tif", "unmasked_2.tif", "labeling_3.tif"],
    ],
)
def test_other_words_are_one_stack(names: list[str], tmp_path: Path) -> None:
    write(tmp_path, names)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (image,) = imload(tmp_path)
    assert image.shape == (len(names), 6, 7)
