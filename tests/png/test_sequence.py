"""Sequences of numbered PNG files: ours, and those of other programs."""

from __future__ import annotations

import copy
import json
import re
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pictures

from helpers import assert_same_image, make_full_image, make_image, pixels, snapshot
from napari_ferry import (
    Axis,
    FerryWarning,
    Image,
    InvalidImageError,
    SaveError,
    TargetExistsError,
    UnreadableFileError,
    imload,
    imsave,
    plan,
    run,
)
from napari_ferry.arrays import Frames
from napari_ferry.codecs.png.chunks import make_chunk
from napari_ferry.codecs.png.codec import open as open_png
from napari_ferry.codecs.png.codec import open_many
from napari_ferry.codecs.png.frame_names import frame_paths
from png_files import GRAY, build, frames_with_ffmpeg, with_pillow


def write(path: Path, *values: int, shape: tuple[int, ...] = (6, 8), dtype: str = "uint8") -> None:
    for value in values:
        array = np.full(shape, value, dtype)
        Pictures.fromarray(array).save(path.with_name(path.name.format(value)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    dtype=st.sampled_from(["bool", "uint8", "uint16", ">u2"]),
    samples=st.sampled_from([1, 3, 4]),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 40)),
    size=st.floats(1e-9, 1e3),
    animated=st.booleans(),
    flat=st.booleans(),
)
def test_samples_and_pixel_sizes_come_back(
    dtype, samples, shape, size, animated, flat, tmp_path_factory
) -> None:
    if dtype == "bool":
        samples = 1
    axes = "tyx" if samples == 1 else "tyxs"
    shape = (*shape, *((samples,) if samples > 1 else ()))
    values = pixels(shape, "uint16") * (not flat)
    values = values % 2 > 0 if dtype == "bool" else values.astype(dtype)
    image = Image.from_array(values, axes, name="cells")
    calibrated = [
        replace(axis, scale=size, unit="micrometer") if axis.name in "yx" else axis
        for axis in image.axes
    ]
    image = replace(image, axes=tuple(calibrated))
    folder = tmp_path_factory.mktemp("png")
    made = imsave(image, folder / ("a.apng" if animated else "a.png"), as_seen=False)
    (found,) = imload(made[0])
    np.testing.assert_array_equal(found.array, values)
    assert found.axes == image.axes
    assert found.dtype == values.dtype.newbyteorder("=")


def test_numbers_have_the_width_of_the_count() -> None:
    assert [path.name for path in frame_paths(Path("a.PNG"), 2)] == ["a_0001.PNG", "a_0002.PNG"]
    paths = frame_paths(Path("x/a.png"), 12345)
    assert (paths[0], paths[-1]) == (Path("x/a_00001.png"), Path("x/a_12345.png"))
    assert frame_paths(Path("a.png"), 1) == (Path("a.png"),)


@pytest.mark.parametrize("axes", ["tyx", "zyx", "cyx", "yx", "tyxs", "yxs"])
def test_a_record_comes_back_from_any_frame(axes: str, tmp_path: Path) -> None:
    image = make_image(axes, "uint8")
    image = replace(image, display={"gamma": 0.5}, metadata={"notes": "µ"})
    made = imsave(image, tmp_path / "a.png", as_seen=False)
    for path in made:
        (found,) = imload(path)
        assert_same_image(found, image, "a")
    (found,) = imload(tmp_path)
    assert_same_image(found, image, "a")
    if len(made) > 1:
        (found,) = open_many(made)
        assert_same_image(found, image, "a")


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("axes", ["tyx", "tyxs"])
def test_other_programs_see_the_same_frames(dtype: str, axes: str, tmp_path: Path) -> None:
    image = make_image(axes, dtype, t=3, y=16, x=32)
    made = imsave(image, tmp_path / "a.png", as_seen=False)
    for path, frame in zip(made, np.asarray(image.array), strict=True):
        if dtype == "uint8" or axes == "tyx":  # Pillow reads no colors of 16 bits
            np.testing.assert_array_equal(with_pillow(path), frame)
    form = {"tyx": "gray", "tyxs": "rgb24"}[axes]
    if dtype == "uint16":
        form = {"gray": "gray16le", "rgb24": "rgb48le"}[form]
    found = frames_with_ffmpeg(tmp_path / "a_%04d.png", form, dtype, image.shape[1:])
    np.testing.assert_array_equal(found, image.array)


def test_a_pixel_size_is_stored_for_other_programs(tmp_path: Path) -> None:
    image = make_image("yx", "uint8")
    axes = (Axis("y", 0.5, "micrometer"), Axis("x", 250, "nanometer"))
    (path,) = imsave(replace(image, axes=axes), tmp_path / "a.png", as_seen=False)
    with Pictures.open(path) as picture:
        x, y = picture.info["dpi"]
    assert (x, y) == pytest.approx((4e6 * 0.0254, 2e6 * 0.0254))


