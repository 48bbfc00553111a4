"""Names of the targets of a batch: a pattern with fields, numbers, and inputs with one target."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from napari_ferry.arguments import find_url
from napari_ferry.errors import InvalidImageError, TargetError, UnsupportedFormatError
from napari_ferry.files.comparable_names import comparable
from napari_ferry.io.search import add_default_suffix, known_suffix, suffixes

RECORD_NAME = "napari-ferry-batch.jsonl"
"""Name of the file in the folder of the targets with the record of their sources."""

FIELDS = ("name", "parent", "suffix", "index", "image")

_FIELD = re.compile(r"\{(\w*)\}")
_NUMBER_AT_END = re.compile(r"[ _.-]?\d+$")


class NamedSource(NamedTuple):
    """Source to name a target after.

    Parameters
    ----------
    path : str or Path
        Path or address.
    folder : Path
        Folder of the source within the one that was searched, relative to it.
    files : tuple of Path
        All files of the data set.
    image : int
        Number of the image in the source.
    """

    path: str | Path
    folder: Path = Path()
    files: tuple[Path, ...] = ()
    image: int = 0


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Names of targets.

    Parameters
    ----------
    folder : Path
        Folder of all targets.
    pattern : str
        Name of each target, with the fields ``{name}`` of the source without its suffix,
        ``{parent}``, the name of the folder of the source, ``{suffix}``, ``{index}``, the number
        of the target from 1, and ``{image}``, the number of the image in the source from 0. With
        a ``/`` it is the path in `folder`; without one, the folders of a recursive search are
        kept.
    suffix : str, optional
        Suffix of the targets. By default that of `pattern`, or else that of each source.
    """

    folder: Path
    pattern: str = "{name}"
    suffix: str | None = None

    def __post_init__(self) -> None:
        """Refuse a pattern with an unknown field, another suffix, or a path outside the folder.

        Raises
        ------
        InvalidImageError, UnsupportedFormatError
            The pattern is not valid.
        """
        unknown = [name for name in _FIELD.findall(self.pattern) if name not in FIELDS]
        if unknown:
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise InvalidImageError(
                f"The pattern {self.pattern} has the field {{{unknown[0]}}}: use {known}."
            )

        path = Path(self.pattern)
        if path.is_absolute() or ".." in path.parts or self.pattern.endswith(("/", "\\")):
            raise InvalidImageError(
                f"The pattern {self.pattern} is not a file name within the folder of the targets: "
                "give the folder as the target, and a pattern such as {name}."
            )

        own = known_suffix(path.name, to_open=True)
        if own and self.suffix is not None and own.lower() != self.suffix:
            raise UnsupportedFormatError(
                f"{self.pattern} ends in {own}, but the format is {self.suffix}: leave one of them "
                "out."
            )

    @property
    def has_images(self) -> bool:
        """True if each image of a source has a target of its own."""
        return "{image}" in self.pattern

    @property
    def has_index(self) -> bool:
        """True if the name of a target depends on the number of targets before it."""
        return "{index}" in self.pattern

    def name_targets(self, sources: Sequence[NamedSource]) -> list[Path]:
        """Return the target of each source.

        Raises
        ------
        UnsupportedFormatError
            The format of a source is not saved, and no suffix is given.
        TargetError
            A source has no name.

        Examples
        --------
        >>> naming = Naming(folder=Path("out"), pattern="{index}_{parent}_{name}", suffix=".mp4")
        >>> (target,) = naming.name_targets([NamedSource(Path("day1/rec.ome.tif"))])
        >>> target.as_posix()
        'out/1_day1_rec.mp4'
        """
        return [
            self.name_target(source, number, len(sources))
            for number, source in enumerate(sources, 1)
        ]

    def name_target(self, source: NamedSource, number: int, count: int) -> Path:
        """Return the target of one of several sources.

        Parameters
        ----------
        source : NamedSource
            The source.
        number, count : int
            Its number from 1, and the number of all.

        Raises
        ------
        UnsupportedFormatError
            The format of the source is not saved, and no suffix is given.
        TargetError
            The source has no name.
        """
        stem, own = split_source(source.path)
        is_named = bool(known_suffix(self.pattern, to_open=True))
        values = {
            "name": _series_name(source) or stem,
            "parent": parent_name(source.path),
            "suffix": self.suffix or ("" if is_named else saved_suffix(f"{stem}{own}")),
            "index": f"{number:0{len(str(count))}d}",
            "image": str(source.image),
        }
        pattern = self.pattern
        if not is_named and "{suffix}" not in pattern:
            pattern += "{suffix}"
        kept = Path() if "/" in pattern else source.folder
        return self.folder / kept / _FIELD.sub(lambda found: values[found[1]], pattern)


