"""Frames of several packets: fields of H.264 with a time each."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from h264_pictures import parameters, picture, write_pictures
from napari_ferry import imload

FRAMES = 30


def fields(has_single: bool) -> list[list[bytes]]:
    """Return the packets of frames of two fields, with a frame of one field if requested."""
    packets = []
    for n in range(FRAMES):
        for field in (0,) if has_single and n == 7 else (0, 1):
            level = 20 + n + 40 * field
            reference = n % 8 == 0
            packets.append(
                picture(
                    level, number=(n + 7) // 8, place=2 * n + field, is_reference=reference,
                    field=field,
                )
            )  # fmt: skip
    return [[parameters(has_fields=True), packets[0]], *([packet] for packet in packets[1:])]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts", ".nut"])
def test_two_fields_with_a_time_each_are_one_frame(suffix: str, tmp_path: Path) -> None:
    path = write_pictures(tmp_path / f"a{suffix}", fields(has_single=False))
    with av.open(str(path)) as container:
        truth = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(truth) == FRAMES
    (image,) = imload(path)
    assert image.shape == (FRAMES, 32, 16)
    assert image.axis("t").scale == pytest.approx(2 / 25)
    for i in (0, 29, 12, 1, 2, 15):
        np.testing.assert_array_equal(image.array[i], truth[i])


def test_frames_after_a_field_without_its_other_one_stay_in_place(tmp_path: Path) -> None:
    whole = write_pictures(tmp_path / "whole.mkv", fields(has_single=False))
    path = write_pictures(tmp_path / "a.mkv", fields(has_single=True))
    (image,), (truth,) = imload(path), imload(whole)
    assert image.shape == (FRAMES, 32, 16)
    for i in (6, 8, 29):
        np.testing.assert_array_equal(image.array[i], truth.array[i])
