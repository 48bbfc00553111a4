"""From a path to a first frame.

Of a contiguous stack, that must not depend on the file's size; of pages that lie anyhow, and of a
folder, there is a little to do for each page or file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Case, Group, warm

Job = Callable[[], Any]
FRAME = (64, 64)
WRITERS = {
    "our .tif": ("ferry", ".tif"),
    "our .ome.tif": ("ferry", ".ome.tif"),
    "ImageJ": ("tifffile", {"imagej": True, "metadata": {"axes": "TYX"}}),
    "tifffile": ("tifffile", {}),
    "OME of tifffile": ("tifffile", {"ome": True, "metadata": {"axes": "TYX"}}),
}


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Write every file, and return a group for each."""
    import tifffile

    from napari_ferry import imsave

    made = []
    for npages in (100, 1000) if quick else (100, 10_000, 100_000):
        for name, (writer, how) in list(WRITERS.items())[: 1 if quick else None]:
            path = folder / f"{len(made)}{how if isinstance(how, str) else '.tif'}"
            pixels = np.zeros((npages, *FRAME), np.uint16)
            if writer == "ferry":
                imsave(pixels, path)
            else:
                tifffile.imwrite(path, pixels, **how)
            made.append(_group(f"first frame, {name}, {npages:,} pages", path, npages, quick))
    return [*made, *_scattered(folder, quick), _folder(folder, quick)]


def _scattered(folder: Path, quick: bool) -> list[Group]:
    """Write files whose pages have to be looked up one by one, and return a group for each."""
    npages = 300 if quick else 100_000
    made = []
    for name, write in list(SCATTERED.items())[: 1 if quick else None]:
        path = folder / f"{write.__name__}.tif"
        write(path, npages)
        settings = {"path": str(path), "page": npages // 2}
        series = Case("tifffile series", "opening:series", settings)
        again = Case("the same again (A/A)", "opening:series", settings)
        ours = Case("**napari-ferry**", "opening:scattered", settings, 3, {"seconds": 0.5})
        group = f"first frame, {name}, {npages:,} pages"
        made.append(Group(group, [series, *([] if made else [again]), ours], 1 if quick else 2))
    return made


def _folder(folder: Path, quick: bool) -> Group:
    """Write a folder of files with one image each, 131 KB."""
    nfiles = 20 if quick else 2000
    path = folder / "many"
    write_folder(path, nfiles)
    settings, repeats = {"path": str(path)}, 1 if quick else 5
    stat, first = "os.stat of all, first frame by tifffile", "opening:stat_all"
    cases = [
        Case(stat, first, settings, repeats),
        Case("the same again (A/A)", first, settings, repeats),
        Case("**napari-ferry**", "opening:ferry", settings, repeats, {"seconds": 0.05}),
        Case("tifffile, every header", "opening:every_header", settings, 1),
        Case("napari built-in", "opening:builtin", settings, 1),
    ]
    return Group(f"first frame, folder of {nfiles:,}", cases, 1 if quick else 5)


def write_folder(path: Path, nfiles: int) -> None:
    """Write a folder of files with one frame of 256 x 256 uint16 each."""
    import tifffile

    from benchmarks.pixels import noise

    path.mkdir()
    for i, frame in enumerate(noise(nfiles, (256, 256))):
        tifffile.imwrite(path / f"img_{i}.tif", frame)


def write_small_files(path: Path, nfiles: int) -> None:
    """Write a folder of files with one frame of 16 x 16 uint16 each."""
    import tifffile

    path.mkdir()
    for i in range(nfiles):
        tifffile.imwrite(path / f"img_{i}.tif", np.full((16, 16), i % 4096, np.uint16))


def deflate(path: Path, npages: int) -> None:
    """Write compressed pages, each of other size."""
    import tifffile

    from benchmarks.pixels import noise

    tifffile.imwrite(path, noise(npages, (16, 16)), compression="zlib", metadata=None)


def several_strips(path: Path, npages: int) -> None:
    """Write BigTIFF pages of four strips each."""
    import tifffile

    pixels = np.zeros((npages, 16, 16), np.uint16)
    tifffile.imwrite(path, pixels, bigtiff=True, rowsperstrip=4, metadata=None)


def other_tags(path: Path, npages: int) -> None:
    """Write pages whose lists of tags differ."""
    import tifffile

    page = np.zeros((16, 16), np.uint16)
    with tifffile.TiffWriter(path) as tif:
        for i in range(npages):
            words = {"description": f"page {i}"} if i % 3 else {}
            tags = [(65000 + i % 5, "I", 1, i, True)]
            tif.write(
                page, contiguous=False, metadata=None, compression="zlib", extratags=tags, **words
            )


def bio_formats(path: Path, npages: int) -> None:
    """Write OME-TIFF with a TiffData, its UUID, and a Plane for each page: 39 MB of XML."""
    import tifffile

    from benchmarks.pixels import noise

    uuid = "urn:uuid:00000000-0000-0000-0000-000000000007"
    blocks = "".join(
        f'<TiffData FirstC="0" FirstT="{t}" FirstZ="0" IFD="{t}" PlaneCount="1">'
        f'<UUID FileName="{path.name}">{uuid}</UUID></TiffData>'
        for t in range(npages)
    )
    planes = "".join(
        f'<Plane DeltaT="{t * 0.0125!r}" DeltaTUnit="s" ExposureTime="0.1" ExposureTimeUnit="s" '
        f'PositionX="1.5" PositionXUnit="\u00b5m" PositionY="2.5" PositionYUnit="\u00b5m" '
        f'PositionZ="0.3" PositionZUnit="\u00b5m" TheC="0" TheT="{t}" TheZ="0"/>'
        for t in range(npages)
    )
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        f'Creator="OME Bio-Formats 7.0.0" UUID="{uuid}"><Image ID="Image:0" Name="cells">'
        '<Pixels BigEndian="false" DimensionOrder="XYCZT" ID="Pixels:0" SizeC="1" '
        f'SizeT="{npages}" SizeX="16" SizeY="16" SizeZ="1" Type="uint16">'
        f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{blocks}{planes}</Pixels></Image></OME>'
    )
    pixels = noise(npages, (16, 16))
    tifffile.imwrite(path, pixels, compression="zlib", metadata=None, description=xml.encode())


