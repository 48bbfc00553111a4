"""Saving a stack that is in memory, uncompressed, beside `tofile` and the same flush to disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import Case, Group

Job = Callable[[], Any]
GOAL = {"wall": 1.1}


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Return the large save, and a smaller one for those that would take minutes."""
    large, small = (2 << 20, 1 << 20) if quick else (2_000_000_000, 250_000_000)
    rounds = 1 if quick else 5
    return [
        Group(f"save {_size(large)} in memory", _cases(large, slow=False), rounds),
        Group(f"save {_size(small)} in memory", _cases(small, slow=True), rounds),
    ]


def _size(nbytes: int) -> str:
    return f"{nbytes / 1e9:.3g} GB" if nbytes >= 1e9 else f"{nbytes / 1e6:.0f} MB"


def _cases(nbytes: int, *, slow: bool) -> list[Case]:
    settings = {"nbytes": nbytes}
    cases = [
        Case("tofile, fsync", "saving:raw", settings),
        Case("the same again (A/A)", "saving:raw", settings),
        Case("tofile, fsync, os.replace", "saving:raw", {**settings, "replace": True}),
        *(
            Case(
                f"**napari-ferry** {suffix}",
                "saving:ferry",
                {**settings, "suffix": suffix},
                1,
                {} if slow else GOAL,
            )
            for suffix in (".tif", ".ome.tif", ".bin")
        ),
        Case("tifffile, fsync", "saving:tiff", settings),
        Case("tifffile ImageJ, fsync", "saving:tiff", {**settings, "imagej": True}),
        Case("tifffile OME, fsync", "saving:tiff", {**settings, "ome": True}),
    ]
    slower = [
        Case("napari built-in (deflate 1), fsync", "saving:builtin", settings),
        Case("Pillow, fsync", "saving:pillow", settings),
    ]
    return cases + slower if slow else cases


def raw(out: str, nbytes: int, replace: bool = False) -> Job:
    data = make_data(out, nbytes)
    path = Path(out, "a.part" if replace else "a.bin")

    def job() -> None:
        with path.open("wb") as file:
            data.tofile(file)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            path.replace(path.with_suffix(".bin"))
            _sync(Path(out))

    return job


def ferry(out: str, nbytes: int, suffix: str) -> Job:
    from napari_ferry import imsave

    data = make_data(out, nbytes)
    imsave(data[:2], Path(out, "warm" + suffix))
    return lambda: imsave(data, Path(out, "a" + suffix))


def tiff(out: str, nbytes: int, **kind: bool) -> Job:
    import tifffile

    data = make_data(out, nbytes)
    path = Path(out, "a.tif")
    tifffile.imwrite(Path(out, "warm.tif"), data[:2], **kind)
    return synced(lambda: tifffile.imwrite(path, data, **kind), path)


def builtin(out: str, nbytes: int) -> Job:
    from napari_builtins.io import napari_write_image

    data = make_data(out, nbytes)
    path = Path(out, "a.tif")
    napari_write_image(str(Path(out, "warm.tif")), data[:2], {})
    return synced(lambda: napari_write_image(str(path), data, {}), path)


def pillow(out: str, nbytes: int) -> Job:
    from PIL import Image

    data = make_data(out, nbytes)
    path = Path(out, "a.tif")

    def job() -> None:
        first, *rest = (Image.fromarray(frame) for frame in data)
        first.save(path, save_all=True, append_images=rest)

    return synced(job, path)


def make_data(out: str, nbytes: int) -> Any:
    """Return noise, axes t y x, once the disk is idle."""
    from benchmarks.pixels import frames_of, noise, settle

    data = noise(frames_of(nbytes))
    settle(Path(out), nbytes)
    return data


def synced(job: Job, path: Path) -> Job:
    """Return a job that flushes its file, too."""

    def both() -> None:
        job()
        _sync(path)

    return both


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
