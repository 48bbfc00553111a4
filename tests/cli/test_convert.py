"""``napari-ferry convert``: its target, parts and metadata of images, and what it prints."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from helpers import make_image
from napari_ferry import Axis, Channel, Image, imload, imsave, plan
from napari_ferry.cli import main
from napari_ferry.io.protocol import hooks_of
from napari_ferry.io.search import codecs

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    """Save an image of two channels as ``my cells µ.ome.tif`` in the working folder."""
    monkeypatch.chdir(tmp_path)
    axes = (
        Axis("t", 0.5, "second", 3.0),
        Axis("c"),
        Axis("y", 0.25, "micrometer", -2.0),
        Axis("x", 0.5, "micrometer", 10.0),
    )
    pixels = np.random.default_rng(0).integers(0, 999, (5, 2, 16, 20), np.uint16)
    image = Image((pixels,), axes, (Channel("488"), Channel("RFP, far")), "cells")
    imsave(image, SOURCE)
    return image


SOURCE = "my cells µ.ome.tif"


def names(folder: str | Path = ".") -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


# --- target -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "target"),
    [
        (["out/"], f"out/{SOURCE}"),
        (["out/", "--format", ".tif"], "out/my cells µ.tif"),
        (["a/b/", "--format", "OME.Zarr"], "a/b/my cells µ.ome.zarr"),
        (["there", "--format", "bin"], "there/my cells µ.bin"),
        (["new", "--format", "tif"], "new.tif"),
        (["v1.2", "--format", "tif"], "v1.2.tif"),
        (["new.TIF", "--format", "tif"], "new.TIF"),
        (["--format", "gif", "out/", "--no-as-seen", "--position", "c=0"], "out/my cells µ.gif"),
    ],
)
def test_the_target_is_a_name_or_a_folder(
    words: list[str], target: str, cells: Image, run: Run
) -> None:
    Path("there").mkdir()
    status, out, err = run("convert", SOURCE, *words)
    assert (status, out.partition(": ")[0]) == (0, str(Path(target))), err
    assert Path(target).exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([SOURCE, "."], "would be replaced: give --overwrite, or choose"),
        ([SOURCE, "a.tif", "--format", ".gif"], "ends in .tif, but --format is .gif"),
        (["{t}.tif", "out/"], "has no name to use in the folder out: give a file name, such as"),
        (["a.lsm", "out/"], "a.lsm has a format that is opened but not saved"),
        ([SOURCE, f"{SOURCE}/"], "is a file, not a folder"),
        ([SOURCE, "x.ome.zarr/new.tif"], "its own name with --overwrite"),
    ],
)
def test_an_impossible_target_is_a_sentence(
    words: list[str], message: str, cells: Image, run: Run
) -> None:
    imsave(make_image("yx"), "x.ome.zarr")
    before = names()
    status, out, err = run("convert", *words)
    assert (status, out) == (1, "")
    assert message in err
    assert "True" not in err
    assert names() == before


def test_the_sidecar_of_a_raw_file_has_the_name_of_the_file(run: Run, tmp_path: Path) -> None:
    imsave(make_image("tyx"), tmp_path / "raw.bin")
    assert run("convert", tmp_path / "raw.json", f"{tmp_path}/out/", "--format", "tif")[0] == 0
    assert names(tmp_path / "out") == ["raw.tif"]


# --- wrong command lines ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["convert", "a.tif", "b.tif", "--compresion", "zlib"], "did you mean --compression ("),
        (["convert", "a.tif", "b.tif", "--overwite"], "did you mean --overwrite?"),
        (["convert", "a.tif", "b.tif", "--qualty", "high"], "--quality (an option for .mp4, .mov"),
        (
            ["convert", "a.tif", "b.tif", "--quality", "high"],
            "--quality is an option for .mp4, .mov, .mkv, not for this format",
        ),
        (["convert", "a.tif", "b.tif", "--zzz"], "--zzz is not an option of this command; --help"),
        (["convert", "a.tif", "out/", "--format", "tifff"], "did you mean .tiff?"),
        (["convert", "a.tif", "out/", "--format", "docx"], "choose one of .bin"),
        (["info", "a.tif", "--jsno"], "did you mean --json?"),
        (["info", "a.tif", "--quality"], "--quality is not an option of this command"),
        (["convrt", "a.tif", "b.tif"], "convrt is not a command: did you mean convert?"),
    ],
)
def test_a_wrong_command_line_is_explained(words: list[str], message: str, run: Run) -> None:
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert message in err


def test_the_help_fits_two_screens_and_names_every_option(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = run("convert", "--help")
    assert status == 0
    lines = out.splitlines()
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 80
    for words in ("--quality --codec", "--crop RANGES", "what gets lost:", "progress:", "exit st"):
        assert words in out
    for codec in codecs():
        assert f"{' '.join(codec.SUFFIXES)} " in out
        assert hooks_of(codec).SUMMARY
        assert hooks_of(codec).SUMMARY in out


@pytest.mark.parametrize("words", [["--format", "mp4"], ["a.tif", "b.mp4"], ["a.tif", "b.MP4"]])
def test_the_help_of_a_format_explains_its_options(words: list[str], run: Run) -> None:
    status, out, _ = run("convert", *words, "--help")
    assert status == 0
    assert "options of .mp4 .mov .mkv:" in out
    assert "Quality of H.264" in out
    assert "--size-cap" not in out


# --- parts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crop", "key"),
    [
        ("y=2:10,x=-5:", np.s_[:, :, 2:10, -5:]),
        ("y=2:10 x=:-5", np.s_[:, :, 2:10, :-5]),
        ("T=1,c=-1", np.s_[1, -1]),
        ("t=::2,y=3,x=-1", np.s_[::2, :, 3:4, -1:]),
        ("c=488,t=-2:", np.s_[-2:, 0]),
        ("x=11um:12um", np.s_[..., 2:4]),
        ("x=:11000nm", np.s_[..., :2]),
        ("y=-2:-1.5um,t=4s:", np.s_[2:, :, :2]),
    ],
)
def test_a_crop_keeps_pixels_and_positions(crop: str, key: object, cells: Image, run: Run) -> None:
    status, _, err = run("convert", SOURCE, "part.tif", "--crop", crop)
    assert (status, err) == (0, "")
    (part,) = imload("part.tif")
    assert np.array_equal(np.asarray(part), np.asarray(cells)[key])
    whole = cells.to_xarray()[key]
    for axis in part.axes:
        positions = axis.translation + axis.scale * np.arange(part.size(axis.name))
        if axis.name != "c":
            assert np.allclose(positions, whole.coords[axis.name])
            assert axis.unit == whole.coords[axis.name].attrs["units"]


@pytest.mark.parametrize(
    ("crop", "message"),
    [
        ("10:20", "is not of the form AXIS=VALUE"),
        ("y=", "is not of the form AXIS=VALUE"),
        ("z=1:2", "names axis z, but the axes are t c y x"),
        ("y=3:5,y=1", "gives axis y twice"),
        ("y=5:5", "y=5:5 is empty: axis y has indices 0 to 15, at -2 to 1.75 micrometer"),
        ("y=40", "y=40 is empty"),
        ("t=9", "Index 9 of axis t does not exist"),
        ("y=1:2:0", "a step other than 0"),
        ("y=a:b", "--crop y has the value 'a': give a number, with or without a unit"),
        ("y=1.5:3", "give indices START:STOP"),
        ("y=1:2:3:4", "give indices START:STOP"),
        ("x=10um:20um:2", "positions and a step"),
        ("x=10um", "x=10um is a single position: give a range"),
        ("c=2nd", "'2nd' is not a name along axis c"),
        ("x=1e999um:", "--crop x has the value '1e999um': give a number"),
        ("x=10s:20s", "in s, but the axis has the unit micrometer"),
        ("c=1um:", "in um, but the axis has no unit"),
        ("c=GFP", "'GFP' is not a name along axis c, which has the names 488, RFP, far"),
    ],
)
def test_a_wrong_crop_is_a_sentence(crop: str, message: str, cells: Image, run: Run) -> None:
    status, out, err = run("convert", SOURCE, "part.tif", "--crop", crop)
    assert (status, out) == (1, "")
    assert message in err
    assert re.fullmatch(r"napari-ferry: [^\n]+\.\n", err)
    assert names() == [SOURCE]


def test_a_range_beyond_the_end_is_a_warning(cells: Image, run: Run) -> None:
    status, _, err = run("convert", SOURCE, "part.tif", "--crop", "t=3:100")
    assert status == 0
    assert "warning: --crop t=3:100 ends at 5, which is the length of axis t." in err
    assert imload("part.tif")[0].size("t") == 2


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        (["488"], 0),
        (["1"], 1),
        (["RFP, far"], 1),
        (["-1,0"], [1, 0]),
        (["RFP, far", "--channel", "488"], [1, 0]),
    ],
)
def test_channels_are_chosen_by_name_or_index(
    words: list[str], chosen: int | list[int], cells: Image, run: Run
) -> None:
    assert run("convert", SOURCE, "part.ome.tif", f"--channel={words[0]}", *words[1:])[0] == 0
    (part,) = imload("part.ome.tif")
    assert np.array_equal(np.asarray(part), np.asarray(cells)[:, chosen])
    if isinstance(chosen, list):
        assert part.channels == tuple(cells.channels[i] for i in chosen)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--channel", "GFP"], "which has the names 488, RFP, far"),
        (["--channel", "0", "--crop", "c=1"], "give one of them"),
        (["--channel", "0", "--axes", "tzyx"], "--channel names axis c, but the axes are t z y x"),
    ],
)
def test_a_wrong_channel_is_a_sentence(
    words: list[str], message: str, cells: Image, run: Run
) -> None:
    status, _, err = run("convert", SOURCE, "part.tif", *words)
    assert (status, names()) == (1, [SOURCE])
    assert message in err


def test_a_part_of_a_pyramid_is_one_of_the_full_resolution(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    image = make_image("zyx", z=3, y=64, x=64).replace(scale={"y": 0.5, "x": 0.5}, unit="um")
    imsave(image, "a.ome.zarr", levels=3)
    assert run("convert", "a.ome.zarr", "b.ome.zarr", "--crop", "x=10:20", "--levels", 2)[0] == 0
    assert run("convert", "a.ome.zarr", "z.ome.zarr", "--crop", "z=1", "--levels", 2)[0] == 0
    (part,), (plane,) = imload("b.ome.zarr"), imload("z.ome.zarr")
    assert [tuple(level.shape) for level in part.levels] == [(3, 64, 10), (3, 32, 5)]
    assert [tuple(level.shape) for level in plane.levels] == [(64, 64), (32, 32)]
    assert np.array_equal(np.asarray(part), np.asarray(image)[..., 10:20])
    assert (part.axes[2].translation, part.axes[2].scale) == (5.0, 0.5)


def test_a_part_reads_only_its_frames(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from faults import lazy_movie
    from napari_ferry.cli import convert

    read: list[int] = []
    monkeypatch.setattr(convert, "imload", lambda *_, **__: [lazy_movie(2, read.append, frames=50)])
    assert run("convert", "x.tif", tmp_path / "part.tif", "--crop", "t=10:13")[0] == 0
    assert set(read) == {10, 11, 12}


def test_images_without_an_axis_are_kept_whole(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    imsave([make_image("cyx"), make_image("yx", "uint8")], "both.tif")
    assert run("convert", "both.tif", "part.tif", "--channel", 1)[0] == 0
    assert [image.axis_names for image in imload("part.tif")] == [("y", "x"), ("y", "x")]


def test_the_option_for_one_image_is_named_only_where_it_helps(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    imsave([make_image("yx", y=30), make_image("yx", y=10)], "both.tif")
    words = ("both.tif", "part.ome.zarr", "--crop", "y=20:")
    assert "is empty: axis y has indices 0 to 9 (--image N converts" in run("convert", *words)[2]
    assert run("convert", *words, "--image", 0)[0] == 0
    _, _, err = run("convert", "both.tif", "x.ome.zarr", "--levels", 0)
    assert "levels is 0" in err
    assert "--image" not in err


# --- metadata ---------------------------------------------------------------------------------


def test_scale_and_units_replace_those_of_the_file(cells: Image, run: Run) -> None:
    words = ("--scale", "y=2,x=0.1nm", "--unit", "um,t=ms", "--scale", "T=20")
    assert run("convert", SOURCE, "new.tif", *words)[0] == 0
    t, _, y, x = imload("new.tif")[0].axes
    assert (t.scale, t.unit) == (20, "millisecond")
    assert (y.scale, y.unit) == (2, "micrometer")
    assert (x.scale, x.unit) == (0.1, "nanometer")


def test_a_frame_rate_is_the_scale_of_t(cells: Image, run: Run) -> None:
    assert run("convert", SOURCE, "new.tif", "--frame-rate", 20, "--crop", "t=2:")[0] == 0
    (image,) = imload("new.tif")
    assert image.frame_rate == 20
    assert image.axes[0].translation == pytest.approx(3.1)
    assert run("convert", SOURCE, "all.tif", "--scale", "0.1,1,2,3")[0] == 0
    assert [axis.scale for axis in imload("all.tif")[0].axes] == [0.1, 1, 2, 3]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scale", "2"], "--scale without names needs a number for each of the axes t c y x"),
        (["--scale", "y=fast"], "--scale has the value 'fast'"),
        (["--scale", "y=0"], "give a finite number other than 0"),
        (["--scale", "q=1"], "--scale names axis q"),
        (["--unit", "furlongs"], "furlongs"),
        (["--unit", "q=um"], "--unit names axis q"),
        (["--frame-rate", "0"], "--frame-rate is 0: give a number above 0"),
        (["--frame-rate", "2", "--axes", "zcyx"], "--frame-rate names axis t"),
    ],
)
def test_wrong_metadata_are_a_sentence(
    words: list[str], message: str, cells: Image, run: Run
) -> None:
    status, _, err = run("convert", SOURCE, "new.tif", *words)
    assert (status, names()) == (1, [SOURCE])
    assert message in err


def test_a_movie_has_its_own_crop_scale_and_frame_rate(cells: Image, run: Run) -> None:
    words = ("--crop", "0:8 0:10", "--scale", 2, "--frame-rate", 5, "--channel", "488")
    assert run("convert", SOURCE, "a.gif", *words)[0] == 0
    (drawn,) = imload("a.gif")
    assert drawn.shape[1:3] == (16, 40)  # pixels are twice as wide as high
    words = ("--crop", "y=0:8,x=0:10", "--scale", "y=1um,x=1um", "--frame-rate", 5, "--channel", 0)
    assert run("convert", SOURCE, "b.gif", *words)[0] == 0
    (part,) = imload("b.gif")
    assert part.shape[1:3] == (8, 10)
    for name in ("a.gif", "b.gif"):
        with PIL.Image.open(name) as file:
            assert file.info["duration"] == 200


# --- output -----------------------------------------------------------------------------------


def test_a_dry_run_prints_the_plan_and_writes_nothing(cells: Image, run: Run) -> None:
    status, out, err = run("convert", SOURCE, "out/a.gif", "--dry-run", "--crop", "t=:3")
    assert (status, err) == (0, "")
    assert "t 3, c 2, y 16, x 20, uint16" in out
    assert f"would write {Path('out/a.gif')}: at most " in out
    assert "lost or assumed: both channels are merged into one 8-bit RGB picture" in out
    assert out.endswith("nothing is written (--dry-run)\n")
    assert names() == [SOURCE]


def test_a_dry_run_fails_where_the_conversion_would(cells: Image, run: Run) -> None:
    before = Path(SOURCE).read_bytes()
    status, out, err = run("convert", SOURCE, SOURCE, "--dry-run")
    assert status == 1
    assert f"exists already: {SOURCE}" in out
    assert "would be replaced: give --overwrite" in err
    assert run("convert", SOURCE, SOURCE, "--dry-run", "--overwrite")[0] == 0
    status, _, err = run("convert", SOURCE, f"{SOURCE}/x/a.tif", "--dry-run")
    assert status == 1
    assert "is a file, not a folder" in err
    assert Path(SOURCE).read_bytes() == before


def test_a_dry_run_needs_a_folder_that_can_be_made(
    cells: Image, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    status, _, err = run("convert", SOURCE, "new/folder/a.tif", "--dry-run")
    assert status == 1
    assert "cannot be written to: choose another one." in err


def test_a_number_of_threads_is_refused_in_words_of_the_command_line(
    cells: Image, run: Run
) -> None:
    _, _, err = run("convert", SOURCE, "a.tif", "--workers", "0")
    assert err == "napari-ferry: --workers is 0: give a whole number of at least 1.\n"


def test_words_of_python_are_not_in_messages(cells: Image, run: Run) -> None:
    _, _, err = run("convert", SOURCE, "a.mp4", "--no-as-seen", "--text", "day 3")
    assert err.startswith("napari-ferry: --no-as-seen saves samples, but text applies to drawings")


def test_no_command_prints_the_help(run: Run) -> None:
    status, out, err = run()
    assert (status, out) == (2, "")
    assert "save a file or folder in another format" in err


def test_a_dry_run_of_many_files_lists_the_first(run: Run, tmp_path: Path) -> None:
    imsave(make_image("tyx", "uint8", t=30), tmp_path / "a.tif")
    status, out, _ = run("convert", tmp_path / "a.tif", tmp_path / "a.png", "--dry-run")
    assert status == 0
    written = [line for line in out.splitlines() if line.startswith("would write ")]
    assert len(written) == 10
    assert "... and 20 more files: at most " in out


def test_a_quiet_conversion_prints_only_warnings(cells: Image, run: Run) -> None:
    assert run("convert", SOURCE, "a.gif", "--quiet") == (0, "", "")
    status, out, err = run("convert", SOURCE, "b.gif", "-q", "--crop", "t=:99")
    assert (status, out) == (0, "")
    assert err.startswith("napari-ferry: warning: --crop")
    assert len(err.splitlines()) == 1


def test_a_scheduler_that_does_not_answer_is_named(run: Run, tmp_path: Path) -> None:
    imsave(np.zeros((2, 8, 8), np.uint16), tmp_path / "a.tif")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_ferry.saving.execution.cluster.connection._TIMEOUT", "0.2s")
        status, _, err = run(
            "convert", tmp_path / "a.tif", tmp_path / "b.bin", "--cluster", "127.0.0.1:9"
        )
    assert status == 1
    assert "The scheduler 127.0.0.1:9 does not answer" in err
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


def test_an_argument_too_many_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["completion", "bash", "day", "1.tif"])
    message = "day is one argument too many; put names with spaces in quotes"
    assert message in capsys.readouterr().err


def test_details_of_a_plan_are_shown_by_a_dry_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imsave(np.zeros((4, 64, 64), np.uint16), tmp_path / "a.tif")
    planned = plan(imload(tmp_path / "a.tif"), tmp_path / "a.ome.zarr")
    assert planned.details
    command = ["convert", str(tmp_path / "a.tif"), str(tmp_path / "a.ome.zarr"), "--dry-run"]
    assert main(command) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line for line in shown if line in planned.details] == [*planned.details]
