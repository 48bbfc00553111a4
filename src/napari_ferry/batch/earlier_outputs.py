"""Outputs of earlier conversions in the folders of a search, named by the records there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from napari_ferry.batch.batch_record import Record
from napari_ferry.batch.output_names import RECORD_NAME
from napari_ferry.errors import UnreadableFileError


@dataclass(kw_only=True)
class EarlierOutputs:
    """Records of earlier conversions in the folders of a search.

    Parameters
    ----------
    root : Path
        Real path of the folder that is searched.
    """

    root: Path
    records: dict[Path, Record] = field(default_factory=dict)

    def visit(self, folder: Path) -> None:
        """Read the record in a folder before the folder is searched; an unreadable one is empty."""
        with suppress(UnreadableFileError):
            record = Record.read(folder)
            if record.made:
                self.records[folder] = record

    def is_repeated(self, path: Path) -> bool:
        """Return True for an unchanged output whose source is in the searched folder, too.

        Any other output is the only version there, and stays an input.
        """
        entries = (self.records[each].find_output(path) for each in self._folders_of(path))
        sources = [entry.source for entry in entries if entry is not None]
        return any(os.path.lexists(each) and self._is_searched(each) for each in sources)

    def are_repeated(self, paths: Sequence[Path]) -> bool:
        """Return True if all files of a folder besides a record are such outputs."""
        files = [path for path in paths if path.name != RECORD_NAME]
        return bool(files) and all(map(self.is_repeated, files))

    def _is_searched(self, source: str) -> bool:
        """Return True for a path in the searched folder, which links may name differently."""
        return self.root in Path(os.path.realpath(source)).parents

    def _folders_of(self, path: Path) -> list[Path]:
        return [each for each in path.parents if each in self.records] if self.records else []
