"""ImageJ hyperstacks of Fiji and other programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tifffile

from helpers import SHARED, assert_same_pixels, pixels
from hyperstacks import axes_of, parse, read
from napari_ferry import imload, imsave
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Axis, Image


@pytest.mark.parametrize(
    ("metadata", "nframes", "axes", "shape"),
    [
        ({}, 1, "yx", (5, 7)),
        ({}, None, "yx", (5, 7)),
        ({"images": 6, "frames": 6}, 6, "tyx", (6, 5, 7)),
        ({"images": 6, "slices": 6}, 6, "zyx", (6, 5, 7)),
        ({"images": 6, "slices": 3, "channels": 2}, 6, "zcyx", (3, 2, 5, 7)),
        ({"images": 24, "slices": 3, "channels": 2, "frames": 4}, 24, "tzcyx", (4, 3, 2, 5, 7)),
        ({"images": 6, "slices": 6, "channels": 1}, 6, "zcyx", (6, 1, 5, 7)),
        ({"images": 6, "spacing": 2.0}, 6, "zyx", (6, 5, 7)),
        ({"images": 6, "finterval": 0.5, "spacing": 2.0}, None, "tyx", (6, 5, 7)),
        ({"images": 6, "fps": 7.0}, 1, "tyx", (6, 5, 7)),
    ],
)
def test_axes_are_those_named_in_the_file(
    metadata: dict[str, Any], nframes: int | None, axes: str, shape: tuple[int, ...]
) -> None:
    found = parse(metadata, nframes)
    assert (axes_of(found), found.shape) == (axes, shape)


def test_an_assumption_is_recorded() -> None:
    found = parse({"images": 6}, 6)
    assert axes_of(found) == "tyx"
    assert "time" in (found.metadata or {})["assumed"]
    assert "assumed" not in (parse({"images": 6, "frames": 6}).metadata or {})


def test_sizes_that_contradict_each_other() -> None:
    with pytest.warns(FerryWarning, match="4 frames x 4 slices"):
        found = parse({"images": 6, "slices": 4, "frames": 4}, 6)
    assert found.shape == (6, 5, 7)
    with pytest.raises(UnreadableFileError, match="planes"):
        parse({"images": 10**9})


@pytest.mark.parametrize("value", [-5, 2.5, "many", True])
@pytest.mark.parametrize("key", ["images", "frames"])
def test_impossible_counts_are_reported(key: str, value: object) -> None:
    with pytest.warns(FerryWarning, match=f"declares {key}={value}, which is not a number"):
        found = parse({"images": 6, key: value}, 6)
    assert (axes_of(found), found.shape) == ("tyx", (6, 5, 7))


def test_an_impossible_number_of_images_is_reported_once(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels((6, 5, 7)), imagej=True)
    path.write_bytes(path.read_bytes().replace(b"images=6", b"images=-", 1))
    with pytest.warns(FerryWarning, match="declares images=-, which") as caught:
        (image,) = imload(path)
    assert image.shape == (6, 5, 7)
    assert len(caught) == 1


@pytest.mark.parametrize("count", ["6", "1"])
def test_other_damage_is_reported_once_if_planes_do_not_fit(count: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    text = f"ImageJ=1.53t\nimages={count}\nframes=-1\n"
    extra = tifffile.imagej_metadata_tag({"Info": "napari-ferry: {damaged"}, "<")
    with tifffile.TiffWriter(path) as writer:
        for page in pixels((2, 5, 7)):
            writer.write(
                page, description=text, metadata=None, extratags=extra, photometric="minisblack"
            )
            text, extra = "", ()
    with pytest.warns(FerryWarning) as caught:
        (image,) = imload(path)
    assert image.shape == (2, 5, 7)
    messages = "\n".join(str(warning.message) for warning in caught)
    assert len(caught) == 3
    planes = "1 plane" if count == "1" else f"{count} planes"
    for part in (f"{planes}, but the file has 2 pages", "declares frames=-1", "The record"):
        assert messages.count(part) == 1


def test_other_metadata_is_preserved_as_json() -> None:
    found = parse({"fps": 5.0, "loop": False, "Plot": b"\0\1", "Labels": "s0", "xorigin": 3})
    metadata = found.metadata
    assert metadata == {"fps": 5.0, "loop": False, "Plot": "AAE=", "Labels": "s0", "xorigin": 3}


def golden() -> list[tuple[Path, dict[str, Any]]]:
    folder = SHARED / "earlier-systems" / "intake_io"
    if not folder.exists():
        return []
    entries = json.loads((folder / "golden.json").read_text())["entries"]
    return [
        (folder / e["open"], e) for e in entries if e["open"].endswith(".tif") and "spacing" in e
    ]


@pytest.mark.skipif(not golden(), reason="../shared/data is not here")
def test_golden_files_of_intake_io() -> None:
    for path, entry in golden():
        if not path.is_file() or not entry["spacing"]:
            continue
        found = read(path)
        sizes = dict(zip(axes_of(found), found.shape, strict=True))
        assert sizes == dict(zip(entry["axes"].lower(), entry["shape"], strict=True))
        for axis in found.axes:
            expected = entry["spacing"].get(axis.name)
            if expected is not None:
                assert axis.scale == pytest.approx(expected, rel=1e-6)
                assert axis.unit == {"t": "second"}.get(axis.name, "micrometer")
        assert axes_of(found) == (entry.get("on_disk_axes") or axes_of(found)).lower()
    assert axes_of(read(SHARED / "earlier-systems/intake_io/hyper.tif")) == "tzcyx"


CORPUS = SHARED / "corpus" / "tiff"


@pytest.mark.skipif(not CORPUS.exists(), reason="../shared/data is not here")
def test_files_of_imagej_itself() -> None:
    found = read(CORPUS / "ij__ij_t6_u8_um.tif")
    assert found.shape == (6, 29, 37)
    assert found.axes == (
        Axis("t", 2.0, "second"),
        Axis("y", 0.2, "micrometer"),
        Axis("x", 0.1, "micrometer"),
    )
    assert (found.metadata or {})["Labels"] == ["s0", "s1", "s2", "s3", "s4", "s5"]
    inch = read(CORPUS / "ij__ij_single_u8_inch.tif")
    assert inch.axes == (Axis("y", 0.01, "inch"), Axis("x", 0.01, "inch"))


@pytest.mark.parametrize("key", ["contrast_limits", "colormap"])
def test_integers_too_large_for_floats_are_ignored(tmp_path: Path, key: str) -> None:
    endless = 10**400
    colormap = {"name": "x", "colors": [[0, 0, 0, 1], [endless, 0, 0, 1]]}
    said = [0, endless] if key == "contrast_limits" else colormap
    image = replace(Image.from_array(pixels((2, 8, 9)), "tyx"), display={key: said})
    for name in ("a.tif", "a.ome.tif"):
        imsave(image, tmp_path / name)
        (found,) = imload(tmp_path / name)
        assert_same_pixels(found.array, image.array)
