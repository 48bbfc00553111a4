"""numpy in, numpy out: load and save image stacks with one short call each.

Every function takes a file, or a folder with an optional name in it. Arrays have the axes
(frames, y, x), or fewer or more where the file has. Nothing that stands is replaced unless
``overwrite=True``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import reading, targeting, to_name, to_path
from napari_ferry.array import Array
from napari_ferry.codecs import Saveable, binary, gif, imload, imsave
from napari_ferry.errors import MissingMetadataError, TargetError, UnreadableFileError
from napari_ferry.image import Image
from napari_ferry.lazy import read_array
from napari_ferry.sidecar import DEFAULT_NAME
from napari_ferry.tiff.encode import Compression

_IMAGES = "images"


def load_images(path: str | Path, *, workers: int | None = None) -> NDArray[Any]:
    """Load a TIFF file, a size-capped series, or a folder of TIFF files into memory.

    Parameters
    ----------
    path : str or Path
        A file of any spelling (``.tif .tiff .TIF .ome.tif``), or a folder, whose files are
        taken in natural order.
    workers : int, optional
        Threads that decode; as many as gain when absent.

    Returns
    -------
    numpy.ndarray
        Axes (frames, y, x), or as the file has; of a file with several images, the first.

    Raises
    ------
    UnreadableFileError
        There is no such file, or it is damaged, or files of a folder differ.
    """
    return read_array(imload(path)[0].array, workers=workers)


def save_images(
    path: str | Path,
    images: Saveable,
    name: str | None = None,
    *,
    size_cap: float | None = 3.9,
    compression: Compression = "none",
    overwrite: bool = False,
) -> list[Path]:
    """Save a stack as TIFF, in several files where it is larger than a cap.

    Parameters
    ----------
    path : str or Path
        A name that ends in ``.tif`` or ``.ome.tif``, or a folder, which is made.
    images : array or Image
        Axes (frames, y, x), (y, x), or others; of any numeric type.
    name : str, optional
        Name of the file in the folder; ``images`` when absent.
    size_cap : float, optional
        Largest size of one file in GB (1e9 bytes). A larger stack becomes
        ``<stem>_00000.tif``, ``<stem>_00001.tif`` ... ``None`` for one file of any size.
    compression : {"none", "zlib", "zstd", "lzw"}
        How pages are packed, without loss.
    overwrite : bool
        Whether files that stand there may be replaced.

    Returns
    -------
    list of Path
        The files that were made.

    Raises
    ------
    TargetExistsError
        Files stand there and `overwrite` is false.
    TargetError
        The folder cannot be made or written to.
    InvalidImageError
        No numeric array, an empty one, a cap smaller than one frame, or a name with a separator.
    """
    target = _target(path, name, (_IMAGES, ".tif"), (".tif", ".tiff"))
    return _save(images, target, overwrite, size_cap=size_cap, compression=compression)


def load_binary(
    path: str | Path,
    mapped: bool = False,
    mode: binary.Mode = "r",
    missing_metadata: Mapping[str, Any] | None = None,
) -> NDArray[Any]:
    """Load a raw recording by its sidecar, or by what is known of it.

    Parameters
    ----------
    path : str or Path
        The raw file, with or without suffix, or the folder that it is in.
    mapped : bool
        Map the file instead of reading it.
    mode : {"r", "r+", "c"}
        For a mapped file: read only, change the file itself, or change a copy in memory.
    missing_metadata : mapping, optional
        Used instead of a sidecar: ``dtype``, and all of ``frames``, ``y`` and ``x`` but one at
        most, which is computed.

    Returns
    -------
    numpy.ndarray
        Axes (frames, y, x), or as the sidecar says; a `numpy.memmap` when mapped.

    Raises
    ------
    MissingMetadataError
        No sidecar, or more than one dimension is missing.
    UnreadableFileError
        No such file, or what describes it does not fit it.
    """
    path = to_path(path)
    with reading(path):
        data = _find_binary(path, missing_metadata is not None)
        image = binary.open_binary(
            data, mode=mode if mapped else "r", missing_metadata=missing_metadata
        )
    return np.asanyarray(image.array) if mapped else np.array(image.array)


def save_binary(
    path: str | Path, images: Saveable, name: str | None = None, *, overwrite: bool = False
) -> list[Path]:
    """Save an array as a raw file with a JSON sidecar.

    Parameters
    ----------
    path : str or Path
        A name that ends in ``.bin``, ``.raw`` or ``.dat``, or a folder, which is made.
    images : array or Image
        Of any numeric type.
    name : str, optional
        Name of the file in the folder; ``binary_video`` when absent.
    overwrite : bool
        Whether files that stand there may be replaced.

    Returns
    -------
    list of Path
        The raw file and its sidecar.

    Raises
    ------
    TargetExistsError
        Files stand there and `overwrite` is false.
    TargetError
        The folder cannot be made or written to.
    InvalidImageError
        No numeric array, an empty one, or a name with a separator.
    """
    target = _target(path, name, (DEFAULT_NAME, ".bin"), binary.SUFFIXES)
    return _save(images, target, overwrite)


def load_gif(path: str | Path, *, workers: int | None = None) -> NDArray[np.uint8]:
    """Load a GIF into memory, each frame as a browser shows it.

    Parameters
    ----------
    path : str or Path
        A file, or a folder: ``images.gif`` in it, or the only GIF there.
    workers : int, optional
        Threads that decode; as many as gain when absent.

    Returns
    -------
    numpy.ndarray
        Axes (frames, y, x) of gray tones, (frames, y, x, 3) of colours, or (frames, y, x, 4)
        where something shows through; uint8. A single frame that is no movie has no first axis.

    Raises
    ------
    UnreadableFileError
        There is no such file, or it is damaged.
    MissingMetadataError
        A folder with several GIFs, of which none is called ``images``.
    """
    path = to_path(path)
    with reading(path):
        found = _find_gif(path) if path.is_dir() else path
    return read_array(imload(found)[0].array, workers=workers)


def save_gif(
    path: str | Path,
    images: Saveable,
    frame_rate: float | None = None,
    name: str | None = None,
    *,
    loop: int | None = 0,
    colours: int = 256,
    dither: bool = False,
    axis: str | None = None,
    position: str | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Save a stack as an animated GIF; gray values of 8 bits and up to 256 colours are exact.

    Parameters
    ----------
    path : str or Path
        A name that ends in ``.gif``, or a folder, which is made.
    images : array or Image
        Axes (frames, y, x), or (frames, y, x, s) of 3 or 4 samples of a colour, or those of an
        `Image`.
    frame_rate : float, optional
        Frames per second, up to 50; when absent, that of the image, or 10.
    name : str, optional
        Name of the file in the folder; ``images`` when absent.
    loop : int, optional
        How often the movie starts again: 0 for ever, ``None`` not at all.
    colours : int
        Most colours of a frame, 2 to 256.
    dither : bool
        Mix colours that are missing, in a fixed pattern.
    axis : str, optional
        Name of the axis that runs, where there are several.
    position : str, optional
        Where the other axes stand, such as ``"z=3 c=0"``.
    overwrite : bool
        Whether a file that stands there may be replaced.

    Returns
    -------
    list of Path
        The file.

    Raises
    ------
    TargetExistsError
        A file stands there and `overwrite` is false.
    TargetError
        The folder cannot be made or written to.
    InvalidImageError
        No numeric array, an empty one, or an option out of its range.
    """
    target = _target(path, name, (_IMAGES, ".gif"), gif.SUFFIXES)
    return _save(
        _as_colours(images),
        target,
        overwrite,
        frame_rate=frame_rate,
        loop=loop,
        colours=colours,
        dither=dither,
        axis=axis,
        position=position,
    )


