"""Parts of images by indices and names, and other orders of axes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from helpers import assert_same_pixels, pixels
from napari_ferry import Axis, Channel, FerryWarning, Image, InvalidImageError
from napari_ferry.image.selection import order_axes, select

WHOLE = pixels((6, 3, 8, 9))
IMAGE = Image(
    (WHOLE,),
    (Axis("t", 0.5, "s", 10), Axis("c"), Axis("y", 0.1, "um"), Axis("x", 0.1, "um")),
    channels=(Channel("DAPI"), Channel("GFP", "#00ff00"), Channel("RFP")),
    name="cells",
    metadata={"labels": {"t": list("abcdef")}},
    display={"gamma": 0.5, "channels": [{"opacity": 0.1}, {"opacity": 0.2}, {"opacity": 0.3}]},
)


def test_a_slice_moves_the_translation_and_a_step_the_scale() -> None:
    part = select(IMAGE, {"T": slice(2, None, 2), "x": slice(3, 6)})
    assert part.axes[0] == Axis("t", 1, "second", 11)
    assert part.axes[3] == Axis("x", 0.1, "micrometer", 0.1 * 3)
    assert part.metadata == {"labels": {"t": ["c", "e"]}}
    assert_same_pixels(part.load(), WHOLE[2::2, :, :, 3:6])


def test_a_name_or_an_index_leaves_the_axis_out() -> None:
    for chosen in ("GFP", 1, -2, np.int64(1)):
        part = select(IMAGE, {"c": chosen})
        assert part.axis_names == ("t", "y", "x")
        assert part.display == {"gamma": 0.5, "opacity": 0.2, "colormap": "#00ff00"}
        assert (part.name, part.metadata["channel"]) == ("cells", "GFP")
        assert_same_pixels(part.load(), WHOLE[:, 1])
    assert_same_pixels(select(IMAGE, {"t": "c"}).load(), WHOLE[2])


@pytest.mark.parametrize(
    ("partition", "kept"),
    [
        ({"t": slice(1, 3)}, [3, 4, 5, 6, 7, 8]),
        ({"c": 1}, [1, 4, 7, 10, 13, 16]),
        ({"t": slice(None, None, -3), "c": [2, 0]}, [17, 15, 8, 6]),
        ({"x": slice(3)}, list(range(18))),
    ],
)
def test_lists_with_an_entry_for_each_plane_follow(
    partition: dict[str, Any], kept: list[int]
) -> None:
    numbers = list(range(18))
    lists = {"Labels": [f"plane {k}" for k in numbers], "timestamps": numbers}
    part = select(replace(IMAGE, metadata={**lists, "other": numbers}), partition)
    assert part.metadata["Labels"] == [f"plane {k}" for k in kept]
    assert part.metadata["timestamps"] == kept
    assert part.metadata["other"] == numbers
    odd = replace(IMAGE, metadata={"Labels": numbers[:5], "timestamps": "18, too many to list"})
    kept_whole = select(odd, partition).metadata
    assert {**kept_whole, **odd.metadata} == kept_whole


def test_a_list_keeps_the_axis_in_the_order_of_the_list() -> None:
    part = select(IMAGE, {"c": ["RFP", 0], "t": [4]})
    assert [channel.name for channel in part.channels] == ["RFP", "DAPI"]
    assert part.display["channels"] == [{"opacity": 0.3}, {"opacity": 0.1}]
    assert part.axes[0] == Axis("t", 0.5, "second", 12)
    assert_same_pixels(part.load(), WHOLE[[4]][:, [2, 0]])


@pytest.mark.parametrize("chosen", [["RFP", "DAPI"], slice(2, None, -1), slice(1, None)])
def test_channels_without_calibration_get_none_by_their_order(chosen: Any) -> None:
    part = select(IMAGE, {"c": chosen})
    assert part.axes[1] == Axis("c")
    spectral = replace(IMAGE, axes=(IMAGE.axes[0], Axis("c", 10, "nm", 400), *IMAGE.axes[2:]))
    assert select(spectral, {"c": slice(1, None)}).axes[1] == Axis("c", 10, "nm", 410)


def test_uneven_indices_have_no_scale_and_a_warning() -> None:
    with pytest.warns(
        FerryWarning, match="axis t, in a partition or a list of files, are not evenly"
    ):
        part = select(IMAGE, {"t": [0, 1, 3]})
    assert part.axes[0] == Axis("t")
    assert_same_pixels(part.load(), WHOLE[[0, 1, 3]])


def test_uneven_indices_of_axes_without_positions_are_no_loss() -> None:
    spectral = replace(IMAGE, axes=(Axis("t"), Axis("c", 10, "nm", 400), *IMAGE.axes[2:]))
    part = select(spectral, {"t": [0, 1, 3], "c": [0, 2, 1]})
    assert part.axes[:2] == (Axis("t"), Axis("c", 10, "nm", 400))


def test_a_pyramid_keeps_levels_of_equal_length() -> None:
    pyramid = replace(IMAGE, levels=(WHOLE, WHOLE[..., ::2, ::2]))
    assert [level.shape for level in select(pyramid, {"c": 0}).levels] == [(6, 8, 9), (6, 4, 5)]
    assert len(select(pyramid, {"x": slice(4)}).levels) == 1


@pytest.mark.parametrize(
    ("partition", "message"),
    [
        ({"q": 0}, "has the axes t c y x"),
        ({"t": 6}, "give a number from 0 to 5"),
        ({"c": "BFP"}, "'BFP' is not a name along axis c, which has the names DAPI, GFP, RFP"),
        ({"t": slice(9, 12)}, "selects nothing of axis t"),
        ({"t": []}, "selects nothing of axis t"),
        ({"t": slice("a", "b")}, "give whole numbers"),
        ({"t": slice(None, None, 0)}, "other than 0"),
        ({"y": 3}, "an image needs y and x"),
        ({"t": 1.5}, "is not a name"),
        ("tc", "give a mapping"),
    ],
)
def test_what_does_not_exist_is_refused(partition: Any, message: str) -> None:
    with pytest.raises(InvalidImageError, match=message):
        select(IMAGE, partition)


def test_another_order_adds_missing_axes() -> None:
    image = order_axes(IMAGE, "ITCZYX")
    assert image.axis_names == ("i", "t", "c", "z", "y", "x")
    assert image.axes[1] == IMAGE.axes[0]
    assert_same_pixels(image.load(), WHOLE[None, :, :, None])
    assert_same_pixels(order_axes(IMAGE, "ctyx").load(), WHOLE.transpose(1, 0, 2, 3))


def test_another_order_keeps_colors_last_and_leaves_out_axes_of_length_1() -> None:
    image = Image.from_array(pixels((1, 8, 9, 3)), "tyxs")
    assert order_axes(image, "zyx").axis_names == ("z", "y", "x", "s")


@pytest.mark.parametrize("order", ["cyx", "tcy", "ttcyx"])
def test_an_order_names_each_axis_once(order: str) -> None:
    with pytest.raises(InvalidImageError, match="name each of them once"):
        order_axes(IMAGE, order)


@pytest.mark.parametrize(
    ("order", "kept"),
    [
        ("ctyx", [0, 3, 6, 9, 12, 15, 1, 4, 7, 10, 13, 16, 2, 5, 8, 11, 14, 17]),
        ("itzcyx", list(range(18))),
        ("yxtc", list(range(18))),
    ],
)
def test_lists_with_an_entry_for_each_plane_follow_the_order(order: str, kept: list[int]) -> None:
    image = replace(IMAGE, metadata={"Labels": [str(k) for k in range(18)], "other": [1]})
    ordered = order_axes(image, order)
    assert ordered.metadata == {"Labels": [str(k) for k in kept], "other": [1]}
    assert image.metadata["Labels"] == [str(k) for k in range(18)]
