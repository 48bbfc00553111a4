"""Fit of layouts, status of sidecars and thumbnails, all without a window."""

import json
import pickle  # noqa: TID251 - our own
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_ferry import find_layouts, imload, load_binary
from napari_ferry.cli import main
from napari_ferry.codecs.binary.calibration import Calibration
from napari_ferry.codecs.binary.fit import derive_free_size, fits, nearest_fit, remaining_bytes
from napari_ferry.codecs.binary.layout import Layout, count_frames
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_check import lacks_layout, read_sidecar_status
from napari_ferry.codecs.binary.sidecar_plan import write_sidecar
from napari_ferry.codecs.binary.sidecar_search import open_with_layout
from napari_ferry.errors import (
    InvalidImageError,
    MissingMetadataError,
    TargetError,
    UnreadableFileError,
)
from napari_ferry.image import Image
from napari_ferry.plugin.commands import get_binary_reader, get_folder_reader, sample_raw_recording
from napari_ferry.plugin.samples import raw_recording
from napari_ferry.widgets.repair.thumbnails import SIDE, first_frame_limits, make_thumbnails

U2 = np.dtype("<u2")
ONE = Layout(dtype=U2, offset=0, frames=10, y=8, x=16)


def raw(folder: Path, nbytes: int = 2560, name: str = "a.raw", record: object = None) -> Path:
    path = folder / name
    path.write_bytes(np.arange(nbytes, dtype=np.uint8).tobytes())
    if record is not None:
        sidecar_path(path).write_text(json.dumps(record))
    return path


def test_free_sizes_are_derived_from_fixed_ones():
    assert derive_free_size(2560, replace(ONE, x=32), {"x"}) == replace(ONE, frames=5, x=32)
    assert derive_free_size(2560, replace(ONE, frames=5), {"frames"}) == replace(
        ONE, frames=5, y=16
    )
    known = {"frames", "y"}
    assert derive_free_size(2560, replace(ONE, y=4), known) == replace(ONE, y=4, x=32)
    known = {"frames", "y", "x"}
    assert derive_free_size(2600, ONE, known) == replace(ONE, offset=40)
    assert derive_free_size(2600, ONE, known | {"offset"}) == ONE
    assert derive_free_size(100, ONE, known) == ONE
    assert derive_free_size(100, ONE, ()).frames == 1


def test_bytes_remaining_after_whole_frames():
    assert count_frames(2560, ONE) == (10, 0)
    assert count_frames(2600, replace(ONE, offset=10)) == (10, 30)
    assert count_frames(5, replace(ONE, offset=10)) == (0, 0)


@pytest.mark.parametrize("behind", [0, 6])
def test_a_gap_after_the_last_frame_is_optional(behind):
    gapped = replace(ONE, gap=6, offset=10)
    nbytes = 10 + 10 * 256 + 9 * 6 + behind
    assert count_frames(nbytes, gapped) == (10, 0)
    assert count_frames(nbytes - 7, gapped)[0] == 9
    assert remaining_bytes(nbytes, gapped) == 0
    assert fits(nbytes, gapped)
    assert remaining_bytes(nbytes - 7, gapped) == -7 + behind
    assert derive_free_size(nbytes, replace(gapped, frames=3), ()) == gapped
    assert derive_free_size(nbytes, replace(gapped, y=2), {"frames"}) == gapped
    known = {"frames", "y", "x"}
    assert derive_free_size(nbytes, replace(gapped, offset=0), known).offset == 10 + behind
    assert nearest_fit(nbytes, replace(gapped, x=15), "x", {"x"}) is None


@pytest.mark.parametrize(
    ("nbytes", "layout", "name", "fixed", "value"),
    [
        (2560, replace(ONE, x=15), "x", {"x"}, 16),
        (2560, replace(ONE, x=15), "x", {"frames"}, 16),
        (2561, ONE, "x", {"x"}, None),
        (2600, ONE, "offset", (), 40),
        (2600, replace(ONE, offset=30), "offset", (), 40),
        (2600, replace(ONE, offset=290), "offset", (), 296),
        (2600, replace(ONE, offset=9999), "offset", (), 2344),
        (2600, ONE, "offset", {"frames"}, 40),
        (100, ONE, "offset", (), None),
        (100, ONE, "offset", {"frames"}, None),
        (2560, replace(ONE, frames=7), "frames", (), 10),
        (2600, replace(ONE, frames=7), "frames", (), None),
    ],
)
def test_the_nearest_value_that_fits(nbytes, layout, name, fixed, value):
    assert nearest_fit(nbytes, layout, name, fixed) == value


