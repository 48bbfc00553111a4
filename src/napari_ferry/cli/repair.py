"""``napari-ferry repair``: find the layout of raw files, and write their sidecars."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from napari_ferry.arguments import to_path
from napari_ferry.cli.terminal import report, show
from napari_ferry.codecs.binary.layout import Layout

_COUNTED = {"frames": "frames", "y": "rows", "x": "columns", "channels": "channels"}
"""Names of the options for sizes, and what each of them counts."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add options for known values of a raw file, and for its sidecar."""
    parser.add_argument(
        "path",
        type=Path,
        metavar="FILE",
        help="a raw file, or a folder of raw files from one camera",
    )
    parser.add_argument("--dtype", help="data type of the samples, such as uint16 or >u2")
    parser.add_argument("--byte-order", choices=["little", "big"], help="byte order of the samples")
    for name, counted in _COUNTED.items():
        parser.add_argument(
            f"--{name}", type=int, metavar="N", help=f"number of {counted}, if known"
        )
    parser.add_argument("--offset", type=int, metavar="BYTES", help="size of the header, if known")

    parser.add_argument(
        "--write", action="store_true", help="write a sidecar with the first layout"
    )
    parser.add_argument(
        "--whole-frames",
        action="store_true",
        help="if the layout does not fit the file, describe only its whole frames",
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an existing sidecar, and keep a backup of it",
    )
    parser.set_defaults(run=_repair)


def _repair(options: argparse.Namespace) -> int:
    """Print the likely layouts of raw files, and write their sidecars if requested."""
    from napari_ferry.codecs.binary.described import data_file
    from napari_ferry.codecs.binary.sidecar_plan import plan_sidecar, run_sidecar
    from napari_ferry.codecs.binary.sidecar_search import find_sidecars, one_per_sidecar

    names = ("dtype", "byte_order", "frames", "y", "x", "channels", "offset")
    known = {name: getattr(options, name) for name in names}
    path = to_path(options.path)
    path = data_file(path) if path.is_file() else path
    layouts, per_file = find_sidecars(path, replaced=options.overwrite, **known)
    _print_layouts(layouts)
    if not options.write:
        return 0

    chosen, written = one_per_sidecar(per_file), 0
    try:
        for data, layout in chosen.items():
            planned = plan_sidecar(data, layout, whole_frames=options.whole_frames)
            for loss in planned.losses if options.overwrite else ():
                report(f"{planned.paths[0].name}: {loss}")
            sidecar, backup = run_sidecar(planned, overwrite=options.overwrite)
            written += 1
            show(f"{sidecar}: {layout}" + (f" (backup: {backup.name})" if backup else ""))
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"{written} of {len(chosen)} sidecars were written before")
        raise
    return 0


def _print_layouts(layouts: Sequence[Layout]) -> None:
    """Print a table of layouts, most likely first, with the reasons for each."""
    heads = f"{'header':>7} {'frames':>7} {'gap':>5} {'y':>6} {'x':>6} {'ch':>3}"
    show(f"{'sure':>5}  {'dtype':<8} {heads}")
    likely = [layout for i, layout in enumerate(layouts) if i < 3 or layout.confidence >= 0.01]
    for layout in likely:
        name = layout.dtype.str
        dtype = name if name[0] == ">" else name.lstrip("|<")
        whole = f"{layout.offset:>7} {layout.frames:>7} {layout.gap:>5}"
        frame = f"{layout.y:>6} {layout.x:>6} {layout.channels:>3}"
        show(f"{layout.confidence:>5.0%}  {dtype:<8} {whole} {frame}")
        for reason in layout.reasons:
            show(f"       - {reason}")
