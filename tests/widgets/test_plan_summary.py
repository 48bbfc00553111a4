"""Description of an export, without a window."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_ferry import Axis, Image, InvalidImageError, TargetError, plan
from napari_ferry.io.search import codecs
from napari_ferry.saving import Progress
from napari_ferry.signatures import options_of
from napari_ferry.widgets.plan_summary import (
    Request,
    describe_plan,
    describe_progress,
    formats,
    sentence,
)


def movie(count: int = 6) -> Image:
    """Return a movie in gray whose frames are darker on the left than on the right."""
    frames = np.zeros((count, 32, 48), np.uint8) + np.arange(48, dtype=np.uint8) * 5
    frames[:, :, :4] = np.arange(count, dtype=np.uint8)[:, None, None] * 20
    axes = (Axis("t", 0.5, "second"), Axis("y"), Axis("x"))
    return Image((frames,), axes, name="cells", display={"contrast_limits": [0.0, 255.0]})


def request(path: Path, options: dict[str, Any], count: int = 6) -> Request:
    return Request(images=(movie(count),), path=path, options=options)


def test_every_suffix_that_is_saved_has_a_format_and_its_codec():
    offered = [suffix for form in formats() for suffix in form.suffixes]
    assert len(offered) == len(set(offered))
    assert {suffix for codec in codecs() for suffix in codec.SUFFIXES} <= set(offered)
    for form in formats():
        assert all(suffix in form.codec.SUFFIXES for suffix in form.suffixes)
        assert form.title


def test_a_new_codec_is_offered_by_itself(monkeypatch: pytest.MonkeyPatch):
    new = SimpleNamespace(SUFFIXES=(".tif", ".new"), __name__="new")
    monkeypatch.setattr("napari_ferry.widgets.plan_summary.codecs", lambda: [*codecs(), new])
    formats.cache_clear()
    try:
        assert formats()[-1] == (".new", (".new",))
    finally:
        formats.cache_clear()


def test_a_file_is_described_with_its_size_and_the_free_space(tmp_path: Path, monkeypatch: Any):
    planned = plan(movie(), tmp_path / "a.bin")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2_000_000_000))
    headline, details, losses = describe_plan(planned)
    assert headline.startswith("2 files, 9.")
    assert details[0].startswith("a.bin (9.216 kB), a.json (")
    assert details[1] == f"In {tmp_path}, 2 GB free."
    assert losses == planned.losses
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    assert describe_plan(planned).headline.endswith(", but only 1 kB are free on the disk")


def test_of_many_files_the_first_and_the_last_are_named(tmp_path: Path):
    planned = plan(movie(40), tmp_path / "a.tif", size_cap=9e-6)
    assert len(planned.files) > 4
    headline, (names, _), _ = describe_plan(planned)
    assert headline.startswith(f"{len(planned.files)} files, ")
    assert ", ..., " in names
    assert planned.files[-1].path.name in names
    assert planned.files[4].path.name not in names


def test_a_long_name_does_not_fill_the_form(tmp_path: Path):
    headline, *_ = describe_plan(request(tmp_path / f"{'long name ' * 9}.mkv", {}).plan())
    assert headline.startswith("long name long n...e long name .mkv, at most ")


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (None, ("0.6 s", "6 frames at 10 per second.")),
        (30000 / 1001, ("0.2002 s", "6 frames at 29.97 (30000/1001) per second.")),
        (12.5, ("0.48 s", "6 frames at 12.5 per second.")),
    ],
)
def test_length_and_exact_rate_of_a_movie(
    tmp_path: Path, rate: float | None, words: tuple[str, str]
):
    planned = request(tmp_path / "a.mkv", {"frame_rate": rate}).plan()
    headline, details, _ = describe_plan(planned)
    assert headline.startswith("a.mkv, at most ")
    assert (headline.rpartition(", ")[2], details[-1]) == words
    assert describe_plan(planned, 12_000).headline.startswith("a.mkv, about 12 kB, ")
    assert isinstance(planned.frame_rate, Fraction)


def test_a_single_frame_is_one(tmp_path: Path):
    planned = request(tmp_path / "a.gif", {"frame_rate": 4.0}, 1).plan()
    assert describe_plan(planned).details[-1] == "1 frame at 4 per second."


def test_an_invalid_target_is_an_error_before_anything_else(tmp_path: Path):
    with pytest.raises(TargetError, match="does not exist"):
        request(tmp_path / "no" / "a.tif", {}).plan()
    (tmp_path / "a.gif").mkdir()
    with pytest.raises(TargetError, match="is a folder"):
        request(tmp_path / "a.gif", {}).plan()


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
    last = Progress(done=9, total=9, rate=1, seconds_left=0, activity="removing the replaced data")
    assert describe_progress(last) == "Removing the replaced data..."
    assert describe_progress(Progress(done=0, total=0, rate=0, seconds_left=0)).startswith("100 %")


def test_an_error_is_one_sentence():
    assert sentence(InvalidImageError("No\npixels.")) == "No pixels."
    assert "ValueError: a b" in sentence(ValueError("a\n  b"))
    assert sentence(MemoryError()).endswith("(MemoryError).")


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