def test_a_pixel_size_that_was_changed_replaces_ours(tmp_path: Path) -> None:
    image = make_image("yx", "uint8")
    axes = (Axis("y", 0.5, "micrometer"), Axis("x", 0.5, "micrometer"))
    (path,) = imsave(replace(image, axes=axes), tmp_path / "a.png", as_seen=False)
    from napari_ferry.codecs.png.chunks import make_chunk

    data = path.read_bytes()
    start = data.index(b"pHYs") - 4
    size = (10**6).to_bytes(4, "big")
    path.write_bytes(data[:start] + make_chunk(b"pHYs", size * 2 + b"\1") + data[start + 21 :])
    assert [axis.scale for axis in imload(path)[0].axes] == [1.0, 1.0]


# --- files that are missing, replaced or strange ---------------------------------------------


@pytest.mark.parametrize("missing", [0, 2, 4])
def test_missing_frames_are_said(missing: int, tmp_path: Path) -> None:
    image = make_full_image("tyx", "uint8")
    image = replace(image, levels=(pixels((5, 5, 7), "uint8"),))
    made = imsave(image, tmp_path / "a.png", as_seen=False)
    made[missing].unlink()
    rest = [path for path in made if path.exists()]
    with pytest.warns(FerryWarning) as seen:
        (found,) = imload(rest[1])
    np.testing.assert_array_equal(found.array, np.delete(image.array, missing, 0))
    is_described = missing > 0
    assert (found.axes == image.axes) == is_described
    messages = "; ".join(str(one.message) for one in seen)
    assert re.search(f"1 of the 5 frames of a .* number {missing + 1}", messages)
    assert ("description" in messages) != is_described


def test_a_first_frame_that_lost_its_record_is_one_of_the_stack(tmp_path: Path) -> None:
    made = imsave(np.zeros((3, 6, 8), np.uint8), tmp_path / "a.png")
    write(tmp_path / "a_{:04}.png", 1)
    (image,) = imload(made[1])
    assert (image.name, image.axis_names) == ("a", tuple("tyx"))
    assert np.asarray(image.array)[:, 0, 0].tolist() == [1, 0, 0]


def test_channels_of_missing_frames_are_left_out(tmp_path: Path) -> None:
    made = imsave(make_full_image("cyx", "uint8"), tmp_path / "a.png", as_seen=False)
    names = [channel.name for channel in imload(made[0])[0].channels]
    made[1].unlink()
    with pytest.warns(FerryWarning, match="1 of the"):
        (image,) = imload(made[0])
    assert [channel.name for channel in image.channels] == [*names[:1], *names[2:]]


def test_a_first_frame_of_another_save_does_not_describe_the_rest(tmp_path: Path) -> None:
    made = imsave(np.zeros((5, 6, 8), np.uint8), tmp_path / "a.png")
    named = Image.from_array(np.zeros((3, 6, 8), np.uint8), "tyx", name="other")
    other = imsave(named, tmp_path / "b.png")
    other[0].replace(made[0])
    made[4].unlink()
    with pytest.warns(FerryWarning, match="1 of the 5 frames"):
        (image,) = imload(made[1])
    assert (image.name, image.shape) == ("a", (4, 6, 8))


def test_a_frame_of_another_save_is_refused(tmp_path: Path) -> None:
    for name, value in (("a", 1), ("b", 2)):
        imsave(np.full((3, 4, 5), value, np.uint8), tmp_path / f"{name}.png")
    (tmp_path / "b_0002.png").replace(tmp_path / "a_0002.png")
    (image,) = imload(tmp_path / "a_0001.png")
    with pytest.raises(UnreadableFileError, match=r"a_0002.png is not from the same save as"):
        image.load()


def test_a_frame_edited_by_another_program_is_read(tmp_path: Path) -> None:
    imsave(np.zeros((3, 6, 8), np.uint8), tmp_path / "a.png")
    Pictures.fromarray(np.full((6, 8), 9, np.uint8)).save(tmp_path / "a_0002.png")
    (image,) = imload(tmp_path / "a_0001.png")
    assert np.asarray(image.array)[:, 0, 0].tolist() == [0, 9, 0]


def test_a_renamed_frame_is_opened_by_itself(tmp_path: Path) -> None:
    imsave(np.zeros((3, 6, 8), np.uint8), tmp_path / "a.png")
    (tmp_path / "a_0002.png").replace(tmp_path / "figure.png")
    with pytest.warns(FerryWarning, match="frame 2 of 3 of a sequence, but was renamed"):
        (image,) = imload(tmp_path / "figure.png")
    assert image.shape == (6, 8)


