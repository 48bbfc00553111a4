"""Files of earlier systems other than plain TIFF, raw and Zarr, which the tests of codecs read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import SHARED, Entry, assert_same_pixels, entry_id, pixels, read_golden, sha256
from napari_ferry import (
    FerryError,
    imload,
    load_gif,
    load_images,
    load_video,
)

RECORDED = SHARED / "earlier-systems"
VIDEOS = read_golden("calscipy", lambda entry: entry["id"].startswith("mp4"))
GIFS = read_golden("calscipy", lambda entry: entry["id"].startswith("gif"))
CHANGED = read_golden("calscipy", lambda entry: entry.get("input_dtype", "") != entry["dtype"])


@pytest.mark.usefixtures("shared_data")
def test_there_are_files_of_calscipy() -> None:
    assert (len(VIDEOS), len(GIFS)) == (4, 6)


def source_of(entry: Entry) -> NDArray[Any]:
    """Return the array that was saved, from the expression in the record."""
    *statements, expression = entry["source_expr"].split("; ")
    names: dict[str, Any] = {"np": np}
    exec("\n".join(statements), names)
    return np.asarray(eval(expression, names))


@pytest.mark.parametrize("entry", VIDEOS, ids=entry_id)
def test_videos_of_calscipy(entry: Entry) -> None:
    """Values of 16 bits were stored modulo 256; the others are as close as in the peer."""
    path = RECORDED / "calscipy" / entry["open"]
    found = load_video(path)
    assert (list(found.shape), found.dtype) == (entry["shape"], "uint8")
    difference = np.abs(found.astype(int) - source_of(entry).astype("uint8"))
    assert difference.mean() <= (3 if entry.get("trap") else 0.5)
    if entry["kind"] == "file":
        assert imload(path)[0].frame_rate == entry["frame_rate"]


@pytest.mark.parametrize("entry", GIFS, ids=entry_id)
def test_gifs_of_calscipy(entry: Entry) -> None:
    path = RECORDED / "calscipy" / entry["open"]
    found = load_gif(path)
    assert len(found) == entry["peer_frames_in_file"]
    assert found.ndim == len(entry["axes"])
    rgb = found if found.ndim == 4 else np.stack([found] * 3, -1)
    assert sha256(rgb) == entry["decoded_rgb_sha256"]
    delay = np.mean(entry["durations_ms"]) / 1000
    (image,) = imload(path)
    assert image.frame_rate == pytest.approx(1 / delay)
    image.close()
    if not entry["lossy"]:
        assert sha256(found) == entry["sha256_c_order"]


@pytest.mark.parametrize(
    ("name", "restore"),
    [
        ("tif_int8", lambda found: found.astype("int8")),
        ("tif_int16", lambda found: found.astype("int16")),
        ("tif_uint32", lambda found: found.view("uint32")),
    ],
)
def test_values_that_calscipy_changed_can_be_restored(
    name: str, restore: Any, shared_data: Path
) -> None:
    (entry,) = [entry for entry in CHANGED if entry["id"] == name]
    found = restore(load_images(RECORDED / "calscipy" / entry["open"]))
    assert found.dtype == entry["input_dtype"]
    assert sha256(found) == entry["input_sha256"]


@pytest.mark.parametrize(
    "entry", read_golden("intake_io", lambda entry: "i" in entry.get("coords", {})), ids=entry_id
)
def test_coordinates_in_the_names_of_intake_io(entry: Entry) -> None:
    for image in imload(RECORDED / "intake_io" / entry["open"]):
        assert image.to_xarray().coords["i"].values.tolist() == entry["coords"]["i"]


def test_nrrd_of_intake_io(shared_data: Path) -> None:
    (entry,) = read_golden("intake_io", lambda entry: entry["open"] == "image.nrrd")
    (image,) = imload(RECORDED / "intake_io" / entry["open"])
    assert "".join(image.axis_names).upper() == entry["axes"]
    assert sha256(np.asarray(image)) == entry["sha256_c_order"]
    assert {name: image.axis(name).scale for name in "zyx"} == entry["spacing"]


REFUSED = {
    "scout/mixed_dtype": r"b\.tif is .* uint16, but a\.tif is .* uint8",
    "intake_io/image_z3.nii.gz": r"ends in \.gz and cannot be opened",
    "careamics/stack.czi": r"ends in \.czi and cannot be opened",
    "calscipy/bin_nometa.bin": "has no sidecar .*give missing_metadata=",
    "calscipy/video_folder": r"holds \.mp4 data",
}
"""Files that are not opened by their path alone, and what the errors say."""


@pytest.mark.parametrize(("path", "message"), REFUSED.items(), ids=[*REFUSED])
def test_files_that_are_refused(path: str, message: str, shared_data: Path) -> None:
    with pytest.raises(FerryError, match=message):
        imload(RECORDED / path)


@pytest.mark.filterwarnings("ignore::napari_ferry.FerryWarning")
@pytest.mark.parametrize("system", ["ams_bp", "calscipy", "careamics", "intake_io", "scout"])
def test_all_other_files_open(system: str, shared_data: Path) -> None:
    for entry in read_golden(system, lambda _: True):
        path = f"{system}/{entry['open']}"
        if path not in REFUSED:
            for image in imload(RECORDED / path):
                assert image.nbytes or entry["shape"][0] == 0, path
                image.close()


def test_what_a_failed_save_of_ams_bp_leaves_is_a_stack(tmp_path: Path) -> None:
    path = tmp_path / "cells.ome.tiff"
    frames = pixels((1, 2, 5, 16, 24))
    with pytest.raises(IndexError), tifffile.TiffWriter(path, bigtiff=True) as tif:
        tif.write(frames, metadata={"axes": "ZCTYX", "Channel": {"Name": ["red"]}})
    (image,) = imload(path)
    assert image.metadata["assumed"]
    assert_same_pixels(image.array, frames.reshape(10, 16, 24))
