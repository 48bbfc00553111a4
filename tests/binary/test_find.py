"""Search for the layouts of raw files without metadata."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from napari_ferry import UnreadableFileError, find_layouts, imload
from napari_ferry.codecs.binary.layout.find import find_common_layout
from napari_ferry.codecs.binary.sidecar_check import lacks_layout
from raw_files import brief, more, scene, stored, write

DTYPES = ("u1", "<u2", ">u2", "<i4", ">f4", "<f8")
MORE_DTYPES = ("i1", "<i2", ">i2", "<u4", ">u4", ">i4", "<f4", ">f8")


@pytest.mark.parametrize("dtype", [*DTYPES, *more(MORE_DTYPES)])
def test_every_type_and_byte_order_is_found(tmp_path, dtype):
    best = find_layouts(write(tmp_path / "a.raw", stored(dtype, scene())))[0]
    assert brief(best) == (dtype, 0, 12, 90, 132, 1)
    assert best.byte_order == ("big" if dtype.startswith(">") else "little")
    assert best.confidence > 0.5


@pytest.mark.parametrize(
    "header",
    [
        bytes(352),
        np.random.default_rng(1).bytes(1357),
        *more((b"exposure = 20 ms\n" * 64, bytes(4096))),
    ],
    ids=["zeros", "random", "text", "page"],
)
def test_headers_are_found(tmp_path, header):
    best = find_layouts(write(tmp_path / "a.bin", stored("<u2", scene()), header))[0]
    assert brief(best) == ("<u2", len(header), 12, 90, 132, 1)


def test_interleaved_colors_are_found(tmp_path):
    base = scene((1, 200, 260))[0]
    hue = [gaussian_filter(scene((1, 200, 260), seed)[0], 6) for seed in (1, 2, 3)]
    pixels = np.stack(
        [60 * base + 60 * one * k for one, k in zip(hue, (0.4, 1, 1.6), strict=True)], -1
    )
    best = find_layouts(write(tmp_path / "a.raw", pixels.clip(0, 255).astype("u1")))[0]
    assert brief(best) == ("u1", 0, 1, 200, 260, 3)
    assert best.interleaving == "pixel"
    assert best.shape == (1, 200, 260, 3)


def test_truncated_movie_is_found(tmp_path):
    data = stored("<u2", scene((12, 128, 160))).tobytes()
    path = tmp_path / "a.raw"
    path.write_bytes(data[:-3001])
    found = find_layouts(path, dtype="<u2")
    assert ("<u2", 0, 11, 128, 160, 1) in [brief(layout) for layout in found[:3]]


@pytest.mark.parametrize("cut", [3001, *more((4000,))])
@pytest.mark.parametrize("header", [352, *more((1357,))])
def test_header_is_found_before_a_truncated_last_frame(tmp_path, cut, header):
    filled = np.random.default_rng(2).bytes(header)
    path = write(tmp_path / "a.raw", stored("u1", scene((12, 100, 132))), filled)
    path.write_bytes(path.read_bytes()[:-cut])
    found = find_layouts(path)
    assert ("u1", header, 11, 100, 132, 1) in [brief(layout) for layout in found[:3]]
    assert any("remain at the end" in reason for reason in found[0].reasons)


@pytest.mark.parametrize("x", [1, 3, 5, 7])
@pytest.mark.parametrize("content", ["text", "ramp"])
def test_short_rows_are_harmless(tmp_path, x, content):
    path = tmp_path / "a.raw"
    ramp = np.arange(6000, dtype="<u2").tobytes()
    path.write_bytes(ramp if content == "ramp" else b"exposure = 20 ms\n" * 600)
    for layout in find_layouts(path, x=x, offset=0):
        assert layout.x == x
        assert 0 <= layout.confidence <= 1


@pytest.mark.parametrize("dtype", ["<i4", *more((">f4", "<f8"))])
def test_samples_may_begin_and_end_at_any_byte(tmp_path, dtype):
    header = np.random.default_rng(5).bytes(1003)
    path = write(tmp_path / "a.raw", stored(dtype, scene()), header)
    path.write_bytes(path.read_bytes()[:-2500])
    best = find_layouts(path)[0]
    assert brief(best) == (dtype, 1003, 11, 90, 132, 1)
    assert "the content changes after 1,003 bytes" in best.reasons


def test_borders_reveal_a_header_if_the_height_is_known(tmp_path):
    pixels = stored("u1", scene((12, 100, 132)))
    header = pixels[6].tobytes()[:1357]  # like the image, so that only borders reveal its end
    path = write(tmp_path / "a.raw", pixels, header)
    path.write_bytes(path.read_bytes()[:-3001])
    found = find_layouts(path, y=100)
    assert ("u1", 1357, 11, 100, 132, 1) in [brief(layout) for layout in found[:3]]


def test_whole_numbers_in_doubles_may_begin_at_any_byte(tmp_path):
    header = np.random.default_rng(5).bytes(2867)
    path = write(tmp_path / "a.raw", np.round(100 * scene()).astype("<f8"), header)
    path.write_bytes(path.read_bytes()[:-2500])
    found = find_layouts(path)
    assert ("<f8", 2867, 11, 90, 132, 1) in [brief(layout) for layout in found[:3]]


def test_masks_are_found_with_noise_between_them(tmp_path):
    rng = np.random.default_rng(11)
    smooth = gaussian_filter(rng.standard_normal((6, 120, 150)), (0, 6, 6))
    masks = np.where(smooth > 0.02, np.round(900 * smooth), 0).astype("<u4")
    path = tmp_path / "a.raw"
    path.write_bytes(b"".join(one.tobytes() + rng.bytes(512) for one in masks))
    best = find_layouts(path)[0]
    assert (*brief(best), best.gap) == ("<u4", 0, 6, 120, 150, 1, 512)


def test_signs_count_where_no_step_crosses_zero(tmp_path):
    pixels = stored("<u2", scene()).astype("<i2")
    pixels[:6] -= 12_000
    assert pixels[:6].max() < 0 <= pixels[6:].min()
    assert find_layouts(write(tmp_path / "a.raw", pixels))[0].dtype == np.dtype("<i2")


def test_one_and_a_half_frames_are_found(tmp_path):
    path = write(tmp_path / "a.raw", stored("<u2", scene((2, 114, 114))), bytes(352))
    path.write_bytes(path.read_bytes()[:-9000])
    found = find_layouts(path)
    assert ("<u2", 352, 1, 114, 114, 1) in [brief(layout) for layout in found[:3]]


def test_header_is_found_before_frames_that_fade_to_black(tmp_path):
    away = np.abs(np.linspace(-1, 1, 88))
    light = np.clip(1.1 - np.hypot(away[:, None], away), 0, 1)
    pixels = stored("u1", scene((14, 88, 88)) * light * 2)
    path = write(tmp_path / "a.raw", pixels, np.random.default_rng(6).bytes(777))
    path.write_bytes(path.read_bytes()[:-1234])
    found = find_layouts(path)
    assert ("u1", 777, 13, 88, 88, 1) in [brief(layout) for layout in found[:3]]


def test_frames_larger_than_the_window_are_found(tmp_path):
    rng = np.random.default_rng(3)
    still = gaussian_filter(rng.standard_normal((740, 760)), 2)
    frames = [still + 0.02 * rng.standard_normal(still.shape) for _ in range(3)]
    data = bytes(352) + b"".join(one.astype("<f8").tobytes() for one in frames)
    path = tmp_path / "a.raw"
    path.write_bytes(data[: -8 * 100_003])
    assert brief(find_layouts(path)[0]) == ("<f8", 352, 2, 740, 760, 1)


def test_padded_rows_are_wider(tmp_path):
    pixels = np.pad(stored("u1", scene((12, 90, 133))), ((0, 0), (0, 0), (0, 3)))
    best = find_layouts(write(tmp_path / "a.raw", pixels))[0]
    assert brief(best) == ("u1", 0, 12, 90, 136, 1)


def test_mosaic_of_color_filters_is_one_image(tmp_path):
    filters = np.tile([[0.5, 1.0], [1.0, 0.35]], (45, 66))
    best = find_layouts(write(tmp_path / "a.raw", stored("<u2", scene() * filters)))[0]
    assert brief(best) == ("<u2", 0, 12, 90, 132, 1)
    assert any("mosaic" in reason for reason in best.reasons)


def test_alpha_of_floats_is_a_channel(tmp_path):
    gray = scene((3, 90, 132))
    colors = [np.round(100 * np.clip(gray * k, 0, 2.5)) / 255 for k in (0.5, 0.8, 1)]
    pixels = np.stack([*colors, np.ones_like(gray)], -1).astype("<f4")
    best = find_layouts(write(tmp_path / "a.raw", pixels))[0]
    assert brief(best) == ("<f4", 0, 3, 90, 132, 4)


@pytest.mark.parametrize("size", [1, 2, 7, 255, 4096, *more((63, 600, 50_000))])
@pytest.mark.parametrize("content", ["zeros", "random", "huge", *more(("ramp",))])
def test_small_constant_and_random_files(tmp_path, size, content):
    data = {
        "zeros": bytes(size),
        "random": np.random.default_rng(size).bytes(size),
        "ramp": np.arange(size, dtype="u1").tobytes(),
        "huge": np.logspace(-300, 300, size // 8 + 1).tobytes()[:size],
    }[content]
    path = tmp_path / "a.raw"
    path.write_bytes(data)
    for layout in find_layouts(path):
        assert 0 <= layout.confidence <= 1
        assert layout.offset + layout.nbytes <= size


def test_empty_file_has_no_layout(tmp_path):
    (tmp_path / "a.raw").touch()
    assert find_layouts(tmp_path / "a.raw") == []


def test_absent_file_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="check its name"):
        find_layouts(tmp_path / "a.raw")


@pytest.mark.parametrize("dtype", ["<u2", *more(("u1", "<f4"))])
def test_noise_without_an_image_is_reported_with_low_confidence(tmp_path, dtype):
    noise = np.random.default_rng(3).standard_normal((20, 100, 120)) * 10 + 100
    found = find_layouts(write(tmp_path / "a.raw", noise.astype(dtype)))
    best = found[0]
    assert best.confidence <= 0.6
    assert any("no image structure" in reason for reason in best.reasons)


def test_non_finite_floats_are_harmless(tmp_path):
    pixels = scene().astype("<f4")
    pixels[:, ::7, ::5] = np.nan
    pixels[2, 3] = np.inf
    assert brief(find_layouts(write(tmp_path / "a.raw", pixels))[0]) == ("<f4", 0, 12, 90, 132, 1)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.binary(max_size=3000),
    repeats=st.integers(1, 20),
    known=st.fixed_dictionaries(
        {},
        optional={
            "x": st.integers(1, 70),
            "y": st.integers(1, 70),
            "frames": st.integers(1, 9),
            "channels": st.integers(1, 4),
            "offset": st.integers(0, 4000),
            "dtype": st.sampled_from(["u1", "i2", ">u2", "f4", "f8", "f2"]),
            "byte_order": st.just("big"),
        },
    ),
)
def test_any_bytes_and_any_known_fields(tmp_path, data, repeats, known):
    path = tmp_path / "a.raw"
    path.write_bytes(data * repeats)
    try:
        found = find_layouts(path, **known)
    except UnreadableFileError:
        return
    assert sum(layout.confidence for layout in found) <= 1 + 1e-6
    for layout in found:
        assert 0 <= layout.confidence <= 1
        assert layout.offset + layout.nbytes <= len(data) * repeats
        for name in ("x", "y", "frames", "channels", "offset"):
            assert getattr(layout, name) == known.get(name, getattr(layout, name))


def test_file_of_another_camera_is_unmatched(tmp_path):
    paths = [
        write(tmp_path / f"{i}.raw", stored("<u2", scene((9 + i, 90, 132), i))) for i in range(2)
    ]
    other = write(tmp_path / "other.raw", np.zeros(54321, "u1"))
    common = find_common_layout([*paths, other])
    assert brief(common.layout)[3:] == (90, 132, 1)
    assert common.unmatched == (other,)
    assert list(common.frame_counts.values()) == [9, 10]
    assert find_common_layout([]) is None


def test_real_files_give_layouts_inside_the_file(shared_data):
    files = sorted((shared_data / "corpus" / "bin").glob("*.bin"), key=lambda p: p.stat().st_size)
    for path in files[:: max(1, len(files) // 4)]:  # from the smallest to the largest
        for layout in find_layouts(path):
            assert layout.offset + layout.nbytes <= path.stat().st_size


def spots(shape, seed, bright, dark):
    """A movie of flickering spots over a dark background, with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[1], : shape[2]]
    centers, light = rng.random((25, 2)) * shape[1:], rng.random((25, shape[0]))
    each = [np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 40) for cy, cx in centers]
    return bright * np.tensordot(light.T, each, 1) + dark + rng.poisson(40, shape)


