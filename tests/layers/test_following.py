"""Growth of files that are still being written, cut at any byte."""

import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st

from helpers import pixels
from napari_ferry import imload, imsave
from napari_ferry.arrays.array_protocol import close
from napari_ferry.layers.blank_frames import BlankingArray, with_blanks
from napari_ferry.plugin.following import (
    Growth,
    check_growth,
    find_growing_axis,
    read_stamps,
    status_line,
    whole_steps,
)
from napari_ferry.plugin.origins import Source

FRAMES = pixels((5, 16, 20))
SHAPES = st.lists(st.integers(1, 4), min_size=2, max_size=4)


def source_of(*paths: Path) -> Source:
    return Source(lambda: [image for path in paths for image in imload(path)], paths)


def write_pages(path: Path, compression: str | None) -> None:
    with tifffile.TiffWriter(path) as writer:
        for frame in FRAMES:
            writer.write(frame, contiguous=False, metadata=None, compression=compression)


def make_whole_file(folder: Path, kind: str) -> Path:
    """Write a whole file of a kind, and everything else that it needs."""
    if kind in ("plain", "zlib"):
        write_pages(folder / "whole.tif", None if kind == "plain" else kind)
        return folder / "whole.tif"
    data = FRAMES if kind == ".bin" else np.repeat(FRAMES.astype("u1"), 4, axis=0)
    imsave(data, folder / f"whole{kind}")
    if kind == ".bin":
        (folder / "whole.json").rename(folder / "part.json")
    return folder / f"whole{kind}"


def look(source: Source, known: dict) -> tuple[Growth, list]:
    """Look at files once, and return the pixels of their only layer."""
    growth = check_growth(source, known, ())
    if growth.layers is None:
        return growth, []
    ((data, meta, _),) = growth.layers
    found = np.asarray(data.array)
    close(data)
    return growth, [*found] if meta["axis_labels"][0] == "t" else [found]


@pytest.mark.parametrize("kind", ["plain", "zlib", ".bin", ".mkv", ".gif"])
def test_only_whole_frames_appear_while_a_file_is_written(kind: str, tmp_path: Path):
    whole = make_whole_file(tmp_path, kind)
    content, part = whole.read_bytes(), tmp_path / f"part{whole.suffix}"
    source, known, count = source_of(part), {}, 0
    (image,) = imload(whole) if kind != ".bin" else [None]
    expected = FRAMES if image is None else np.asarray(image.array)

    for nbytes in np.linspace(0, len(content), 40).astype(int):
        part.write_bytes(content[:nbytes])
        growth, found = look(source, known)
        assert bool(growth.problem) == (not found), "no warning, and a sentence until a frame came"
        assert len(found) >= count
        assert all(map(np.array_equal, found, expected))
        known, count = growth.stamps, len(found)
    assert count == len(expected)
    if image is not None:
        image.close()


def test_nothing_is_opened_while_nothing_changes(tmp_path: Path):
    write_pages(tmp_path / "a.tif", None)
    source = source_of(tmp_path / "a.tif")
    growth, found = look(source, {})
    assert len(found) == 5
    assert look(source, growth.stamps)[0] == Growth(stamps=growth.stamps)


def test_a_half_written_file_of_a_folder_is_waited_for(tmp_path: Path):
    source, known, counts = source_of(tmp_path), {}, []
    for i, frame in enumerate(FRAMES):
        path = tmp_path / f"img_{i:03}.tif"
        tifffile.imwrite(path, frame, metadata=None)
        content = path.read_bytes()
        for nbytes in (0, 4, 200, len(content) // 2, len(content)):
            path.write_bytes(content[:nbytes])
            growth, found = look(source, known)
            known = growth.stamps
            counts.append(len(found))
            assert all(map(np.array_equal, found, FRAMES))
            assert len(found) in ((0, i, i + 1) if nbytes < len(content) else (i + 1,))
    assert counts[-1] == 5


def test_a_file_that_is_gone_is_named_and_waited_for(tmp_path: Path):
    path = tmp_path / "a.tif"
    write_pages(path, None)
    source = source_of(path)
    known = look(source, {})[0].stamps
    content = path.read_bytes()
    path.unlink()
    growth, _ = look(source, known)
    assert growth.problem.startswith("a.tif")
    assert growth.stamps == known
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    assert len(look(source, growth.stamps)[1]) == 5


def test_a_damaged_file_is_shown_as_it_is(tmp_path: Path):
    write_pages(tmp_path / "a.tif", "zlib")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        places = [page.dataoffsets[0] for page in tif.pages]
    with (tmp_path / "a.tif").open("r+b") as file:
        for place in places:
            file.seek(place)
            file.write(bytes(8))
    growth = check_growth(source_of(tmp_path / "a.tif"), {}, ())
    ((data, _, _),) = growth.layers
    assert len(data) == 5
    close(data)


def test_stamps_are_those_of_all_files_of_a_data_set(tmp_path: Path):
    names = ("rec_MMStack.ome.tif", "rec_MMStack_1.ome.tif", "a_00001.tif", "a_00002.tif", "b.tif")
    (tmp_path / "sub").mkdir()
    for name in (*names, "sub/c.tif"):
        (tmp_path / name).write_bytes(b"12")

    def found(*paths: str) -> set[str]:
        return {Path(name).name for name in read_stamps([tmp_path / path for path in paths])}

    assert found("rec_MMStack.ome.tif") == set(names[:2])
    assert found("a_00001.tif") == set(names[2:4])
    assert found("b.tif") == {"b.tif"}
    assert found("") == {*names, "c.tif"}
    assert found("sub", "b.tif") == {"c.tif", "b.tif"}
    assert found("absent/b.tif") == set()


@given(SHAPES, SHAPES)
def test_the_growing_axis_is_the_first_longer_one(before, now):
    axis = find_growing_axis(before, now)
    lengths = dict(zip(range(-1, -len(before) - 1, -1), before[::-1], strict=True))
    longer = [k for k in range(len(now)) if now[k] > lengths.get(k - len(now), 0)]
    assert axis == (longer[0] if longer else None)


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "60 min"), (7200, "2 h")],
)
def test_the_status_names_file_frames_and_age(seconds: float, age: str):
    assert status_line("a.tif", 152, seconds) == f"Following a.tif: 152 frames, {age} ago"
    waiting = status_line("a.tif", 1, seconds, "a.tif is cut off.")
    assert waiting == f"Following a.tif: 1 frame, {age} ago. Waiting: a.tif is cut off."


def test_layers_in_memory_and_without_frames_are_whole() -> None:
    in_memory = (FRAMES, {}, "image")
    assert whole_steps(in_memory) is in_memory
    empty = (with_blanks(FRAMES[:0], is_rgb=False), {}, "image")
    blanked = (BlankingArray(FRAMES[:0], 1), {}, "image")
    assert whole_steps(empty) is empty
    assert whole_steps(blanked) is blanked


def test_folders_next_to_a_file_are_not_followed(tmp_path: Path) -> None:
    imsave(FRAMES, tmp_path / "run_1.tif")
    (tmp_path / "run_2").mkdir()
    imsave(FRAMES, tmp_path / "run_2" / "run_3.tif")
    assert [*read_stamps([tmp_path / "run_1.tif"])] == [str(tmp_path / "run_1.tif")]
