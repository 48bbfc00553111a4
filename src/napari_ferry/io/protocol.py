"""The `Codec` protocol of a format, and its optional hooks.

A format is a package in ``codecs/`` whose module ``codec`` satisfies `Codec`, and nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from napari_ferry.image import Image
from napari_ferry.saving import Plan

if TYPE_CHECKING:
    from napari_ferry.saving.document_repair import RepairPlanner


class Codec(Hashable, Protocol):
    """One format: a module with these attributes, and any of those of `Hooks`.

    Modules are stateless. None of their functions reads pixels, and none contains code for
    progress, cancelling, atomic files or threads: `napari_ferry.saving.run` does all of that.
    """

    __name__: str

    @property
    def SUFFIXES(self) -> tuple[str, ...]:  # noqa: N802 - a constant of the module
        """Suffixes of saved files, in lower case, the preferred one first; none if only opened."""

    def open(self, path: Path) -> list[Image]:
        """Open every image of a file, or of a folder if `Hooks.FOLDER_PRIORITY` is set.

        Parameters
        ----------
        path : Path
            An existing file or folder, absolute.

        Returns
        -------
        list of Image
            Lazy images.

        Raises
        ------
        UnreadableFileError, MissingMetadataError
            The file is damaged, is of another format, or requires metadata that is missing.
        """

    @property
    def plan(self) -> Callable[..., Plan]:
        """The function ``plan(images, path, *, options) -> Plan``.

        It takes a list of `Image` and an absolute `Path`. Its keyword-only parameters, typed and
        documented, are the options of the format: they become the keywords of `napari_ferry.plan`,
        the flags of ``napari-ferry convert`` and the fields of the export form.
        """


def _claims_nothing(path: Path) -> bool:
    return False


def _finds_nothing(path: Path) -> list[str]:
    return []


def _has_no_storage(path: Path, image: Image) -> dict[str, str]:
    return {}


def _itself(path: Path) -> list[Path]:
    return [path]


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """Optional attributes of a `Codec` and their defaults.

    Parameters
    ----------
    SUMMARY : str
        What the format stores, as one line in the help of ``napari-ferry convert``.
    ALSO_OPENS : tuple of str
        Suffixes of files that are opened but not saved.
    FOLDER_PRIORITY : int
        Precedence among the formats of the files in a folder, from 1; ties are decided by the
        number of files. Formats with 0 do not open folders.
    IS_MOVIE : bool
        True for a format that shows frames instead of storing samples: `napari_ferry.plan` draws
        images for it as napari displays them.
    KEEPS_SAMPLES : tuple of str
        Suffixes of a movie format that store gray samples exactly, so that these are not drawn.
    HOLDS_ONE : bool
        True for a format with one image in a file.
    IS_DEFAULT : bool
        True for the format of names without suffix, in one codec.
    claims : callable
        ``claims(path) -> bool``: True for an existing file or folder of this format that no suffix
        identifies, such as a sidecar or a store.
    open_url : callable, optional
        ``open_url(url) -> list of Image``: opens an address with one of the suffixes in it.
    open_many : callable, optional
        ``open_many(paths) -> list of Image``: opens several files as one stack.
    open_grid : callable, optional
        ``open_grid(labels) -> list of Image``: opens files with axes over them, given the label of
        each axis by file.
    members : callable
        ``members(path) -> list of Path``: every file of the data set that a file belongs to, the
        one with the pixels first.
    is_data_set : callable
        ``is_data_set(path) -> bool``: True for a folder whose files are a single data set, such
        as the frames of a movie, instead of several recordings.
    lacks_metadata : callable
        ``lacks_metadata(path) -> bool``: True for a file or folder that can be opened only with
        metadata from the user; the plugin then offers its repair form.
    written_by : callable, optional
        ``written_by(path) -> str``: the program that wrote a file, empty if unknown.
    storage : callable
        ``storage(path, image) -> dict of str``: how the pixels of an image of a file are stored,
        such as ``{"compression": "zlib", "tiles": "256 x 256"}``.
    check : callable
        ``check(path) -> list of str``: messages about damage that neither opening nor reading the
        pixels finds.
    repair : callable, optional
        ``repair(path, *, options) -> Repair``: changes that make the metadata of a data set valid.
        Its options become flags of ``napari-ferry repair``.
    """

    SUMMARY: str = ""
    ALSO_OPENS: tuple[str, ...] = ()
    FOLDER_PRIORITY: int = 0
    IS_MOVIE: bool = False
    KEEPS_SAMPLES: tuple[str, ...] = ()
    HOLDS_ONE: bool = False
    IS_DEFAULT: bool = False
    claims: Callable[[Path], bool] = _claims_nothing
    open_url: Callable[[str], list[Image]] | None = None
    open_many: Callable[[Sequence[Path]], list[Image]] | None = None
    open_grid: Callable[[Mapping[Path, Mapping[str, str]]], list[Image]] | None = None
    members: Callable[[Path], list[Path]] = _itself
    is_data_set: Callable[[Path], bool] = _claims_nothing
    lacks_metadata: Callable[[Path], bool] = _claims_nothing
    written_by: Callable[[Path], str] | None = None
    storage: Callable[[Path, Image], dict[str, str]] = _has_no_storage
    check: Callable[[Path], list[str]] = _finds_nothing
    repair: RepairPlanner | None = None


@cache
def hooks_of(codec: Codec) -> Hooks:
    """Return the optional attributes of a codec."""
    declared = {field.name for field in fields(Hooks)}
    return Hooks(**{name: value for name, value in vars(codec).items() if name in declared})


def format_name(codec: Codec) -> str:
    """Return the name of a codec's package, such as ``tiff``."""
    return codec.__name__.split(".")[-2]


def suffixes_of(codec: Codec, *, to_open: bool = False) -> tuple[str, ...]:
    """Return the suffixes of a codec, to save or to open."""
    return (*codec.SUFFIXES, *hooks_of(codec).ALSO_OPENS) if to_open else codec.SUFFIXES
