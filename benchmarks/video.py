"""Videos written and read, beside imageio-ffmpeg, PyAV and OpenCV at the same settings.

As they come, imageio-ffmpeg and PyAV write the limited range, 220 gray levels of 256: noise is
smaller by a seventh, and takes a third fewer bits and a tenth less time to encode. So they are
asked for the same job, too: full range, BT.709, and colors rounded as accurately, which is what
the goal compares with. The OpenCV of PyPI has no x264: it writes another codec, of other quality.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.measure import Case, Group

Job = Callable[[], Any]
_RATE = 30
_SETTINGS = {"preset": "veryfast", "crf": "18", "g": "24"}
"""What napari-ferry asks x264 for as quality "high"."""

_FULL, _BT709 = 2, 1
"""Range and colors, as ITU-T H.273 and libavutil number them."""


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Return one group for each kind of frames to write, and for each way to read."""
    rounds = 1 if quick else 5
    written = [
        Group(
            f"write {frames} {'RGB' if rgb else 'gray'} frames of {side} x {side}",
            _writers({"frames": frames, "side": side, "rgb": rgb}),
            rounds,
        )
        for side, frames in ([(64, 4)] if quick else [(512, 300), (1024, 100)])
        for rgb in (False, True)
    ]
    size = (64, 48, 8) if quick else (1920, 1080, 300)
    settings = {"width": size[0], "height": size[1], "frames": size[2]}
    read = [
        Case("PyAV, decoded only", "video:decoded", settings),
        Case("PyAV, to numpy", "video:decoded", {**settings, "to_numpy": True}),
        Case("**napari-ferry**", "video:ferry_frames", settings, 1, {"peak": 100}),
        Case("imageio", "video:imageio_frames", settings),
    ]
    jumps = [
        Case("PyAV, from the key frame", "video:jumps", settings),
        Case("**napari-ferry**", "video:ferry_jumps", settings, 1, {"wall": 1.3, "peak": 100}),
    ]
    backward = [
        Case("PyAV, three times from the key frame", "video:three_decodes", settings),
        Case("**napari-ferry**", "video:ferry_backward", settings, 1, {"wall": 1.3, "peak": 300}),
    ]
    return [
        *written,
        Group("read 60 frames backward, key frames 10 s apart", backward, rounds),
        Group(f"read {size[2]} frames of 1080p", read, rounds),
        Group("read 12 frames by chance, key frames 10 s apart", jumps, rounds),
    ]


def _writers(settings: dict[str, Any]) -> list[Case]:
    full = {**settings, "full": True}
    cases = [
        Case("imageio-ffmpeg, full range", "video:imageio_ffmpeg", full),
        Case("the same again (A/A)", "video:imageio_ffmpeg", full),
        Case("PyAV, full range", "video:pyav", full),
        Case("**napari-ferry**", "video:ferry", settings, 1, {"wall": 1.0, "peak": 300}),
        Case("imageio-ffmpeg, limited range", "video:imageio_ffmpeg", settings),
        Case("PyAV, limited range", "video:pyav", settings),
    ]
    opencv = Case("OpenCV (MPEG-4 Part 2)", "video:opencv", settings)
    return [*cases, opencv] if find_spec("cv2") else cases


def ferry(out: str, frames: int, side: int, rgb: bool) -> Job:
    from napari_ferry import save_video

    movie = _movie(frames, side, rgb)
    save_video(Path(out, "warm.mp4"), movie[:2])
    return lambda: save_video(Path(out, "a.mp4"), movie, _RATE)


def imageio_ffmpeg(out: str, frames: int, side: int, rgb: bool, full: bool = False) -> Job:
    import imageio_ffmpeg

    movie = _movie(frames, side, rgb)
    imageio_ffmpeg.get_ffmpeg_exe()  # tries it the first time
    settings = {**_SETTINGS, "movflags": "+faststart", **(_full_range(rgb) if full else {})}
    options = [word for key, value in settings.items() for word in (f"-{key}", value)]
    form = "rgb24" if rgb else "gray"

    def write() -> None:
        writer = imageio_ffmpeg.write_frames(
            str(Path(out, "a.mp4")),
            (side, side),
            pix_fmt_in=form,
            fps=_RATE,
            quality=None,
            output_params=options,
        )
        writer.send(None)
        for frame in movie:
            writer.send(frame)
        writer.close()

    return write


def _full_range(rgb: bool) -> dict[str, str]:
    """Return what asks ffmpeg for the colors and the tags of napari-ferry."""
    colors = ":out_color_matrix=bt709:flags=accurate_rnd" if rgb else ""
    tags = "range=pc:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    return {"vf": f"scale=in_range=pc:out_range=pc{colors},format=yuv420p,setparams={tags}"}


