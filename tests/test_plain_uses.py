"""The default ways in which people write stacks: each opens as the stack that was meant."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dask.array
import imageio.v2
import imageio.v3
import numpy as np
import PIL.Image
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels
from napari_ferry import (
    Image,
    InvalidImageError,
    imload,
    load_binary,
    load_gif,
    load_images,
    load_video,
    save_binary,
    save_gif,
    save_images,
    save_video,
)
from napari_ferry.layers.layer_data import to_layers
from tiff_files import write_micromanager

Write = Callable[[Path, NDArray[Any]], object]

_LEVELS = np.arange(24 * 32).reshape(24, 32)

GRAY = np.stack([_LEVELS + 1000 * i for i in range(5)]).astype("uint16")
"""Five frames, axes (t, y, x)."""

BYTES = np.stack([(_LEVELS // 4 + 7 * i) % 256 for i in range(5)]).astype("uint8")
COLOR = np.stack([BYTES, BYTES[:, ::-1], 255 - BYTES], -1)
"""Five frames in color, axes (t, y, x, s)."""

VOLUMES = np.stack([GRAY[:4] + 5 * i for i in range(3)])
"""Three stacks of four planes, axes (t, z, y, x)."""


@dataclass(frozen=True, kw_only=True)
class Use:
    """A way to write a file, and what it opens as: axes of length 1 are left out."""

    name: str
    write: Write
    axes: str = "tyx"
    frames: NDArray[Any] = field(default_factory=lambda: GRAY)
    suffix: str = ".tif"
    layers: int = 1

    def __str__(self) -> str:
        return self.name


def one_by_one(ome: bool | None = None, bigtiff: bool = False, **options: Any) -> Write:
    """Write frames with tifffile, in a loop."""

    def write(path: Path, frames: NDArray[Any]) -> None:
        with tifffile.TiffWriter(path, bigtiff=bigtiff, ome=ome) as tif:
            for frame in frames:
                tif.write(frame, **options)

    return write


def at_once(**options: Any) -> Write:
    """Write a stack with tifffile, in one call."""
    return lambda path, frames: tifffile.imwrite(path, frames, **options)


def appended(path: Path, frames: NDArray[Any]) -> None:
    for frame in frames:
        tifffile.imwrite(path, frame, append=True)


def appended_to_stack(path: Path, frames: NDArray[Any]) -> None:
    tifffile.imwrite(path, frames[:2])
    for frame in frames[2:]:
        tifffile.imwrite(path, frame, append=True)


def in_chunks(*sizes: int) -> Write:
    """Write a few frames at a time, as recordings that are too large for memory."""

    def write(path: Path, frames: NDArray[Any]) -> None:
        with tifffile.TiffWriter(path) as tif:
            for chunk in np.split(frames, np.cumsum(sizes)):
                tif.write(chunk)

    return write


def stamped(path: Path, frames: NDArray[Any]) -> None:
    with tifffile.TiffWriter(path) as tif:
        for i, frame in enumerate(frames):
            tif.write(frame, metadata={"time": i / 10, "exposure": 5})


def described(path: Path, frames: NDArray[Any]) -> None:
    with tifffile.TiffWriter(path) as tif:
        for i, frame in enumerate(frames):
            tif.write(frame, description=f"frame {i}", metadata=None)


def stored_differently(path: Path, frames: NDArray[Any]) -> None:
    with tifffile.TiffWriter(path) as tif:
        for i, frame in enumerate(frames):
            tif.write(frame, compression=["zlib", None, "lzw"][i % 3], rowsperstrip=3 + i)


def with_pillow(mode: str | None = None, **options: Any) -> Write:
    """Write pages or frames with Pillow."""

    def write(path: Path, frames: NDArray[Any]) -> None:
        first, *others = (PIL.Image.fromarray(frame).convert(mode) for frame in frames)
        first.save(path, save_all=True, append_images=others, **options)

    return write


def with_imageio_writer(path: Path, frames: NDArray[Any]) -> None:
    with imageio.v2.get_writer(path) as writer:
        for frame in frames:
            writer.append_data(frame)


def with_imageio_imopen(path: Path, frames: NDArray[Any]) -> None:
    with imageio.v3.imopen(path, "w") as file:
        for frame in frames:
            file.write(frame)


def with_skimage(path: Path, frames: NDArray[Any]) -> None:
    io = pytest.importorskip("skimage.io")
    io.imsave(path, frames, check_contrast=False)


def with_opencv(path: Path, frames: NDArray[Any]) -> None:
    cv2 = pytest.importorskip("cv2")
    cv2.imwritemulti(str(path), [frame[..., ::-1] if frame.ndim > 2 else frame for frame in frames])


def with_opencv_video(fourcc: str) -> Write:
    """Write a video with OpenCV, which takes blue first."""

    def write(path: Path, frames: NDArray[Any]) -> None:
        cv2 = pytest.importorskip("cv2")
        size = frames.shape[2], frames.shape[1]
        video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*fourcc), 25, size)
        for frame in frames:
            video.write(np.ascontiguousarray(frame[..., ::-1]))
        video.release()

    return write


def as_matlab(path: Path, frames: NDArray[Any]) -> None:
    """Write as MATLAB's imwrite(..., 'WriteMode', 'append') does: strips of 8 kB, packed bits."""
    with tifffile.TiffWriter(path) as tif:
        for frame in frames:
            tif.write(
                frame, metadata=None, compression="packbits", rowsperstrip=5, software="MATLAB"
            )