def _as_colours(images: Saveable) -> Saveable:
    """Take an array (frames, y, x, 3) for colours, which have no other place in a movie."""
    is_plain = isinstance(images, Array) and not hasattr(images, "dims")
    if is_plain and images.ndim == 4 and images.shape[-1] in (3, 4):
        return Image.from_array(images, "tyxs")
    return images


def _find_gif(folder: Path) -> Path:
    """Return the GIF that is meant in a folder."""
    files = gif.gif_files(folder)
    preferred = [file for file in files if file.stem == _IMAGES]
    return _only(folder, preferred[:1] or files, "GIFs")


def _save(images: Saveable, target: Path, overwrite: bool, **options: Any) -> list[Path]:
    """Save into a folder that is made for it; one that was made for nothing goes again."""
    folders = (target.parent, *target.parent.parents)
    with targeting(target.parent):
        missing = [folder for folder in folders if not folder.exists()]
    try:
        _make_folder(target.parent)
        return imsave(images, target, overwrite=overwrite, **options)
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


def _target(
    path: str | Path, name: str | None, default: tuple[str, str], suffixes: tuple[str, ...]
) -> Path:
    """Return the file that is meant: the path itself, or a name in the folder that it is."""
    path = to_path(path, TargetError)
    chosen = to_name(name) if name is not None and name != "" else default[0]
    with targeting(path):
        if path.name.lower().endswith(suffixes) and not path.is_dir():
            return path
    return path / (chosen if chosen.lower().endswith(suffixes) else chosen + default[1])


def _find_binary(path: Path, is_described: bool) -> Path:
    """Return the raw file that is meant: the path, with a suffix added, or the one in a folder."""
    if path.is_file():
        return path
    named = [path.with_name(path.name + suffix) for suffix in binary.SUFFIXES]
    found = next((candidate for candidate in named if candidate.is_file()), None)
    if found is not None:
        return found
    if not path.is_dir():
        raise UnreadableFileError(f"{path} is not there: check its name.")
    if not is_described:
        described = binary.binary_files(path)
        preferred = [file for file in described if file.stem == DEFAULT_NAME]
        return _only(path, preferred or described)
    raw = [file for file in sorted(path.iterdir()) if file.suffix.lower() in binary.SUFFIXES]
    legacy = [path / DEFAULT_NAME] if (path / DEFAULT_NAME).is_file() else []
    preferred = [file for file in raw if file.stem == DEFAULT_NAME]
    return _only(path, preferred or raw or legacy)


def _only(folder: Path, files: list[Path], kind: str = "raw files") -> Path:
    if len(files) == 1:
        return files[0]
    if not files:
        raise UnreadableFileError(f"{folder} holds no {kind}: name another folder.")
    raise MissingMetadataError(
        f"{folder} holds {len(files)} {kind} ({', '.join(file.name for file in files[:3])}): "
        "name one of them."
    )
