"""Composed frames: as in a browser, in any order, with a bounded cache."""

from __future__ import annotations

import pickle  # noqa: TID251 - our own
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gif_files import COLORS, Part, build, movie, save, with_alpha
from napari_ferry import imload
from napari_ferry.codecs.gif import disposal
from napari_ferry.codecs.gif.scan import NO_INDEX, scan


def composed(parts: list[Part], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Compose the frames like a browser, pixel by pixel; axes (t, y, x, 4)."""
    first = parts[0]
    size = (  # the first frame may enlarge the canvas
        max(size[0], first.top + first.pixels.shape[0]),
        max(size[1], first.left + first.pixels.shape[1]),
    )
    canvas = np.zeros((*size, 4), np.uint8)
    shown = []
    for part in parts:
        before = canvas.copy()
        colors = COLORS if part.palette is None else part.palette
        inside = [
            (y, x, y + part.top, x + part.left)
            for y, x in np.ndindex(*part.pixels.shape)
            if y + part.top < size[0] and x + part.left < size[1]
        ]
        for y, x, at_y, at_x in inside:
            if part.pixels[y, x] != part.transparent:
                canvas[at_y, at_x] = *colors[part.pixels[y, x]], 255
        shown.append(canvas.copy())
        if part.disposal == 2:
            for _, _, at_y, at_x in inside:
                canvas[at_y, at_x] = 0
        if part.disposal == 3:
            canvas = before
    return np.stack(shown)


@st.composite
def gifs(draw: Any) -> tuple[list[Part], tuple[int, int]]:
    size = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    parts = []
    for _ in range(draw(st.integers(1, 24))):
        top, left = (int(rng.integers(0, n + 1)) for n in size)
        shape = tuple(int(rng.integers(1, n + 2)) for n in size)

        if rng.random() < 0.4:
            (top, left), shape = (0, 0), size
        parts.append(
            Part(
                rng.integers(0, 8, shape).astype(np.uint8),
                left,
                top,
                int(rng.integers(0, 4)),
                int(rng.integers(0, 8)) if rng.random() < 0.5 else NO_INDEX,
                palette=rng.integers(0, 256, (8, 3), np.uint8) if rng.random() < 0.3 else None,
                interlaced=bool(rng.random() < 0.3),
            )
        )
    return parts, size


@settings(max_examples=150)
@given(gif=gifs(), order=st.randoms(use_true_random=False))
@pytest.mark.filterwarnings("ignore:.*beyond its canvas:napari_ferry.FerryWarning")
def test_frames_are_composed_as_a_browser_does(tmp_path_factory, gif, order):
    parts, size = gif
    path = tmp_path_factory.mktemp("gif") / "a.gif"
    path.write_bytes(build(parts, size))
    (image,) = imload(path)
    array = image.array if len(parts) > 1 else np.asarray(image.array)[None]
    expected = composed(parts, size)
    np.testing.assert_array_equal(with_alpha(np.asarray(array)), expected)
    if array.shape[-1] == 3:
        assert (expected[..., 3] == 255).all()

    # in any order, with a pickled array
    (again,) = imload(path)
    lazy = pickle.loads(pickle.dumps(again.array))
    for i in order.sample(range(len(parts)), len(parts)):
        frame = lazy[i] if len(parts) > 1 else np.asarray(lazy)
        np.testing.assert_array_equal(with_alpha(frame), expected[i])
    for first in order.sample(range(len(parts)), min(6, len(parts))):
        some = np.empty_like(np.asarray(array)[first : first + order.randint(1, 5)])
        lazy.read.read_into(first, some.reshape(-1, *array.shape[1:]))
        np.testing.assert_array_equal(with_alpha(some), expected[first : first + len(some)])


def test_threads_may_read_at_once(tmp_path):
    frames = movie(40)
    frames[1:, :20] = frames[0, :20]
    path = save(frames, tmp_path / "a.gif")
    (image,) = imload(path)
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(40), 4))
    with ThreadPoolExecutor(4) as pool:
        for i, frame in zip(order, pool.map(image.array.__getitem__, order), strict=True):
            np.testing.assert_array_equal(frame, frames[i])


def count_decodes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counted: list[int] = []
    decode = disposal.read_indices
    monkeypatch.setattr(
        disposal,
        "read_indices",
        lambda file, row: (counted.append(row.start), decode(file, row))[1],
    )
    return counted


def test_sequential_reading_decodes_each_frame_once(tmp_path, monkeypatch):
    frames = movie(50)
    frames[:, :10] = frames[0, :10]
    path = save(frames, tmp_path / "a.gif")
    (image,) = imload(path)
    counted = count_decodes(monkeypatch)
    for i in range(50):
        np.testing.assert_array_equal(image.array[i], frames[i])
    assert len(counted) == len(set(counted)) == 50


def test_every_frame_is_near_an_independent_frame(tmp_path, monkeypatch):
    frames = movie(600, size=(64, 64))
    frames[:, :60] = frames[0, :60]
    monkeypatch.setattr("napari_ferry.saving.stream._TASK_BYTES", 40_000)
    path = save(frames, tmp_path / "a.gif")
    table = scan(path)
    starts, _ = disposal.find_starts(table)
    assert len(np.unique(starts)) > 1
    counted = count_decodes(monkeypatch)
    (image,) = imload(path)
    np.testing.assert_array_equal(image.array[599], frames[599])
    sizes = {row.start: row.stop - row.start for row in map(table.row, range(600))}
    assert sum(sizes[start] for start in counted) < 24 * sizes[table.row(0).start]


def test_composed_frames_are_cached_at_intervals(tmp_path, monkeypatch):
    parts = [Part(np.full((1, 1), k % 8, np.uint8), k % 12, k // 12 % 12) for k in range(400)]
    path = tmp_path / "a.gif"
    path.write_bytes(build(parts, (12, 12)))
    (image,) = imload(path)
    expected = composed(parts, (12, 12))
    np.testing.assert_array_equal(image.array[399], expected[399])
    counted = count_decodes(monkeypatch)
    order = np.random.default_rng(0).permutation(400)
    for i in order:
        np.testing.assert_array_equal(image.array[i], expected[i])
    assert len(counted) <= 8 * 400


def test_memory_of_cached_frames_is_limited(tmp_path, monkeypatch):
    monkeypatch.setattr(disposal, "_CACHE_BYTES", 10 * 12 * 12 * 4)
    parts = [Part(np.full((1, 1), k % 8, np.uint8), k % 12) for k in range(400)]
    path = tmp_path / "a.gif"
    path.write_bytes(build(parts, (12, 12)))
    read = imload(path)[0].array.read
    for i in range(400):
        read(i)
    assert len(read._checkpoints) <= 10


@pytest.mark.parametrize("method", [0, 2, 3])
@pytest.mark.parametrize("transparent", [NO_INDEX, 1])
def test_a_large_canvas_is_composed_in_the_memory_of_three(
    method: int, transparent: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """That before a frame, that after it, and the frame returned; an empty one takes no memory."""
    monkeypatch.setattr(disposal, "_PAINTED_PIXELS", 1000)
    monkeypatch.setattr(disposal, "_CACHE_BYTES", 1)
    size = (600, 800)
    full = np.random.default_rng(0).integers(0, 8, size, np.uint8)
    parts = [Part(full, disposal=method, transparent=transparent) for _ in range(3)]
    parts.insert(1, Part(full[:40, :50], disposal=method, transparent=transparent))
    (tmp_path / "a.gif").write_bytes(build(parts, size))
    read = disposal.FrameComposer(scan(tmp_path / "a.gif"), 4)
    read(0)  # which imports what it takes
    tracemalloc.start()
    for i in range(len(parts)):
        read(i)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < ((3 + 1) * 4 + 1.5) * full.size
