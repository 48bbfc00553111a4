"""Reading of GIF files as images: axes, comments, damage, and real files."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from gif_files import COLORS, Part, build, movie, save, sha256_of, with_alpha
from helpers import SHARED, entry_id, read_corpus
from napari_ferry import imload
from napari_ferry.codecs.gif.data_blocks import split_blocks
from napari_ferry.codecs.gif.frame_encoder import compress
from napari_ferry.codecs.gif.scan import scan
from napari_ferry.errors import FerryError, FerryWarning, UnreadableFileError


@pytest.mark.parametrize(
    ("colors", "axes"), [([[9, 9, 9], [200, 200, 200]], "tyx"), ([[9, 9, 9], [200, 0, 9]], "tyxs")]
)
def test_gray_files_have_no_color_axis(colors, axes, tmp_path):
    images = [PillowImage.new("P", (4, 3), k) for k in (0, 1)]
    for image in images:
        image.putpalette(np.array(colors, np.uint8).tobytes())
    path = tmp_path / "a.gif"
    images[0].save(path, save_all=True, append_images=images[1:])
    assert "".join(imload(path)[0].axis_names) == axes


def test_unused_transparency_is_not_a_channel(tmp_path):
    full = Part(np.ones((2, 2), np.uint8), transparent=0)
    holed = Part(np.eye(2, dtype=np.uint8), transparent=0)
    path = tmp_path / "a.gif"
    path.write_bytes(build([full, holed]))
    assert imload(path)[0].shape == (2, 2, 2, 3)
    path.write_bytes(build([holed, full]))
    assert imload(path)[0].shape == (2, 2, 2, 4)


def test_an_error_names_the_damaged_frame(tmp_path):
    data = build([Part(np.zeros((2, 2), np.uint8))], tail=b"")
    bad = build([Part(np.zeros((2, 2), np.uint8))])[len(COLORS.tobytes()) + 13 :]
    start = bad.index(b"\x2c") + 10
    path = tmp_path / "a.gif"
    path.write_bytes(data + bad[:start] + b"\x03\x02\xff\xff\0;")
    (image,) = imload(path)
    assert image.array[0].shape == (2, 2, 3)
    with pytest.raises(UnreadableFileError, match="Frame 1 of"):
        image.array[1]


def test_an_error_names_a_damaged_first_frame(tmp_path):
    """None of the frames before it can be opened, as there is none."""
    data = build([Part(np.zeros((2, 2), np.uint8))] * 2)
    start = data.index(b"\x2c", len(COLORS.tobytes()) + 13) + 10
    (tmp_path / "a.gif").write_bytes(data[:start] + b"\x03\x02\xff\xff\0" + data[start + 5 :])
    (image,) = imload(tmp_path / "a.gif")
    with pytest.raises(UnreadableFileError, match=r"Frame 0 of \S*a\.gif is damaged") as refused:
        image.array[0]
    assert str(refused.value).endswith("that depend on it: get a complete copy of the file.")


def test_missing_pixels_are_reported(tmp_path):
    whole = build([Part(np.ones((4, 4), np.uint8))], (4, 4))
    path = tmp_path / "a.gif"
    codes, fewer = (compress(np.ones((rows, 4), np.uint8)) for rows in (4, 2))
    path.write_bytes(whole.replace(codes, fewer))
    (image,) = imload(path)
    with pytest.warns(FerryWarning, match="Frame 0 of .* has 8 missing or undecodable pixels"):
        pixels = np.asarray(image.array)
    np.testing.assert_array_equal(pixels[:2, :, :3], np.broadcast_to(COLORS[1], (2, 4, 3)))


def test_a_deleted_file_is_reported(tmp_path):
    path = save(movie(3), tmp_path / "a.gif")
    (image,) = imload(path)
    path.unlink()
    with pytest.raises(UnreadableFileError, match=r"a\.gif"):
        image.array[1]


def test_comments_are_preserved(tmp_path):
    data = build([Part(np.zeros((2, 2), np.uint8))])
    path = tmp_path / "a.gif"
    path.write_bytes(data[:-1] + b"!\xfe" + split_blocks(b"made " * 100) + b";")
    assert imload(path)[0].metadata == {"gif": {"comment": "made " * 100}}


CORPUS = read_corpus("gif", lambda entry: True)


def digest_of(frames: NDArray[Any]) -> str:
    return hashlib.sha256("".join(map(sha256_of, frames)).encode()).hexdigest()


def background_of(path: Path) -> NDArray[np.uint8]:
    """Return the background color in the header; browsers do not show it."""
    data = path.read_bytes()
    at = 13 + 3 * data[11]
    return np.array([*data[at : at + 3], 255], np.uint8)


@pytest.mark.sample(8)
@pytest.mark.parametrize("entry", CORPUS, ids=entry_id)
def test_real_files_open_with_the_recorded_frames_or_a_clean_error(entry):
    path, expect = SHARED / "corpus" / entry["file"], entry["expect"]
    pixels, problem = None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FerryWarning)
        try:
            (image,) = imload(path)
            pixels = np.asarray(image.array)
        except FerryError as error:
            problem = str(error)
    if not isinstance(expect, dict):
        may_read = "ok" in expect or "disagree" in expect or ("clean error" in expect or caught)
        assert len(problem) > 20 or (may_read and expect != "error")
        assert not problem or "disagree" not in expect
        return
    assert pixels is not None, problem
    frames = pixels if "t" in image.axis_names else pixels[None]
    if not image.is_rgb:
        frames = frames[..., None].repeat(3, -1)
    frames = with_alpha(frames)
    assert len(frames) == expect["frames"]
    assert frames.shape[2:0:-1] == tuple(expect["size_wh"])
    table = scan(path)
    times = expect["durations_ms_chromium"] or expect["durations_ms_pillow"]
    assert (table.column("delay") * 10).tolist() == times
    if "chromium" not in expect["agree"]:  # the other programs add a background color
        frames = np.where(frames[..., 3:] > 0, frames, background_of(path))
    assert digest_of(frames) == expect["frames_digest"]
