"""``python -m benchmarks [--quick] [--folder FOLDER] [NAMES]``: measure, and print one table."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from benchmarks.measure import ROOT, Group, Result, measure_group, table
from benchmarks.page import write_section

NAMES = (
    "importing",
    "opening",
    "reading",
    "zarr_reading",
    "saving",
    "compressing",
    "zarr_saving",
    "zarr_copying",
    "copying",
    "gif",
    "video",
    "rendering",
    "peers",
)
LIBRARIES = ("numpy", "av", "imageio-ffmpeg", "tifffile", "napari", "Pillow", "dask", "zarr")


def main() -> int:
    """Measure what was asked for; 1 when a goal was missed and ``--check`` was given."""
    options = _options()
    results: list[Result] = []
    for name in options.names or NAMES:
        with tempfile.TemporaryDirectory(prefix="ferry-bench-", dir=options.folder) as folder:
            results += _measure(name, Path(folder), options)
    text = f"{_conditions()}\n\n{table(results)}"
    print(text)
    if options.write is not None:
        write_section(options.write, "table", text)
    missed = [one for one in results if one.missed]
    print(f"\n{len(missed)} goals missed." if missed else "\nAll goals met.")
    return 1 if missed and options.check else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        choices=[*NAMES, []],
        metavar="NAMES",
        help=f"some of {', '.join(NAMES)}; all when absent",
    )
    parser.add_argument("--quick", action="store_true", help="small files, one round: a smoke test")
    parser.add_argument(
        "--folder",
        type=Path,
        default=ROOT.parent,
        help="where files are written and removed: on a real disk, 12 GB free",
    )
    parser.add_argument("--rounds", type=int, help="how often each case is done")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="update the table of that page")
    parser.add_argument("--check", action="store_true", help="fail when a goal is missed")
    return parser.parse_args()


def _measure(name: str, folder: Path, options: argparse.Namespace) -> list[Result]:
    module = importlib.import_module(f"benchmarks.{name}")
    results = []
    for group in module.groups(folder, quick=options.quick):
        print(f"{group.name} ...", file=sys.stderr)
        found = list(measure_group(_with_rounds(group, options), folder, fresh=not options.quick))
        print(table(found), file=sys.stderr)
        results += found
    return results


def _with_rounds(group: Group, options: argparse.Namespace) -> Group:
    return replace(group, rounds=options.rounds) if options.rounds else group


def _conditions() -> str:
    load = f"load {os.getloadavg()[0]:.1f}, " if hasattr(os, "getloadavg") else ""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    free = shutil.disk_usage(ROOT).free / 1e9
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {load}{free:.0f} GB "
        f"free; Python {platform.python_version()}, {libraries}. Ratios are medians over rounds in "
        "turns, each case in a fresh process, to the first way of the job. Peak is resident memory "
        "above what was in use before; CPU time and peak count the processes that were started."
    )


if __name__ == "__main__":
    sys.exit(main())
