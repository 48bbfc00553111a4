"""``napari-ferry convert`` for many files: targets, output, exit status and interruption."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from faults import fork
from helpers import make_image
from napari_ferry import imload, imsave

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder of recordings and other files; its parent is the working folder."""
    monkeypatch.chdir(tmp_path)
    Path("in/day 2").mkdir(parents=True)
    for name in ("a 2", "a 10", "day 2/µ"):
        imsave(make_image("tyx", "uint8", t=6), f"in/{name}.tif")
    Path("in/notes.txt").write_text("x")


def files(folder: str = "out") -> list[str]:
    found = (path for path in Path(folder).rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found if path.suffix != ".jsonl")


def messages(err: str) -> list[str]:
    """Return the lines of standard error that are not about the progress."""
    return [line for line in err.splitlines() if " done: " not in line]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["in", "out/"], ["a 10.gif", "a 2.gif"]),
        (["in", "out"], ["a 10.gif", "a 2.gif"]),
        (["in", "out", "--recursive"], ["a 10.gif", "a 2.gif", "day 2/µ.gif"]),
        (["in", "-r", "out", "--name", "{name} x"], ["a 10 x.gif", "a 2 x.gif", "day 2/µ x.gif"]),
        (["in", "out/{index}_{name}.gif"], ["1_a 2.gif", "2_a 10.gif"]),
        (["in/*.tif", "out/"], ["a 10.gif", "a 2.gif"]),
        (["in/**/*.tif", "out/{parent}/{name}"], ["day 2/µ.gif", "in/a 10.gif", "in/a 2.gif"]),
        (["in/a 2.tif", "in/day 2/µ.tif", "out"], ["a 2.gif", "µ.gif"]),
        (["in/a 2.tif", "--colors", "9", "in/a 10.tif", "out"], ["a 10.gif", "a 2.gif"]),
        (["in/a 2.tif", "in/a 10.tif", "--colors", "9", "out"], ["a 10.gif", "a 2.gif"]),
        (["in/a 2.tif", "out/{name}"], ["a 2.gif"]),
    ],
)
def test_many_files_become_files_in_a_folder(
    words: list[str], expected: list[str], run: Run
) -> None:
    status, out, err = run("convert", *words, "--format", ".gif")
    assert (status, files()) == (0, expected), err
    assert out.splitlines()[-1].startswith(f"{len(expected)} converted")


def test_one_file_as_the_target_joins_a_folder_or_a_pattern(run: Run) -> None:
    assert run("convert", "in", "joined.tif")[0] == 0
    assert run("convert", "in/a*.tif", "pattern.tif")[0] == 0
    for name in ("joined.tif", "pattern.tif"):
        assert imload(name)[0].size("t") == 12