@given(
    st.integers(1, 5000),
    st.integers(0, 50),
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from(["y", "x", "offset"]),
)
def test_proposed_values_fit(nbytes, offset, y, x, name):
    layout = replace(ONE, offset=offset, y=y, x=x)
    value = nearest_fit(nbytes, layout, name, {name})
    if value is not None:
        better = derive_free_size(nbytes, replace(layout, **{name: value}), {name})
        assert fits(nbytes, better)


def test_a_record_gives_its_layout_and_calibration(tmp_path):
    path = raw(tmp_path)
    for layout in (
        ONE,
        replace(ONE, channels=2, frames=5, interleaving="plane"),
        replace(ONE, channels=5, frames=2, interleaving="pixel"),
        replace(ONE, dtype=np.dtype(">u2"), offset=256, frames=9),
    ):
        calibration = Calibration(frame_axis="z", frame_step=0.3, pixel_size=0.1, unit="nanometer")
        write_sidecar(path, layout, calibration, overwrite=True)
        said = read_sidecar_status(path)
        assert (said.layout, said.calibration, said.error) == (layout, calibration, "")


def test_a_calibration_in_time_is_read_back(tmp_path):
    path = raw(tmp_path)
    write_sidecar(path, ONE, Calibration(frame_axis="t", frame_step=0.05))
    assert read_sidecar_status(path).calibration == Calibration(frame_axis="t", frame_step=0.05)


def test_four_keys_give_a_layout_if_complete(tmp_path):
    path = raw(tmp_path, record={"y": 8, "x": 17, "dtype": "uint16"})
    said = read_sidecar_status(path)
    assert said.layout == replace(ONE, frames=9, x=17)
    assert "112 bytes remain" in said.error
    path = raw(tmp_path, record={"y": 8, "dtype": "uint16"})
    assert read_sidecar_status(path).layout is None


def test_a_sidecar_without_a_backup_is_not_replaced(tmp_path, monkeypatch):
    path = raw(tmp_path, record={"mine": 1})

    def refuse(*_: object) -> None:
        raise PermissionError("no")

    monkeypatch.setattr("shutil.copy2", refuse)
    with pytest.raises(TargetError, match=r"a\.json cannot be copied to a\.json\.bak"):
        write_sidecar(path, ONE, overwrite=True)
    assert sidecar_path(path).read_text() == '{"mine": 1}'


def test_whole_frames_of_a_truncated_file(tmp_path):
    path = raw(tmp_path, 2500)
    with pytest.raises(InvalidImageError, match="60 bytes are missing"):
        open_with_layout(path, ONE)
    assert open_with_layout(path, ONE, whole_frames=True).shape == (9, 8, 16)
    with pytest.raises(InvalidImageError, match="less than one frame"):
        open_with_layout(path, replace(ONE, y=8000), whole_frames=True)


@pytest.mark.parametrize(
    ("nbytes", "layout", "keys"),
    [
        (2500, ONE, {"rest": 196}),
        (2510, replace(ONE, offset=10), {"offset": 10, "rest": 196}),
        (2600, replace(ONE, frames=5), {"rest": 1320}),
        (2614, replace(ONE, gap=6), {"gap": 6}),
        (2620, replace(ONE, gap=6), {"gap": 6, "rest": 6}),
        (2600, replace(ONE, gap=6), {"gap": 6, "rest": 248}),
    ],
)
@pytest.mark.parametrize(
    "calibration", [None, Calibration(frame_axis="t", frame_step=0.5, pixel_size=2.0)]
)
def test_padding_is_written_and_skipped(tmp_path, nbytes, layout, keys, calibration):
    path = raw(tmp_path, nbytes)
    write_sidecar(path, layout, calibration, whole_frames=True)
    record = json.loads(sidecar_path(path).read_text())
    assert {key: record[key] for key in ("offset", "gap", "rest") if record.get(key)} == keys
    frames = record["frames"]
    pitch = 256 + layout.gap
    raw_bytes = path.read_bytes()[layout.offset :]
    truth = [raw_bytes[k * pitch : k * pitch + 256] for k in range(frames)]
    (opened,) = imload(path)
    assert opened.array[:].tobytes() == b"".join(truth)
    assert opened.axes[0].scale == (1.0 if calibration is None else 0.5)
    assert read_sidecar_status(path).layout == replace(layout, frames=frames)
    assert read_sidecar_status(path).error == ""
    again = pickle.loads(pickle.dumps(opened))
    assert np.array_equal(again.array[-1], opened.array[-1])
    with pytest.raises(InvalidImageError) if layout.gap else nullcontext():
        load_binary(path, mapped=True, mode="c")


