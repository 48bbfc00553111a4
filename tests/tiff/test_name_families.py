"""Images and their segmentations in one folder."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
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


@pytest.mark.parametrize("copy", ["im{}_1.tif", "im{}-1.tif", "im{} (2).tif", "im{}.ome.tif"])
def test_copies_with_the_same_numbers_are_images_of_their_own(copy: str, tmp_path: Path) -> None:
    write(tmp_path, [f"im{t}.tif" for t in range(3)])
    write(tmp_path, [copy.format(t) for t in range(3)], first=50)
    with pytest.warns(FerryWarning, match=r"2 kinds of files.*3 like"):
        images = imload(tmp_path)
    levels = [image.load().reshape(3, -1)[:, 0].tolist() for image in images]
    assert sorted(levels) == [[0, 1, 2], [50, 51, 52]]


@pytest.mark.parametrize("names", [("z-1.5", "z-0.5", "z0.5", "z1.5"), ("1", "1.5", "2", "2.5")])
def test_signs_and_fractions_are_not_further_numbers(names: Sequence[str], tmp_path: Path) -> None:
    write(tmp_path, [f"{name}.tif" for name in names])
    (image,) = imload(tmp_path)
    assert np.asarray(image.array)[:, 0, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("suffix", [".tif", ".png"])
@pytest.mark.parametrize(
    ("name", "sizes"), [("roi{}_f{}", (2, 3)), ("a_{1}_{0}nm", (2, 3)), ("x3 {:02}-{:02}", (3, 4))]
)
def test_a_stack_of_names_with_several_numbers_gives_a_warning(
    name: str, sizes: tuple[int, int], suffix: str, tmp_path: Path
) -> None:
    for i, k in np.ndindex(sizes):
        picture = PIL.Image.fromarray(np.full((6, 7), 10 * i + k, np.uint8))
        picture.save(tmp_path / (name.format(i, k) + suffix))
    with pytest.warns(FerryWarning, match="count with 2 numbers, . x .: they are") as caught:
        (image,) = imload(tmp_path)
    assert image.shape == (sizes[0] * sizes[1], 6, 7)
    if suffix == ".tif":
        pattern = str(caught[0].message).split("the pattern ")[1].removesuffix(" with imload.")
        (whole,) = imload(tmp_path / pattern)
        assert sorted(whole.shape) == sorted((*sizes, 6, 7))
        np.testing.assert_array_equal(whole.load().ravel(), image.load().ravel())


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
