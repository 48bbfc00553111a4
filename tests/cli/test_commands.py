"""Command line: its output, its files and its exit status."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from faults import CAP, contents, fork, leftovers, movie, names, version_of
from napari_ferry import Axis, Channel, Image, imload, imsave
from napari_ferry.cli import main

COMMAND = Path(sysconfig.get_path("scripts")) / "napari-ferry"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process; return exit status, output and errors."""

    def command(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return command


def assert_refused(result: tuple[int, str, str], words: str) -> None:
    """The exit status is 1 and the only output is one sentence."""
    status, out, err = result
    assert status == 1
    assert out == ""
    assert re.fullmatch(rf"napari-ferry: [^\n]*{words}[^\n]*\.\n", err), err


def stack() -> Image:
    """Return a calibrated stack of two channels."""
    axes = (
        Axis("t", 0.5, "second"),
        Axis("c"),
        Axis("y", 0.25, "micrometer"),
        Axis("x", 0.25, "micrometer"),
    )
    pixels = np.random.default_rng(0).integers(0, 999, (5, 2, 16, 20), np.uint16)
    return Image((pixels,), axes, (Channel("GFP"), Channel("RFP")), "cells")


# --- info -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cells.tif", "cells.ome.tif", "cells.bin"])
def test_info_describes_the_images_of_a_file(name: str, run: Run, tmp_path: Path):
    (path, *_) = imsave(stack(), tmp_path / name)
    status, out, err = run("info", path)
    assert (status, err) == (0, "")
    lines = {key.strip(): value.strip() for key, _, value in map(_parts, out.splitlines()[1:])}
    assert lines["image 0"] == "cells"
    assert lines["shape"] == "5 x 2 x 16 x 20"
    assert lines["axes"] == "t c y x"
    assert lines["dtype"] == "uint16"
    assert lines["scale"] == ("t 0.5 second, c 1 pixel, y 0.25 micrometer, x 0.25 micrometer")
    assert lines["frame rate"] == "2 per second"
    assert lines["channels"] == "GFP, RFP"
    assert lines["pixels"] == "6.4 kB"
    assert name == "cells.bin" or "napari-ferry" in lines["written by"]


def _parts(line: str) -> tuple[str, str, str]:
    return line.partition(":")


def test_info_of_several_images_and_of_a_folder(run: Run, tmp_path: Path):
    imsave([stack(), movie(1)], tmp_path / "both.tif")
    for path in (tmp_path / "both.tif", tmp_path):
        status, out, _ = run("info", path)
        assert status == 0
        assert "image 0: cells" in out
        assert "image 1: v1" in out


def test_info_reports_assumptions(run: Run, tmp_path: Path):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((5, 16, 20), np.uint8), metadata=None)
    status, out, _ = run("info", tmp_path / "plain.tif")
    assert status == 0
    assert "assumed:" in out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.tif", "is not there"),
        ("notes.txt", r"ends in \.txt"),
        ("text.tif", "text.tif"),
        ("raw.bin", "raw.bin has no sidecar"),
        ("empty", "holds no files"),
    ],
)
def test_info_refuses_in_one_sentence(name: str, words: str, run: Run, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    for other in ("notes.txt", "text.tif", "raw.bin"):
        (tmp_path / other).write_text("no image")
    assert_refused(run("info", tmp_path / name), words)


# --- convert ----------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["cells.tif", "cells.ome.tif", "cells.bin"])
@pytest.mark.parametrize("target", ["new.tif", "new.ome.tif", "new.raw"])
def test_convert_keeps_everything(source: str, target: str, run: Run, tmp_path: Path):
    (path, *_) = imsave(stack(), tmp_path / source)
    status, out, err = run("convert", path, tmp_path / target)
    assert (status, err) == (0, "")
    assert out.startswith(f"{tmp_path / target}: ")
    (image,) = imload(tmp_path / target)
    assert np.array_equal(np.asarray(image.array), stack().array)
    assert (image.name, image.axes, image.channels) == (
        "cells",
        stack().axes,
        stack().channels,
    )


def test_convert_with_a_size_cap(run: Run, tmp_path: Path):
    imsave(movie(1), tmp_path / "movie.bin")
    status, out, _ = run("convert", tmp_path / "movie.bin", tmp_path / "new.tif", "--size-cap", CAP)
    assert status == 0
    parts = [tmp_path / f"new_0000{i}.tif" for i in range(3)]
    assert [line.partition(": ")[0] for line in out.splitlines()] == list(map(str, parts))
    assert all(part.stat().st_size < CAP * 1e9 for part in parts)
    assert version_of(parts[1]) == 1
    assert run("convert", parts[0], tmp_path / "whole.tif", "--size-cap", "none")[0] == 0
    assert version_of(tmp_path / "whole.tif") == 1


@pytest.mark.parametrize("words", [
    ("--workers", 2, "IN", "OUT", "--size-cap", 1),
    ("IN", "--size-cap", "1", "OUT"),
    ("--size-cap=1", "IN", "--axes", "tyx", "OUT"),
    ("IN", "--size", "1", "--overwrite", "OUT"),
])  # fmt: skip
def test_options_may_be_in_any_order(words: tuple[object, ...], run: Run, tmp_path: Path):
    imsave(movie(1), tmp_path / "movie.bin")
    places = {"IN": tmp_path / "movie.bin", "OUT": tmp_path / "new.tif"}
    status, _, err = run("convert", *(places.get(word, word) for word in words))
    assert (status, err) == (0, "")
    assert version_of(tmp_path / "new.tif") == 1


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--size-cap", "0", "size cap"),
        ("--size-cap", "nan", "size cap"),
        ("--workers", "0", "worker"),
    ],
)
def test_an_impossible_value_is_refused(
    flag: str, value: str, words: str, run: Run, tmp_path: Path
):
    imsave(movie(1), tmp_path / "movie.bin")
    result = run("convert", tmp_path / "movie.bin", tmp_path / "new.tif", flag, value)
    assert_refused(result, words)
    assert names(tmp_path) == ["movie.bin", "movie.json"]


