"""Raw files without metadata: layouts found, known fields and reasons."""

import json
import struct
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

import napari_ferry
from napari_ferry import (
    InvalidImageError,
    Layout,
    MissingMetadataError,
    TargetExistsError,
    UnreadableFileError,
    find_layouts,
    imload,
)
from napari_ferry.cli import main
from napari_ferry.codecs.binary.layout import evaluate, find
from napari_ferry.codecs.binary.layout.candidates.packed import UnpackedSource, unpack
from napari_ferry.codecs.binary.layout.find import find_common_layout
from napari_ferry.codecs.binary.layout.signals.frame_border import BorderFinder
from napari_ferry.codecs.binary.layout.signals.header_edge import find_byte_edge
from napari_ferry.codecs.binary.layout.source import Source, open_source
from napari_ferry.codecs.binary.layout.verify.seams import Seams
from napari_ferry.codecs.binary.sidecar_plan import write_sidecar

DTYPES = ("u1", "<u2", ">u2", "<i4", ">f4", "<f8")
MORE_DTYPES = ("i1", "<i2", ">i2", "<u4", ">u4", ">i4", "<f4", ">f8")


def scene(shape: tuple[int, int, int] = (12, 90, 132), seed: int = 0) -> np.ndarray:
    """A camera movie of floats around 1, with noise of 2 percent."""
    rng = np.random.default_rng(seed)
    still = gaussian_filter(rng.standard_normal(shape[1:]), 3)
    still = 1 + 0.25 * still / still.std()
    moving = gaussian_filter(rng.standard_normal(shape), (1, 4, 4))
    return still + 0.1 * moving / moving.std() + 0.02 * rng.standard_normal(shape)


def stored(dtype: str, pixels: np.ndarray) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return pixels.astype(kind)
    most = {1: 100, 2: 9000, 4: 900_000}[kind.itemsize]
    centered = pixels - 1 if kind.kind == "i" else pixels
    return np.clip(centered * most / 2, 0 if kind.kind == "u" else -most, 2 * most).astype(kind)


def write(path: Path, pixels: np.ndarray, header: bytes = b"") -> Path:
    path.write_bytes(header + pixels.tobytes())
    return path


def brief(layout: Layout) -> tuple:
    return (
        layout.dtype.str.lstrip("|"),
        layout.offset,
        layout.frames,
        layout.y,
        layout.x,
        layout.channels,
    )


# --- borders of frames and headers ----------------------------------------------------------


@pytest.mark.parametrize("away", [-6, 0, 5])
@pytest.mark.parametrize("gap", [0, 40, 300])
def test_frame_border_is_found_to_the_sample(gap, away):
    frames = unrelated_sections(6)
    rng = np.random.default_rng(7)
    between = 1 + 0.3 * rng.standard_normal((6, gap))
    window = np.concatenate(
        [x for one, some in zip(frames, between, strict=True) for x in (one.ravel(), some)]
    )
    pitch = 120 * 150 + gap
    borders = BorderFinder(window[1234:].astype(np.float32), 150, 1)
    best = borders.find(pitch + away, lambda pitch: [pitch % 150 + 150 * k for k in range(4)])
    assert any((one.pitch, one.first, one.gap) == (pitch, pitch - 1234, gap) for one in best)


