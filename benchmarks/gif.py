"""GIFs, saved and read, beside Pillow and ffmpeg's palettegen: time, size and fidelity."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Case, Group

Job = Callable[[], Any]
RATE = 20
SIDE = 512
WRITERS = {
    "ffmpeg palettegen": "ffmpeg",
    "the same again (A/A)": "ffmpeg",
    "Pillow": "pillow",
    "**napari-ferry**": "ferry",
    "ffmpeg palettegen, gifsicle -O3": "gifsicle",
}
GOALS = {"gray waves": 1.0}
"""The most time beside ffmpeg; 1.5 for the others. Of gray movies Pillow is the faster one."""


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Return a group for each movie that is saved, and for reading one."""
    count, side, rounds = (3, 64, 1) if quick else (48, SIDE, 5)
    found = []
    for name in MOVIES:
        settings = {"name": name, "count": count, "side": side}
        cases = [
            Case(
                f"{way} ({_result(folder, writer, **settings)})",
                f"gif:{writer}",
                settings,
                1,
                {"wall": GOALS.get(name, 1.5), "peak": 300} if writer == "ferry" else {},
            )
            for way, writer in WRITERS.items()
            if writer != "gifsicle" or shutil.which("gifsicle")
        ]
        found.append(Group(f"save {count} frames, {name}, as GIF", cases, rounds))
    return [*found, *_reading(folder, quick), *_long(quick)]


def _reading(folder: Path, quick: bool) -> list[Group]:
    """Return groups that read a movie of which a part rests: whole, and frames at random."""
    count, side, rounds = (12, 64, 1) if quick else (300, SIDE, 3)
    path = folder / "read.gif"
    pillow_writes(path, _half_still(count, side))
    made = []
    for what in ("whole", "random"):
        settings = {"path": str(path), "what": what}
        cases = [
            Case("Pillow", "gif:pillow_reads", settings),
            Case("the same again (A/A)", "gif:pillow_reads", settings),
            Case("**napari-ferry**", "gif:ferry_reads", settings, 1, {"wall": 1.5}),
        ]
        job = f"{count} frames" if what == "whole" else "50 random frames"
        made.append(Group(f"read {job} of a GIF of {count}, half of it still", cases, rounds))
    return made


def _long(quick: bool) -> list[Group]:
    settings = {"count": 10 if quick else 2000, "side": 64 if quick else SIDE}
    case = Case("**napari-ferry**", "gif:long", settings, 1, {"peak": 300})
    return [Group(f"save {settings['count']} frames that are computed, as GIF", [case], 1)]


def _result(folder: Path, writer: str, name: str, count: int, side: int) -> str:
    """Return the size of what a program makes of a movie, and how near to it that is."""
    path, frames = folder / "once.gif", MOVIES[name](count, side)
    globals()[f"{writer}_writes"](path, frames)
    error = np.mean([(a.astype(float) - b) ** 2 for a, b in zip(_seen(path), frames, strict=True)])
    fidelity = f"{10 * np.log10(255**2 / error):.1f} dB" if error else "exact"
    return f"{path.stat().st_size / 1e6:.2f} MB, {fidelity}"


