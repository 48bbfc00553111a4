"""``python -m benchmarks.growth``: time and memory of the same jobs from 0.25 to 16 GB.

Each size of a job is one case, in a fresh process. Time should grow with the size and memory should
not, so the table gives seconds per GB and the peak. What is saved is made frame by frame, and what
is read is a sparse file, so that 20 GB of disk are enough. First frames are measured by size, pages
and files. ``--write docs/benchmarks.md`` updates that page and its figure.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import ROOT, Case, Group, Result, measure_group
from benchmarks.opening import deflate, ferry, write_small_files
from benchmarks.page import write_section

Job = Callable[[], Any]
GIGABYTE = 1_000_000_000
SIZES = (0.25, 1.0, 4.0, 16.0)
"""In GB of pixels."""
SAVED: dict[str, tuple[str, dict[str, Any], float]] = {
    "save .bin": (".bin", {}, 16),
    "save .tif": (".tif", {}, 16),
    "save .ome.tif in parts of 2 GB": (".ome.tif", {"size_cap": 2.0}, 16),
    "save .tif with deflate": (".tif", {"compression": "zlib"}, 4),
    "save .ome.zarr with pyramid": (".ome.zarr", {}, 16),
    "save .mp4": (".mp4", {}, 4),
    "save .gif": (".gif", {}, 1),
}
"""Suffix, options and largest size of each save."""
COUNTS = (100, 1_000, 10_000, 100_000)


def main() -> None:
    """Measure, print a table, and draw a figure if asked."""
    parser = argparse.ArgumentParser(prog="benchmarks.growth", description=__doc__)
    parser.add_argument("--largest", type=float, default=16, help="largest size in GB (default 16)")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=ROOT.parent, help="a real disk, 20 GB free")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="update its table and figure")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="ferry-growth-", dir=options.folder) as folder:
        results = measure(Path(folder), options.largest, options.rounds)
    table = growth_table(results)
    print(table)
    if options.write is not None:
        write_section(options.write, "growth", table)
        draw(results, options.write.parent / "pictures" / "growth.svg")


def measure(folder: Path, largest: float, rounds: int) -> list[Result]:
    """Return all results, up to a size in GB."""
    sizes = [size for size in SIZES if size <= largest]
    jobs = [*saving_groups(sizes, rounds), *reading_groups(folder, sizes, rounds)]
    jobs += opening_groups(folder, [n for n in COUNTS if n <= largest * 10_000], rounds)

    results = []
    for group in jobs:
        print(f"{group.name} ...", file=sys.stderr)
        results += measure_group(group, folder)
    return results


def saving_groups(sizes: Sequence[float], rounds: int) -> list[Group]:
    """Return one group for each way to save, with a case for each size in GB."""
    return [
        _group(name, "save", rounds, sizes, largest, suffix=suffix, options=options)
        for name, (suffix, options, largest) in SAVED.items()
    ]


def reading_groups(folder: Path, sizes: Sequence[float], rounds: int) -> list[Group]:
    """Write sparse files, and return groups for their first frame and for all frames."""
    import tifffile

    from benchmarks.pixels import FRAME, frames_of

    for size in sizes:
        shape = (frames_of(int(size * GIGABYTE)), *FRAME)
        tifffile.memmap(folder / f"{size:g}.tif", shape=shape, dtype=np.uint16, bigtiff=True)
    settings = {"source": str(folder)}
    return [
        _group("first frame of a .tif", "first_frame", rounds, sizes, **settings),
        _group("all frames of a .tif, one by one", "all_frames", rounds, sizes, **settings),
    ]


def opening_groups(folder: Path, counts: Sequence[int], rounds: int) -> list[Group]:
    """Write compressed pages and folders of files, and return groups for their first frames."""
    pages, files = counts, [n for n in counts if n <= 10_000]
    for count in pages:
        deflate(folder / f"{count}.pages.tif", count)
    for count in files:
        write_small_files(folder / f"{count}.files", count)

    def cases(names: Sequence[int], suffix: str) -> list[Case]:
        return [
            Case(f"{n:,}", "opening:ferry", {"path": str(folder / f"{n}.{suffix}")}, 3)
            for n in names
        ]

    return [
        Group("first frame, by compressed pages", cases(pages, "pages.tif"), rounds),
        Group("first frame, by files in a folder", cases(files, "files"), rounds),
    ]


def _group(
    name: str,
    make: str,
    rounds: int,
    sizes: Sequence[float],
    largest: float = SIZES[-1],
    **settings: Any,
) -> Group:
    cases = [
        Case(f"{size:g} GB", f"growth:{make}", {**settings, "size": size})
        for size in sizes
        if size <= largest
    ]
    return Group(name, cases, rounds)


# --- jobs ---------------------------------------------------------------------------------------


def save(out: str, size: float, suffix: str, options: dict[str, Any]) -> Job:
    """Save frames that are made by code."""
    from napari_ferry import Image, imsave

    def image(nbytes: float) -> Image:
        from benchmarks.pixels import frames_of, open_source

        return Image.from_array(open_source("frames", "", frames_of(int(nbytes))), "tyx")

    imsave(image(2e6), Path(out, "warm" + suffix), **options)
    return lambda: imsave(image(size * GIGABYTE), Path(out, "a" + suffix), **options)


def first_frame(out: str, size: float, source: str) -> Job:
    """Open a file and read one frame."""
    return ferry(out, str(Path(source, f"{size:g}.tif")))


def all_frames(out: str, size: float, source: str) -> Job:
    """Open a file and read each frame."""
    from napari_ferry import imload

    def job() -> int:
        array = imload(Path(source, f"{size:g}.tif"))[0].array
        return sum(int(np.asarray(array[i]).max()) for i in range(array.shape[0]))

    return job


# --- results ------------------------------------------------------------------------------------


def growth_table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "| job | size | seconds | seconds per GB | CPU s | peak MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    group = ""
    for one in results:
        size = gigabytes(one)
        rate = f"{one.seconds / size:.3g}" if size else ""
        lines.append(
            f"| {one.group if one.group != group else ''} | {one.case.name} | {one.seconds:.3g} "
            f"| {rate} | {one.cpu_seconds:.3g} | {one.peak:.0f} |"
        )
        group = one.group
    return "\n".join(lines)


def gigabytes(result: Result) -> float | None:
    """Return the size of a case in GB; None if its pages or files were counted."""
    size: float | None = result.case.settings.get("size")
    return size


def draw(results: Sequence[Result], path: Path) -> None:
    """Draw seconds and peak memory against size, on logarithmic axes."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    mpl.rcParams.update({"svg.hashsalt": "napari-ferry", "font.size": 9})
    figure, (times, peaks) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for name in dict.fromkeys(one.group for one in results if gigabytes(one)):
        ones = [one for one in results if one.group == name]
        sizes = [gigabytes(one) for one in ones]
        times.loglog(sizes, [one.seconds for one in ones], "o-", label=name)
        peaks.loglog(sizes, [max(one.peak, 1) for one in ones], "o-", label=name)

    for axes, title in ((times, "seconds"), (peaks, "peak memory (MB)")):
        axes.set_xlabel("size of the pixels (GB)")
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.set_xticks(SIZES, [f"{size:g}" for size in SIZES], minor=False)
        axes.minorticks_off()
    peaks.set_ylim(1, 10_000)
    figure.legend(*times.get_legend_handles_labels(), loc="outside right center", frameon=False)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
