"""Where arrays are saved: a file, or a name in a folder that is made for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_ferry.arguments import targeting, to_name, to_path
from napari_ferry.errors import MissingMetadataError, TargetError, UnreadableFileError
from napari_ferry.image import Saveable
from napari_ferry.rendering.save import plan
from napari_ferry.saving import run


def save_into(images: Saveable, target: Path, overwrite: bool, **options: Any) -> list[Path]:
    """Save into a folder that is made for it; one that was made for nothing goes again."""
    folders = (target.parent, *target.parent.parents)
    with targeting(target.parent):
        missing = [folder for folder in folders if not folder.exists()]
    try:
        _make_folder(target.parent)
        return run(plan(images, target, **options), overwrite=overwrite)
    finally:
        for folder in missing:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _make_folder(folder: Path) -> None:
    """Make a folder and those that it is in."""
    with targeting(folder):
        in_the_way = next((p for p in (folder, *folder.parents) if p.is_file()), None)
        if in_the_way is not None:
            raise TargetError(
                f"{in_the_way} is a file, not a folder: give a folder, or a name that ends as "
                "those of the format do."
            )
        folder.mkdir(parents=True, exist_ok=True)


def target_of(
    path: str | Path, name: str | None, default: tuple[str, str], suffixes: tuple[str, ...]
) -> Path:
    """Return the file that is meant: the path itself, or a name in the folder that it is."""
    path = to_path(path, TargetError)
    chosen = to_name(name) if name is not None and name != "" else default[0]
    with targeting(path):
        if path.name.lower().endswith(suffixes) and not path.is_dir():
            return path
    return path / (chosen if chosen.lower().endswith(suffixes) else chosen + default[1])


def only_of(folder: Path, files: list[Path], kind: str = "raw files") -> Path:
    """Return the one file of a kind in a folder, or say which there are."""
    if len(files) == 1:
        return files[0]
    if not files:
        raise UnreadableFileError(f"{folder} holds no {kind}: name another folder.")
    raise MissingMetadataError(
        f"{folder} holds {len(files)} {kind} ({', '.join(file.name for file in files[:3])}): "
        "name one of them."
    )
