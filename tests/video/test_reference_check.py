"""Pictures of H.264 that no other one depends on."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from h264_pictures import copied, parameters, picture, write_pictures
from napari_ferry import Image, UnreadableFileError, imload
from napari_ferry.codecs.video import decoder
from video_files import H264, change_packet, make_numbered

FRAMES = 120


def levels(frames: np.ndarray) -> list[tuple[int, int]]:
    """Return the gray levels of the first two lines of each frame."""
    return [(int(frame[0, 0]), int(frame[1, 0])) for frame in frames]


def decoded_levels(path: Path) -> list[tuple[int, int]]:
    """Return them as decoded in order from the beginning."""
    with av.open(str(path)) as container:
        return levels(np.stack([f.to_ndarray(format="gray") for f in container.decode(video=0)]))


def movie_of_copies(path: Path, counts: Callable[[int], int]) -> Path:
    """Write a movie in which every fourth frame copies another one; no odd one is needed."""
    frames = [parameters(has_fields=False)]
    for n in range(FRAMES):
        if n % 4 == 2:
            frames.append(copied(number=counts(n), place=2 * n))
        else:
            is_reference = n % 2 == 0
            frames.append(picture(20 + n, number=counts(n), place=2 * n, is_reference=is_reference))
    return write_pictures(path, [frames[:2], *([frame] for frame in frames[2:])])


@pytest.mark.parametrize(
    ("counts", "is_standard"), [(lambda n: (n + 1) // 2, True), (lambda n: n, False)]
)
def test_frames_are_right_if_an_encoder_counts_all_pictures(
    counts: Callable[[int], int],
    is_standard: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = movie_of_copies(tmp_path / "a.mkv", counts)
    truth = decoded_levels(path)
    assert len(set(truth)) > FRAMES // 2
    (image,) = imload(path)
    output: list[int] = []
    monkeypatch.setattr(decoder.Decoder, "_note_damage", lambda s, k, f: output.append(k))
    assert levels(image.array[[118]]) == truth[118:119]
    assert (len(output) < 100) == is_standard
    numbers = [110, 62, 61, 117, 118, 66, 59, 3]
    assert levels(image.array[numbers]) == [truth[i] for i in numbers]


def test_both_fields_of_a_frame_are_decoded_if_each_has_a_packet(tmp_path: Path) -> None:
    """As in a transport stream, where only the first field of a frame has a time."""
    frames: list[list[bytes]] = []
    for n in range(FRAMES):
        number, is_reference = (n + 7) // 8, n % 8 == 0
        frames.append(
            [
                picture(
                    20 + n + 40 * field,
                    number=number,
                    place=2 * n + field,
                    is_reference=is_reference,
                    field=field,
                )
                for field in (0, 1)
            ]
        )
    frames[0].insert(0, parameters(has_fields=True))
    path = write_pictures(tmp_path / "a.ts", frames)
    truth = decoded_levels(path)
    (image,) = imload(path)
    assert image.shape == (FRAMES, 32, 16)
    numbers = [119, 118, 101, 60, 117]
    assert levels(image.array[numbers]) == [truth[i] for i in numbers]


def is_reported(image: Image, number: int) -> bool:
    """Return True if a frame is read with a warning, or is refused."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _ = image.array[number]
        except UnreadableFileError:
            return True
    return bool(caught)


@pytest.mark.parametrize("is_in_order", [True, False])
@pytest.mark.parametrize("is_reference", [True, False])
def test_frames_warn_of_damage_that_they_depend_on(
    is_reference: bool, is_in_order: bool, tmp_path: Path
) -> None:
    """However they are reached."""
    noise = ("-vf", "noise=alls=20:allf=t")
    options = ("-g", "250", "-bf", "3", "-x264-params", "scenecut=0:b-adapt=0")
    whole = make_numbered(tmp_path / "whole.mp4", *noise, *H264, *options)
    with av.open(str(whole)) as container:
        packets = [(packet.pts, bytes(packet)) for packet in container.demux(0) if packet.size]
    of_kind = [k for k, (_, data) in enumerate(packets) if bool(data[4] >> 5 & 3) == is_reference]
    hit = next(k for k in of_kind if k > 30)
    frame = sorted(packets).index(packets[hit])

    path = tmp_path / "a.mp4"
    change_packet(whole, path, hit, lambda data: data[:40] + bytes(8) + data[48:])
    (image,) = imload(path)
    before = {i for i in range(frame + 20) if is_in_order and is_reported(image, i)}
    assert is_reported(image, 110) == is_reference
    assert is_reported(image, frame)
    if is_in_order and not is_reference:
        assert before == {frame}