SCATTERED = {
    "deflate": deflate,
    "BigTIFF of four strips": several_strips,
    "deflate, other tags": other_tags,
    "OME of Bio-Formats": bio_formats,
}


def _group(name: str, path: Path, npages: int, quick: bool) -> Group:
    is_large = npages > 10_000
    settings, repeats = {"path": str(path)}, 2 if quick or is_large else 9
    cases = [
        Case("tifffile.memmap", "opening:memmap", settings, repeats),
        Case("the same again (A/A)", "opening:memmap", settings, repeats),
        Case("**napari-ferry**", "opening:ferry", settings, repeats, {"wall": 1.5}),
    ]
    if "ImageJ" in name or (quick and npages == 100):
        cases.append(Case("Pillow", "opening:pillow", settings, repeats))
        cases.append(Case("napari built-in", "opening:builtin", settings, 1))
    return Group(name, cases, 1 if quick else 3 if is_large else 5)


def memmap(out: str, path: str) -> Job:
    import tifffile

    return warm(lambda: np.array(tifffile.memmap(path, mode="r")[0]))


def ferry(out: str, path: str) -> Job:
    from napari_ferry import imload

    return warm(lambda: np.array(imload(path)[0].array[0]))


def series(out: str, path: str, page: int) -> Job:
    import tifffile

    def job() -> Any:
        with tifffile.TiffFile(path) as tif:
            return tif.series[0].pages[page].asarray()

    return job


def scattered(out: str, path: str, page: int) -> Job:
    from napari_ferry import imload

    def job() -> Any:
        array = imload(path)[0].array
        return np.array(array[np.unravel_index(page, array.shape[:-2])])

    return job


def stat_all(out: str, path: str) -> Job:
    import tifffile

    def job() -> Any:
        files = sorted(Path(path).iterdir())
        for file in files:
            file.stat()
        return tifffile.imread(files[0])

    return warm(job)


def every_header(out: str, path: str) -> Job:
    import tifffile

    def job() -> Any:
        for file in sorted(Path(path).iterdir()):
            with tifffile.TiffFile(file) as tif:
                shape = tif.pages.first.shape
        return shape

    return job


def pillow(out: str, path: str) -> Job:
    from PIL import Image

    def job() -> Any:
        with Image.open(path) as image:
            return np.array(image)

    return warm(job)


def builtin(out: str, path: str) -> Job:
    from napari_builtins.io import napari_get_reader

    return lambda: np.array(napari_get_reader(path)(path)[0][0][0])
