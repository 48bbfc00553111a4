"""Saving compressed, beside the codec alone (no file), tifffile and napari's built-in writer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.measure import Case, Group
from benchmarks.pixels import FRAME, settle

Job = Callable[[], Any]
_FRAME_BYTES = FRAME[0] * FRAME[1] * 2
GOALS = {"wall": 1.25, "peak": 100}
"""Four fifths of the codec's own speed, in 100 MB."""


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Return one group for each codec, and a large save in capped parts."""
    frames, large = (2, 16) if quick else (500, 20_000)
    rounds = 1 if quick else 5
    found = [
        Group(
            f"save {frames * _FRAME_BYTES / 1e6:.0f} MB with {codec}", _cases(codec, frames), rounds
        )
        for codec in ("zlib", "zstd", "lzw")
    ]
    size = {"frames": large, "cap": large * _FRAME_BYTES / 8e9}
    capped = Case("**napari-ferry** in capped parts", "compressing:capped", size, 1, {"peak": 300})
    return [
        *found,
        Group(f"save {large * _FRAME_BYTES / 1e9:.3g} GB with zstd", [capped], 1),
    ]


def _cases(codec: str, frames: int) -> list[Case]:
    settings = {"codec": codec, "frames": frames}
    cases = [
        Case("the codec alone, one thread", "compressing:alone", settings),
        Case("the same again (A/A)", "compressing:alone", settings),
    ]
    for workers, goals in ((1, GOALS), (2, {"wall": 1.0, "peak": 100})):
        threads = {**settings, "workers": workers}
        cases += [
            Case(f"**napari-ferry**, {workers} threads", "compressing:ferry", threads, 1, goals),
            Case(f"tifffile, {workers} threads", "compressing:tiff", threads),
        ]
    builtin = Case("napari built-in", "compressing:builtin", {"frames": frames})
    return [*cases, builtin] if codec == "zlib" else cases


def alone(out: str, codec: str, frames: int) -> Job:
    from napari_ferry.codecs.tiff.saving.page_encoder import encode_rows, page_format

    movie = _movie(out, frames)
    page = page_format(FRAME, movie.dtype, codec, may_tile=False, pyramid=False)  # type: ignore[arg-type]
    return lambda: sum(len(encode_rows(frame, page)[0]) for frame in movie)


def ferry(out: str, codec: str, frames: int, workers: int) -> Job:
    from napari_ferry import imsave

    movie = _movie(out, frames)
    imsave(movie[:2], Path(out, "warm.tif"), compression=codec)
    return lambda: imsave(movie, Path(out, "a.tif"), compression=codec, workers=workers)


def tiff(out: str, codec: str, frames: int, workers: int) -> Job:
    import tifffile

    options = {
        "compression": "adobe_deflate" if codec == "zlib" else codec,
        "compressionargs": None if codec == "lzw" else {"level": 1},
        "predictor": codec != "zlib",
        "rowsperstrip": FRAME[0],
        "maxworkers": workers,
    }
    movie = _movie(out, frames)
    tifffile.imwrite(Path(out, "warm.tif"), movie[:2], **options)
    return lambda: tifffile.imwrite(Path(out, "a.tif"), movie, **options)


def builtin(out: str, frames: int) -> Job:
    from napari_builtins.io import napari_write_image

    movie = _movie(out, frames)
    napari_write_image(str(Path(out, "warm.tif")), movie[:2], {})
    return lambda: napari_write_image(str(Path(out, "a.tif")), movie, {})


def capped(out: str, frames: int, cap: float) -> Job:
    """Save frames that are made when they are asked for, so that no large source is needed."""
    from napari_ferry import imsave
    from napari_ferry.arrays import Frames

    few = _frames(min(20, frames))
    source = Frames(lambda i: few[i % len(few)], (frames, *FRAME), "uint16", 1)
    options = {"compression": "zstd", "size_cap": cap}
    imsave(few[0], Path(out, "warm.tif"), **options)  # type: ignore[arg-type]
    settle(Path(out), 0)
    return lambda: imsave(source, Path(out, "a.tif"), **options)  # type: ignore[arg-type]


def _movie(out: str, frames: int) -> Any:
    """Return a mapped movie of a bright spot with shot noise."""
    import numpy as np

    path = Path(out, "movie.raw")
    few = _frames(min(20, frames))
    with path.open("wb") as file:
        for i in range(frames):
            few[i % 20].tofile(file)
    settle(Path(out), frames * _FRAME_BYTES)
    return np.memmap(path, np.uint16, "r", 0, (frames, *FRAME))


@cache
def _frames(count: int) -> list[Any]:
    import numpy as np

    rng = np.random.default_rng(0)
    y, x = np.ogrid[: FRAME[0], : FRAME[1]]
    spots = (np.exp(-((y - 200 - i) ** 2 + (x - 300) ** 2) / 5000) for i in range(count))
    return [rng.poisson(1000 * spot + 100).astype(np.uint16) for spot in spots]
