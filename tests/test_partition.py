"""Saves with one file for each index of some axes, and their way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import assert_same_image, pixels
from napari_ferry import (
    Axis,
    Channel,
    FerryWarning,
    Image,
    InvalidImageError,
    TargetError,
    TargetExistsError,
    UnsupportedFormatError,
    imload,
    imsave,
    plan,
    run,
)
from napari_ferry.files.labels import decode_label, encode_label

AXES = (
    Axis("t", 0.5, "s", 3),
    Axis("c"),
    Axis("z", 2, "um", -1),
    Axis("y", 0.065, "um"),
    Axis("x", 0.065, "um", 7),
)
IMAGE = Image(
    (pixels((3, 2, 2, 8, 9)),),
    AXES,
    (Channel("nuclei", "#00ff00"), Channel("actin", "#ff0000", (0, 99))),
    name="cells",
    display={"gamma": 0.5},
    metadata={"objective": "20x"},
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(folder: str = ".") -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


def test_names_have_numbers_and_names_of_channels() -> None:
    made = imsave(IMAGE, "a.tif", partition="tc")
    assert [path.name for path in made[:3]] == [
        "a.t_00.c_nuclei.tif",
        "a.t_00.c_actin.tif",
        "a.t_01.c_nuclei.tif",
    ]
    assert names() == sorted(path.name for path in made)


READERS: list[Callable[[list[Path]], list[Image]]] = [
    lambda made: imload(made[0].parent),
    imload,
    lambda made: imload(made[0].parent / "a.b_1.t_{t}.c_{c}.tif"),
]


@settings(max_examples=15, deadline=None)
@given(
    texts=st.lists(
        st.one_of(
            st.sampled_from(["a/b", "a.b", "a_b", "%41", "ä/µ.x_1", "A", " x ", "e\u0301", "0"]),
            st.text(st.characters(codec="utf-8"), max_size=12),
        ),
        min_size=1,
        max_size=3,
    ),
    n_times=st.integers(1, 3),
)
def test_everything_comes_back(
    texts: list[str], n_times: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("set")
    image = Image(
        (pixels((n_times, len(texts), 2, 8, 9)),),
        AXES,
        tuple(Channel(text) for text in texts),
        name="cells",
        metadata={"objective": "20x", "labels": {"t": list("xyz"[:n_times])}},
    )
    made = imsave(image, folder / "a.b_1.tif", partition="tc")
    for read in READERS:
        (found,) = read(made)
        assert_same_image(found, image)


@given(text=st.text())
def test_a_label_is_read_back_and_is_a_file_name(text: str) -> None:
    label = encode_label(text)
    assert decode_label(label) == text
    assert not set(label) & set('./\\:*?"<>|\0')


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("compression", [True, False])
def test_several_images_are_variables(suffix: str, compression: bool) -> None:
    labels = Image((pixels((3, 2, 8, 9)),), (AXES[0], *AXES[2:]), name="a/mask", kind="labels")
    made = imsave([IMAGE, labels], f"a{suffix}", partition="tc", compression=compression)
    assert made[0].name == f"a.var_cells.t_00.c_nuclei{suffix}"
    assert made[-1].name == f"a.var_a%2Fmask.t_02{suffix}"
    for found, image in zip(imload("."), [IMAGE, labels], strict=True):
        assert_same_image(found, image)


def test_axes_within_a_file_may_be_given_instead() -> None:
    imsave(IMAGE, "a.tif", partition="zyx")
    assert len(names()) == 6
    assert_same_image(imload(".")[0], IMAGE)


def test_names_that_a_disk_may_not_distinguish_are_numbers() -> None:
    image = replace(IMAGE, channels=(Channel("GFP"), Channel("gfp")))
    imsave(image, "a.tif", partition="c")
    assert names() == ["a.c_00.tif", "a.c_01.tif"]
    assert_same_image(imload(".")[0], image)


def test_long_names_are_numbers() -> None:
    texts = ["a" * 300, "\u65e5" * 40]
    image = IMAGE.replace(channels=texts)
    assert imsave(image, "a.tif", partition="tc")[1].name == "a.t_00.c_01.tif"
    imsave([image.replace(name="a" * 300), IMAGE], "b.tif", partition="t")
    assert [channel.name for channel in imload("a.*")[0].channels] == texts
    assert [found.name for found in imload("b.*")] == ["a" * 300, "cells"]


def test_a_picture_for_each_channel() -> None:
    image = Image.from_array(pixels((2, 8, 9), "uint8"), "cyx").replace(channels=["a", "b/c"])
    assert imsave(image, "a.png", partition="c") == [Path("a.c_a.png"), Path("a.c_b%2Fc.png")]
    with pytest.raises(InvalidImageError, match="split the data along another axis"):
        plan(Image.from_array(pixels((3, 2, 8, 9)), "tcyx"), "b.png", partition="c")


def test_labels_of_an_axis_are_in_the_names() -> None:
    image = replace(IMAGE, metadata={"labels": {"t": ["3", "10", "21"]}})
    imsave(image, "a.tif", partition="t")
    assert names() == ["a.t_03.tif", "a.t_10.tif", "a.t_21.tif"]
    assert_same_image(imload(".")[0], image)


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (Axis("i", 18, None, 3), ["a.i_03.tif", "a.i_21.tif", "a.i_39.tif"]),
        (Axis("i"), ["a.i_00.tif", "a.i_01.tif", "a.i_02.tif"]),
        (Axis("i", -1), ["a.i_00.tif", "a.i_01.tif", "a.i_02.tif"]),
        (Axis("angle", 0.5), ["a.angle_00.tif", "a.angle_01.tif", "a.angle_02.tif"]),
    ],
)
def test_whole_positions_of_other_axes_are_in_the_names(axis: Axis, expected: list[str]) -> None:
    image = replace(IMAGE, axes=(axis, *AXES[1:]))
    imsave(image, "a.tif", partition=[axis.name])
    assert names() == expected
    assert_same_image(imload(".")[0], image)


def test_missing_indices_are_named() -> None:
    imsave(IMAGE, "a.tif", partition="t")
    Path("a.t_00.tif").unlink()
    with pytest.warns(FerryWarning, match="3 indices of axis t, but there are files of 2 only"):
        (found,) = imload(".")
    assert found.axes[0] == Axis("t", 0.5, "second", 3.5)


def test_a_single_file_is_its_part() -> None:
    imsave(IMAGE, "a.tif", partition="tc")
    (found,) = imload("a.t_01.c_actin.tif")
    assert found.axis_names == ("z", "y", "x")
    np.testing.assert_array_equal(found.load(), IMAGE.array[1, 1])


def test_existing_files_are_replaced_only_on_request() -> None:
    imsave(IMAGE, "a.tif", partition="t")
    with pytest.raises(TargetExistsError):
        imsave(IMAGE, "a.tif", partition="t")
    imsave(IMAGE.replace(name="new"), "a.tif", partition="t", overwrite=True)
    assert imload(".")[0].name == "new"


def _select(image: Image, count: int) -> Image:
    return replace(image, levels=(image.array[:, :count],), channels=image.channels[:count])


@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr", ".bin"])
@pytest.mark.parametrize("partition", ["c", "tc"])
def test_files_of_a_larger_save_do_not_remain(suffix: str, partition: str) -> None:
    imsave(IMAGE, f"a{suffix}", partition=partition)
    imsave(_select(IMAGE, 1), f"b{suffix}", partition=partition)
    earlier = names()
    smaller = _select(IMAGE, 1)
    with pytest.warns(FerryWarning, match=r"a\..*c_actin.* removed with it"):
        planned = plan(smaller, f"a{suffix}", partition=partition)
    with pytest.warns(FerryWarning), pytest.raises(TargetExistsError):
        imsave(smaller, f"a{suffix}", partition=partition)
    assert names() == earlier

    with pytest.warns(FerryWarning):
        imsave(smaller, f"a{suffix}", partition=partition, overwrite=True)
    assert names() == [name for name in earlier if "actin" not in name]
    assert {path.name for path in planned.stale} == {name for name in earlier if "actin" in name}


def test_numbers_with_fewer_digits_and_other_axes_replace_files() -> None:
    image = Image.from_array(pixels((101, 8, 9)), "tyx")
    imsave(image, "a.tif", partition="t")
    with pytest.warns(FerryWarning, match="a.t_000.tif, a.t_001.tif, a.t_002.tif and 98 more"):
        imsave(IMAGE, "a.tif", partition="tc", overwrite=True)
    with pytest.warns(FerryWarning):
        imsave(IMAGE, "a.tif", partition="t", overwrite=True)
    assert names() == ["a.t_00.tif", "a.t_01.tif", "a.t_02.tif"]


def test_names_replace_numbers() -> None:
    imsave(replace(IMAGE, channels=()), "a.tif", partition="c")
    with pytest.warns(FerryWarning, match=r"a\.c_00\.tif, a\.c_01\.tif"):
        imsave(IMAGE, "a.tif", partition="c", overwrite=True)
    assert names() == ["a.c_actin.tif", "a.c_nuclei.tif"]


def test_a_record_of_many_files_is_small() -> None:
    imsave(np.zeros((200, 8, 8), np.uint8), "a.tif", partition="t")
    assert Path("a.t_000.tif").stat().st_size < 4000
    assert imload(".")[0].shape == (200, 8, 8)


def test_an_image_that_is_not_saved_again_does_not_remain() -> None:
    imsave([IMAGE, IMAGE.replace(name="mask")], "a.tif", partition="t")
    with pytest.warns(FerryWarning, match="var_mask"):
        imsave([IMAGE, IMAGE.replace(name="seg")], "a.tif", partition="t", overwrite=True)
    assert [image.name for image in imload(".")] == ["cells", "seg"]


def test_files_that_a_save_does_not_replace_remain() -> None:
    at = {position: IMAGE.replace(axes="iczyx") for position in (3, 21)}
    for position, image in at.items():  # saved in two steps
        part = replace(image, levels=(image.array[:1],)).replace(
            scale={"i": 1}, translation={"i": position}
        )
        imsave(part, "a.tif", partition="i")
    assert names() == ["a.i_03.tif", "a.i_21.tif"]

    imsave(IMAGE.array[0, 0, 0], "b.t_07.tif")  # of somebody else
    imsave(IMAGE, "a.b.tif", partition="t")
    Path("b.t_08.tif").write_bytes(b"damaged")
    before = names()
    imsave(IMAGE, "b.tif", partition="t")
    imsave(_select(IMAGE, 1), "b.tif", partition="t", overwrite=True)
    assert {*before} < {*names()}


def test_a_movie_for_each_channel() -> None:
    image = Image((pixels((4, 2, 16, 16), "uint8"),), tuple(map(Axis, "tcyx")))
    imsave(image, "a.gif", partition="c", frame_rate=5)
    assert names() == ["a.c_00.gif", "a.c_01.gif"]


def test_formats_whose_files_do_not_open_together_say_so() -> None:
    loss = "the files open one by one, not together as one image"
    assert loss in plan(IMAGE, "a.ome.zarr", partition="t").losses
    assert loss not in plan(IMAGE, "a.tif", partition="t").losses


def test_a_store_for_each_time() -> None:
    made = imsave(IMAGE, "a.ome.zarr", partition="t")
    assert [path.name for path in made] == [f"a.t_0{t}.ome.zarr" for t in range(3)]
    np.testing.assert_array_equal(imload(made[2])[0].load(), IMAGE.array[2])


@pytest.mark.parametrize("partition", ["q", "y", ""])
def test_a_partition_splits_an_axis(partition: str) -> None:
    with pytest.raises(InvalidImageError, match="splits none of the axes t c z y x"):
        plan(IMAGE, "a.tif", partition=partition)


def test_an_axis_that_is_named_twice_is_split_once() -> None:
    assert len(imsave(IMAGE, "a.tif", partition="tt")) == 3


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("compress", "did you mean compression"),
        ("overwite", "did you mean overwrite"),
        ("q", "it has size_cap"),
    ],
)
def test_unknown_options_have_a_cure(option: str, message: str) -> None:
    with pytest.raises(InvalidImageError, match=rf"\.tif has no option {option}: {message}"):
        imsave(IMAGE, "a.tif", **{option: True})  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["a.tif", Path("a.tif")])
def test_a_path_is_not_a_plan_or_an_image(path: object) -> None:
    with pytest.raises(InvalidImageError, match=r"a\.tif is a path, not an image: open it first"):
        imsave(path, "b.tif")
    with pytest.raises(InvalidImageError, match="is not a Plan: make one by plan"):
        run(path)  # type: ignore[arg-type]


def test_cancel_is_a_function() -> None:
    with pytest.raises(InvalidImageError, match="cancel is True: give a function"):
        imsave(IMAGE, "a.tif", cancel=True)  # type: ignore[arg-type]
    assert names() == []


def test_an_axis_in_a_name_is_a_word() -> None:
    image = replace(IMAGE, axes=(Axis("d0"), *AXES[1:]))
    with pytest.raises(InvalidImageError, match="rename it to a word of letters"):
        plan(image, "a.tif", partition=["d0"])


def test_parts_above_the_size_cap_are_refused() -> None:
    image = Image.from_array(np.zeros((2, 40, 32, 32), np.uint16), "tzyx")
    with pytest.raises(InvalidImageError, match="raise size_cap"):
        plan(image, "a.tif", partition="t", size_cap=2e-5)


def test_a_plan_reads_and_makes_nothing() -> None:
    planned = plan(IMAGE, "new/deep/a.tif", partition="t")
    assert len(planned.files) == 3
    assert names() == []


def test_folders_are_made_and_removed_if_the_save_fails() -> None:
    assert imsave(IMAGE, "new/deep/a.tif") == [Path("new/deep/a.tif")]
    with pytest.raises(RuntimeError):
        imsave(IMAGE, "other/deep/a.tif", progress=_fail)
    assert names() == ["new"]


def _fail(progress: object) -> None:
    raise RuntimeError


def test_a_name_without_suffix_is_a_store() -> None:
    assert imsave(IMAGE, "a") == [Path("a.ome.zarr")]
    with pytest.raises(UnsupportedFormatError):
        imsave(IMAGE, "a.xyz")
    Path("folder").mkdir()
    with pytest.raises(TargetError, match="folder is a folder: add a file name"):
        imsave(IMAGE, "folder")


def test_metadata_are_replaced_before_saving() -> None:
    imsave(IMAGE, "a.tif", metadata={"scale": {"t": 9}, "channels": ["a", "b"]})
    (found,) = imload("a.tif")
    assert found.axes[0] == Axis("t", 9, "second", 3)
    assert [channel.name for channel in found.channels] == ["a", "b"]


@pytest.mark.parametrize("suffix", [".tif", ".ome.zarr"])
def test_compression_may_be_true_or_false(suffix: str) -> None:
    image = Image.from_array(np.zeros((20, 64, 64), np.uint16))
    sizes = []
    for compression in (True, False):
        (made,) = imsave(image, f"{compression}{suffix}", compression=compression)
        files = [made] if made.is_file() else [file for file in made.rglob("*") if file.is_file()]
        sizes.append(sum(file.stat().st_size for file in files))
    assert sizes[0] < image.nbytes / 4
    assert sizes[1] > image.nbytes


def test_compression_is_not_an_option_of_every_format() -> None:
    with pytest.raises(InvalidImageError, match="no option compression"):
        imsave(IMAGE, "a.bin", compression=True)
