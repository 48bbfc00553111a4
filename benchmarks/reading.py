"""Frames in random order, and whole stacks: contiguous, scattered, compressed, folders of files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Case, Group

Job = Callable[[], Any]
NRANDOM = 200
SCATTERED: dict[str, dict[str, Any]] = {
    "uneven pages": {},
    "deflate, one strip": {"compression": "zlib", "rowsperstrip": 512},
    "deflate, strips of 32 rows": {"compression": "zlib", "rowsperstrip": 32},
    "deflate, tiles": {"compression": "zlib", "tile": (128, 128)},
}


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Write the files, and return groups for random frames and for the whole."""
    import tifffile

    from benchmarks.pixels import frames_of, noise

    pixels = noise(frames_of(2 << 20 if quick else 1_000_000_000))
    plain, packed, rounds = folder / "plain.tif", folder / "packed.tif", 1 if quick else 5
    tifffile.imwrite(plain, pixels, imagej=True)
    some = pixels[: 16 if quick else 200]
    tifffile.imwrite(
        packed,
        some,
        compression="zlib",
        predictor=True,
        compressionargs={"level": 1},
        rowsperstrip=512,
    )
    pixels.tofile(folder / "plain.raw")
    mapped = Case("numpy.memmap of raw", "reading:memmap", {"path": str(folder / "plain.raw")}, 3)
    raw = Case("numpy.fromfile", "reading:fromfile", {"path": str(folder / "plain.raw")}, 3)
    again = replace(mapped, name="the same again (A/A)")
    return [
        Group("200 random frames, contiguous", [mapped, again, *_random(plain, 3)], rounds),
        Group("200 random frames, deflate", _random(packed, 1 if quick else 3), rounds),
        Group(
            f"whole {pixels.nbytes / 1e9:.3g} GB, contiguous",
            [raw, replace(raw, name="the same again (A/A)"), *_whole(plain)],
            rounds,
        ),
        Group(f"whole {some.nbytes / 1e6:.0f} MB, deflate", _whole(packed), rounds),
        *_scattered(folder, some, rounds),
        _folder(folder, 20 if quick else 2000, rounds),
    ]


def _scattered(folder: Path, pixels: NDArray[np.uint16], rounds: int) -> list[Group]:
    """Write pages that do not lie evenly, and return a group for each way to do that."""
    import tifffile

    made = []
    for name, options in SCATTERED.items():
        path = folder / f"scattered{len(made)}.tif"
        with tifffile.TiffWriter(path) as tif:
            for i, page in enumerate(pixels):
                words = "x" * (i % 40 + 1)
                tif.write(page, contiguous=False, metadata=None, description=words, **options)
        settings = {"path": str(path)}
        cases = [
            Case("tifffile.imread", "reading:imread", settings, 3),
            Case("the same again (A/A)", "reading:imread", settings, 3),
            Case("**napari-ferry** load()", "reading:load", settings, 3, {"wall": 1.2}),
            Case("**napari-ferry**, 1 worker", "reading:one_worker", settings, 3),
        ]
        made.append(Group(f"whole {pixels.nbytes / 1e6:.0f} MB, {name}", cases, rounds))
    return made


def _folder(folder: Path, nfiles: int, rounds: int) -> Group:
    from benchmarks.opening import write_folder

    path = folder / "many"
    write_folder(path, nfiles)
    settings = {"path": str(path)}
    raw = Case("raw bytes of each, into new memory", "reading:raw_files", settings, 3)
    cases = [
        raw,
        replace(raw, name="the same again (A/A)"),
        replace(raw, name="raw bytes, memory used again", settings={**settings, "again": True}),
        Case("**napari-ferry** load_images", "reading:load", settings, 3, {"wall": 1.2}),
        Case("**napari-ferry**, 1 worker", "reading:one_worker", settings, 3),
        Case("tifffile.TiffSequence", "reading:sequence", settings, 1),
    ]
    return Group(f"whole folder of {nfiles:,}", cases, rounds)


def _random(path: Path, repeats: int) -> list[Case]:
    settings = {"path": str(path)}
    return [
        Case("tifffile pages", "reading:pages", settings, repeats),
        Case("**napari-ferry**", "reading:ferry", settings, repeats),
        Case("Pillow seek", "reading:pillow", settings, repeats),
    ]


def _whole(path: Path) -> list[Case]:
    settings = {"path": str(path)}
    return [
        Case("tifffile.imread", "reading:imread", settings, 3),
        Case("**napari-ferry** load()", "reading:load", settings, 3),
        Case("napari built-in", "reading:builtin", settings, 1),
    ]


def memmap(out: str, path: str) -> Job:
    from benchmarks.pixels import FRAME

    array = np.memmap(path, np.uint16, "r").reshape(-1, *FRAME)
    return lambda: _sum(lambda i: array[i], len(array))


def pages(out: str, path: str) -> Job:
    import tifffile

    file = tifffile.TiffFile(path)
    return lambda: _sum(lambda i: file.pages[i].asarray(), len(file.pages))


def ferry(out: str, path: str) -> Job:
    from napari_ferry import imload

    array = imload(path)[0].array
    return lambda: _sum(lambda i: array[i], array.shape[0])


def pillow(out: str, path: str) -> Job:
    from PIL import Image

    image = Image.open(path)
    n = getattr(image, "n_frames", 1)

    def frame(i: int) -> Any:
        image.seek(i)
        return np.asarray(image)

    return lambda: _sum(frame, n)


def fromfile(out: str, path: str) -> Job:
    return lambda: np.fromfile(path, np.uint16)


def imread(out: str, path: str) -> Job:
    import tifffile

    return lambda: tifffile.imread(path)


def load(out: str, path: str) -> Job:
    from napari_ferry import imload

    def job() -> Any:
        return imload(path)[0].load()

    return job


def one_worker(out: str, path: str) -> Job:
    from napari_ferry import load_images

    return lambda: load_images(path, workers=1)


def raw_files(out: str, path: str, again: bool = False) -> Job:
    """Read the bytes of all files of a folder, as plainly as can be."""
    files = sorted(Path(path).iterdir())
    sizes = [file.stat().st_size for file in files]
    names = [str(file) for file in files]
    one = memoryview(bytearray(max(sizes)))

    def job() -> Any:
        whole = memoryview(np.empty(0 if again else sum(sizes), np.uint8))
        done = 0
        for name, size in zip(names, sizes, strict=True):
            with open(name, "rb") as file:  # noqa: PTH123 - what it costs is what is measured
                file.readinto(one if again else whole[done : done + size])
            done += size
        return whole

    return job


def sequence(out: str, path: str) -> Job:
    import tifffile

    files = sorted(Path(path).iterdir())
    return lambda: tifffile.TiffSequence(files).asarray()


def builtin(out: str, path: str) -> Job:
    from napari_builtins.io import napari_get_reader

    return lambda: napari_get_reader(path)(path)


def _sum(frame: Callable[[int], Any], n: int) -> int:
    """Read frames in the same random order for everyone, and touch every pixel."""
    order = np.random.default_rng(1).integers(0, n, NRANDOM).tolist()
    return sum(int(np.asarray(frame(i)).max()) for i in order)
