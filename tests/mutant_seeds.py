"""Small good files of every format, as seeds of mutants: made here, and those of the corpus."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import tifffile
import zarr

import gif_files
import png_files
from helpers import SHARED, make_full_image, make_image, pixels
from napari_ferry import Image, imsave
from tiff_files import GRAY, RGB, write_ome_set
from video_files import MADE, make_numbered
from zarr_files import write_array, write_group, write_image, write_labels, zip_store

_MOST_BYTES = 200_000
"""Size of the largest file of the corpus that is used: reading larger ones takes too long."""


@dataclass(frozen=True)
class Seed:
    """Files of one data set, by name, and the name that is opened; ``.`` for their folder."""

    files: dict[str, bytes]
    opened: str

    @property
    def name(self) -> str:
        return self.opened if self.opened != "." else "+".join(self.files)


def _tiff(folder: Path) -> Iterator[str]:
    """Write TIFF files into a folder; yield the name of each to open."""
    for suffix, axes, options in [
        ("ij.tif", "tczyx", {}),
        ("ome.ome.tif", "tczyx", {}),
        ("json.tif", "ptyx", {}),
        ("zlib.ome.tif", "tzyx", {"compression": "zlib"}),
        ("zstd.tif", "tyx", {"compression": "zstd"}),
        ("lzw.tif", "tyx", {"compression": "lzw"}),
        ("rgb.ome.tif", "tyxs", {}),
    ]:
        image = make_full_image(axes, "uint8" if "s" in axes else "uint16")
        yield imsave(image, folder / suffix, **options)[0].name
    flat = np.arange(2 * 600 * 600, dtype=np.uint16).reshape(2, 600, 600) // 97
    for name in ("pyramid.ome.tif", "pyramid.tif"):
        yield imsave(flat, folder / name, compression="zlib", pyramid=True)[0].name

    gray, color = pixels((5, 20, 30), "uint16"), pixels((4, 20, 30, 3), "uint8")
    plain: list[tuple[str, Any, dict[str, Any]]] = [
        ("one.tif", gray[0], GRAY),
        ("pages.tif", gray, GRAY),
        ("big.tif", gray, {**GRAY, "bigtiff": True}),
        ("motorola.tif", gray, {**GRAY, "byteorder": ">"}),
        ("planar.tif", np.moveaxis(color, -1, 1), {**RGB, "planarconfig": "separate"}),
        ("contig.tif", color, RGB),
        ("tiles.tif", gray, {**GRAY, "tile": (16, 16)}),
        (
            "tiles_planar.tif",
            np.moveaxis(color, -1, 1),
            {**RGB, "planarconfig": "separate", "tile": (16, 16), "compression": "zlib"},
        ),
        ("deflate.tif", gray, {**GRAY, "tile": (16, 16), "compression": "zlib", "predictor": True}),
        ("strips_lzw.tif", gray, {**GRAY, "rowsperstrip": 3, "compression": "lzw"}),
        ("packbits.tif", color[..., 0], {**GRAY, "compression": "packbits", "rowsperstrip": 4}),
        ("float.tif", gray.astype("f4"), {**GRAY, "compression": "zlib", "predictor": 3}),
        ("bits.tif", gray > 30000, GRAY),
        ("jpeg.tif", color, {**RGB, "compression": "jpeg"}),
        ("jpeg2000.tif", color[..., 0], {**GRAY, "compression": "jpeg2000"}),
        ("webp.tif", color, {**RGB, "compression": "webp"}),
        ("lerc.tif", gray, {**GRAY, "compression": "lerc"}),
        ("xr.tif", color, {**RGB, "compression": "jpegxr"}),
        ("lzma.tif", gray, {**GRAY, "compression": "lzma"}),
        (
            "palette.tif",
            color[..., 0],
            {"photometric": "palette", "metadata": None, "colormap": pixels((3, 256), "uint16")},
        ),
        ("complex.tif", gray.astype("c8"), GRAY),
        ("shaped.tif", gray, {"photometric": "minisblack"}),
        (
            "hyper.tif",
            pixels((2, 3, 2, 20, 30), "uint16"),
            {"imagej": True, "metadata": {"axes": "TZCYX", "spacing": 2.0, "unit": "um"}},
        ),
        (
            "theirs.ome.tif",
            pixels((2, 3, 20, 30), "uint16"),
            {"metadata": {"axes": "TCYX", "Channel": {"Name": ["a", "b", "c"]}}},
        ),
    ]
    for name, data, options in plain:
        tifffile.imwrite(folder / name, data, **options)
        yield name
    with tifffile.TiffWriter(folder / "sizes.tif") as writer:
        for k in range(4):
            writer.write(gray[k, : 20 - k // 2, :], **GRAY, contiguous=False)
    yield "sizes.tif"


def _tiff_sets(folder: Path) -> Iterator[list[str]]:
    """Write TIFF files that are one data set; yield their names, the one to open first."""
    data = pixels((3, 20, 30), "uint16")
    yield [path.name for path in write_ome_set(folder, "s_0.ome.tif", data)]
    image = make_image("tyx", t=6, y=20, x=30)
    yield [path.name for path in imsave(image, folder / "cells.tif", size_cap=6e-6)]
    for k in range(3):
        tifffile.imwrite(folder / f"f{k}.tif", data[k], **GRAY)
    yield [".", *(f"f{k}.tif" for k in range(3))]


def _gif(folder: Path) -> Iterator[str]:
    """Write GIF files into a folder; yield the name of each."""
    for samples in (1, 3):
        frames = gif_files.movie(5, samples)
        for name, options in (("few", {"colors": 16}), ("dither", {"dither": True}), ("all", {})):
            yield gif_files.save(frames, folder / f"{name}{samples}.gif", **options).name
    rng = np.random.default_rng(3)
    for disposal in range(4):
        parts = [
            gif_files.Part(
                rng.integers(0, 8, (h, w), np.uint8),
                left=k,
                top=k,
                disposal=disposal,
                transparent=k % 3 - 1,
                interlaced=k % 2 == 1,
                palette=gif_files.COLORS[::-1] if k == 2 else None,
            )
            for k, (h, w) in enumerate([(12, 16), (5, 7), (9, 3), (1, 1)])
        ]
        (folder / f"parts{disposal}.gif").write_bytes(gif_files.build(parts, (12, 16)))
        yield f"parts{disposal}.gif"


def _png(folder: Path) -> Iterator[Any]:
    """Write pictures, an animation of parts, and a sequence; yield the names of each."""
    for color, depth in png_files.every_kind():
        name = f"{color}-{depth}.png"
        text = png_files.make_chunk(b"tEXt", b"Title\0cells")
        (folder / name).write_bytes(png_files.build(color, depth, chunks=[text]))
        yield name
    spots = png_files.moving_spots(4)
    for disposal in range(3):
        path = folder / f"parts{disposal}.png"
        yield png_files.save_with_pillow(path, spots, disposal=disposal, blend=1).name
    movie = Image.from_array(pixels((3, 12, 16), "uint16"), "tyx", name="ours")
    yield imsave(movie, folder / "ours.apng", frame_rate=5)[0].name
    made = [path.name for path in imsave(movie, folder / "ours.png")]
    yield made
    yield [".", *made]


def _video(folder: Path) -> Iterator[str]:
    """Write videos into a folder; yield the name of each."""
    movie = Image.from_array(pixels((6, 32, 48), "uint8"), "tyx", name="ours")
    for name in ("ours.mp4", "ours.mkv", "ours.mov"):
        yield imsave(movie, folder / name, as_seen=False)[0].name
    for name, options in MADE.items():
        yield make_numbered(folder / name, *options, frames=12).name


def _binary(folder: Path) -> Iterator[list[str]]:
    """Write raw files with sidecars; yield the names, the one to open first."""
    padded = {"dtype": "uint16", "frames": 3, "y": 4, "x": 5, "offset": 8, "gap": 2}
    (folder / "padded.bin").write_bytes(bytes(8 + 3 * 42))
    (folder / "padded.json").write_text(json.dumps(padded))
    yield ["padded.bin", "padded.json"]
    pixels((2, 4, 5), "uint8").tofile(folder / "free.raw")
    (folder / "free.json").write_text(json.dumps({"dtype": "uint8", "y": 4, "x": 5}))
    yield ["free.json", "free.raw"]
    for name, image in [
        ("plain", make_image("tyx", y=6, x=7)),
        ("float", make_image("tzyx", "float32", y=6, x=7)),
        ("full", make_full_image("tczyx")),
        ("labels", make_full_image("tyx", kind="labels")),
        ("color", make_full_image("tyxs", "uint8")),
    ]:
        made = [path.name for path in imsave(image, folder / f"{name}.bin")]
        yield made
        yield made[::-1]
        yield [".", *made]


def _zarr(folder: Path) -> Iterator[list[str]]:
    """Write Zarr stores; yield the folder to open, and the files in it."""
    data = pixels((2, 2, 8, 12), "uint16")
    levels = [data, data[..., ::2, ::2]]
    omero = {"channels": [{"label": "a", "color": "00FF00", "window": {"start": 0, "end": 9}}] * 2}
    stores: list[tuple[str, str, dict[str, Any]]] = [
        ("a.zarr", "0.5", {"shards": (1, 2, 8, 12), "chunks": (1, 1, 4, 4)}),
        ("b.zarr", "0.4", {"compressors": numcodecs.Blosc("lz4", shuffle=2)}),
        ("c.zarr", "0.4", {"compressors": numcodecs.GZip(), "filters": [numcodecs.Shuffle(2)]}),
        ("d.zarr", "0.5", {"compressors": zarr.codecs.ZstdCodec(level=1)}),
    ]
    for name, version, options in stores:
        attributes = {"omero": omero}
        write_image(folder / name, data, "tcyx", version, attributes=attributes, **options)
        yield _files_of(folder, name)
    write_image(
        folder / "e.zarr", levels, "tcyx", scale=(1, 1, 0.5, 0.5), units={"x": "micrometer"}
    )
    write_labels(folder / "e.zarr", {"cells": data[0, 0].astype("u1")})
    yield _files_of(folder, "e.zarr")
    plate = {"plate": {"wells": [{"path": "A/1"}], "rows": [{"name": "A"}]}}
    write_group(folder / "f.zarr", plate)
    write_group(folder / "f.zarr" / "A" / "1", {"well": {"images": [{"path": "0"}]}})
    write_image(folder / "f.zarr" / "A" / "1" / "0", data, "tcyx")
    yield _files_of(folder, "f.zarr")
    write_array(folder / "g.zarr", data, zarr_format=2)
    yield _files_of(folder, "g.zarr")
    yield [zip_store(folder / "a.zarr", folder / "a.ozx").name]


def _files_of(folder: Path, name: str) -> list[str]:
    """Return the name of a store, and those of the files in it."""
    files = [path for path in sorted((folder / name).rglob("*")) if path.is_file()]
    return [name, *(path.relative_to(folder).as_posix() for path in files)]


_MAKERS: dict[str, tuple[Callable[[Path], Iterator[Any]], ...]] = {
    "binary": (_binary,),
    "gif": (_gif,),
    "png": (_png,),
    "tiff": (_tiff, _tiff_sets),
    "video": (_video,),
    "zarr": (_zarr,),
}
FORMATS = tuple(_MAKERS)


@cache
def make_seeds(form: str, most: int | None = None) -> tuple[Seed, ...]:
    """Make the seeds of a format, or the first `most` of each kind."""
    return tuple(seed for make in _MAKERS[form] for seed in islice(_made(make), most))


def _made(make: Callable[[Path], Iterator[Any]]) -> Iterator[Seed]:
    """Yield what a maker writes, as soon as it is written."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for made in make(folder):
            opened, *others = [made] if isinstance(made, str) else made
            names = [name for name in (opened, *others) if (folder / name).is_file()]
            yield Seed({name: (folder / name).read_bytes() for name in names}, opened)


@cache
def corpus_seeds(form: str) -> tuple[Seed, ...]:
    """Return the small files of the corpus; none where the shared folder is absent."""
    index = SHARED / "corpus" / "index.json"
    if not index.is_file():
        return ()
    codec = {"tiff": "tiff", "gif": "gif", "png": "png", "mp4": "video", "bin": "binary"}
    seeds = []
    for entry in json.loads(index.read_text("utf-8"))["files"]:
        paths = [index.parent / entry[key] for key in ("file", "sidecar") if entry.get(key)]
        is_small = all(path.is_file() and path.stat().st_size <= _MOST_BYTES for path in paths)
        if is_small and codec.get(entry["format"]) == form:
            seeds.append(Seed({path.name: path.read_bytes() for path in paths}, paths[0].name))
    return tuple(seeds)
