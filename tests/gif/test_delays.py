"""Display times of frames, in hundredths of a second."""

from __future__ import annotations

import itertools
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import napari_ferry
from gif_files import Part, build, movie, read_with_pillow, save
from napari_ferry import imload, load_gif
from napari_ferry.codecs.gif.delays import frame_delays
from napari_ferry.image import Axis

plan = partial(napari_ferry.plan, as_seen=False)


@given(rate=st.fractions(Fraction(1, 600), 50, max_denominator=1001), count=st.integers(1, 300))
def test_delays_add_up_to_the_duration(rate, count):
    delays = list(frame_delays(rate, count))
    assert len(delays) == count
    assert min(delays) >= 2
    starts = [0, *itertools.accumulate(delays)]
    assert all(abs(start - k * 100 / rate) <= Fraction(1, 2) for k, start in enumerate(starts))


@pytest.mark.parametrize("rate", [29.97, 30, 15, 7, 50, 24, 12.5])
def test_other_programs_see_the_times(rate, tmp_path):
    path = save(movie(12), tmp_path / "a.gif", frame_rate=rate)
    _, times = read_with_pillow(path)
    assert sum(times) == pytest.approx(12000 / rate, abs=5)
    assert not plan(movie(12), path, frame_rate=rate).losses


def test_more_than_50_frames_per_second_are_reported_as_a_loss(tmp_path):
    (loss,) = plan(movie(2), tmp_path / "a.gif", frame_rate=120).losses
    assert loss == (
        "120 frames per second become 50, the most that browsers play: every frame is kept and "
        "the movie plays 2.4 times slower; to keep its playback speed, save every 3rd frame, "
        "images[::3], with frame_rate=40"
    )
    frames = movie(7)
    path = save(frames, tmp_path / "a.gif", frame_rate=120)
    assert read_with_pillow(path)[1] == [20] * 7
    np.testing.assert_array_equal(load_gif(path), frames)


def test_a_frame_of_an_hour_is_reported_as_a_loss(tmp_path):
    (loss,) = plan(movie(2), tmp_path / "a.gif", frame_rate=1 / 3600).losses
    assert "3600 s" in loss
    assert list(frame_delays(Fraction(1, 3600), 2)) == [65535, 65535]


def test_uneven_times_are_in_the_metadata(tmp_path):
    path = tmp_path / "a.gif"
    delays = [33, 15, 4, 100]
    path.write_bytes(
        build([Part(np.full((2, 2), k, np.uint8), delay=d) for k, d in enumerate(delays)])
    )
    (image,) = imload(path)
    assert image.metadata["delays"] == [0.33, 0.15, 0.04, 1.0]
    assert image.axis("t") == Axis("t", 0.38, "second")


@pytest.mark.parametrize(("delay", "axis"), [(0, Axis("t")), (5, Axis("t", 0.05, "second"))])
def test_even_times_are_a_scale(delay, axis, tmp_path):
    path = tmp_path / "a.gif"
    path.write_bytes(build([Part(np.full((2, 2), k, np.uint8), delay=delay) for k in range(3)]))
    (image,) = imload(path)
    assert image.axis("t") == axis
    assert image.metadata == {}
