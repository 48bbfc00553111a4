"""The command line: ``napari-ferry info``, ``convert``, ``verify``, ``repair``, ``demo`` ..."""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from napari_ferry import __version__
from napari_ferry.cli import completion, convert, convert_options, demo, info, repair, verify
from napari_ferry.cli.convert_help import EXIT_STATUSES
from napari_ferry.cli.formats import explain_unknown, to_command_line
from napari_ferry.cli.terminal import OutputError, accept_all_characters, report
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
    options = _parse(arguments)
    try:
        with raising_terminated(), warnings.catch_warnings():
            warnings.simplefilter("always", FerryWarning)
            warnings.showwarning = _show_warning
            status: int = options.run(options)
            return status
    except FerryError as error:
        report(to_command_line(error))
        return 1
    except OutputError as error:
        _discard_output()
        report(f"the output cannot be written ({error}): free some space, or choose another disk.")
        return 1
    except BrokenPipeError:  # the reader of our output has finished, such as `head`
        _discard_output()
        return 1
    except Terminated as end:
        report(f"terminated; {_changes(end)}.")
        return 143
    except KeyboardInterrupt as end:
        report(f"interrupted; {_changes(end)}.")
        return 130


def _discard_output() -> None:
    """Discard the buffered standard output instead of writing it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; an unknown option ends the process with the nearest known one."""
    parser, commands = make_parser(arguments)
    if not arguments:
        parser.print_help(sys.stderr)
        raise SystemExit(2)

    word = arguments[0]
    if word not in commands and (nearest := get_close_matches(word, commands, 1)):
        parser.error(f"{word} is not a command: did you mean {nearest[0]}?")

    options, unknown = parser.parse_known_args(arguments)
    if options.run is convert.convert:
        is_path = not any(word.startswith("-") for word in unknown)
        convert_options.join_paths(options, unknown if is_path else ())
        unknown = [] if is_path else unknown

    if unknown:
        command: argparse.ArgumentParser = options.command
        flags = {*re.findall(r"(?<!\S)--[a-z][\w-]*", command.format_help())}
        flags.update(getattr(options, "format_flags", ()))
        command.error(explain_unknown(unknown, sorted(flags)))
    return options


def _changes(interrupt: KeyboardInterrupt) -> str:
    """Return the changes not undone by an interrupt, as noted by a save."""
    notes: list[str] = vars(interrupt).get("__notes__", ["existing files are unchanged"])
    return "; ".join(notes)


def make_parser(
    arguments: Sequence[str] | None,
) -> tuple[argparse.ArgumentParser, completion.Commands]:
    """Return the parser of the command line, and the parser of each command.

    The options of `convert` depend on its output file; without arguments, it has those of all
    formats.
    """
    parser = argparse.ArgumentParser(
        "napari-ferry",
        description="Inspect image files, and convert them without loading them into memory.",
        epilog=f"napari-ferry COMMAND --help explains a command.\n\n{EXIT_STATUSES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        """Add a command with its description, and return its parser."""
        command = commands.add_parser(name, help=text, description=f"{text.capitalize()}.")
        command.set_defaults(command=command)
        return command

    info.add_options(add("info", "describe the images in files or folders"))
    convert.add_options(add("convert", "save a file or folder in another format"), arguments)
    verify.add_options(add("verify", "read all pixels, and name what is damaged"))
    repair.add_options(add("repair", "find the layout of raw files, or mend metadata"))
    demo.add_options(
        add("demo", "open napari with samples, also saved in every format in a temporary folder")
    )
    completed = add("completion", "print a script that completes options in a shell")
    completion.add_options(completed, lambda: make_parser(None)[1])
    return parser, commands.choices


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    report(f"warning: {to_command_line(message)}")
