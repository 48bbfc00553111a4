"""Reading of single PNG files: samples, palettes, transparency and metadata, next to Pillow."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image as Pictures

from napari_ferry import FerryWarning, UnreadableFileError, imload
from napari_ferry.codecs.png.chunk_scan import scan_open
from napari_ferry.codecs.png.chunks import make_chunk
from napari_ferry.image.record import KEY
from png_files import GRAY, GRAY_ALPHA, PALETTE, RGB, RGBA, build, every_kind, with_pillow


def load(path: Path) -> np.ndarray:
    (image,) = imload(path)
    return np.asarray(image.array)


@pytest.mark.parametrize(("color", "depth"), list(every_kind()))
def test_every_color_type_and_depth_is_read(color: int, depth: int, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(build(color, depth))
    found, expected = load(path), np.asarray(imagecodecs.png_decode(path.read_bytes()))
    if color == GRAY_ALPHA:
        expected = expected[..., [0, 0, 0, 1]]
    if (color, depth) == (GRAY, 1):
        assert found.dtype == bool
        expected = expected > 0
    assert found.dtype == (bool if found.dtype == bool else expected.dtype)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("mode", ["1", "L", "I;16", "P", "RGB", "RGBA", "LA"])
def test_files_of_pillow_are_read(mode: str, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (9, 11, 4), np.uint8)
    if mode == "I;16":
        picture = Pictures.fromarray(values[..., 0].astype(np.uint16) * 257)
    else:
        samples = 4 if "A" in mode else 3
        picture = Pictures.fromarray(values[..., :samples]).convert(mode)
    picture.save(tmp_path / "a.png", dpi=(300, 300))
    found = load(tmp_path / "a.png")
    expected = np.asarray(picture.convert({"P": "RGB", "LA": "RGBA"}.get(mode, mode)))
    np.testing.assert_array_equal(found, expected)
    assert imload(tmp_path / "a.png")[0].axis("y").unit is None


def test_interlaced_pixels_are_read(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 1, 2, 8, GRAY, 0, 0, 1)
    rows = zlib.compress(b"\0\5\0\7")
    parts = (b"\x89PNG\r\n\x1a\n", make_chunk(b"IHDR", header), make_chunk(b"IDAT", rows))
    (tmp_path / "a.png").write_bytes(b"".join((*parts, make_chunk(b"IEND", b""))))
    assert load(tmp_path / "a.png").tolist() == [[5], [7]]


@pytest.mark.parametrize(
    ("color", "data"), [(GRAY, b"\0\5"), (RGB, b"\0\1\0\2\0\3"), (PALETTE, b"\7\200")]
)
def test_a_transparent_color_makes_rgba(color: int, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(build(color, 8, (40, 40), chunks=[make_chunk(b"tRNS", data)]))
    with Pictures.open(path) as picture:
        expected = np.asarray(picture.convert("RGBA"))
    np.testing.assert_array_equal(load(path), expected)


def test_a_gray_or_opaque_palette_has_no_more_samples_than_needed(tmp_path: Path) -> None:
    picture = Pictures.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8), "P")
    picture.putpalette([k for level in range(256) for k in (255 - level,) * 3])
    picture.save(tmp_path / "gray.png")
    np.testing.assert_array_equal(load(tmp_path / "gray.png"), 255 - np.asarray(picture))
    data = build(PALETTE, 2, chunks=[make_chunk(b"tRNS", b"\xff\xff")])
    (tmp_path / "opaque.png").write_bytes(data)
    assert load(tmp_path / "opaque.png").shape == (5, 7, 3)


def test_the_resolution_is_the_pixel_size(tmp_path: Path) -> None:
    chunk = make_chunk(b"pHYs", struct.pack(">IIB", 4_000_000, 2_000_000, 1))
    (tmp_path / "a.png").write_bytes(build(GRAY, 8, chunks=[chunk]))
    (image,) = imload(tmp_path / "a.png")
    assert [(axis.scale, axis.unit) for axis in image.axes] == [
        (0.5, "micrometer"),
        (0.25, "micrometer"),
    ]


@pytest.mark.parametrize(
    "resolution", [(2835, 2835, 1), (11811, 11811, 1), (4_000_000, 4_000_000, 0), (0, 5, 1)]
)
def test_other_resolutions_are_no_pixel_size(
    resolution: tuple[int, int, int], tmp_path: Path
) -> None:
    chunk = make_chunk(b"pHYs", struct.pack(">IIB", *resolution))
    (tmp_path / "a.png").write_bytes(build(GRAY, 8, chunks=[chunk]))
    assert imload(tmp_path / "a.png")[0].axis("x").unit is None


def test_texts_are_metadata(tmp_path: Path) -> None:
    chunks = [
        make_chunk(b"tEXt", b"Software\0Fiji \xb5"),
        make_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"long")),
        make_chunk(b"iTXt", b"Title\0\0\0de\0Titel\0\xc2\xb5m"),
        make_chunk(b"iTXt", b"More\0\1\0\0\0" + zlib.compress("µ".encode())),
        make_chunk(b"zTXt", b"Broken\0\0no zlib"),
        make_chunk(b"iTXt", b"Cut\0\0"),
    ]
    (tmp_path / "a.png").write_bytes(build(GRAY, 8, chunks=chunks))
    texts = imload(tmp_path / "a.png")[0].metadata["png"]["texts"]
    expected = {"Software": "Fiji µ", "Comment": "long", "Title": "µm", "More": "µ"}
    assert texts == expected | {"Broken": ""}


# --- damage -------------------------------------------------------------------------------------


def flip(data: bytes, kind: bytes) -> bytes:
    """Return a file with a changed byte in the data of a chunk."""
    at = data.index(kind) + 5
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


WHOLE = build(RGB, 8, chunks=[make_chunk(b"tEXt", b"Title\0cells")])
DAMAGED = {
    "cut in the pixels": (WHOLE[:-30], "is cut off after"),
    "cut before the end": (WHOLE[:-6], "is cut off after"),
    "header": (flip(WHOLE, b"IHDR"), "checksum of its chunk IHDR"),
    "no pixels": (WHOLE[: WHOLE.index(b"IDAT") - 4] + make_chunk(b"IEND", b""), "has no pixels"),
    "other bytes": (WHOLE.replace(b"IDAT", b"ID\0T"), "no chunk at byte"),
    "no header": (WHOLE[:8] + WHOLE[33:], "does not begin with its header"),
    "no palette": (
        build(PALETTE, 8).replace(b"PLTE", b"plte"),
        "indexed colors but no palette",
    ),
    "short header": (
        WHOLE[:8] + make_chunk(b"IHDR", bytes(12)) + WHOLE[33:],
        "header has 12 bytes",
    ),
    "short palette": (
        WHOLE[:33] + make_chunk(b"PLTE", bytes(7)) + WHOLE[33:],
        "its palette has 7 bytes",
    ),
    "long palette": (
        WHOLE[:33] + make_chunk(b"PLTE", bytes((16 << 20) + 1)) + WHOLE[33:],
        "its chunk PLTE has 16,777,217 bytes",
    ),
    "animation control": (
        build(GRAY, 8, chunks=[make_chunk(b"acTL", bytes(7))]),
        "animation control",
    ),
    "frame control": (build(GRAY, 8, chunks=[make_chunk(b"fcTL", bytes(25))]), "frame control"),
    "pixels of no frame": (build(GRAY, 8, end=make_chunk(b"fdAT", bytes(9))), "pixels of no frame"),
    "no such depth": (build(GRAY, 8).replace(b"\x08\0\0\0\0", b"\x07\0\0\0\0", 1), "checksum"),
}


@pytest.mark.parametrize(("data", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_files_are_refused_with_their_damage(
    data: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UnreadableFileError, match=message) as error:
        imload(tmp_path / "a.png")
    assert str(error.value).startswith("a.png is damaged: ")


@pytest.mark.parametrize(
    ("size", "depth", "color"), [((0, 5), 8, 0), ((5, 2**31), 8, 0), ((5, 5), 3, 0), ((5, 5), 8, 5)]
)
def test_impossible_headers_are_refused(
    size: tuple[int, int], depth: int, color: int, tmp_path: Path
) -> None:
    header = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, 0)
    old = WHOLE[8:33]
    (tmp_path / "a.png").write_bytes(WHOLE.replace(old, make_chunk(b"IHDR", header)))
    with pytest.raises(UnreadableFileError, match="its header"):
        imload(tmp_path / "a.png")


def test_a_size_that_the_pixels_cannot_have_is_refused_before_it_is_allocated(
    tmp_path: Path,
) -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 16, RGBA, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(WHOLE.replace(WHOLE[8:33], make_chunk(b"IHDR", header)))
    with pytest.raises(UnreadableFileError, match=r"more than its .* bytes"):
        imload(tmp_path / "a.png")


def test_damaged_pixels_are_reported_when_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(flip(WHOLE, b"IDAT"))
    (image,) = imload(tmp_path / "a.png")
    with pytest.raises(UnreadableFileError, match="checksum of its chunk IDAT at byte"):
        image.load()


@pytest.mark.parametrize("rows", [b"\0" * 3, b"\x09" * 200])
def test_pixels_that_cannot_be_decoded_are_reported(rows: bytes, tmp_path: Path) -> None:
    start, end = WHOLE.index(b"IDAT") - 4, WHOLE.index(b"IEND") - 4
    data = WHOLE[:start] + make_chunk(b"IDAT", zlib.compress(rows)) + WHOLE[end:]
    (tmp_path / "a.png").write_bytes(data)
    (image,) = imload(tmp_path / "a.png")
    with pytest.raises(UnreadableFileError, match=r"a\.png is damaged: .*; get a complete copy"):
        image.load()


def test_damaged_metadata_do_not_prevent_the_pixels(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(flip(WHOLE, b"tEXt"))
    with pytest.warns(FerryWarning, match="checksum of its chunk tEXt .* left out"):
        (image,) = imload(tmp_path / "a.png")
    np.testing.assert_array_equal(image.load(), with_pillow_of(WHOLE, tmp_path))


def with_pillow_of(data: bytes, folder: Path) -> np.ndarray:
    (folder / "whole.png").write_bytes(data)
    return with_pillow(folder / "whole.png")


def test_another_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\xff\xd8\xff\xe0" + bytes(60))
    with pytest.raises(UnreadableFileError, match=r"not a PNG file; .*JPEG.*\.jpg"):
        imload(tmp_path / "a.png")


def test_a_mark_that_is_not_valid_is_passed_over(tmp_path: Path) -> None:
    record = json.dumps({"sequence": {"of": "a", "index": 3, "count": 3}}).encode()
    text = make_chunk(b"tEXt", KEY.encode() + b"\0" + record)
    (tmp_path / "a_0001.png").write_bytes(build(GRAY, 8, chunks=[text]))
    with pytest.warns(FerryWarning, match="the text of a_0001.png"):
        (image,) = imload(tmp_path / "a_0001.png")
    assert image.shape == (5, 7)


class _GrowingFile(io.FileIO):
    """A file that another program appends to after it is opened."""

    def fileno(self) -> int:
        with Path(self.name).open("ab") as other:
            other.write(b"\0")
        return super().fileno()


def test_a_file_that_grows_meanwhile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(WHOLE)
    with (
        _GrowingFile(tmp_path / "a.png") as file,
        pytest.raises(UnreadableFileError, match=r"a\.png has changed"),
    ):
        scan_open(tmp_path / "a.png", file)
