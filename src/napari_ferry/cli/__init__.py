"""The command line: ``napari-ferry info``, ``convert``, ``verify``, ``repair``, ``demo``."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from napari_ferry.cli import convert, demo, info, repair, verify
from napari_ferry.cli.terminal import accept_all_characters, report
from napari_ferry.cli.termination import Terminated, raising_terminated
from napari_ferry.errors import FerryError, FerryWarning


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments of the command; those of the process by default.

    Returns
    -------
    int
        Exit status: 0, 1 after an error, 130 when interrupted, 143 when terminated.
    """
    accept_all_characters()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser(arguments).parse_args(arguments)
    try:
        with raising_terminated(), warnings.catch_warnings():
            warnings.simplefilter("always", FerryWarning)
            warnings.showwarning = _show_warning
            status: int = options.run(options)
            return status
    except FerryError as error:
        report(error)
        return 1
    except BrokenPipeError:  # the reader of our output has finished, such as `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Terminated as end:
        report(f"terminated; {_changes(end)}.")
        return 143
    except KeyboardInterrupt as end:
        report(f"interrupted; {_changes(end)}.")
        return 130


def _changes(interrupt: KeyboardInterrupt) -> str:
    """Return what an interrupt did not undo, as noted by a save."""
    notes: list[str] = vars(interrupt).get("__notes__", ["existing files are unchanged"])
    return "; ".join(notes)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of all commands; the options of `convert` depend on its output file."""
    parser = argparse.ArgumentParser(
        "napari-ferry",
        description="Inspect image files, and convert them without loading them into memory.",
    )
    add = parser.add_subparsers(required=True, metavar="COMMAND").add_parser
    info.add_options(add("info", help="describe the images in a file or folder"))
    convert.add_options(add("convert", help="save a file or folder in another format"), arguments)
    verify.add_options(add("verify", help="read all pixels, and name what is damaged"))
    repair.add_options(add("repair", help="find the layout of raw files without a sidecar"))
    demo.add_options(add("demo", help="open napari with samples, and save them in every format"))
    return parser


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    report(message)
