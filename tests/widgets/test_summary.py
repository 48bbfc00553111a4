"""Description and preview of an export, without a window."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_ferry import Axis, Image, InvalidImageError, TargetError, plan
from napari_ferry.io import codecs
from napari_ferry.saving import Progress
from napari_ferry.signatures import options_of
from napari_ferry.widgets.summary import (
    Request,
    describe_plan,
    describe_progress,
    formats,
    preview,
    sentence,
)


def movie(count: int = 6) -> Image:
    """Return a movie in gray whose frames are darker on the left than on the right."""
    frames = np.zeros((count, 32, 48), np.uint8) + np.arange(48, dtype=np.uint8) * 5
    frames[:, :, :4] = np.arange(count, dtype=np.uint8)[:, None, None] * 20
    axes = (Axis("t", 0.5, "second"), Axis("y"), Axis("x"))
    return Image((frames,), axes, name="cells", display={"contrast_limits": [0.0, 255.0]})


def test_every_suffix_that_is_saved_has_a_format_and_its_codec():
    offered = [suffix for form in formats() for suffix in form.suffixes]
    assert len(offered) == len(set(offered))
    assert {suffix for codec in codecs() for suffix in codec.SUFFIXES} <= set(offered)
    for form in formats():
        assert all(suffix in form.codec.SUFFIXES for suffix in form.suffixes)
        assert form.title


def test_a_new_codec_is_offered_by_itself(monkeypatch: pytest.MonkeyPatch):
    new = SimpleNamespace(SUFFIXES=(".tif", ".new"), __name__="new")
    monkeypatch.setattr("napari_ferry.widgets.summary.codecs", lambda: [*codecs(), new])
    formats.cache_clear()
    try:
        assert formats()[-1] == (".new", (".new",))
    finally:
        formats.cache_clear()


def test_a_file_is_described_with_its_size_and_the_free_space(tmp_path: Path, monkeypatch: Any):
    planned = plan(movie(), tmp_path / "a.bin")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2_000_000_000))
    (line,) = describe_plan(planned)
    assert line.startswith("2 files, ")
    assert "a.bin (9.216 kB), a.json (" in line
    assert line.endswith("; 2 GB free on the disk.")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    assert describe_plan(planned)[0].endswith("; only 1 kB free on the disk.")


def test_of_many_files_the_first_and_the_last_are_named(tmp_path: Path):
    planned = plan(movie(40), tmp_path / "a.tif", size_cap=9e-6)
    assert len(planned.files) > 4
    (line,) = describe_plan(planned)
    assert line.startswith(f"{len(planned.files)} files, ")
    assert ", ..., " in line
    assert planned.files[-1].path.name in line
    assert planned.files[4].path.name not in line


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (None, "6 frames at 10 per second: 0.6 s."),
        (30000 / 1001, "6 frames at 29.97 (30000/1001) per second: 0.2002 s."),
        (12.5, "6 frames at 12.5 per second: 0.48 s."),
    ],
)
def test_length_and_exact_rate_of_a_movie(tmp_path: Path, rate: float | None, words: str):
    planned = Request((movie(),), tmp_path / "a.mkv", {"frame_rate": rate}).plan()
    first, second = describe_plan(planned)
    assert first.startswith("a.mkv, at most ")
    assert second == words
    assert isinstance(planned.frame_rate, Fraction)


def test_a_single_frame_is_one(tmp_path: Path):
    planned = Request((movie(1),), tmp_path / "a.gif", {"frame_rate": 4.0}).plan()
    assert describe_plan(planned)[1] == "1 frame at 4 per second: 0.25 s."


def test_an_invalid_target_is_an_error_before_anything_else(tmp_path: Path):
    with pytest.raises(TargetError, match="does not exist"):
        Request((movie(),), tmp_path / "no" / "a.tif", {}).plan()
    (tmp_path / "a.gif").mkdir()
    with pytest.raises(TargetError, match="is a folder"):
        Request((movie(),), tmp_path / "a.gif", {}).plan()


@pytest.mark.parametrize(
    ("done", "left", "words"),
    [
        (250, 4.2, "25 %, 1.5 MB/s, 5 s left"),
        (1000, 0, "100 %, 1.5 MB/s, 0 s left"),
        (0, float("inf"), "0 %, 1.5 MB/s"),
        (0, 8000, "0 %, 1.5 MB/s, 2 h 14 min left"),
    ],
)
def test_progress_in_words(done: int, left: float, words: str):
    assert (
        describe_progress(Progress(done=done, total=1000, rate=1_500_000, seconds_left=left))
        == words
    )


def test_progress_without_bytes_is_complete():
    assert describe_progress(Progress(done=0, total=0, rate=0, seconds_left=0)).startswith("100 %")


def test_an_error_is_one_sentence():
    assert sentence(InvalidImageError("No\npixels.")) == "No pixels."
    assert "ValueError: a b" in sentence(ValueError("a\n  b"))
    assert sentence(MemoryError()).endswith("(MemoryError).")


@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".mkv"])
def test_a_preview_shows_the_requested_frame(tmp_path: Path, suffix: str):
    request = Request((movie(),), tmp_path / f"a{suffix}", {"frame_rate": 5.0})
    shown = preview(request, 4).astype(int)
    assert shown.shape[:2] == (32, 48)
    gray = shown if shown.ndim == 2 else shown.mean(-1)
    error = np.abs(gray - movie().array[4])
    assert error.mean() < 2
    assert abs(gray[16, 1] - 80) < 8
    assert not list(tmp_path.iterdir())


def test_a_preview_of_a_gif_has_its_palette(tmp_path: Path):
    request = Request((movie(),), tmp_path / "a.gif", {"colors": 4, "frame_rate": None})
    assert len(np.unique(preview(request, 0))) <= 4
    all_of_them = preview(Request((movie(),), tmp_path / "a.gif", {}), 0)
    assert len(np.unique(all_of_them)) > 40


def test_a_preview_is_rendered_with_the_options(tmp_path: Path):
    plain = preview(Request((movie(),), tmp_path / "a.mkv", {}), 0)
    larger = preview(Request((movie(),), tmp_path / "a.mkv", {"scale": 4.0, "start": 3}), 0)
    assert larger.shape[:2] == (4 * plain.shape[0], 4 * plain.shape[1])
    assert abs(int(np.asarray(larger)[64, 4].max()) - 60) <= 1


def test_a_preview_of_a_single_picture(tmp_path: Path):
    still = Image.from_array(movie().array[2], "yx")
    assert preview(Request((still,), tmp_path / "a.gif", {}), 0).shape[:2] == (32, 48)


def test_a_preview_fails_as_the_export_does(tmp_path: Path):
    with pytest.raises(InvalidImageError):
        preview(Request((movie(),), tmp_path / "a.gif", {"stop": 9}), 0)


def test_options_come_from_signature_and_docstring():
    def function(
        path: str, *, size: int | None = None, words: str = "a", exact: bool = False
    ) -> None:
        """Do it.

        Parameters
        ----------
        path : str
            Where.
        size : int, optional
            How large; None for all.
        words : str
            What is ``said``. And more.
        exact : bool
            Whether
            exactly.
        """

    size, words, exact = options_of([function, function])
    assert (size.name, size.kind, size.is_optional, size.help) == ("size", int, True, "How large")
    assert (words.kind, words.default, words.help) == (str, "a", "What is said")
    assert (exact.kind, exact.is_optional, exact.default) == (bool, False, False)


def test_every_option_of_every_format_is_explained():
    for form in formats():
        for option in options_of([form.codec.plan]):
            assert option.help, (form.title, option.name)