def paged(frames_per_strip: bool = False, big_endian: bool = False, **options: Any) -> Write:
    """Write pages without a description, as most programs do, with the strips of some program."""

    def write(path: Path, frames: NDArray[Any]) -> None:
        rows = frames.shape[1] if frames_per_strip else 8
        with tifffile.TiffWriter(path, byteorder=">" if big_endian else "<", ome=False) as tif:
            for frame in frames:
                tif.write(frame, metadata=None, rowsperstrip=rows, contiguous=False, **options)

    return write


def as_fiji(*counts: str, **options: Any) -> Write:
    """Write as Fiji's Save As > Tiff does: big-endian, all pixels before the second directory."""

    def write(path: Path, frames: NDArray[Any]) -> None:
        planes = frames.reshape(-1, *frames.shape[-2:])
        text = "\n".join(["ImageJ=1.54f", f"images={len(planes)}", *counts, "loop=false", ""])
        with tifffile.TiffWriter(path, byteorder=">", ome=False) as tif:
            tif.write(planes, description=text, metadata=None, photometric="minisblack", **options)

    return write


def as_bfsave(order: str, **sizes: int) -> Write:
    """Write as MATLAB's bfsave and Java's OMETiffWriter do: big-endian, IFDs of all planes."""
    lengths = "".join(f' Size{axis}="{sizes.get(axis, 1)}"' for axis in "ZCT")
    text = (
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" Creator="OME Bio-Formats">'
        f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint16" '
        f'BigEndian="true" SizeX="32" SizeY="24"{lengths}><TiffData/></Pixels></Image></OME>'
    )

    def write(path: Path, frames: NDArray[Any]) -> None:
        with tifffile.TiffWriter(path, byteorder=">", ome=False) as tif:
            for i, frame in enumerate(frames.reshape(-1, *frames.shape[-2:])):
                tif.write(frame, description=None if i else text, metadata=None, rowsperstrip=24)

    return write


def as_scanimage(path: Path, frames: NDArray[Any]) -> None:
    """Write as ScanImage does: BigTIFF of int16, its settings in the tag Software."""
    text = (
        "SI.VERSION_MAJOR = 2020\nSI.hChannels.channelSave = 1\n"
        "SI.hStackManager.framesPerSlice = Inf\nSI.hRoiManager.scanFrameRate = 30"
    )
    with tifffile.TiffWriter(path, bigtiff=True, ome=False) as tif:
        for i, frame in enumerate(frames):
            notes = f"frameNumbers = {i + 1}\nframeTimestamps_sec = {i / 30}\n"
            tif.write(frame, description=notes, software=text, metadata=None, contiguous=False)


