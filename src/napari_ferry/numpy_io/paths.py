"""Targets of arrays: a file, or a name in a new or existing folder."""

from __future__ import annotations

from pathlib import Path

from napari_ferry.arguments import targeting, to_name, to_path
from napari_ferry.errors import (
    MissingMetadataError,
    TargetError,
    UnreadableFileError,
    UnsupportedFormatError,
)
from napari_ferry.files.file_formats import is_image_suffix
from napari_ferry.files.short_texts import list_few
from napari_ferry.io.search import suffixes as all_suffixes


def target_of(
    path: str | Path, name: str | None, default: tuple[str, str], suffixes: tuple[str, ...]
) -> Path:
    """Return the target: the path itself, or a file in this folder."""
    path = to_path(path, TargetError)
    chosen = to_name(name) if name is not None and name != "" else default[0]
    with targeting(path):
        if path.name.lower().endswith(suffixes) and not path.is_dir():
            return path
        suffix = path.suffix.lower()
        if not path.is_dir() and is_image_suffix(suffix, all_suffixes(to_open=True)):
            raise UnsupportedFormatError(
                f"{path.name} ends in {suffix}, but this function writes {', '.join(suffixes)}: "
                "give a name that ends so, or a folder; imsave writes every format."
            )
    return path / (chosen if chosen.lower().endswith(suffixes) else chosen + default[1])


def find_single_file(folder: Path, files: list[Path], kind: str = "raw files") -> Path:
    """Return the only file of a kind in a folder, or refuse with the names of all."""
    if len(files) == 1:
        return files[0]
    if not files:
        raise UnreadableFileError(f"{folder} holds no {kind}: choose another folder.")
    raise MissingMetadataError(
        f"{folder} holds {len(files)} {kind} ({list_few([file.name for file in files])}): choose "
        "one of them."
    )
