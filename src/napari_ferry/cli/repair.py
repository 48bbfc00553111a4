"""``napari-ferry repair``: find the layout of raw files, and mend the metadata of other formats.

Formats with metadata of their own have the hook `repair`. Raw files have no metadata to mend: their
layout is a choice among several, to be searched for with numbers that are known.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from napari_ferry.arguments import reading, to_path
from napari_ferry.cli.formats import add_function_options, flag_of
from napari_ferry.cli.info import scale_text
from napari_ferry.cli.terminal import report, show
from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.errors import InvalidImageError
from napari_ferry.io import imload
from napari_ferry.io.protocol import format_name, hooks_of
from napari_ferry.io.search import codecs, find_repair
from napari_ferry.saving.document_repair import Repair, RepairPlanner, run_repair
from napari_ferry.saving.partial.interruption import check_exists
from napari_ferry.signatures import option_names

_COUNTED = {"frames": "frames", "y": "rows", "x": "columns", "channels": "channels"}
"""Names of the options for sizes, and what each of them counts."""


_KNOWN = ("dtype", "byte_order", "frames", "y", "x", "channels", "offset")
_CHOICES = ("whole_frames", "overwrite")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add options for raw files, and those of each format with metadata to mend."""
    parser.add_argument(
        "path",
        type=Path,
        metavar="PATH",
        help="a raw file, a folder of raw files from one camera, or data with metadata to mend",
    )
    parser.add_argument(
        "--write",
        action="store_true",
        help="write a sidecar with the first layout, or the changes of the metadata",
    )

    _add_raw_options(parser)
    for codec in codecs():
        planner = hooks_of(codec).repair
        if planner is not None:
            add_function_options(parser, [planner], f"options of {format_name(codec)}")
    parser.set_defaults(run=_repair)


def _add_raw_options(parser: argparse.ArgumentParser) -> None:
    """Add options for known values of a raw file, and for its sidecar."""
    group = parser.add_argument_group("options of raw files")
    group.add_argument("--dtype", help="data type of the samples, such as uint16 or >u2")
    group.add_argument("--byte-order", choices=["little", "big"], help="byte order of the samples")

    for name, counted in _COUNTED.items():
        group.add_argument(
            f"--{name}", type=int, metavar="N", help=f"number of {counted}, if known"
        )

    group.add_argument("--offset", type=int, metavar="BYTES", help="size of the header, if known")
    group.add_argument(
        "--whole-frames",
        action="store_true",
        help="if the layout does not fit the file, describe only its whole frames",
    )
    group.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an existing sidecar, and keep a backup of it",
    )


def _repair(options: argparse.Namespace) -> int:
    """Repair the metadata of a format with the hook, or else those of raw files."""
    path = to_path(options.path)
    planner = find_repair(path)
    own = (*_KNOWN, *_CHOICES) if planner is None else option_names(planner)
    _refuse_others(options, path, own)
    return _repair_raw(options, path) if planner is None else _mend(options, path, planner)


def _refuse_others(options: argparse.Namespace, path: Path, own: Sequence[str]) -> None:
    """Refuse options meant for another format."""
    planners = [hooks_of(codec).repair for codec in codecs()]
    known = {name for each in planners if each for name in option_names(each)}
    others = {*_KNOWN, *_CHOICES, *known} - {*own}
    given = sorted(name for name in others if getattr(options, name) not in (None, False))
    if given:
        flags = ", ".join(map(flag_of, given))
        raise InvalidImageError(f"{flags} cannot be used with {path.name}: leave it out.")


def _mend(options: argparse.Namespace, path: Path, planner: RepairPlanner) -> int:
    """Show the changes of the metadata of a data set, and write them if requested."""
    check_exists(path)
    with reading(path):
        repair = planner(path, **{name: getattr(options, name) for name in option_names(planner)})
    for remark in repair.remarks:
        report(remark)
    for change in repair.changes:
        show(change)
    if not repair.changes:
        show(f"{path}: nothing to repair")
    elif options.write:
        _write(repair, path)
    else:
        show(f"{path}: nothing is written yet; write these changes with --write")
    return 0


def _write(repair: Repair, path: Path) -> None:
    """Write changes, open the data set again, and show its axes."""
    backups = run_repair(repair)
    for document in repair.documents:
        show(f"{document.path}: written")
    for backup in backups:
        show(f"{backup}: the document as it was before")
    for image in imload(path):
        show(f"{image.name or path.name}: {scale_text(image)}")


def _repair_raw(options: argparse.Namespace, path: Path) -> int:
    """Print the likely layouts of raw files, and write their sidecars if requested."""
    from napari_ferry.codecs.binary.described import data_file
    from napari_ferry.codecs.binary.sidecar_plan import plan_sidecar, run_sidecar
    from napari_ferry.codecs.binary.sidecar_search import find_sidecars, one_per_sidecar

    known = {name: getattr(options, name) for name in _KNOWN}
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