def as_micromanager(path: Path, frames: NDArray[Any]) -> None:
    """Write as Micro-Manager's image stacks do, which describe themselves as OME and ImageJ."""
    rows = [(0, 0, t, 0) for t in range(len(frames))]
    summary = {"MicroManagerVersion": "2.0", "Frames": len(frames), "Slices": 1, "Channels": 1}
    write_micromanager(path, rows, {**summary, "Positions": 1, "Prefix": "x"}, frames)


TIFF = [
    Use(name="tifffile.imwrite", write=at_once()),
    Use(name="tifffile.imwrite, float32", write=at_once(), frames=GRAY.astype("float32")),
    Use(name="tifffile.imwrite, one frame", write=at_once(), axes="yx", frames=GRAY[0]),
    Use(name="tifffile.imwrite, two frames", write=at_once(), frames=GRAY[:2]),
    Use(name="tifffile.imwrite, three frames", write=at_once(), frames=GRAY[:3]),
    Use(name="tifffile.imwrite, photometric", write=at_once(photometric="minisblack")),
    Use(name="tifffile.imwrite, zlib", write=at_once(compression="zlib", predictor=True)),
    Use(name="tifffile.imwrite, metadata=None", write=at_once(metadata=None)),
    Use(name="tifffile.imwrite, t z y x", write=at_once(), axes="tzyx", frames=VOLUMES),
    Use(name="tifffile.imwrite, color", write=at_once(), axes="tyxs", frames=COLOR),
    Use(name="tifffile.imwrite, rgb", write=at_once(photometric="rgb"), axes="tyxs", frames=COLOR),
    Use(name="tifffile.imwrite, one color", write=at_once(), axes="yxs", frames=COLOR[0]),
    Use(name="TiffWriter", write=one_by_one()),
    Use(name="TiffWriter, bytes", write=one_by_one(), frames=BYTES),
    Use(name="TiffWriter, BigTIFF", write=one_by_one(bigtiff=True)),
    Use(name="TiffWriter, zlib", write=one_by_one(compression="zlib")),
    Use(name="TiffWriter, tiles", write=one_by_one(tile=(16, 16))),
    Use(name="TiffWriter, contiguous", write=one_by_one(contiguous=True)),
    Use(name="TiffWriter, photometric", write=one_by_one(photometric="minisblack")),
    Use(name="TiffWriter, metadata=None", write=one_by_one(metadata=None)),
    Use(name="TiffWriter, exposure", write=one_by_one(metadata={"exposure": 0.1})),
    Use(name="TiffWriter, axes", write=one_by_one(metadata={"axes": "YX"})),
    Use(name="TiffWriter, times", write=stamped),
    Use(name="TiffWriter, descriptions", write=described),
    Use(name="TiffWriter, pages stored differently", write=stored_differently),
    Use(name="TiffWriter, color", write=one_by_one(), axes="tyxs", frames=COLOR),
    Use(name="TiffWriter, rgb", write=one_by_one(photometric="rgb"), axes="tyxs", frames=COLOR),
    Use(
        name="TiffWriter, z-stacks",
        write=one_by_one(metadata={"axes": "ZYX"}),
        axes="tzyx",
        frames=VOLUMES,
    ),
    Use(name="TiffWriter, chunks", write=in_chunks(2, 2)),
    Use(name="TiffWriter, a last chunk of four frames", write=in_chunks(1)),
    Use(name="imwrite(append=True)", write=appended),
    Use(name="imwrite(append=True) to a stack", write=appended_to_stack),
    Use(name="imwrite(imagej=True)", write=at_once(imagej=True), axes="cyx", layers=5),
    Use(
        name="imwrite(imagej=True), 300 frames",
        write=at_once(imagej=True),
        axes="cyx",
        frames=np.tile(GRAY, (60, 1, 1)),
    ),
    Use(name="imwrite(imagej=True), TYX", write=at_once(imagej=True, metadata={"axes": "TYX"})),
    Use(
        name="imwrite(imagej=True), ZYX",
        write=at_once(imagej=True, metadata={"axes": "ZYX"}),
        axes="zyx",
    ),
    Use(
        name="imwrite(imagej=True), color",
        write=at_once(imagej=True),
        axes="cyxs",
        frames=COLOR,
    ),
    Use(name="imwrite, .ome.tif", write=at_once(), axes="cyx", layers=5, suffix=".ome.tif"),
    Use(
        name="imwrite, .ome.tif, TYX",
        write=at_once(metadata={"axes": "TYX"}),
        suffix=".ome.tif",
    ),
    Use(
        name="imwrite, .ome.tif, 20 channels",
        write=at_once(metadata={"axes": "CYX"}),
        axes="cyx",
        frames=np.tile(GRAY, (4, 1, 1)),
        suffix=".ome.tif",
    ),
    Use(
        name="imwrite, .ome.tif, color",
        write=at_once(metadata={"axes": "TYXS"}, photometric="rgb"),
        axes="tyxs",
        frames=COLOR,
        suffix=".ome.tif",
    ),
    Use(name="TiffWriter, .ome.tif", write=one_by_one(), suffix=".ome.tif"),
    Use(
        name="TiffWriter, .ome.tif, z-stacks",
        write=one_by_one(metadata={"axes": "ZYX"}),
        axes="tzyx",
        frames=VOLUMES,
        suffix=".ome.tif",
    ),
    Use(name="imageio.v2.mimwrite", write=imageio.v2.mimwrite),
    Use(name="imageio.v2.mimwrite, color", write=imageio.v2.mimwrite, axes="tyxs", frames=COLOR),
    Use(name="imageio.v2.volwrite", write=imageio.v2.volwrite),
    Use(name="imageio.v2.get_writer", write=with_imageio_writer),
    Use(name="imageio.v3.imwrite", write=imageio.v3.imwrite),
    Use(name="imageio.v3.imopen", write=with_imageio_imopen),
    Use(name="skimage.io.imsave", write=with_skimage),
    Use(name="skimage.io.imsave, color", write=with_skimage, axes="tyxs", frames=COLOR),
    Use(name="Pillow", write=with_pillow()),
    Use(name="Pillow, bytes", write=with_pillow(), frames=BYTES),
    Use(name="Pillow, LZW", write=with_pillow(compression="tiff_lzw")),
    Use(name="Pillow, color", write=with_pillow(), axes="tyxs", frames=COLOR),
    Use(name="cv2.imwritemulti", write=with_opencv),
    Use(name="cv2.imwritemulti, color", write=with_opencv, axes="tyxs", frames=COLOR),
    Use(name="MATLAB, append", write=as_matlab),
    Use(name="MATLAB, append in color", write=as_matlab, axes="tyxs", frames=COLOR),
    Use(name="MATLAB, Tiff", write=paged(photometric="minisblack")),
    Use(name="MATLAB, Tiff of single", write=paged(), frames=GRAY.astype("float32")),
    Use(
        name="MATLAB, bfsave",
        write=as_bfsave("XYZCT", Z=5),
        axes="zyx",
        suffix=".ome.tiff",
    ),
    Use(
        name="Java, OMETiffWriter",
        write=as_bfsave("XYZTC", Z=4, T=3),
        axes="tzyx",
        frames=VOLUMES,
        suffix=".ome.tif",
    ),
    Use(name="Java, ImageIO", write=paged(big_endian=True)),
    Use(name="Java, ImageIO in color", write=paged(big_endian=True), axes="tyxs", frames=COLOR),
    Use(
        name="R, tiff::writeTIFF",
        write=paged(frames_per_strip=True, compression="lzw", software="tiff package, R 4.3.1"),
    ),
    Use(
        name="R, writeTIFF of 32 bits",
        write=paged(frames_per_strip=True, compression="lzw", software="tiff package, R 4.3.1"),
        frames=GRAY.astype("float32"),
    ),
    Use(
        name="R, EBImage::writeImage",
        write=paged(frames_per_strip=True, software="EBImage"),
        frames=BYTES,
    ),
    Use(name="LabVIEW, IMAQ Write TIFF", write=paged(frames_per_strip=True)),
    Use(name="LabVIEW, big-endian", write=paged(frames_per_strip=True, big_endian=True)),
    Use(name="ScanImage", write=as_scanimage, frames=GRAY.astype("int16")),
    Use(name="Micro-Manager", write=as_micromanager),
    Use(name="Fiji, stack", write=as_fiji("slices=5"), axes="zyx"),
    Use(name="Fiji, movie", write=as_fiji("frames=5")),
    Use(
        name="Fiji, movie of bytes",
        write=as_fiji("frames=5", "hyperstack=true", "mode=grayscale"),
        frames=BYTES,
    ),
    Use(
        name="Fiji, composite",
        write=as_fiji("channels=5", "hyperstack=true", "mode=composite"),
        axes="cyx",
        layers=5,
    ),
    Use(
        name="Fiji, hyperstack",
        write=as_fiji("slices=4", "frames=3", "hyperstack=true", "mode=grayscale"),
        axes="tzyx",
        frames=VOLUMES,
    ),
]