def test_a_truncated_file_is_described_on_request(tmp_path, capsys):
    path = raw(tmp_path, 2500)
    known = ["--dtype", "<u2", "--y", "8", "--x", "16", "--frames", "9", "--offset", "0"]
    assert main(["repair", str(path), *known, "--write"]) == 1
    assert "196 bytes remain: describe only the whole frames with --whole-frames" in (
        capsys.readouterr().err
    )
    assert main(["repair", str(path), *known, "--write", "--whole-frames"]) == 0
    assert imload(path)[0].shape == (9, 8, 16)


@pytest.mark.parametrize(("gap", "nbytes"), [(10, 404), (100, 584)])
@pytest.mark.parametrize("frames", [{}, {"frames": 0}, {"frames": -1}])
def test_missing_numbers_of_frames_are_computed_with_gaps(tmp_path, gap, nbytes, frames):
    record = {"y": 8, "x": 16, "dtype": "uint8", "gap": gap, **frames}
    path = raw(tmp_path, nbytes, record=record)
    bytes_ = np.frombuffer(path.read_bytes(), np.uint8)
    image = imload(path)[0]
    assert image.shape == (3, 8, 16)
    assert np.array_equal(image.array[2].ravel(), bytes_[2 * (128 + gap) :])


def test_padding_larger_than_the_file_is_refused(tmp_path):
    record = {"y": 2, "x": 4, "dtype": "uint8", "offset": 8, "rest": 8}
    with pytest.raises(UnreadableFileError, match="gives 16 bytes around the samples"):
        imload(raw(tmp_path, 8, record=record))


def test_gaps_between_stacks_are_not_a_layout(tmp_path):
    axes = [{"name": name, "size": size} for name, size in zip("tzyx", (2, 3, 4, 5), strict=True)]
    record = {"napari-ferry": 1, "dtype": "uint8", "axes": axes, "gap": 10}
    path = raw(tmp_path, 130, record=record)
    assert imload(path)[0].shape == (2, 3, 4, 5)
    said = read_sidecar_status(path)
    assert said is not None
    assert said.layout is None


@pytest.mark.parametrize("known", [("y", "x", "channels"), ("channels",), ("offset",), ("frames",)])
def test_sizes_larger_than_the_file_are_not_searched(tmp_path, known):
    path, _ = raw_recording(tmp_path)
    assert find_layouts(path, **dict.fromkeys(known, 2**48 - 1)) == []


def test_a_header_of_very_long_numbers_is_ignored(tmp_path):
    path = tmp_path / "a.raw"
    sizes = b"9" * 5000 + b" 8 16"
    path.write_bytes(
        b"NRRD0004\ntype: uint8\nencoding: raw\nsizes: " + sizes + b"\n\n" + bytes(2000)
    )
    assert all("NRRD" not in reason for one in find_layouts(path) for reason in one.reasons)


def test_an_unreadable_file_is_one_sentence(tmp_path, monkeypatch, capsys):
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    path = raw(tmp_path)
    monkeypatch.setattr(Path, "open", refuse)
    assert main(["repair", str(path)]) == 1
    assert "a.raw cannot be read (Permission denied): check its name" in capsys.readouterr().err
    monkeypatch.setattr(Path, "iterdir", refuse)
    assert main(["repair", str(tmp_path)]) == 1
    assert "cannot be read (Permission denied)" in capsys.readouterr().err
    with pytest.raises(UnreadableFileError, match=r"a\.raw cannot be read \(Permission denied\)"):
        imload(path)


def test_repair_accepts_an_empty_file_and_a_sidecar(tmp_path, capsys):
    assert main(["repair", str(raw(tmp_path, 0, "b.raw"))]) == 1
    assert "b.raw is empty" in capsys.readouterr().err
    path = raw(tmp_path, record={"y": 8, "x": 16, "dtype": "uint8"})
    before = sidecar_path(path).read_bytes()
    known = ["--y", "8", "--x", "16", "--dtype", "<u2", "--offset", "0", "--frames", "10"]
    said = ["repair", str(sidecar_path(path)), *known, "--write", "--overwrite"]
    assert main(said) == 0
    assert imload(path)[0].shape == (10, 8, 16)
    assert (tmp_path / "a.json.bak").read_bytes() == before


