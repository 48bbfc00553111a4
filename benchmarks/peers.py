"""Whole jobs beside plugins of napari and packages that people use instead.

Those that are not installed are left out; ``make bench`` installs them into an environment of their
own, as plugins of napari would take part in tests.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Case, Group, warm
from benchmarks.pixels import frames_of, noise
from benchmarks.saving import make_data, synced

Job = Callable[[], Any]
READERS = {
    "napari built-in": "napari_builtins.io",
    "napari-tiff": "napari_tiff.napari_tiff_reader",
    "ndevio": "ndevio._napari_reader",
}
"""Modules with a function ``napari_get_reader``."""
MOVIE_FRAMES = 48


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Write a stack as OME-TIFF, and return one group for each job."""
    from napari_ferry import imsave

    nbytes, rounds = (2 << 20, 1) if quick else (500_000_000, 3)
    path = folder / "cells.ome.tif"
    imsave(noise(frames_of(nbytes)), path)
    size = f"{nbytes / 1e6:.0f} MB"

    made = [
        Group(f"first frame of {size} of OME-TIFF", _opening(str(path)), rounds),
        Group(f"{size} of OME-TIFF as numpy array", _loading(str(path)), rounds),
        Group(f"save {size} as TIFF", _saving(nbytes), rounds),
        Group(f"save {size} as OME-Zarr, 5 levels, zstd 1", _pyramids(nbytes), rounds),
    ]
    if not quick and (sys.platform != "linux" or os.environ.get("DISPLAY")):
        made.append(Group(f"movie of {MOVIE_FRAMES} frames as seen, MP4", _movies(), rounds))
    return made


def _opening(path: str) -> list[Case]:
    settings = {"path": path}
    cases = [
        Case("tifffile.memmap", "opening:memmap", settings, 3),
        Case("the same again (A/A)", "opening:memmap", settings, 3),
        Case("**napari-ferry**", "opening:ferry", settings, 3, {"wall": 1.5}),
        *(
            Case(name, "peers:first_of_reader", {**settings, "module": module})
            for name, module in READERS.items()
        ),
        Case("bioio, dask", "peers:first_bioio", settings),
    ]
    return _installed(cases)


def _loading(path: str) -> list[Case]:
    settings = {"path": path}
    cases = [
        Case("tifffile.imread", "peers:load_tifffile", settings),
        Case("the same again (A/A)", "peers:load_tifffile", settings),
        Case("**napari-ferry** load_images", "peers:load_ferry", settings, 1, {"wall": 1.1}),
        Case("page by page, as CalSciPy does", "peers:load_pages", settings),
        Case("bioio, data", "peers:load_bioio", settings),
    ]
    return _installed(cases)


def _saving(nbytes: int) -> list[Case]:
    settings = {"nbytes": nbytes}
    cases = [
        Case("tifffile, fsync", "saving:tiff", settings),
        Case("the same again (A/A)", "saving:tiff", settings),
        Case("**napari-ferry** .ome.tif", "saving:ferry", {**settings, "suffix": ".ome.tif"}),
        Case("frame by frame, as CalSciPy does, fsync", "peers:save_pages", settings),
        Case("bioio OmeTiffWriter, fsync", "peers:save_bioio", settings),
    ]
    return _installed(cases)


def _pyramids(nbytes: int) -> list[Case]:
    settings = {"nbytes": nbytes}
    cases = [
        Case("**napari-ferry**", "peers:pyramid_ferry", settings),
        Case("the same again (A/A)", "peers:pyramid_ferry", settings),
        Case("ngff-zarr", "peers:pyramid_ngff", settings),
        Case("ome-zarr-py", "peers:pyramid_ome", settings),
    ]
    return _installed(cases)


def _movies() -> list[Case]:
    cases = [
        Case("**napari-ferry**", "peers:movie_ferry"),
        Case("the same again (A/A)", "peers:movie_ferry"),
        Case("napari-animation", "peers:movie_animation"),
    ]
    return _installed(cases)


_PACKAGES = {
    "bioio": "bioio",
    "napari-animation": "napari_animation",
    "napari-tiff": "napari_tiff",
    "ndevio": "ndevio",
    "ngff-zarr": "ngff_zarr",
    "ome-zarr-py": "ome_zarr",
}


def _installed(cases: Iterable[Case]) -> list[Case]:
    """Return the cases whose packages are installed; a name begins with that of its package."""
    needed = {case.name: _PACKAGES.get(case.name.split(",")[0].split(" ")[0]) for case in cases}
    return [case for case in cases if needed[case.name] is None or find_spec(needed[case.name])]


# --- opening and loading ------------------------------------------------------------------------


def first_of_reader(out: str, path: str, module: str) -> Job:
    """Open with a reader plugin, and read the first frame of its first layer."""
    get_reader = import_module(module).napari_get_reader

    def job() -> Any:
        (data, *_), *_ = get_reader(path)(path)
        level = data[0] if isinstance(data, list) else data
        return np.array(level[0])

    return warm(job)