@pytest.mark.parametrize(
    ("shape", "dtype", "channels"),
    [
        ((10, 64, 64), "<u2", [(900, 300), (300, 150)]),
        ((10, 64, 64), ">u2", [(200, 100), (900, 400)]),
        ((8, 48, 80), "<f4", [(900, 300), (300, 150)]),
        pytest.param(
            (8, 32, 100), "<u2", [(900, 300), (300, 150), (500, 400)], marks=pytest.mark.thorough
        ),
    ],
)
def test_channels_in_turn_are_frames(tmp_path, shape, dtype, channels):
    movies = [spots(shape, seed, *light) for seed, light in enumerate(channels)]
    path = tmp_path / "a.raw"
    np.stack(movies, 1).astype(dtype).tofile(path)
    best = find_layouts(path)[0]
    assert brief(best) == (dtype, 0, len(channels) * shape[0], *shape[1:], 1)


@pytest.mark.parametrize("count", [4, *more((2, 3))])
@pytest.mark.parametrize("dtype", ["<u2", *more(("u1",))])
def test_narrow_channels_in_turn_are_not_joined(tmp_path, count, dtype):
    light = [(900, 300), (300, 150), (500, 400), (200, 700)]
    movies = [spots((22, 30, 30), seed, *light[seed]) for seed in range(count)]
    pixels = np.stack(movies, 1)
    stored_pixels = (pixels / 8).clip(0, 255) if dtype == "u1" else pixels
    best = find_layouts(write(tmp_path / "a.raw", stored_pixels.astype(dtype)))[0]
    assert brief(best) == (dtype, 0, 22 * count, 30, 30, 1)


