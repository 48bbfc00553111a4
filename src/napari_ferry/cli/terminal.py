"""Lines for a terminal, whatever is in the names and texts of files."""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterable

_CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that drive a terminal, change the direction of writing, or have no encoding."""


_PYTHON_ONLY = re.compile(r"\w+=\S+ \((--[\w-]+) on the command line\)")
"""Advice that names a keyword of Python beside the flag."""

_WORKERS = re.compile(r"^workers is (.*), or None for the default")
"""Message about the option ``--workers``, which has no text for its default."""

_METADATA = re.compile(r"or give missing_metadata=\{[^}]*\}, |give missing_metadata=\{[^}]*\}, or ")


class OutputError(Exception):
    """The standard output cannot be written to."""


def show(text: object) -> None:
    """Print text on the standard output, at once.

    Raises
    ------
    OutputError
        It cannot be written to, such as a file on a full disk.
    """
    try:
        print(to_printable(str(text)), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error.strerror or str(error)) from error


def in_command_words(text: str, names: Iterable[str]) -> str:
    """Return a message with the flags of the command line instead of keywords of Python.

    Parameters
    ----------
    text : str
        The message.
    names : iterable of str
        Names of keywords that have a flag.

    >>> in_command_words("give one, such as position='z=0'.", ["position"])
    'give one, such as --position z=0.'
    >>> in_command_words("give overwrite=True (--overwrite on the command line).", [])
    'give --overwrite.'
    >>> in_command_words("workers is 0: give more, or None for the default.", [])
    '--workers is 0: give more.'
    """
    text = _WORKERS.sub(r"--workers is \1", text)
    text = _METADATA.sub("", _PYTHON_ONLY.sub(r"\1", text))
    known = "|".join(sorted(names)) or "(?!)"

    def flag(found: re.Match[str]) -> str:
        """Return the flag for an option in the words of Python."""
        name = found[1].replace("_", "-")
        value = found[2].strip("'\"")
        if value in ("True", "False"):
            return f"--{name}" if value == "True" else f"--no-{name}"
        return f"--{name} {value}"

    return re.sub(rf"\b({known})=('[^']*'|\"[^\"]*\"|[\w.]*\w)", flag, text)


def has_bar(options: argparse.Namespace) -> bool:
    """Return True if a command shows a progress bar: on a terminal, unless it is quiet."""
    return sys.stderr.isatty() and not options.quiet


def has_lines(options: argparse.Namespace) -> bool:
    """Return True if a command prints lines about its progress: in a log, unless it is quiet."""
    return not sys.stderr.isatty() and not options.quiet


def report(text: object) -> None:
    """Print a message on the standard error stream, after the name of the program."""
    print(f"napari-ferry: {to_printable(str(text))}", file=sys.stderr)


def to_printable(text: str) -> str:
    r"""Return text with control characters as escapes.

    >>> to_printable("\x1b[2Jcells")
    '\\x1b[2Jcells'
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def accept_all_characters() -> None:
    """Escape characters outside the encoding of an output, instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