def test_files_beside_a_sequence_are_opened_apart(tmp_path: Path) -> None:
    imsave(np.zeros((3, 6, 8), np.uint8), tmp_path / "a_1.png")
    imsave(np.zeros((4, 6, 8), np.uint8), tmp_path / "a_2.png")
    write(tmp_path / "figure.png", 7)
    shapes = {image.name: image.shape for image in imload(tmp_path)}
    assert shapes == {"a_1": (3, 6, 8), "a_2": (4, 6, 8), "figure": (6, 8)}


# --- folders of other programs ------------------------------------------------------------------


def test_a_folder_is_a_lazy_stack_in_natural_order(tmp_path: Path) -> None:
    write(tmp_path / "frame{}.png", 1, 2, 3, 10, 9, 8, 7, 6, 5, 4)
    write(tmp_path / ".hidden{}.png", 1)
    (image,) = imload(tmp_path)
    assert (image.name, image.shape, image.axis_names) == (tmp_path.name, (10, 6, 8), tuple("tyx"))
    assert "assumed" in image.metadata
    image = copy.deepcopy(image)
    assert np.asarray(image.array)[:, 0, 0].tolist() == [*range(1, 11)]


def test_missing_numbers_are_said(tmp_path: Path) -> None:
    write(tmp_path / "f{}.png", 1, 2, 4, 5)
    with pytest.warns(FerryWarning, match=r"not consecutive between f2.png and f4.png"):
        (image,) = imload(tmp_path)
    assert image.shape == (4, 6, 8)


def test_a_file_of_another_size_is_refused_when_it_is_read(tmp_path: Path) -> None:
    write(tmp_path / "f{}.png", 1, 3)
    write(tmp_path / "f{}.png", 2, shape=(6, 9))
    (image,) = imload(tmp_path)
    assert np.asarray(image.array[2]).max() == 3
    with pytest.raises(UnreadableFileError, match=r"f2.png has 9 by 6 .* f1.png has 8 by 6"):
        np.asarray(image.array[1])


def test_an_animation_cut_off_after_one_frame_is_refused_when_it_is_read(tmp_path: Path) -> None:
    write(tmp_path / "f{}.png", 1, 3, shape=(5, 7))
    control = struct.pack(">IIIIIHHBB", 0, 7, 5, 0, 0, 1, 5, 0, 0)
    chunks = [make_chunk(b"acTL", b"\0\0\0\2\0\0\0\0"), make_chunk(b"fcTL", control)]
    (tmp_path / "f2.png").write_bytes(build(GRAY, 8, chunks=chunks))
    (image,) = imload(tmp_path)
    with pytest.raises(
        UnreadableFileError, match=r"f2.png is damaged: it claims 2 frames but has 1"
    ):
        np.asarray(image.array[1])


def test_a_folder_without_png_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"holds no \.png files: choose another folder"):
        open_png(tmp_path)


def test_chosen_files_are_a_stack_in_their_order(tmp_path: Path) -> None:
    write(tmp_path / "f{}.png", 1, 2)
    (image,) = open_many([tmp_path / "f2.png", tmp_path / "f1.png"])
    assert np.asarray(image.array)[:, 0, 0].tolist() == [2, 1]
    made = imsave(pixels((3, 6, 8), "uint8"), tmp_path / "a.png")
    (part,) = open_many(made[:2])
    assert part.shape == (2, 6, 8)


def test_stacks_of_one_frame_are_joined(tmp_path: Path) -> None:
    for k in (1, 2):
        imsave(Image.from_array(np.full((1, 6, 8), k, np.uint8), "tyx"), tmp_path / f"{k}.png")
    (image,) = imload(tmp_path)
    assert image.axis_names == tuple("tyx")
    assert np.asarray(image.array)[:, 0, 0].tolist() == [1, 2]


def test_files_without_a_common_size_are_separate(tmp_path: Path) -> None:
    write(tmp_path / "f{}.png", 1)
    write(tmp_path / "f{}.png", 2, shape=(6, 9))
    with pytest.warns(FerryWarning, match="opened as separate images"):
        images = imload(tmp_path)
    assert [image.shape for image in images] == [(6, 8), (6, 9)]


def test_gray_frames_join_a_stack_in_color(tmp_path: Path) -> None:
    write(tmp_path / "f{}.png", 1, 3, shape=(6, 8, 3))
    write(tmp_path / "f{}.png", 2)
    (image,) = imload(tmp_path)
    assert np.asarray(image.array)[:, 0, 0, :].tolist() == [[1] * 3, [2] * 3, [3] * 3]


def test_animations_are_joined_in_the_given_order(tmp_path: Path) -> None:
    for name in "ab":
        imsave(np.full((2, 6, 8), ord(name), np.uint8), tmp_path / f"{name}.apng", frame_rate=5)
    (image,) = open_many([tmp_path / "b.apng", tmp_path / "a.apng"])
    assert np.asarray(image.array)[:, 0, 0].tolist() == [98, 98, 97, 97]
    assert len(imload(tmp_path)) == 2