@pytest.mark.parametrize("count", [6, *more((5, 8, 9))])
@pytest.mark.parametrize("frames", [1, *more((3,))])
def test_more_than_four_bytes_of_a_pixel_are_channels(tmp_path, count, frames):
    shape = (frames, 60, 90)
    each = [
        spots(shape, seed, 300 + 90 * seed, 100 + 70 * (3 * seed % count)) for seed in range(count)
    ]
    pixels = (np.stack(each, -1) / 6).clip(0, 255).astype("u1")
    best = find_layouts(write(tmp_path / "a.raw", pixels))[0]
    assert brief(best) == ("u1", 0, *shape, count)


@pytest.mark.parametrize(
    ("count", "dtype", "frames"), [(5, "<u2", 1), (6, "<u2", 3), (9, ">u2", 1), (12, "<f4", 2)]
)
def test_more_than_four_samples_of_a_pixel_are_channels(tmp_path, count, dtype, frames):
    shape = (frames, 60, 90)
    each = [
        spots(shape, seed, 300 + 90 * seed, 100 + 70 * (3 * seed % count)) for seed in range(count)
    ]
    path = tmp_path / "a.raw"
    np.stack(each, -1).astype(dtype).tofile(path)
    best = find_layouts(path)[0]
    assert brief(best) == (dtype, 0, *shape, count)
    assert any(f"between {count} channels" in reason for reason in best.reasons)