def test_a_value_of_another_type_is_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit, match="2"):
        run("convert", "a.bin", tmp_path / "new.tif", "--size-cap", "much")
    assert "--size-cap: invalid float or none value: 'much'" in capsys.readouterr().err


def test_info_of_a_sidecar(run: Run, tmp_path: Path):
    imsave(stack(), tmp_path / "cells.bin")
    status, out, err = run("info", tmp_path / "cells.json")
    assert (status, err) == (0, "")
    assert "5 x 2 x 16 x 20" in out


def test_convert_with_other_axes(run: Run, tmp_path: Path):
    imsave(movie(1), tmp_path / "movie.tif")
    arguments = ("convert", tmp_path / "movie.tif", tmp_path / "new.tif")
    assert run(*arguments, "--axes", "ZYX")[0] == 0
    assert imload(tmp_path / "new.tif")[0].axis_names == ("z", "y", "x")
    assert_refused(run(*arguments, "--axes", "tzyx", "--overwrite"), "name one axis for each")


def test_convert_one_of_several_images(run: Run, tmp_path: Path):
    source, target = tmp_path / "both.tif", tmp_path / "one.bin"
    imsave([stack(), movie(1)], source)
    assert_refused(run("convert", source, target), "raw file holds one image.*--image N")
    assert run("convert", source, target, "--image", 1)[0] == 0
    assert version_of(target) == 1
    assert_refused(run("convert", source, tmp_path / "x.bin", "--image", 2), "holds 2 images")


def test_convert_replaces_only_with_overwrite(run: Run, tmp_path: Path):
    imsave(movie(1), tmp_path / "old.tif")
    imsave(movie(2), tmp_path / "movie.bin")
    arguments = ("convert", tmp_path / "movie.bin", tmp_path / "old.tif")
    assert_refused(run(*arguments), "old.tif in .* would be replaced")
    assert version_of(tmp_path / "old.tif") == 1
    assert run(*arguments, "--overwrite", "--workers", 2)[0] == 0
    assert version_of(tmp_path / "old.tif") == 2


def test_the_frame_rate_of_a_movie_is_reported(run: Run, tmp_path: Path):
    axes = (Axis("t", 30, "s"), Axis("y"), Axis("x"))
    imsave(Image((np.zeros((4, 8, 8), "u1"),), axes), tmp_path / "slow.tif")
    _, out, _ = run("info", tmp_path / "slow.tif")
    assert "as a movie:   plays at 10 per second, 300 x real time" in out
    _, _, err = run("convert", tmp_path / "slow.tif", tmp_path / "a.gif")
    assert (
        "napari-ferry: note: lost or assumed: the movie plays at 10 per second, 300 x real time\n"
        in err
    )
    for option in (("--frame-rate", 2), ("--speed", 60)):
        _, _, err = run(
            "convert", tmp_path / "slow.tif", tmp_path / "a.gif", "--overwrite", *option
        )
        assert err == ""
    imsave(np.zeros((4, 8, 8), "u1"), tmp_path / "unknown.tif")
    _, out, _ = run("info", tmp_path / "unknown.tif")
    assert "as a movie:   plays at 10 per second, which is assumed" in out