def test_a_folder_of_frames_is_one_data_set(run: Run) -> None:
    Path("frames").mkdir()
    for k in range(3):
        imsave(make_image("yx", "uint8"), f"frames/f{k}.tif")
    assert run("convert", "frames", "out/", "--format", "gif")[0] == 0
    assert run("convert", "frames", "in/a 2.tif", "more", "--format", "gif")[0] == 0
    assert (files(), files("more")) == (["frames.gif"], ["a 2.gif", "frames.gif"])
    assert imload("out/frames.gif")[0].size("t") == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["in/a 2.tif", "in/a 10.tif", "b.tif"], "2 inputs are to be converted file by file, but"),
        (["my", "cells.tif", "b.tif"], "put names with spaces in quotes"),
        (["in", "b.tif", "--recursive"], "in is to be converted file by file, but b.tif is a"),
        (["in", "out/{name}.gif", "--name", "x"], "are two patterns"),
        (
            ["in", "out/{nam}.gif"],
            "has the field {nam}: use {name}, {parent}, {suffix}, ",
        ),
        (["in", "out/", "--name", "x.gif"], "a 2.tif and "),
        (["in", "out/{name}.gif", "--format", ".tif"], "ends in .gif, but the format is .tif"),
        (["in/x*.tif", "out/"], "No file matches"),
        (["in/notes.txt", "in/notes.txt", "out/"], "notes.txt is skipped (not an image"),
    ],
)
def test_an_impossible_batch_is_a_sentence(words: list[str], message: str, run: Run) -> None:
    status, out, err = run("convert", *words)
    assert (status, out) == (1, "")
    assert message in err
    assert len(err.splitlines()) == 1
    assert "True" not in err
    assert not Path("out").exists()


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_a_folder_that_cannot_be_written_to_is_one_sentence(
    dry_run: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["convert", "in", "out", "--format", ".gif", *dry_run]
    monkeypatch.setattr(os, "access", lambda *_: False)
    status, out, err = run(*command)
    assert (status, out) == (1, "")
    assert err.endswith(" cannot be written to: choose another one.\n")
    assert len(err.splitlines()) == 1


def test_a_locked_folder_may_be_up_to_date(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["convert", "in", "out", "--format", ".gif"]
    assert run(*command)[0] == 0
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert run(*command)[0] == 0
    os.utime("in/a 2.tif", ns=(0, 0))
    assert run(*command)[0] == 1


def test_a_stack_over_time_is_projected_if_its_position_is_not_given(run: Run) -> None:
    imsave(make_image("tzyx", "uint8"), "in/a 2.tif", overwrite=True)
    command = ["convert", "in", "out", "--format", ".gif"]
    status, _, err = run(*command)
    assert status == 1
    assert "such as --position z=0, or a projection, such as --thickness all, --projection" in err
    assert run(*command, "--thickness", "all", "--projection", "max")[0] == 0


def test_what_happened_is_printed_once(run: Run) -> None:
    Path("in/b.tif").write_bytes(b"II*\0")
    status, out, err = run("convert", "in", "out", "--format", ".gif")
    assert status == 1
    assert out.splitlines() == [
        *(f"{Path(f'out/{name}.gif')}: " + _size(f"out/{name}.gif") for name in ("a 2", "a 10")),
        "skipped: day 2 (a folder: give --recursive to search it)",
        "skipped: notes.txt (not an image that can be opened)",
        "2 converted, 2 skipped, 1 failed",
    ]
    failed, *notes = messages(err)
    assert "b.tif" in failed
    assert all(note.endswith(" (2 files)") for note in notes)
    assert any("plays at 10 per second" in note for note in notes)
    out = run("convert", "in", "out", "--format", ".gif")[1]
    assert "skipped: a 2.tif, a 10.tif (up to date)" in out
    assert out.endswith("0 converted, 4 skipped, 1 failed\n")


def _size(path: str) -> str:
    from napari_ferry.arrays.progress import size_text

    return size_text(Path(path).stat().st_size)


def test_options_apply_to_each_file(run: Run) -> None:
    words = ("convert", "in", "out", "--format", ".ome.tif", "--frame-rate", 4)
    assert run(*words, "--crop", "t=:2", "--compression", "zlib", "--workers", 1)[0] == 0
    for name in files():
        (image,) = imload(Path("out") / name)
        assert (image.size("t"), image.frame_rate) == (2, 4)
    assert run(*words, "--crop", "t=:2", "--compression", "zlib")[1].startswith("skipped: ")
    assert run(*words, "--crop", "t=:3")[1].endswith("2 converted, 2 skipped\n")


def test_files_of_several_formats_keep_theirs(run: Run) -> None:
    imsave(make_image("tyx"), "in/b.ome.zarr")
    imsave(make_image("tyx"), "in/c.bin")
    assert run("convert", "in", "out")[0] == 0
    assert run("convert", "in/a 2.tif", "in/c.bin", "more")[0] == 0
    assert {path.name for path in Path("out").glob("[abc]*")} == {
        *("a 2.tif", "a 10.tif", "b.ome.zarr", "c.bin", "c.json")
    }
    assert files("more") == ["a 2.tif", "c.bin", "c.json"]
    assert run("convert", "in/*.tif", "zipped", "--compression", "zlib")[0] == 0
    status, _, err = run("convert", "in", "zipped", "--compression", "zlib")
    assert (status, "--compression is an option for .tif" in err) == (2, True)


def test_each_image_of_a_file_becomes_a_file(run: Run) -> None:
    both = [make_image("tyx", "uint8"), make_image("yx", "uint16")]
    imsave(both, "in/both.tif")
    Path("in/c.tif").write_bytes(b"II*\0")
    status, out, err = run("convert", "in", "out/{name}_{image}.bin", "--workers", 1)
    assert (status, out.splitlines()[-1]) == (1, "4 converted, 2 skipped, 1 failed")
    assert "c.tif" in err
    assert [name for name in files() if name.startswith("both") and name.endswith(".bin")] == [
        *("both_0.bin", "both_1.bin")
    ]
    for k, image in enumerate(both):
        assert np.array_equal(imload(f"out/both_{k}.bin")[0], image)
    assert "leave one of them out" in run("convert", "in", "x/{image}.bin", "--image", 0)[2]


def test_existing_files_of_somebody_else_need_overwrite(run: Run) -> None:
    Path("out").mkdir()
    Path("out/a 2.tif").write_text("mine")
    status, out, err = run("convert", "in/*.tif", "out")
    assert (status, out.splitlines()[-1]) == (1, "1 converted, 1 failed")
    assert err.startswith("napari-ferry: a 2.tif in ")
    assert messages(err)[-1].endswith(
        "would be replaced: give --overwrite, or choose another name."
    )
    assert run("convert", "in/*.tif", "out", "--overwrite")[1].endswith("1 converted, 1 skipped\n")


def test_quiet_prints_warnings_and_errors(run: Run) -> None:
    Path("in/b.tif").write_bytes(b"II*\0")
    status, out, err = run("convert", "in", "out", "--format", ".gif", "-q", "--crop", "t=:9")
    assert (status, out) == (1, "")
    failed, warning = err.splitlines()
    assert "b.tif" in failed
    assert warning.endswith("ends at 6, which is the length of axis t. (2 files)")


def test_json_is_a_report_of_each_file(run: Run) -> None:
    Path("in/b.tif").write_bytes(b"II*\0")
    status, out, err = run("convert", "in", "out", "--format", ".gif", "--json")
    told = json.loads(out)
    assert (status, told["converted"], told["skipped"], told["failed"]) == (1, 2, 2, 1)
    assert [Path(each["source"]).name for each in told["files"]] == [
        *("day 2", "notes.txt", "a 2.tif", "a 10.tif", "b.tif")
    ]
    assert told["files"][-1]["message"] in err
    status, out, _ = run("convert", "in/a 2.tif", "b.tif", "--json")
    (one,) = json.loads(out)["files"]
    assert (status, one["files"], Path("napari-ferry-batch.jsonl").exists()) == (
        0,
        ["b.tif"],
        False,
    )


def test_a_dry_run_lists_the_files(run: Run) -> None:
    status, out, err = run("convert", "in", "out", "-r", "--format", ".gif", "--dry-run")
    lines = out.splitlines()
    assert status == 0
    assert [line.partition(": at most ")[0] for line in lines[:3]] == [
        f"would write {Path('out') / name}.gif" for name in ("a 2", "a 10", "day 2/µ")
    ]
    assert lines[-1].startswith("3 to convert, 1 skipped; at most ")
    assert lines[-1].endswith(" in all; nothing is written (--dry-run)")
    assert " (3 files)" in err
    assert not Path("out").exists()


_INTERRUPTED = """
import os, signal, sys
from napari_ferry.cli import convert, main
run, calls = convert.run, []
def interrupt(planned, **options):
    calls.append(planned)
    if len(calls) == 2:
        os.kill(os.getpid(), int(sys.argv[1]))
    return run(planned, **options)
convert.run = interrupt
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process at once")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_same_command_goes_on_after_an_interrupt(
    number: signal.Signals, status: int, run: Run
) -> None:
    words = ("convert", "in", "out", "-r", "--format", ".ome.tif")
    with fork(_INTERRUPTED, int(number), *words) as child:
        out, err = child.communicate()
    assert child.returncode == status
    assert out.splitlines()[-1] == "1 converted, 1 skipped, 2 not converted yet"
    assert err.endswith("the same command goes on with the rest.\n")
    assert run(*words)[1].endswith("2 converted, 2 skipped\n")
    for name in files():
        source = Path("in") / name.replace(".ome", "")
        assert np.array_equal(imload(Path("out") / name)[0], imload(source)[0])


def test_a_list_names_the_inputs(run: Run) -> None:
    Path("list.txt").write_text("in/a 2.tif\n\n  \nin/day 2/µ.tif\r\nin/a 1*.tif\n", "utf-8-sig")
    status, out, err = run("convert", "@list.txt", "out", "--format", ".gif")
    assert (status, files()) == (0, ["a 10.gif", "a 2.gif", "µ.gif"]), err
    assert out.splitlines()[-1].startswith("3 converted")


def test_a_name_in_a_list_ends_with_its_line_alone(run: Run) -> None:
    """Other separators of lines, which texts copied from documents contain, may be in names."""
    name = "in/a\u2028b\x85.tif"
    imsave(make_image("tyx", "uint8", t=6), name)
    Path("list.txt").write_text(f"{name}\n", "utf-8")
    status, _, err = run("convert", "@list.txt", "out", "--format", ".gif")
    assert (status, files()) == (0, ["a\u2028b\x85.gif"]), err


def test_a_list_of_one_file_is_converted_file_by_file(run: Run) -> None:
    Path("one.txt").write_text("in/a 2.tif")
    assert run("convert", "@one.txt", "in/a 10.tif", "out", "--format", ".gif")[0] == 0
    assert files() == ["a 10.gif", "a 2.gif"]
    assert run("convert", "@one.txt", "single", "--format", ".gif")[0] == 0
    assert files("single") == ["a 2.gif"]


@pytest.mark.parametrize(
    ("content", "sentence"), [(None, "does not exist: @list.txt is a list"), (" \n", "names no")]
)
def test_a_list_without_paths_is_refused(content: str | None, sentence: str, run: Run) -> None:
    if content is not None:
        Path("list.txt").write_text(content)
    status, _, err = run("convert", "@list.txt", "out", "--format", ".gif")
    assert (status, sentence in err) == (1, True), err
    assert len(err.splitlines()) == 1


def test_a_file_whose_name_begins_with_the_mark_is_no_list(run: Run) -> None:
    imsave(make_image("tyx", "uint8", t=6), "@list.tif")
    assert run("convert", "@list.tif", "a.gif")[0] == 0
    assert Path("a.gif").is_file()


def test_a_log_has_a_line_for_each_file_that_is_done(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, err = run("convert", "in", "out", "--format", ".gif")
    assert [line.split(" done: ")[0] for line in err.splitlines() if " done: " in line] == [
        "napari-ferry: 1 of 2",
        "napari-ferry: 2 of 2",
    ]
    assert " done: " not in run("convert", "in", "out", "--format", ".gif")[2]
    assert " done: " not in run("convert", "in", "quiet", "--format", ".gif", "-q")[2]
    monkeypatch.setattr("napari_ferry.cli.batch.has_lines", lambda _: False)
    assert " done: " not in run("convert", "in", "terminal", "--format", ".gif")[2]