@pytest.mark.parametrize(
    "text",
    [
        "# time\tvalue\n" + "".join(f"{i / 10:.3f}\t{i * i}\n" for i in range(400)),
        "x;y\r\n" + "1,5;2,5\r\n" * 900,
        "µm,Größe\n" + "0.5,1\n" * 40,
    ],
    ids=["tabs", "CRLF", "UTF-8"],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "utf-8-sig"])
def test_text_is_called_text(tmp_path, text, codec):
    path = tmp_path / "table.dat"
    path.write_bytes(text.encode(codec))
    with pytest.raises(UnreadableFileError, match="is text"):
        find_layouts(path)
    with pytest.raises(UnreadableFileError, match="is text"):
        imload(path)
    assert not lacks_layout(path)


@pytest.mark.parametrize(
    "text",
    [
        b'[{"a": 1, "b": 2.5}' + b', {"a": 3, "b": 4.5}' * 900 + b"]",
        b"<?xml version='1.0'?><a>" + b"<b>1</b>" * 900 + b"</a>",
        "Zeit;Größe in µm\n".encode("latin-1") + b"0,5;17,25\n" * 900,
        "température;20 °C\r\n".encode("cp1252") + b"3,25;1;2\r\n" * 20,
    ],
    ids=["JSON", "XML", "Latin-1", "CP1252"],
)
def test_other_text_is_called_text(tmp_path, text):
    path = tmp_path / "table.raw"
    path.write_bytes(text)
    with pytest.raises(UnreadableFileError, match="is text"):
        imload(path)


def test_dark_images_are_not_text(tmp_path):
    path = tmp_path / "a.raw"
    dark = stored("u1", scene()).clip(32, 126)
    dark.tofile(path)
    assert find_layouts(path)
    dark[:, ::9, ::9] = 200  # with a few bright pixels
    dark[:, ::8, 1] = 10
    dark.tofile(path)
    assert find_layouts(path)


def test_empty_files_are_called_empty(tmp_path):
    path = tmp_path / "a.raw"
    path.touch()
    with pytest.raises(UnreadableFileError, match=r"is empty \(0 bytes\)"):
        imload(path)