def test_convert_reports_losses(run: Run, tmp_path: Path):
    imsave(np.ones((2, 8, 8), bool), tmp_path / "mask.bin")
    status, _, err = run("convert", tmp_path / "mask.bin", tmp_path / "mask.tif")
    assert status == 0
    assert err == (
        "napari-ferry: note: lost or assumed: bool samples are stored as 0 and 1 of uint8; "
        "napari-ferry opens them as bool\n"
    )


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("new.jpg", r"ends in \.jpg"),
        ("movie.bin/new.tif", "movie.bin is a file, not a folder"),
        ("folder.tif", "is a folder"),
    ],
)
def test_convert_refuses_in_one_sentence(target: str, words: str, run: Run, tmp_path: Path):
    (tmp_path / "folder.tif").mkdir()
    imsave(movie(1), tmp_path / "movie.bin")
    before = names(tmp_path)
    assert_refused(run("convert", tmp_path / "movie.bin", tmp_path / target), words)
    assert names(tmp_path) == before


def test_convert_makes_folders_and_a_store_without_suffix(run: Run, tmp_path: Path):
    imsave(movie(1), tmp_path / "movie.bin")
    target = tmp_path / "new" / "movie"
    status, _, _ = run("convert", tmp_path / "movie.bin", target, "--compression", "lz4")
    assert status == 0
    assert names(target.parent) == ["movie.ome.zarr"]


def test_options_of_another_format_are_refused(run: Run, tmp_path: Path):
    imsave(movie(1), tmp_path / "movie.tif")
    with pytest.raises(SystemExit, match="2"):
        run("convert", tmp_path / "movie.tif", tmp_path / "new.bin", "--size-cap", "1")


_CONVERT_SLOWLY = """
import sys, time
from napari_ferry.cli import convert, main
from faults import lazy_movie
def read(i):
    if i == 1:
        print("reading", flush=True)
    time.sleep(0.05)
convert.imload = lambda *_, **__: [lazy_movie(2, read, frames=200)]
sys.exit(main(sys.argv[1:]))
"""


SIGNALS = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}
each_signal = pytest.mark.parametrize(
    ("number", "status", "word"),
    [(number, *said) for number, said in SIGNALS.items()],
    ids=[number.name for number in SIGNALS],
)


@pytest.mark.sample(3)
@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process at once")
@each_signal
@pytest.mark.parametrize("name", ["old.tif", "old.ome.tif", "old.bin", "old.gif", "old.mp4"])
def test_a_signal_cancels_a_conversion(
    number: signal.Signals, status: int, word: str, name: str, tmp_path: Path
):
    imsave(np.full((3, 16, 16), 1, np.uint8), tmp_path / name)
    old = contents(tmp_path)
    with fork(_CONVERT_SLOWLY, "convert", "x.tif", tmp_path / name, "--overwrite") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "reading\n"
        child.send_signal(number)
        _, err = child.communicate()
    assert child.returncode == status, err
    assert err.splitlines()[-1] == f"napari-ferry: {word}; existing files are unchanged."
    assert contents(tmp_path) == old
    assert not leftovers(tmp_path)


_INTERRUPT_MOVES = """
import os, sys
from napari_ferry import imsave
from napari_ferry.cli import main
from faults import movie
source, target, is_done, *at = sys.argv[1:]
count, replace = 0, os.replace
def interrupted(*paths):
    global count
    count += 1
    if is_done == "after" or str(count) not in at:
        replace(*paths)
    if str(count) in at:
        raise KeyboardInterrupt
os.replace = interrupted
sys.exit(main(["convert", source, target, "--overwrite"]))
"""


def test_an_interrupt_after_the_save_says_that_it_was_saved(tmp_path: Path):
    imsave(movie(2), tmp_path / "source.bin")
    paths = (tmp_path / "source.bin", tmp_path / "a.tif")
    with fork(_INTERRUPT_MOVES, *paths, "after", 1) as child:
        _, err = child.communicate()
    assert child.returncode == 130, err
    assert err.splitlines()[-1] == "napari-ferry: interrupted; a.tif was saved before."
    assert version_of(tmp_path / "a.tif") == 2


@pytest.mark.leaves_partial
def test_a_second_interrupt_is_not_said_to_change_nothing(tmp_path: Path):
    imsave(movie(1), tmp_path / "a.bin")
    imsave(movie(2), tmp_path / "source.tif")
    paths = (tmp_path / "source.tif", tmp_path / "a.bin")
    with fork(_INTERRUPT_MOVES, *paths, "before", 2, 3) as child:
        _, err = child.communicate()
    assert child.returncode == 130, err
    *_, warning, end = err.splitlines()
    assert "A save of a.bin was stopped while its files were moved in place: the new" in warning
    assert end == (
        "napari-ferry: interrupted; the save was stopped while its files were moved in place."
    )