def _series_name(source: NamedSource) -> str:
    """Return the common name of the numbered files of a series; empty for other sources."""
    if source.path not in source.files:
        return ""
    stems = {split_source(file)[0] for file in source.files}
    names = {_NUMBER_AT_END.sub("", stem) for stem in stems}
    return names.pop() if len(stems) > 1 and len(names) == 1 else ""


def split_source(source: str | Path) -> tuple[str, str]:
    """Return the name of a path or address without suffix, and the suffix as it is spelled.

    A file such as the sidecar of a raw file has the suffix of no format, but any.

    Raises
    ------
    TargetError
        It has no name.

    >>> split_source("day 1/cells.OME.tif")
    ('cells', '.OME.tif')
    """
    url = find_url(source)
    name = url.rstrip("/").rpartition("/")[2] if url else Path(source).name
    if name in ("", ".."):
        name = Path(source).resolve().name
    if not name:
        raise TargetError(
            f"{source} has no name to use in a folder: give a file name as the target."
        )
    own = known_suffix(name, to_open=True)
    if not own and url is None and Path(source).is_file():
        own = Path(name).suffix
    return name[: len(name) - len(own)], own


def parent_name(source: str | Path) -> str:
    """Return the name of the folder of a path or address."""
    url = find_url(source)
    return url.rstrip("/").split("/")[-2] if url else Path(source).absolute().parent.name


def saved_suffix(name: str) -> str:
    """Return the suffix of a source for a target of the same format; a default without suffix.

    Raises
    ------
    UnsupportedFormatError
        Its format is opened but not saved.

    >>> saved_suffix("cells.tif"), saved_suffix("frames")
    ('.tif', '.ome.zarr')
    """
    own = known_suffix(name, to_open=True)
    if own and own.lower() not in suffixes():
        raise UnsupportedFormatError(
            f"{name} has a format that is opened but not saved: choose one of "
            f"{', '.join(suffixes())} with --format."
        )
    return own or add_default_suffix(Path(name)).name[len(name) :]


def find_collisions(targets: Sequence[Path]) -> Iterator[tuple[int, int]]:
    """Yield the numbers of inputs with one target, each with the first one that has it.

    Targets are compared as the system does.
    """
    seen: dict[str, int] = {}
    for number, target in enumerate(targets):
        first = seen.setdefault(comparable(os.path.abspath(target)), number)  # noqa: PTH100
        if first != number:
            yield first, number


class TargetNumbers(NamedTuple):
    """Number of the first target of a data set, from 1, and the number of all targets."""

    first: int
    total: int


def number_targets(counts: Sequence[int | None]) -> list[TargetNumbers | None]:
    """Return the numbers of the targets of each data set, the values of ``{index}``.

    Parameters
    ----------
    counts : sequence of int or None
        Number of targets of each data set; None if it is not known yet, so that no number is.

    Examples
    --------
    >>> number_targets([1, 2])
    [TargetNumbers(first=1, total=3), TargetNumbers(first=2, total=3)]
    >>> number_targets([1, None])
    [None, None]
    """
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return [None] * len(counts)
    total = sum(known)
    ends = accumulate(known)
    return [TargetNumbers(end - count + 1, total) for end, count in zip(ends, known, strict=True)]