def unpacked_pairs(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three bytes of each two samples of 12 bits in Mono12p."""
    a, b = samples[::2].astype(np.uint16), samples[1::2].astype(np.uint16)
    return a & 255, a >> 8 | (b & 15) << 4, b >> 4


def test_no_border_is_found_in_noise():
    noise = np.random.default_rng(8).standard_normal(80_000).astype(np.float32)
    assert not [
        one for one in BorderFinder(noise, 150, 1).find(9000, lambda _: [0]) if one.score > 60
    ]


@pytest.mark.parametrize("header", [bytes(300), b"gain = 3\n" * 40, "random"])
def test_byte_edge_is_the_end_of_the_header(header):
    rng = np.random.default_rng(9)
    header = rng.bytes(301) if header == "random" else header
    pixels = rng.poisson(300, 40_000).astype("<u2").tobytes()
    first = np.frombuffer(header + pixels[: 12_000 - len(header)], np.uint8)
    window = np.frombuffer(pixels[12_000:], np.uint8)
    at, score = find_byte_edge(first, np.roll(window, -(len(header) % 2)), 2)
    assert abs(at - len(header)) <= 2
    assert score > 5


# --- layouts found -----------------------------------------------------------------------------


def more(values: tuple) -> list:
    """Values for thorough runs only."""
    return [pytest.param(value, marks=pytest.mark.thorough) for value in values]


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


def test_reasons_name_rows_and_frames_in_bytes(tmp_path):
    best = find_layouts(write(tmp_path / "a.raw", stored("<u2", scene())))[0]
    reasons = "; ".join(best.reasons)
    assert "rows repeat every 264 bytes" in reasons
    assert "frames every 23,760 bytes" in reasons


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


@pytest.mark.parametrize("is_last", [True, *more((False,))], ids=["after-each", "between"])
def test_bytes_after_each_frame_are_a_gap(tmp_path, is_last):
    frames = [frame.tobytes() + bytes(64) for frame in stored("<u2", scene())]
    data = b"".join(frames)
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(512) + (data if is_last else data[:-64]))
    best = find_layouts(path)[0]
    assert (*brief(best), best.gap) == ("<u2", 512, 12, 90, 132, 1, 64)
    assert "64 bytes after each" in str(best)
    assert any("not a whole number of rows" in reason for reason in best.reasons)


def test_gaps_are_found_between_dissimilar_frames(tmp_path):
    rng = np.random.default_rng(2)
    moving = gaussian_filter(rng.standard_normal((5, 120, 150)), (0, 2, 2))
    still = gaussian_filter(rng.standard_normal((120, 150)), 2)
    opposite = [(1 if t % 2 else -1) * 3 * still + 0.3 * one for t, one in enumerate(moving)]
    path = tmp_path / "a.raw"
    path.write_bytes(b"".join(one.astype("<f4").tobytes() + bytes(64) for one in opposite))
    best = find_layouts(path)[0]
    assert (*brief(best), best.gap) == ("<f4", 0, 5, 120, 150, 1, 64)


def unrelated_sections(nt: int, seed: int = 3) -> np.ndarray:
    """Sections with nothing in common but their texture, shape (nt, 120, 150)."""
    noise = np.random.default_rng(seed).standard_normal((nt, 120, 150))
    smooth = gaussian_filter(noise, (0, 2, 2))
    return 1 + 0.3 * smooth / smooth.std()


def test_gap_is_found_between_unrelated_sections(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(
        b"".join(one.tobytes() + bytes(64) for one in stored("<i4", unrelated_sections(4)))
    )
    best = find_layouts(path)[0]
    assert (*brief(best), best.gap) == ("<i4", 0, 4, 120, 150, 1, 64)


def test_gap_may_be_as_long_as_a_row(tmp_path):
    rng = np.random.default_rng(4)
    frames = stored("<u2", scene((12, 90, 128)))
    data = b"".join(one.tobytes() + rng.bytes(256) for one in frames)
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(512) + data[:-256])
    found = find_layouts(path)
    gaps = {(*brief(layout), layout.gap): layout for layout in found[:3]}
    reasons = gaps["<u2", 512, 12, 90, 128, 1, 256].reasons
    assert "frames every 23,296 bytes: the last 256 bytes of each are not pixels" in reasons


@pytest.mark.parametrize("x", [1, 3, 5, 7])
@pytest.mark.parametrize("content", ["text", "ramp"])
def test_short_rows_are_harmless(tmp_path, x, content):
    path = tmp_path / "a.raw"
    ramp = np.arange(6000, dtype="<u2").tobytes()
    path.write_bytes(ramp if content == "ramp" else b"exposure = 20 ms\n" * 600)
    for layout in find_layouts(path, x=x):
        assert layout.x == x
        assert 0 <= layout.confidence <= 1


def test_very_wide_rows_are_read_in_part(tmp_path, monkeypatch):
    sources = []
    opened = find.open_source

    @contextmanager
    def remembered(path):
        with opened(path) as source:
            sources.append(source)
            yield source

    monkeypatch.setattr(find, "open_source", remembered)
    path = tmp_path / "a.raw"
    with path.open("wb") as file:
        file.truncate(90_000_000)
    find_layouts(path, x=10_000_000, dtype="u1")
    assert sources[0].nread < 20_000_000


def test_header_edge_before_packed_samples_is_in_unpacked_bytes(tmp_path):
    rng = np.random.default_rng(12)
    three = np.stack(unpacked_pairs(rng.poisson(900, 120_000)), -1).astype(np.uint8)
    path = write(tmp_path / "a.raw", three, rng.bytes(300))
    with open_source(path) as source:
        unpacked = UnpackedSource(source, "Mono12p")
        window = unpacked.read_samples(40_000, 60_000, np.dtype("<u2"))
        edges = Seams(unpacked, np.dtype("<u2"), 40_000, window).header_end.edges
    likeliest = max(edges, key=lambda edge: edges[edge])
    assert abs(likeliest - 400) <= 4


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


def packed(pixels: np.ndarray, packing: str) -> np.ndarray:
    """Samples of 12 bits as GenICam packs them, shape (..., n / 2, 3)."""
    a, b = pixels[..., ::2].astype("u2"), pixels[..., 1::2].astype("u2")
    if packing == "Mono12p":
        return np.stack([a & 255, a >> 8 | (b & 15) << 4, b >> 4], -1).astype("u1")
    return np.stack([a >> 4, (b & 15) << 4 | a & 15, b >> 4], -1).astype("u1")


@pytest.mark.parametrize("packing", ["Mono12p", *more(("Mono12Packed",))])
def test_packed_samples_of_12_bits_are_named(tmp_path, packing):
    pixels = np.clip(scene() * 1500, 0, 4095).astype("u2")
    data = packed(pixels, packing)
    assert np.array_equal(unpack(data.ravel(), packing), pixels.ravel())
    best = find_layouts(write(tmp_path / "a.raw", data, bytes(512)))[0]
    assert brief(best) == ("u1", 512, 12, 90, 66, 3)
    assert any("12 bits" in reason and packing in reason for reason in best.reasons)


def test_alpha_of_floats_is_a_channel(tmp_path):
    gray = scene((3, 90, 132))
    colors = [np.round(100 * np.clip(gray * k, 0, 2.5)) / 255 for k in (0.5, 0.8, 1)]
    pixels = np.stack([*colors, np.ones_like(gray)], -1).astype("<f4")
    best = find_layouts(write(tmp_path / "a.raw", pixels))[0]
    assert brief(best) == ("<f4", 0, 3, 90, 132, 4)


# --- known fields -----------------------------------------------------------------------------

KNOWN = (
    {"dtype": ">u2"},
    {"dtype": "u1", "channels": 2},
    {"x": 66},
    {"y": 45},
    {"frames": 6},
    {"offset": 1},
    {"dtype": "f2"},
    {"frames": 3, "y": 7, "x": 11, "dtype": "u2"},
)
MORE_KNOWN = (
    {"dtype": "u2"},
    {"byte_order": "big"},
    {"channels": 3},
    {"offset": 264},
    {"dtype": np.float32, "y": 90},
    {"dtype": "i8"},
)


@pytest.mark.parametrize("known", [*KNOWN, *more(MORE_KNOWN)], ids=str)
def test_known_fields_are_never_overruled(tmp_path, known):
    found = find_layouts(write(tmp_path / "a.raw", stored("<u2", scene())), **known)
    assert found
    for layout in found:
        if layout.dtype.itemsize > 1:
            assert layout.byte_order == known.get("byte_order", layout.byte_order)
        for name in ("frames", "y", "x", "channels", "offset"):
            assert getattr(layout, name) == known.get(name, getattr(layout, name))
        if "dtype" in known:
            assert layout.dtype.newbyteorder("=") == np.dtype(known["dtype"]).newbyteorder("=")
        if str(known.get("dtype")).startswith(">"):
            assert layout.byte_order == "big"


def test_layouts_are_ranked_distinct_and_inside_the_file(tmp_path):
    path = write(tmp_path / "a.raw", stored("<u2", scene()))
    found = find_layouts(path, limit=50)
    confidences = [layout.confidence for layout in found]
    assert confidences == sorted(confidences, reverse=True)
    assert len({brief(layout) for layout in found}) == len(found) > 10
    assert all(layout.offset + layout.nbytes <= path.stat().st_size for layout in found)
    assert find_layouts(path, limit=3) == found[:3]


def test_planes_are_channels_if_these_are_known(tmp_path):
    path = write(tmp_path / "a.raw", stored("<u2", scene()))
    best = find_layouts(path, channels=3, y=90, x=132)[0]
    assert (best.interleaving, best.shape) == ("plane", (4, 3, 90, 132))


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"dtype": "U3"}, "integers or floating point"),
        ({"dtype": "complex64"}, "integers or floating point"),
        ({"dtype": "no type"}, "type of numbers"),
        ({"dtype": ">u2", "byte_order": "little"}, "contradict"),
        ({"byte_order": "middle"}, "'little' or 'big'"),
        ({"frames": 0}, "frames is 0"),
        ({"x": 2.5}, "x is 2.5"),
        ({"y": True}, "y is True"),
        ({"offset": -1}, "offset is -1"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_invalid_known_fields_are_refused(tmp_path, known, message):
    path = write(tmp_path / "a.raw", np.zeros(100, "u1"))
    with pytest.raises(InvalidImageError, match=message):
        find_layouts(path, **known)


# --- hard files --------------------------------------------------------------------------------


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


def test_number_of_bytes_read_is_bounded(tmp_path, monkeypatch):
    path, pixels = tmp_path / "a.raw", stored("<u2", scene((8, 256, 256)))
    with path.open("wb") as file:
        for _ in range(120):
            file.write(pixels.tobytes())

    sources = []
    monkeypatch.setattr(
        evaluate,
        "find_sample_types",
        _remembering(evaluate.find_sample_types, sources),
        raising=True,
    )
    best = find_layouts(path)[0]
    assert (best.y, best.x, best.frames) == (256, 256, 960)
    (source,) = sources
    assert source.size > 120_000_000
    assert source.nread < 16_000_000


def _remembering(function, sources: list[Source]):
    def call(source, known):
        sources.append(source)
        return function(source, known)

    return call


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


# --- known headers -----------------------------------------------------------------------------


def test_header_of_numpy_is_read(tmp_path):
    pixels = stored(">u2", scene())
    np.save(tmp_path / "a.npy", pixels)
    path = (tmp_path / "a.npy").rename(tmp_path / "a.raw")
    (found,) = find_layouts(path)
    assert brief(found) == (">u2", 128, 12, 90, 132, 1)
    assert found.confidence == 1.0
    assert "NumPy" in found.reasons[0]


def test_header_that_contradicts_known_fields_is_ignored(tmp_path):
    np.save(tmp_path / "a.npy", stored("<u2", scene()))
    found = find_layouts(tmp_path / "a.npy", y=45)
    assert {layout.y for layout in found} == {45}


def test_headers_of_mrc_nrrd_and_pgm_are_read(tmp_path):
    pixels = stored("<i2", scene((4, 50, 60)))
    mrc = struct.pack("<4i", 60, 50, 4, 1).ljust(208, b"\0") + b"MAP \x44\x44\0\0"
    nrrd = (
        b"NRRD0004\n# made by hand\ntype: int16\ndimension: 3\nsizes: 60 50 4\n"
        b"endian: little\nencoding: raw\n\n"
    )
    for header, name in ((mrc.ljust(1024, b"\0"), "MRC"), (nrrd, "NRRD")):
        (found,) = find_layouts(write(tmp_path / "a.raw", pixels, header))
        assert brief(found) == ("<i2", len(header), 4, 50, 60, 1)
        assert name in found.reasons[0]
    pgm = b"P5\n# by hand\n60 50\n255\n"
    (found,) = find_layouts(write(tmp_path / "a.raw", stored("u1", scene((1, 50, 60))), pgm))
    assert brief(found) == ("u1", len(pgm), 1, 50, 60, 1)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"MM\0*\0\0\0\x08", "TIFF"),
        (b"II+\0\x08\0\0\0", "BigTIFF"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"GIF89a", "GIF"),
        (b"\0\0\0\x18ftypisom", "MP4"),
        (b"\0" * 128 + b"DICM", "DICOM"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"PK\x03\x04", "zip"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"ZISRAWFILE", "CZI"),
    ],
)
def test_other_formats_are_identified(tmp_path, head, name):
    path = write(tmp_path / "a.raw", stored("<u2", scene((2, 30, 40))), head)
    with pytest.raises(UnreadableFileError, match=name):
        find_layouts(path)


def test_known_offset_overrules_another_format(tmp_path):
    path = write(tmp_path / "a.raw", stored("<u2", scene()), b"PK\x03\x04")
    assert find_layouts(path, offset=4)[0].offset == 4


@pytest.mark.parametrize(
    "head",
    [
        b"\x93NUMPY\x01\0\xff\xff{'descr'",
        b"\x93NUMPY\x01\0\x04\0(((( ",
        b"\x93NUMPY\x01\0\x20\0{'descr': '<u2', 'shape': (1e9,)}",
        b"NRRD0004\ntype: int16\nsizes: 99999 99999\nencoding: raw\n\n",
        b"NRRD0004\nencoding: gzip\n\n",
        b"P5 no numbers",
        bytes(208) + b"MAP ",
    ],
)
def test_damaged_headers_are_ignored(tmp_path, head):
    path = write(tmp_path / "a.raw", stored("<u2", scene((2, 24, 30))), head)
    for layout in find_layouts(path):
        assert layout.confidence < 1


# --- repair ------------------------------------------------------------------------------------


def test_error_of_a_file_without_sidecar_names_the_likeliest_layout(tmp_path):
    write(tmp_path / "cells.raw", stored(">u2", scene()))
    with pytest.raises(MissingMetadataError) as error:
        imload(tmp_path / "cells.raw")
    message = str(error.value)
    assert "12 x 90 x 132 of uint16, big endian after 0 bytes" in message
    assert "{'dtype': '>u2', 'y': 90, 'x': 132}" in message
    assert "napari-ferry repair cells.raw --write" in message


def test_error_of_a_png_names_the_format(tmp_path):
    (tmp_path / "a.raw").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1000))
    with pytest.raises(MissingMetadataError, match="PNG"):
        imload(tmp_path / "a.raw")


@pytest.mark.parametrize("header", [bytes(352), *more((b"",))], ids=["header", "plain"])
def test_command_writes_a_sidecar_that_opens_the_file(tmp_path, capsys, header):
    pixels = stored(">u2", scene())
    path = write(tmp_path / "cells.raw", pixels, header)
    assert main(["repair", str(path)]) == 0
    assert not (tmp_path / "cells.json").exists()
    assert main(["repair", str(path), "--write"]) == 0
    assert "rows repeat every 264 bytes" in capsys.readouterr().out
    (image,) = imload(path)
    np.testing.assert_array_equal(image.array, pixels)
    assert image.axis_names == ("t", "y", "x")


def test_sidecar_is_replaced_on_request_only_and_backed_up(tmp_path, capsys):
    path = write(tmp_path / "cells.raw", stored("<u2", scene()))
    old = json.dumps({"frames": 1, "y": 2, "x": 3, "dtype": "uint8"})
    (tmp_path / "cells.json").write_text(old)
    assert main(["repair", str(path), "--write"]) == 1
    assert "overwrite" in capsys.readouterr().err
    assert (tmp_path / "cells.json").read_text() == old
    for name in ("cells.json.bak", "cells.json.bak1"):
        assert main(["repair", str(path), "--write", "--overwrite"]) == 0
        assert (tmp_path / name).is_file()
    assert (tmp_path / "cells.json.bak").read_text() == old
    assert imload(path)[0].shape == (12, 90, 132)


def test_command_accepts_known_fields(tmp_path, capsys):
    path = write(tmp_path / "cells.raw", stored("<u2", scene()))
    known = ["--dtype", "uint16", "--y", "45", "--x", "132", "--offset", "0"]
    assert main(["repair", str(path), *known, "--write"]) == 0
    assert imload(path)[0].shape == (24, 45, 132)
    assert main(["repair", str(path), "--x", "100000000"]) == 1
    assert "No layout" in capsys.readouterr().err


def test_color_opens_as_color(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (2, 20, 30, 3), np.uint8)
    path = write(tmp_path / "a.raw", pixels)
    write_sidecar(
        path,
        Layout(
            dtype=np.dtype("u1"), offset=0, frames=2, channels=3, interleaving="pixel", y=20, x=30
        ),
    )

    (image,) = imload(path)
    assert image.is_rgb
    np.testing.assert_array_equal(image.array, pixels)
    with pytest.raises(TargetExistsError):
        write_sidecar(
            path,
            Layout(
                dtype=np.dtype("u1"),
                offset=0,
                frames=2,
                channels=3,
                interleaving="pixel",
                y=20,
                x=30,
            ),
        )


def test_layout_that_does_not_fit_is_not_written(tmp_path):
    path = write(tmp_path / "a.raw", np.zeros(1001, "u1"))
    with pytest.raises(InvalidImageError, match="1 bytes remain"):
        write_sidecar(path, Layout(dtype=np.dtype("u1"), offset=0, frames=10, y=10, x=10))
    assert not (tmp_path / "a.json").exists()


def test_folder_of_one_camera_is_repaired_with_one_layout(tmp_path, capsys):
    sizes = {"a": 6, "b": 11, "c": 1}
    for seed, (name, frames) in enumerate(sizes.items()):
        write(tmp_path / f"{name}.raw", stored("<u2", scene((frames, 90, 132), seed)), bytes(352))
    assert main(["repair", str(tmp_path), "--write"]) == 0
    assert "3 of 3 files" in capsys.readouterr().out
    shapes = {path.stem: imload(path)[0].shape for path in sorted(tmp_path.glob("*.raw"))}
    assert shapes == {name: (frames, 90, 132) for name, frames in sizes.items()}


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


# --- real files --------------------------------------------------------------------------------


def test_real_files_give_layouts_inside_the_file(shared_data):
    files = sorted((shared_data / "corpus" / "bin").glob("*.bin"), key=lambda p: p.stat().st_size)
    for path in files[:: max(1, len(files) // 4)]:  # from the smallest to the largest
        for layout in find_layouts(path):
            assert layout.offset + layout.nbytes <= path.stat().st_size


def test_names_are_public():
    assert napari_ferry.find_layouts is find.find_layouts
    assert napari_ferry.Layout is Layout