_OPEN_SLOWLY = """
import sys, time
from napari_ferry.cli import info, main
def read(_):
    print("reading", flush=True)
    time.sleep(20)
info.imload = read
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process at once")
@each_signal
def test_a_signal_ends_the_opening_of_a_file(
    number: signal.Signals, status: int, word: str, tmp_path: Path
):
    with fork(_OPEN_SLOWLY, "info", tmp_path / "x.tif") as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "reading\n"
        child.send_signal(number)
        _, err = child.communicate()
    assert (child.returncode, err) == (
        status,
        f"napari-ferry: {word}; existing files are unchanged.\n",
    )


_CONVERT_PARTS_SLOWLY = """
import sys, time
from napari_ferry.cli import convert, main
from faults import lazy_movie
def read(i):
    if i == 4:
        print("reading", flush=True)
        sys.stdin.readline()
        time.sleep(0.5)  # the signal that was sent before the line arrives first
convert.imload = lambda *_, **__: [lazy_movie(1, read)]
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process at once")
@pytest.mark.leaves_partial
@each_signal
def test_a_signal_keeps_complete_parts_to_resume(
    number: signal.Signals, status: int, word: str, tmp_path: Path
):
    cap = ("--size-cap", CAP + 400e-9 * 6, "--workers", 1)
    target = tmp_path / "movie.tif"
    with fork(_CONVERT_PARTS_SLOWLY, "convert", "x.tif", target, *cap) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "reading\n"
        child.send_signal(number)
        child.communicate("\n")
    assert child.returncode == status, word
    (folder,) = leftovers(tmp_path)
    assert {"new-0.tif", "new-1.tif"} <= set(names(tmp_path / folder))


def test_signals_are_handled_as_before_after_a_command(run: Run, tmp_path: Path):
    before = signal.getsignal(signal.SIGTERM)
    run("info", tmp_path / "missing.tif")
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_command_runs_in_another_thread(tmp_path: Path):
    """Only the main thread handles signals."""
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(main, ["info", str(tmp_path / "missing.tif")]).result() == 1


def test_the_command_is_installed(tmp_path: Path):
    imsave(stack(), tmp_path / "cells.tif")
    done = subprocess.run(
        [COMMAND, "info", tmp_path / "cells.tif"], capture_output=True, text=True, check=True
    )
    assert "t c y x" in done.stdout


# --- demo -------------------------------------------------------------------------------------

_SHORT_DEMO = """
import sys
from napari_ferry.cli import demo, main
from napari_ferry.plugin import samples
demo.calcium_movie = lambda: samples.calcium_movie(frames=50)
demo.moving_cells = lambda: samples.moving_cells(frames=50)
demo.z_stack = lambda: samples.z_stack(planes=8)
sys.exit(main(["demo", "--screenshot", sys.argv[1]]))
"""
"""The demo with a third of the frames."""


def test_the_demo_without_qt_names_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("napari_ferry.cli.demo.find_spec", lambda name: None)
    assert main(["demo"]) != 0
    assert "pip install 'napari-ferry[all]'" in capsys.readouterr().err


def test_the_demo_without_a_display_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert main(["demo"]) != 0
    assert "xvfb-run napari-ferry demo --screenshot demo.png" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.window
@pytest.mark.skipif(sys.platform != "linux", reason="Xvfb stands in for a screen on Linux only")
def test_the_demo_shows_every_format(tmp_path: Path):
    xvfb = shutil.which("xvfb-run")
    if xvfb is None:
        pytest.skip("xvfb-run is not installed")
    picture = tmp_path / "window.png"
    screen = [xvfb, "-a", "-s", "-screen 0 1600x1000x24"]
    done = subprocess.run(
        [*screen, sys.executable, "-c", _SHORT_DEMO, picture],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "QT_QPA_PLATFORM": "xcb", "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if re.search(r" \d+\.\d\d  ", line)]
    exact = [row for row in rows if re.search(r"\.(tif|bin|zarr) ", row)]
    assert len(exact) == 12
    assert all(row.endswith("  identical") for row in exact)
    for suffix, words in {
        "gif": "50 frames of 256 x 256, 30 per second, drawn pixels differ by",
        "mp4": "50 frames of 256 x 256, 30 per second, drawn pixels differ by",
        "mkv": "50 frames of 256 x 256, 30 per second, samples identical",
    }.items():
        found = [row for row in rows if f".{suffix} " in row]
        assert len(found) == 3
        assert sum(words in row for row in found) == 1
    assert len(rows) == 27
    assert _is_colorful(picture)


def _is_colorful(picture: Path) -> bool:
    """Return True if the middle of a picture shows more than a background."""
    from imageio.v3 import imread

    pixels = imread(picture)[..., :3]
    height, width, _ = pixels.shape
    middle = pixels[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    return len(np.unique(middle.reshape(-1, 3), axis=0)) > 500 and middle.max() > 200
