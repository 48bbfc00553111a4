"""AVI files of cameras: uncompressed samples under many names, and dropped frames."""

from __future__ import annotations

import warnings
from pathlib import Path

import av
import numpy as np
import pytest

from helpers import number_of
from napari_ferry import FerryWarning, imload
from napari_ferry.codecs.video import avi
from video_files import bitmap_rows, make_numbered, write_raw_avi

GRAY = np.arange(6 * 24 * 34, dtype=np.uint8).reshape(6, 24, 34)
COLORS = np.stack([GRAY, 255 - GRAY, GRAY // 2], -1)


@pytest.mark.parametrize("tag", [bytes(4), b"DIB ", b"RGB ", b"RAW "])
@pytest.mark.parametrize("bits", [24, 32])
def test_uncompressed_colors_are_exact(tag: bytes, bits: int, tmp_path: Path) -> None:
    samples = COLORS[..., ::-1]
    if bits == 32:
        samples = np.concatenate([samples, np.zeros_like(samples[..., :1])], -1)
    write_raw_avi(tmp_path / "a.avi", [*map(bitmap_rows, samples)], (24, 34), tag, bits)
    (image,) = imload(tmp_path / "a.avi")
    np.testing.assert_array_equal(image.array, COLORS)


def test_a_varying_fourth_byte_is_left_out_with_a_warning(tmp_path: Path) -> None:
    samples = np.concatenate([COLORS[..., ::-1], GRAY[..., None]], -1)
    write_raw_avi(tmp_path / "a.avi", [*map(bitmap_rows, samples)], (24, 34), bits=32)
    with pytest.warns(FerryWarning, match=r"a\.avi has no transparency by definition"):
        (image,) = imload(tmp_path / "a.avi")
    np.testing.assert_array_equal(image.array, COLORS)


@pytest.mark.parametrize("tag", [bytes(4), b"DIB "])
def test_gray_levels_without_a_palette_are_said_to_be_assumed(tag: bytes, tmp_path: Path) -> None:
    write_raw_avi(tmp_path / "a.avi", [*map(bitmap_rows, GRAY)], (24, 34), tag)
    with pytest.warns(FerryWarning, match=r"a\.avi has no palette"):
        (image,) = imload(tmp_path / "a.avi")
    np.testing.assert_array_equal(image.array, GRAY)


def test_a_palette_is_used(tmp_path: Path) -> None:
    palette = b"".join(bytes((255 - i, 255 - i, 255 - i, 0)) for i in range(256))
    write_raw_avi(tmp_path / "a.avi", [*map(bitmap_rows, GRAY)], (24, 34), palette=palette)
    (image,) = imload(tmp_path / "a.avi")
    np.testing.assert_array_equal(image.array, 255 - GRAY)


@pytest.mark.parametrize(("tag", "bits"), [(b"Y16 ", 16), (b"Y12 ", 12), (b"Y10 ", 10)])
@pytest.mark.parametrize(("width", "row"), [(34, 34), (33, 33), (33, 34)])
def test_gray_words_are_exact(tag: bytes, bits: int, width: int, row: int, tmp_path: Path) -> None:
    gray = np.random.default_rng(0).integers(0, 1 << bits, (6, 24, width)).astype("<u2")
    padded = np.pad(gray, ((0, 0), (0, 0), (0, row - width)))
    frames = [frame.tobytes() for frame in padded]
    write_raw_avi(tmp_path / "a.avi", frames, (24, width), tag, 16)
    (image,) = imload(tmp_path / "a.avi")
    assert image.dtype == np.uint16
    np.testing.assert_array_equal(image.array, gray)
    assert image.display.get("contrast_limits") == ([0, (1 << bits) - 1] if bits < 16 else None)
    np.testing.assert_array_equal(image.array[4], gray[4])


def test_dropped_frames_are_not_called_damage(tmp_path: Path) -> None:
    frames = [b"" if k in (2, 5) else frame.tobytes() for k, frame in enumerate(GRAY)]
    write_raw_avi(tmp_path / "a.avi", frames, (24, 34), b"Y800")
    with pytest.warns(FerryWarning, match=r"has 6 frames, of which its recorder dropped 2") as told:
        (image,) = imload(tmp_path / "a.avi")
    assert not any("damage" in str(warning.message) for warning in told)
    np.testing.assert_array_equal(image.array, GRAY[[0, 1, 3, 4]])
    assert np.round(np.array(image.metadata["timestamps"]) * 25).tolist() == [0, 1, 3, 4]


def _packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


_PLACEHOLDER = b"\0\0\1\xb6\x52\x40\0"
"""A picture of MPEG-4 part 2 that is not coded: it follows two frames in one chunk."""


def _packed(packets: list[bytes]) -> list[bytes]:
    """Return the chunks of a packed bitstream: each B-frame together with the frame before."""
    chunks: list[bytes] = []
    for packet in packets:
        is_b_frame = packet[packet.index(b"\0\0\1\xb6") + 4] >> 6 == 2
        chunks[-1:] = [chunks[-1] + packet, _PLACEHOLDER] if is_b_frame else [*chunks[-1:], packet]
    return chunks


@pytest.mark.parametrize("leading", [0, 1, 2])
@pytest.mark.parametrize("is_packed", [False, True])
def test_the_delay_of_an_encoder_is_not_called_dropped_frames(
    leading: int, is_packed: bool, tmp_path: Path
) -> None:
    options = ("-c:v", "mpeg4", "-bf", "1", "-q:v", "3", "-pix_fmt", "yuv420p")
    packets = _packets(make_numbered(tmp_path / "whole.avi", *options, frames=24))
    chunks = [b""] * leading + (_packed(packets) if is_packed else packets)
    write_raw_avi(tmp_path / "a.avi", chunks, (64, 160), b"XVID", 24)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (image,) = imload(tmp_path / "a.avi")
        assert [number_of(frame) for frame in image.array] == list(range(24))


def test_empty_chunks_of_an_encoder_are_reported_without_a_recorder(tmp_path: Path) -> None:
    options = ("-c:v", "mpeg4", "-bf", "1", "-q:v", "3", "-pix_fmt", "yuv420p")
    packets = _packets(make_numbered(tmp_path / "whole.avi", *options, frames=24))
    write_raw_avi(tmp_path / "a.avi", [*packets[:18], b"", *packets[18:]], (64, 160), b"XVID", 24)
    with pytest.warns(FerryWarning, match=r"has 1 empty chunks between its 24 frames, for frames"):
        (image,) = imload(tmp_path / "a.avi")
    assert image.shape[0] == 24


def test_a_cut_off_file_with_dropped_frames_is_damaged(tmp_path: Path) -> None:
    frames = [b"" if k == 2 else frame.tobytes() for k, frame in enumerate(GRAY)]
    path = write_raw_avi(tmp_path / "a.avi", frames, (24, 34), b"Y800")
    assert avi.find_empty_chunks(path, 0) == [2]
    path.write_bytes(path.read_bytes()[:4000])
    assert avi.find_empty_chunks(path, 0) is None
    with pytest.warns(FerryWarning, match=r"a\.avi is damaged: .* 4 frames are whole"):
        imload(path)


def test_only_the_header_is_patched(tmp_path: Path) -> None:
    frames = [frame.tobytes() for frame in GRAY.astype("<u2")]
    path = write_raw_avi(tmp_path / "a.avi", frames, (24, 34), b"Y16 ", 16)
    patch = avi.find_patch(path)
    assert patch is not None
    with avi.PatchedAvi(path, patch) as file:
        patched = b"".join(iter(lambda: file.read(7), b""))
    assert patched == path.read_bytes().replace(b"Y16 ", b"RV16")


def test_ordinary_files_are_not_patched(tmp_path: Path) -> None:
    path = write_raw_avi(tmp_path / "a.avi", [f.tobytes() for f in GRAY], (24, 34), b"Y800")
    assert avi.find_patch(path) is None
    assert avi.find_patch(tmp_path / "missing.avi") is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert imload(path)[0].shape == GRAY.shape