def first_bioio(out: str, path: str) -> Job:
    from bioio import BioImage

    return warm(lambda: np.array(BioImage(path).dask_data[0, 0, 0]))


def load_tifffile(out: str, path: str) -> Job:
    import tifffile

    return warm(lambda: tifffile.imread(path))


def load_ferry(out: str, path: str) -> Job:
    from napari_ferry import load_images

    return warm(lambda: load_images(path))


def load_pages(out: str, path: str) -> Job:
    """Read as CalSciPy does, whose own functions take only paths with a drive of Windows."""
    import tifffile

    def job() -> Any:
        with tifffile.TiffFile(path) as tif:
            return np.array([page.asarray() for page in tif.pages])

    return warm(job)


def load_bioio(out: str, path: str) -> Job:
    from bioio import BioImage

    return warm(lambda: BioImage(path).data)


# --- saving -------------------------------------------------------------------------------------


def save_pages(out: str, nbytes: int) -> Job:
    """Save as CalSciPy does, whose own functions take only paths with a drive of Windows."""
    import tifffile

    def save(data: NDArray[np.uint16], path: str) -> None:
        with tifffile.TiffWriter(path) as tif:
            for frame in np.floor(data).astype(np.uint16):
                tif.write(frame)

    return _synced(save, out, nbytes)


def save_bioio(out: str, nbytes: int) -> Job:
    from bioio_ome_tiff.writers import OmeTiffWriter

    return _synced(lambda data, path: OmeTiffWriter.save(data, path, dim_order="TYX"), out, nbytes)


def _synced(save: Callable[[NDArray[np.uint16], str], None], out: str, nbytes: int) -> Job:
    data, path = make_data(out, nbytes), Path(out, "a.ome.tif")
    save(data[:2], str(Path(out, "warm.ome.tif")))
    return synced(lambda: save(data, str(path)), path)


def pyramid_ferry(out: str, nbytes: int) -> Job:
    from napari_ferry import Image, imsave

    image, path = Image.from_array(_planes(nbytes), "zyx"), Path(out, "a.ome.zarr")
    return lambda: imsave(image, path, overwrite=True, compression="zstd", levels=5)


def pyramid_ngff(out: str, nbytes: int) -> Job:
    import ngff_zarr

    planes, path = _planes(nbytes), Path(out, "ngff.ome.zarr")

    def job() -> None:
        shutil.rmtree(path, ignore_errors=True)
        image = ngff_zarr.to_ngff_image(planes, dims=["z", "y", "x"])
        factors = [{"z": 1, "y": 2**k, "x": 2**k} for k in range(1, 5)]
        scales = ngff_zarr.to_multiscales(image, scale_factors=factors, chunks=(1, 1024, 1024))
        ngff_zarr.to_ngff_zarr(str(path), scales)

    return job


def pyramid_ome(out: str, nbytes: int) -> Job:
    from ome_zarr.writer import write_image

    planes, path = _planes(nbytes), Path(out, "ome.ome.zarr")
    factors = [{"z": 1, "y": 2**k, "x": 2**k} for k in range(1, 5)]

    def job() -> None:
        shutil.rmtree(path, ignore_errors=True)
        chunks = {"chunks": (1, 1024, 1024)}
        write_image(planes, str(path), axes="zyx", scale_factors=factors, storage_options=chunks)

    return job


def _planes(nbytes: int) -> NDArray[np.uint16]:
    """Return noise, axes z y x, in planes of 2048 x 2048, or smaller if it is little."""
    side = 2048 if nbytes > 8 << 20 else 256
    return noise(frames_of(nbytes, (side, side)), (side, side))


# --- movies -------------------------------------------------------------------------------------


def movie_ferry(out: str) -> Job:
    from napari_ferry import imsave
    from napari_ferry.layers import from_layers

    layers = from_layers([layer.as_layer_data_tuple() for layer in _viewer().layers])
    imsave(layers, Path(out, "warm.mp4"))
    return lambda: imsave(layers, Path(out, "a.mp4"))


def movie_animation(out: str) -> Job:
    from napari_animation import Animation

    animation = Animation(_viewer())
    animation.viewer.dims.set_current_step(0, 0)
    animation.capture_keyframe()
    animation.viewer.dims.set_current_step(0, MOVIE_FRAMES - 1)
    animation.capture_keyframe(steps=MOVIE_FRAMES - 1)
    return lambda: animation.animate(Path(out, "a.mp4"), fps=10, canvas_only=True)


def _viewer() -> Any:
    """Return a viewer that shows two channels, added."""
    import napari

    viewer = napari.Viewer()
    pixels = noise(MOVIE_FRAMES)
    for name, data in (("green", pixels), ("magenta", pixels[::-1])):
        viewer.add_image(data, colormap=name, blending="additive", contrast_limits=(0, 4095))
    return viewer