def _seen(path: Path) -> list[NDArray[np.uint8]]:
    """Return the frames that Pillow sees; gray ones with one sample."""
    from PIL import Image, ImageSequence

    with Image.open(path) as image:
        frames = [np.array(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]
    is_gray = all((frame == frame[..., :1]).all() for frame in frames)
    return [frame[..., 0] for frame in frames] if is_gray else frames


# --- movies, axes (t, y, x) or (t, y, x, 3) ----------------------------------------------------


def _waves(count: int, side: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    waves = np.stack([np.sin(x / 40), np.cos(y / 30), np.sin((x + y) / 50)], -1) * 60 + 128
    noisy = [
        np.roll(waves, 3 * k, 1) + rng.normal(0, 4, (side, side, 3)).astype(np.float32)
        for k in range(count)
    ]
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _composite(count: int, side: int) -> NDArray[np.uint8]:
    """Return blinking cells in green among others in magenta, with shot noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side]
    cells = np.zeros((2, side, side))
    for k, (cy, cx) in enumerate(rng.uniform(0, side, (40, 2))):
        cells[k % 2] += np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 400)
    frames = []
    for k in range(count):
        green = rng.poisson(8 + 120 * cells[0] * (1 + 0.5 * np.sin(k / 5)))
        magenta = rng.poisson(8 + 120 * cells[1])
        frames.append(np.stack([magenta, green, magenta], -1))
    return np.clip(frames, 0, 255).astype(np.uint8)


def _slide(count: int, side: int) -> NDArray[np.uint8]:
    """Return a picture on a plain page, below which something small moves."""
    frames = np.full((count, side, side, 3), 240, np.uint8)
    picture = _waves(1, side // 2)[0]
    frames[:, side // 8 : side // 8 + side // 2, side // 4 : side // 4 + side // 2] = picture
    for k in range(count):
        at = side // 16 + k * side // (2 * count)
        frames[k, -side // 8 : -side // 12, at : at + side // 10] = (200, 30, 30)
    return frames


def _half_still(count: int, side: int) -> NDArray[np.uint8]:
    frames = _gray(count, side)
    frames[:, : side // 2] = frames[0, : side // 2]
    return frames


def _gray(count: int, side: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(_waves(count, side)[..., 0])


MOVIES: dict[str, Callable[[int, int], NDArray[np.uint8]]] = {
    "gray waves": _gray,
    "waves in color": _waves,
    "two channels": _composite,
    "a slide": _slide,
}


# --- ways ---------------------------------------------------------------------------------------


def ferry_writes(path: Path, frames: NDArray[np.uint8]) -> None:
    from napari_ferry import save_gif

    save_gif(path, frames, RATE, overwrite=True)


def pillow_writes(path: Path, frames: NDArray[np.uint8]) -> None:
    from PIL import Image

    images = [Image.fromarray(frame) for frame in frames]
    images[0].save(path, save_all=True, append_images=images[1:], duration=1000 // RATE, loop=0)


def ffmpeg_writes(path: Path, frames: NDArray[np.uint8]) -> None:
    from imageio_ffmpeg import get_ffmpeg_exe

    made = "split[a][b];[a]palettegen=reserve_transparent=0[p];[b][p]paletteuse=dither=none"
    size = f"{frames.shape[2]}x{frames.shape[1]}"
    kind = "gray" if frames.ndim == 3 else "rgb24"
    source = ["-f", "rawvideo", "-pix_fmt", kind, "-s", size, "-r", str(RATE), "-i", "-"]
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", *source, "-filter_complex", made]
    subprocess.run([*command, str(path)], input=frames.tobytes(), check=True)


def gifsicle_writes(path: Path, frames: NDArray[np.uint8]) -> None:
    ffmpeg_writes(path, frames)
    subprocess.run(["gifsicle", "-O3", "--batch", str(path)], check=True)


def ferry(out: str, name: str, count: int, side: int) -> Job:
    return _writing(ferry_writes, out, name, count, side)


def pillow(out: str, name: str, count: int, side: int) -> Job:
    return _writing(pillow_writes, out, name, count, side)


def ffmpeg(out: str, name: str, count: int, side: int) -> Job:
    return _writing(ffmpeg_writes, out, name, count, side)


def gifsicle(out: str, name: str, count: int, side: int) -> Job:
    return _writing(gifsicle_writes, out, name, count, side)


def _writing(
    write: Callable[[Path, NDArray[np.uint8]], None], out: str, name: str, count: int, side: int
) -> Job:
    frames = MOVIES[name](count, side)
    write(Path(out, "warm.gif"), frames[:2])
    return lambda: write(Path(out, "a.gif"), frames)


def long(out: str, count: int, side: int) -> Job:
    from napari_ferry import save_gif
    from napari_ferry.arrays import Frames

    few = _half_still(20, side)
    source = Frames(lambda i: few[i % 20], (count, side, side), "uint8", 1)
    return lambda: save_gif(Path(out, "a.gif"), source)


def ferry_reads(out: str, path: str, what: str) -> Job:
    from napari_ferry import imload

    def job() -> Any:
        array = imload(path)[0].array
        if what == "whole":
            return np.array(array)
        return [np.array(array[i]) for i in _places(len(array))]  # type: ignore[arg-type]

    return job


def pillow_reads(out: str, path: str, what: str) -> Job:
    from PIL import Image

    def job() -> Any:
        with Image.open(path) as image:
            places = range(image.n_frames) if what == "whole" else _places(image.n_frames)
            return [_frame(image, int(i)) for i in places]

    return job


def _frame(image: Any, i: int) -> NDArray[np.uint8]:
    image.seek(i)
    return np.array(image.convert("L"))


def _places(count: int) -> NDArray[np.int64]:
    return np.random.default_rng(0).integers(0, count, 50)