def opened(path: Path) -> tuple[str, NDArray[Any], int]:
    """Return the long axes of the only image of a file, its pixels, and its number of layers."""
    (image,) = imload(path)
    array = np.asarray(image.array)
    axes = "".join(name for name, n in zip(image.axis_names, image.shape, strict=True) if n > 1)
    return axes, array.squeeze(), len(to_layers([image]))


@pytest.mark.filterwarnings("ignore:.*write.* data with shape:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:.*its description does not name a color")
@pytest.mark.parametrize("use", TIFF, ids=str)
def test_stacks_of_other_programs_open_as_one_stack(tmp_path, use):
    path = tmp_path / f"stack{use.suffix}"
    use.write(path, use.frames)
    axes, array, layers = opened(path)
    assert (axes, layers) == (use.axes, use.layers)
    assert_same_pixels(array, use.frames)
    assert_same_pixels(load_images(path).squeeze(), use.frames)


GIFS = [
    Use(name="Pillow", write=with_pillow(), frames=BYTES),
    Use(name="imageio.v2.mimwrite", write=imageio.v2.mimwrite, frames=BYTES),
    Use(name="imageio.v2.get_writer", write=with_imageio_writer, frames=BYTES),
    Use(name="imageio.v3.imwrite", write=imageio.v3.imwrite, frames=BYTES),
]