def pyav(out: str, frames: int, side: int, rgb: bool, full: bool = False) -> Job:
    import av
    from av.video.reformatter import Interpolation, VideoReformatter

    movie = _movie(frames, side, rgb)
    rounded = Interpolation.BICUBIC | Interpolation.ACCURATE_RND

    def write() -> None:
        with av.open(str(Path(out, "a.mp4")), "w", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=_RATE, options=_SETTINGS)
            stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
            if full:
                stream.color_range, stream.colorspace = _FULL, _BT709
                stream.color_primaries, stream.color_trc = _BT709, _BT709
            convert = VideoReformatter().reformat
            for pixels in movie:
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24" if rgb else "gray")
                if full:
                    frame = convert(
                        frame,
                        format="yuv420p",
                        src_color_range=_FULL,
                        dst_color_range=_FULL,
                        dst_colorspace=_BT709,
                        interpolation=rounded,
                    )
                container.mux(stream.encode(frame))
            container.mux(stream.encode())

    return write


def opencv(out: str, frames: int, side: int, rgb: bool) -> Job:
    import cv2

    movie = _movie(frames, side, rgb)

    def write() -> None:
        code = cv2.VideoWriter_fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(Path(out, "a.mp4")), code, _RATE, (side, side), rgb)
        for frame in movie:
            writer.write(frame[..., ::-1] if rgb else frame)
        writer.release()

    return write


def decoded(out: str, width: int, height: int, frames: int, to_numpy: bool = False) -> Job:
    import av

    path = _video(out, width, height, frames)

    def read() -> None:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for frame in container.decode(stream):
                if to_numpy:
                    frame.to_ndarray(format="rgb24")

    return read


def ferry_frames(out: str, width: int, height: int, frames: int) -> Job:
    from napari_ferry import imload

    path = _video(out, width, height, frames)
    (warm,) = imload(path)
    warm.array[0]

    def read() -> None:
        (image,) = imload(path)
        for i in range(frames):
            image.array[i]

    return read


def imageio_frames(out: str, width: int, height: int, frames: int) -> Job:
    import imageio.v3

    path = _video(out, width, height, frames)

    def read() -> None:
        for _ in imageio.v3.imiter(path, plugin="pyav", thread_type="AUTO"):
            pass

    return read


def jumps(out: str, width: int, height: int, frames: int) -> Job:
    import av

    path = _video(out, width, height, frames)

    def read() -> None:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for i in _chosen(frames):
                container.seek(0)
                for k, frame in enumerate(container.decode(stream)):
                    if k == i:
                        frame.to_ndarray(format="rgb24")
                        break

    return read


def three_decodes(out: str, width: int, height: int, frames: int) -> Job:
    import av

    path = _video(out, width, height, frames)

    def read() -> None:
        for _ in range(3):
            with av.open(str(path)) as container:
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                for k, frame in enumerate(container.decode(stream)):
                    if k >= frames - 20:
                        frame.to_ndarray(format="rgb24")

    return read


def ferry_backward(out: str, width: int, height: int, frames: int) -> Job:
    from napari_ferry import imload

    (image,) = imload(_video(out, width, height, frames))
    image.array[frames - 1]

    def read() -> None:
        for i in reversed(range(max(0, frames - 61), frames - 1)):
            image.array[i]

    return read


def ferry_jumps(out: str, width: int, height: int, frames: int) -> Job:
    from napari_ferry import imload

    (image,) = imload(_video(out, width, height, frames))

    def read() -> None:
        for i in _chosen(frames):
            image.array[i]

    return read


def _chosen(frames: int) -> list[int]:
    """Return frames that lie further and further in front, so that none is on the way."""
    chosen = random.Random(0).sample(range(frames), min(12, frames))
    return sorted(chosen, reverse=True)


def _video(out: str, width: int, height: int, frames: int) -> Path:
    """Return an H.264 video in color, with key frames 10 s apart and B-frames."""
    import subprocess

    from imageio_ffmpeg import get_ffmpeg_exe

    path = Path(out, "source.mp4")
    source = f"testsrc2=size={width}x{height}:rate={_RATE}"
    options = ["-frames:v", str(frames), "-pix_fmt", "yuv420p", "-g", "300", "-sc_threshold", "0"]
    command = [get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", source, *options, str(path)]
    subprocess.run(command, check=True)
    return path


def _movie(frames: int, side: int, rgb: bool) -> Any:
    """Return spots that move, with shot noise."""
    import numpy as np

    few = np.stack(list(_spots(20, side, rgb)))
    return few[np.arange(frames) % 20]


def _spots(count: int, side: int, rgb: bool) -> Iterator[Any]:
    import numpy as np

    rng = np.random.default_rng(0)
    y, x = np.ogrid[:side, :side]
    for i in range(count):
        spot = np.exp(-((y - side / 3 - i) ** 2 + (x - side / 2) ** 2) / side**2 * 50)
        levels = rng.poisson(150 * spot + 20).clip(0, 255).astype(np.uint8)
        yield np.stack([levels, levels // 2, 255 - levels], -1) if rgb else levels