def test_an_animation_in_a_stack_is_refused_when_it_is_read(tmp_path: Path) -> None:
    write(tmp_path / "f{}.png", 1, 3)
    movie = np.zeros((2, 6, 8), np.uint8)
    imsave(movie, tmp_path / "f.apng", frame_rate=5)[0].replace(tmp_path / "f2.png")
    (image,) = imload(tmp_path)
    with pytest.raises(UnreadableFileError, match=r"f2.png is an animation of 2 frames"):
        np.asarray(image.array[1])


# --- saving -------------------------------------------------------------------------------------


def test_an_earlier_sequence_is_replaced_as_a_whole(tmp_path: Path) -> None:
    imsave(np.zeros((5, 6, 8), np.uint8), tmp_path / "a.png")
    write(tmp_path / "a_0009.png", 7)  # of another program
    write(tmp_path / "a.png", 7)
    with pytest.raises(TargetExistsError, match=r"a_0001\.png"):
        imsave(np.ones((3, 6, 8), np.uint8), tmp_path / "a.png")
    imsave(np.ones((3, 6, 8), np.uint8), tmp_path / "a.png", overwrite=True)
    names = ["a.png", "a_0001.png", "a_0002.png", "a_0003.png", "a_0009.png"]
    assert sorted(snapshot(tmp_path)) == names
    (image,) = imload(tmp_path / "a_0003.png")
    assert np.asarray(image.array).tolist() == np.ones((3, 6, 8)).tolist()


def test_files_of_other_programs_are_never_replaced(tmp_path: Path) -> None:
    write(tmp_path / "a_0002.png", 7)
    before = snapshot(tmp_path)
    with pytest.raises(TargetExistsError, match=r"a_0002\.png is not part of the data set"):
        imsave(np.ones((3, 6, 8), np.uint8), tmp_path / "a.png", overwrite=True)
    assert snapshot(tmp_path) == before


@pytest.mark.leaves_partial
def test_an_interrupted_sequence_is_resumed(tmp_path: Path) -> None:
    read: list[int] = []

    def source(fails: bool) -> Image:
        def frame(i: int) -> np.ndarray:
            read.append(i)
            if fails and i == 3:
                raise KeyboardInterrupt
            return np.full((6, 8), i, np.uint8)

        return Image.from_array(Frames(frame, (6, 6, 8), np.uint8, 1))

    with pytest.raises(KeyboardInterrupt):
        run(plan(source(True), tmp_path / "a.png"), workers=1)
    assert not list(tmp_path.glob("*.png"))
    made = imsave(source(False), tmp_path / "a.png", workers=1)
    (image,) = imload(made[0])
    assert np.asarray(image.array)[:, 0, 0].tolist() == [*range(6)]
    mark = json.loads(bytes_of_record(made[0]))["sequence"]
    assert {json.loads(bytes_of_record(path))["sequence"]["of"] for path in made} == {mark["of"]}


def bytes_of_record(path: Path) -> bytes:
    data = path.read_bytes()
    start = data.index(b"tEXt") + 4
    nbytes = int.from_bytes(data[start - 8 : start - 4], "big")
    return data[start : start + nbytes].partition(b"\0")[2]


def test_other_types_are_scaled_and_said(tmp_path: Path) -> None:
    planned = plan(np.zeros((2, 6, 8), np.float32), tmp_path / "a.png")
    assert any("float32 is scaled to 8 bits" in loss for loss in planned.losses)
    assert not any("plays" in loss for loss in planned.losses)


def test_a_frame_larger_than_programs_read_is_refused(tmp_path: Path) -> None:
    large = Image.from_array(np.broadcast_to(np.uint8(0), (1, 1_000_001)), "yx")
    with pytest.raises(InvalidImageError, match=r"1000001 by 1 pixels, .* at most 1,000,000"):
        plan(large, tmp_path / "a.png", as_seen=False)


@pytest.mark.parametrize("loop", [-1, 0.5, 2**31, "often"])
def test_impossible_repetitions_are_refused(loop: object, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match=r"loop is .*: give a whole number"):
        plan(np.zeros((2, 6, 8), np.uint8), tmp_path / "a.apng", loop=loop)


def test_a_failed_frame_leaves_nothing(tmp_path: Path) -> None:
    def fail(i: int) -> np.ndarray:
        raise ValueError("no")

    image = Image.from_array(Frames(fail, (2, 6, 8), np.uint8, 1))
    with pytest.raises(SaveError):
        imsave(image, tmp_path / "a.png")
    assert not snapshot(tmp_path)