@pytest.mark.parametrize("use", GIFS, ids=str)
def test_animations_of_other_programs_open_as_one_stack(tmp_path, use):
    path = tmp_path / "stack.gif"
    use.write(path, use.frames)
    assert load_gif(path).shape == use.frames.shape
    axes, array, layers = opened(path)
    assert (axes, layers) == ("tyx", 1)
    assert_same_pixels(array, use.frames)


VIDEO_FRAMES = np.stack(
    [np.full((64, 96, 3), (40 * i, 30, 220 - 40 * i), "uint8") for i in range(5)]
)

VIDEOS: Sequence[Use] = [
    Use(name="imageio.v2.mimwrite", write=imageio.v2.mimwrite, suffix=".mp4"),
    Use(name="imageio.v2.get_writer", write=with_imageio_writer, suffix=".mp4"),
    Use(name="imageio.v2.get_writer, .avi", write=with_imageio_writer, suffix=".avi"),
    Use(name="cv2.VideoWriter, MJPG", write=with_opencv_video("MJPG"), suffix=".avi"),
    Use(name="cv2.VideoWriter, mp4v", write=with_opencv_video("mp4v"), suffix=".mp4"),
    Use(name="cv2.VideoWriter, XVID", write=with_opencv_video("XVID"), suffix=".avi"),
]


@pytest.mark.parametrize("use", VIDEOS, ids=str)
def test_videos_of_other_programs_open_as_one_stack(tmp_path, use):
    path = tmp_path / f"stack{use.suffix}"
    use.write(path, VIDEO_FRAMES)
    axes, array, layers = opened(path)
    assert (axes, array.shape, layers) == ("tyxs", VIDEO_FRAMES.shape, 1)
    for found in (array, load_video(path)):
        assert np.abs(found[[0, -1]].astype(int) - VIDEO_FRAMES[[0, -1]]).max() < 24


