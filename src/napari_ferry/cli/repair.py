"""``napari-ferry repair``: the layout of raw files, and their sidecars."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from napari_ferry.arguments import to_path
from napari_ferry.codecs.binary.layout import Layout


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what may be known of a raw file, and what to do with what is found."""
    parser.add_argument(
        "path", type=Path, metavar="FILE", help="a raw file, or a folder of one camera"
    )
    parser.add_argument("--dtype", help="type of a sample, such as uint16 or >u2")
    parser.add_argument("--byte-order", choices=["little", "big"], help="order of its bytes")
    for name in ("frames", "y", "x", "channels"):
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"how many {name}, if known")
    parser.add_argument(
        "--offset", type=int, metavar="BYTES", help="length of the header, if known"
    )
    parser.add_argument(
        "--write", action="store_true", help="write the sidecar of the first layout"
    )
    parser.add_argument(
        "--whole-frames",
        action="store_true",
        help="describe the frames that are whole, where the file ends within one",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a sidecar, which is kept as a backup"
    )
    parser.set_defaults(run=_repair)


def _repair(options: argparse.Namespace) -> int:
    """Print the layouts that a raw file may have, and write the sidecar of the first."""
    from napari_ferry.codecs.binary.codec import data_file
    from napari_ferry.codecs.binary.sidecar_plan import plan_sidecar, run_sidecar
    from napari_ferry.codecs.binary.sidecar_search import find_sidecars, one_per_sidecar

    names = ("dtype", "byte_order", "frames", "y", "x", "channels", "offset")
    known = {name: getattr(options, name) for name in names}
    path = to_path(options.path)
    path = data_file(path) if path.suffix.lower() == ".json" else path
    found, per_file = find_sidecars(path, replaced=options.overwrite, **known)
    _print_layouts(found)
    if not options.write:
        return 0
    for data, layout in one_per_sidecar(per_file).items():
        planned = plan_sidecar(data, layout, whole_frames=options.whole_frames)
        for loss in planned.losses if options.overwrite else ():
            print(f"napari-ferry: {planned.paths[0].name}: {loss}", file=sys.stderr)
        sidecar, kept = run_sidecar(planned, overwrite=options.overwrite)
        print(f"{sidecar}: {layout}" + (f" (before: {kept.name})" if kept else ""))
    return 0


def _print_layouts(found: Sequence[Layout]) -> None:
    """Print a table, the likeliest first, with reasons below each."""
    heads = f"{'header':>7} {'frames':>7} {'gap':>5} {'y':>6} {'x':>6} {'ch':>3}"
    print(f"{'sure':>5}  {'dtype':<8} {heads}")
    shown = [one for i, one in enumerate(found) if i < 3 or one.confidence >= 0.01]
    for one in shown:
        dtype = one.dtype.str.lstrip("|<") if one.dtype.str[0] != ">" else one.dtype.str
        whole = f"{one.offset:>7} {one.frames:>7} {one.gap:>5}"
        frame = f"{one.y:>6} {one.x:>6} {one.channels:>3}"
        print(f"{one.confidence:>5.0%}  {dtype:<8} {whole} {frame}")
        for reason in one.reasons:
            print(f"       - {reason}")