def test_files_with_one_sidecar_need_one_layout(tmp_path, capsys):
    raw(tmp_path, 2560, "a.raw")
    raw(tmp_path, 2048, "a.bin")
    known = ["--y", "8", "--x", "16", "--dtype", "<u2", "--offset", "0"]
    assert main(["repair", str(tmp_path), *known, "--write"]) == 1
    assert "a.bin and a.raw share the sidecar a.json" in capsys.readouterr().err
    assert not (tmp_path / "a.json").exists()
    raw(tmp_path, 2560, "a.bin")
    assert main(["repair", str(tmp_path), *known, "--write"]) == 0
    assert [len(imload(tmp_path / name)[0].array) for name in ("a.raw", "a.bin")] == [10, 10]


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(UnreadableFileError, match=r"a\.raw cannot be read"):
        write_sidecar(tmp_path / "a.raw", ONE)


def test_which_files_lack_a_layout(tmp_path):
    assert lacks_layout(raw(tmp_path))
    assert lacks_layout(tmp_path)
    fine = raw(tmp_path, name="b.raw", record={"y": 8, "x": 16, "dtype": "uint16"})
    assert not lacks_layout(fine)
    assert not lacks_layout(tmp_path)
    assert lacks_layout(raw(tmp_path, name="c.raw", record={"y": 8, "x": 17, "dtype": "uint16"}))
    assert not lacks_layout(raw(tmp_path, 0, "d.raw"))


def test_without_a_window_the_error_names_the_layouts(tmp_path):
    path = raw(tmp_path)
    with pytest.raises(MissingMetadataError, match=r"a\.raw has no sidecar a\.json"):
        get_binary_reader(str(path))(str(path))
    with pytest.raises(MissingMetadataError, match=r"a\.raw has no sidecar a\.json"):
        get_folder_reader(str(tmp_path))(str(tmp_path))


def test_with_a_window_the_search_starts_after_it_opens(tmp_path, monkeypatch):
    asked: list[Path] = []

    class Repair:
        offer = staticmethod(asked.append)

    monkeypatch.setattr("napari_ferry.plugin.commands._open_repair", Repair)
    monkeypatch.setattr(
        "napari_ferry.codecs.binary.layout.find.find_layouts", lambda *_, **__: 1 / 0
    )
    path = raw(tmp_path)
    assert get_binary_reader(str(path))(str(path)) == [(None,)]
    assert get_folder_reader(str(tmp_path))(str(tmp_path)) == [(None,)]
    assert asked == [path, tmp_path]


def test_the_sample_says_where_it_is_without_a_window(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr("napari_ferry.plugin.commands.show_notice", said.append)
    monkeypatch.setattr("napari.current_viewer", lambda: None)
    ((_, meta, kind),) = sample_raw_recording()
    assert (meta["name"], kind) == ("cells", "labels")
    path = Path(said[0].removeprefix("The recording is ").rstrip("."))
    assert path.stat().st_size == 352 + 60 * 192 * 192 * 2


@pytest.mark.parametrize("dtype", ["u1", "<f4", ">f8", "<i8", "<f2"])
@pytest.mark.parametrize("axes", ["tyx", "tyxs", "tcyx", "tyxc"])
@pytest.mark.filterwarnings("error")
def test_thumbnails_of_any_bytes(dtype, axes):
    shape = {"t": 3, "y": 100, "x": 7, "s": 3, "c": 2}
    size = [shape[name] for name in axes]
    noise = np.random.default_rng(0).bytes(int(np.prod(size)) * np.dtype(dtype).itemsize)
    image = Image.from_array(np.frombuffer(noise, dtype).reshape(size), axes)
    thumbnails = make_thumbnails(image)
    assert thumbnails.frame.shape == thumbnails.changes.shape == (50, 7)
    assert max(thumbnails.frame.shape) <= SIDE
    low, high = first_frame_limits(image)
    assert low < high


def test_thumbnails_show_changes_between_frames():
    pixels = np.full((20, 32, 32), 100, np.uint16)
    pixels[::2, 4, 5] = 900
    thumbnails = make_thumbnails(Image.from_array(pixels))
    assert np.argwhere(thumbnails.changes).tolist() == [[4, 5]]
    assert make_thumbnails(Image.from_array(pixels[:1])).changes is None


def test_thumbnails_of_a_huge_file_read_a_few_samples(tmp_path):
    path = tmp_path / "huge.raw"
    with path.open("wb") as file:
        file.truncate(40_000_000_000)
    layout = Layout(dtype=U2, offset=0, frames=200, y=10_000, x=10_000)
    assert make_thumbnails(open_with_layout(path, layout)).frame.shape == (64, 64)