@dataclass(frozen=True, kw_only=True)
class Pass:
    """A way to pass a stack: what is given, and what it opens as."""

    name: str
    make: Callable[[NDArray[Any]], Any]
    frames: NDArray[Any] = field(default_factory=lambda: BYTES)
    axes: str = "tyx"

    def __str__(self) -> str:
        return self.name


def as_dask(frames: NDArray[Any]) -> Any:
    return dask.array.from_array(frames, chunks=(2, -1, 20, *[-1] * (frames.ndim - 3)))


def as_zarr(frames: NDArray[Any]) -> Any:
    return pytest.importorskip("zarr").array(frames, chunks=(2, *frames.shape[1:]))


def as_xarray(frames: NDArray[Any]) -> Any:
    return pytest.importorskip("xarray").DataArray(frames, dims=tuple("tyxs"[: frames.ndim]))


def as_memmap(frames: NDArray[Any]) -> Any:
    with tempfile.TemporaryFile() as file:
        mapped = np.memmap(file, frames.dtype, shape=frames.shape)
    mapped[:] = frames
    return mapped


PASSED = [
    Pass(name="array", make=np.asarray),
    Pass(name="list of frames", make=list),
    Pass(name="tuple of frames", make=tuple),
    Pass(name="deque of frames", make=deque),
    Pass(name="list of one frame", make=lambda frames: [frames[0]], axes="yx"),
    Pass(name="list of dask frames", make=lambda frames: [as_dask(frames)[i] for i in range(5)]),
    Pass(name="dask", make=as_dask),
    Pass(name="zarr", make=as_zarr),
    Pass(name="xarray", make=as_xarray),
    Pass(name="memmap", make=as_memmap),
    Pass(name="Fortran order", make=np.asfortranarray),
    Pass(name="view", make=lambda frames: np.repeat(frames, 2, 0)[::2]),
    Pass(name="Image", make=lambda frames: Image.from_array(frames, "tyx")),
    Pass(name="color array", make=np.asarray, frames=COLOR, axes="tyxs"),
    Pass(name="color list", make=list, frames=COLOR, axes="tyxs"),
    Pass(name="color dask", make=as_dask, frames=COLOR, axes="tyxs"),
    Pass(name="color xarray", make=as_xarray, frames=COLOR, axes="tyxs"),
]

SAVED = {
    ".tif": (save_images, load_images),
    ".bin": (save_binary, load_binary),
    ".gif": (save_gif, load_gif),
    ".mkv": (save_video, load_video),
}


@pytest.mark.parametrize("suffix", SAVED)
@pytest.mark.parametrize("way", PASSED, ids=str)
def test_arrays_of_any_kind_are_saved_as_one_stack(tmp_path, way, suffix):
    path, (save, load) = tmp_path / f"stack{suffix}", SAVED[suffix]
    save(path, way.make(way.frames))
    expected = way.frames if way.axes[0] == "t" else way.frames[0]
    axes, array, layers = opened(path)
    assert (axes, layers) == (way.axes, 1)
    assert array.shape == load(path).squeeze().shape == expected.shape
    if suffix != ".gif" or way.axes != "tyxs":  # a GIF keeps the best 256 colors
        assert_same_pixels(array, expected)


@pytest.mark.parametrize("suffix", SAVED)
@pytest.mark.parametrize("make", [iter, lambda frames: (f for f in frames), set, dict, enumerate])
def test_other_objects_are_refused(tmp_path, make, suffix):
    frames = [b"a", b"b"] if make in (set, dict) else BYTES
    given = {b"a": BYTES[0]} if make is dict else make(frames)
    with pytest.raises(InvalidImageError, match=r"list"):
        SAVED[suffix][0](tmp_path / f"stack{suffix}", given)
    assert not [*tmp_path.iterdir()]
