"""ScanImage recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.arrays.growth import growing_files
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Axis
from tiff_files import GRAY

SCANIMAGE = [
    (
        "SI.hChannels.channelSave = [1;3]\nSI.hChannels.channelName = {'green' 'red' 'far'}\n"
        "SI.hStackManager.framesPerSlice = 5\nSI.hStackManager.numSlices = 3\n"
        "SI.hStackManager.stackZStepSize = 2.5\nSI.hRoiManager.scanFrameRate = 30\n"
        "SI.hRoiManager.imagingFovUm = [-100 -100;100 -100;100 100;-100 100]",
        ("ztcyx", (3, 5, 2)),
        {"t": (1 / 30, "second"), "z": (2.5, "micrometer"), "x": (5, "micrometer")},
    ),
    (
        "SI.hChannels.channelSave = 1\nSI.hStackManager.framesPerSlice = Inf\n"
        "SI.hRoiManager.scanFrameRate = 30\nSI.hScan2D.logAverageFactor = 3",
        ("tyx", (30,)),
        {"t": (0.1, "second")},
    ),
    (
        "SI.hChannels.channelSave = [1;2]\nSI.hFastZ.enable = true\n"
        "SI.hStackManager.numSlices = 4\nSI.hFastZ.numDiscardFlybackFrames = 1\n"
        "SI.hStackManager.numVolumes = 3\nSI.hRoiManager.scanVolumeRate = 8",
        ("tzcyx", (3, 5, 2)),
        {"t": (0.125, "second")},
    ),
]


@pytest.mark.parametrize(
    ("text", "expected", "steps"), SCANIMAGE, ids=["slow", "endless", "volumes"]
)
def test_scanimage(
    text: str,
    expected: tuple[str, tuple[int, ...]],
    steps: dict[str, tuple[float, str]],
    tmp_path: Path,
) -> None:
    path, data = tmp_path / "m.tif", pixels((30, 32, 40), "int16")
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for page in data:
            writer.write(page, software=text, description="f = 1", contiguous=False, **GRAY)
    (image,) = imload(path)
    names, lead = expected
    assert "".join(image.axis_names) == names
    assert_same_pixels(image.array, data.reshape(*lead, 32, 40))
    for name, (step, unit) in steps.items():
        axis = image.axis(name)
        assert axis is not None
        assert (axis.scale, axis.unit) == (pytest.approx(step), unit)
    if "green" in text:
        assert [channel.name for channel in image.channels] == ["green", "far"]


def test_an_incomplete_recording_is_reported(tmp_path: Path) -> None:
    data = pixels((7, 32, 40), "int16")
    text = "SI.hChannels.channelSave = 1\nSI.hFastZ.enable = true\nSI.hStackManager.numSlices = 4"
    with tifffile.TiffWriter(tmp_path / "m.tif", bigtiff=True) as writer:
        for page in data:
            writer.write(page, software=text, contiguous=False, **GRAY)
    with pytest.warns(FerryWarning, match="7 pages, but 8 were expected"):
        (image,) = imload(tmp_path / "m.tif")
    assert image.shape == (2, 4, 32, 40)
    assert_same_pixels(np.asarray(image.array).reshape(8, 32, 40)[:7], data)


@pytest.mark.parametrize("count", [1, 2])
def test_a_single_frame_has_no_planes_of_an_earlier_stack(count: int, tmp_path: Path) -> None:
    data = pixels((count, 32, 40), "int16")
    text = "SI.hFastZ.enable = 1\nSI.hStackManager.numSlices = 20"
    text += f"\nSI.hChannels.channelSave = [{';'.join('12'[:count])}]"
    with tifffile.TiffWriter(tmp_path / "m.tif", bigtiff=True) as writer:
        for page in data:
            writer.write(page, software=text, contiguous=False, **GRAY)
    (image,) = imload(tmp_path / "m.tif")
    assert image.axis_names == ("c", "y", "x")[2 - count :]
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)


@pytest.mark.parametrize(
    ("text", "count", "shape"),
    [
        ("SI.hFastZ.enable = true\nSI.hStackManager.numSlices = 4", 3, (4,)),
        ("SI.hFastZ.enable = true\nSI.hStackManager.numSlices = 4", 9, (3, 4)),
        ("SI.hStackManager.framesPerSlice = 5\nSI.hStackManager.numSlices = 3", 9, (2, 5)),
        ("SI.hStackManager.framesPerSlice = 5\nSI.hStackManager.numSlices = 3", 14, (3, 5)),
        ("SI.hStackManager.framesPerSlice = 5\nSI.hStackManager.numSlices = 3", 16, (2, 3, 5)),
    ],
    ids=["first volume", "third volume", "second slice", "third slice", "second stack"],
)
def test_missing_frames_are_the_last_ones(
    text: str, count: int, shape: tuple[int, ...], tmp_path: Path
) -> None:
    data = pixels((count, 32, 40), "int16")
    with tifffile.TiffWriter(tmp_path / "m.tif", bigtiff=True) as writer:
        for page in data:
            writer.write(page, software=text, contiguous=False, **GRAY)
    expected = f"{count} pages, but {np.prod(shape)} were expected"
    with pytest.warns(FerryWarning, match=expected):
        (image,) = imload(tmp_path / "m.tif")
    assert image.shape == (*shape, 32, 40)
    frames = np.asarray(image.array).reshape(-1, 32, 40)
    assert_same_pixels(frames[:count], data)
    assert not frames[count:].any()


@pytest.mark.parametrize(
    ("text", "count", "shape"),
    [
        ("SI.hFastZ.enable = true\nSI.hStackManager.numSlices = 4", 3, (3,)),
        ("SI.hFastZ.enable = true\nSI.hStackManager.numSlices = 4", 9, (2, 4)),
        ("SI.hFastZ.enable = true\nSI.hStackManager.numSlices = 4", 8, (2, 4)),
        ("SI.hStackManager.framesPerSlice = 5\nSI.hStackManager.numSlices = 3", 9, (1, 5)),
        ("SI.VERSION_MAJOR = 2020\nSI.hChannels.channelSave = [1;2]", 7, (3, 2)),
    ],
    ids=["first volume", "third volume", "two volumes", "second slice", "channels"],
)
def test_whole_steps_of_a_running_recording_are_opened(
    text: str, count: int, shape: tuple[int, ...], tmp_path: Path
) -> None:
    data = pixels((count, 32, 40), "int16")
    with tifffile.TiffWriter(tmp_path / "m.tif", bigtiff=True) as writer:
        for page in data:
            writer.write(page, software=text, contiguous=False, **GRAY)
    with growing_files():
        (image,) = imload(tmp_path / "m.tif")
    assert image.shape == (*shape, 32, 40)
    assert_same_pixels(np.asarray(image.array).reshape(-1, 32, 40), data[: np.prod(shape)])


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("frame = {:04d}\nscanimage.SI5.channelsSave = [1;2]\nscanimage.SI5.stackNumSlices = 3\n"
         "scanimage.SI5.acqNumFrames = 2\nscanimage.SI5.scanFrameRate = 10\n", ("ztcyx", 0.1)),
        ("state.configPath='{}'\rstate.acq.numberOfChannelsSave=2\rstate.acq.numberOfFrames=6\r"
         "state.acq.frameRate=4\rstate.acq.numberOfZSlices=1\r", ("tcyx", 0.25)),
    ],
    ids=["5", "3"],
)  # fmt: skip
def test_older_scanimage(description: str, expected: tuple[str, float], tmp_path: Path) -> None:
    data = pixels((12, 32, 40), "int16")
    with tifffile.TiffWriter(tmp_path / "m.tif") as writer:
        for i, page in enumerate(data):
            writer.write(page, description=description.format(i), contiguous=False, **GRAY)
    (image,) = imload(tmp_path / "m.tif")
    assert "".join(image.axis_names) == expected[0]
    assert image.axis("t") == Axis("t", expected[1], "second")
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)


@pytest.mark.parametrize(
    ("text", "count", "lead"),
    [
        ("SI.VERSION_MAJOR = 2020\nSI.hChannels.channelSave = [1;2;3]", 2, {"t": 2}),
        (
            "SI.hFastZ.enable = true\nSI.hStackManager.numSlices = 3\n"
            "SI.hStackManager.framesPerSlice = 5",
            15,
            {"t": 5, "z": 3},
        ),
    ],
    ids=["fewer pages than channels", "frames per slice of volumes"],
)
def test_lengths_that_the_settings_do_not_give(
    text: str, count: int, lead: dict[str, int], tmp_path: Path
) -> None:
    data = pixels((count, 32, 40), "int16")
    with tifffile.TiffWriter(tmp_path / "m.tif", bigtiff=True) as writer:
        for page in data:
            writer.write(page, software=text, contiguous=False, **GRAY)
    (image,) = imload(tmp_path / "m.tif")
    assert dict(zip(image.axis_names[:-2], image.shape, strict=False)) == lead
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)


def test_the_first_page_of_a_running_recording_is_a_frame(tmp_path: Path) -> None:
    data = pixels((32, 40), "int16")
    text = "SI.VERSION_MAJOR = 2020\nSI.hChannels.channelSave = 1"
    tifffile.imwrite(tmp_path / "m.tif", data, bigtiff=True, software=text, **GRAY)
    with growing_files():
        (image,) = imload(tmp_path / "m.tif")
    assert_same_pixels(np.asarray(image.array).reshape(32, 40), data)
