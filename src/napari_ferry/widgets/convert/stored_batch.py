"""Choices of the dock, stored between sessions, with an unfinished batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_ferry.plugin.settings_file import read_settings, write_settings

_NAME = "napari-ferry-convert.json"


@dataclass(frozen=True, kw_only=True)
class UnfinishedBatch:
    """A batch that was stopped.

    Parameters
    ----------
    sources : tuple of str
        What was converted.
    target : str
        Folder of the new files.
    pattern : str
        Their names.
    is_recursive : bool
        Whether the folders in a folder are converted, too.
    done, total : int
        Numbers of data sets that were converted, and of all.
    """

    sources: tuple[str, ...]
    target: str
    pattern: str
    is_recursive: bool
    done: int
    total: int

    @classmethod
    def parse(cls, values: Any) -> UnfinishedBatch | None:
        """Return a batch from plain JSON values; None for any others."""
        match values:
            case {
                "sources": [str(), *_] as sources,
                "target": str(target),
                "pattern": str(pattern),
                "is_recursive": bool(is_recursive),
                "done": int(done),
                "total": int(total),
            }:
                return cls(
                    sources=tuple(map(str, sources)),
                    target=target,
                    pattern=pattern,
                    is_recursive=is_recursive,
                    done=done,
                    total=total,
                )
        return None

    @property
    def sentence(self) -> str:
        """What is left of it."""
        name = Path(self.sources[0]).name
        return f"{self.done} of {self.total} files of {name} are converted."


def load_choices() -> dict[str, Any]:
    """Return the stored choices, empty if they cannot be read."""
    return read_settings(_NAME)


def save_choices(choices: Mapping[str, Any]) -> None:
    """Write choices, plain JSON values; ignore errors of the file system."""
    write_settings(_NAME, choices)
