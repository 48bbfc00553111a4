"""TIFF files of the corpus: real, unusual and malformed ones.

``index.json`` records the pixels of every page, as several readers agree on them, and the hash that
Bio-Formats gives each image. Malformed files are opened in children, which may use 1.5 GB and 20 s.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from faults import run_fork
from helpers import Entry, entry_id, read_corpus, sha256
from napari_ferry import Image, imload
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from tiff_children import MEGABYTES, SECONDS, WHOLE

MALFORMED = ("malformed", "generated-malformed")
SOUND = read_corpus("tiff", lambda entry: entry["kind"] not in MALFORMED)
BROKEN = read_corpus("tiff", lambda entry: entry["kind"] in MALFORMED)

# Bio-Formats turns white into black and colors of print into their opposites; of JPEG and of bits
# that fill no byte it makes other numbers than the rest.
_ANOTHER_VIEW = re.compile(r"MINISWHITE|SEPARATED|JPEG|\b([2-7]|1[0-5]|24)bit")
# Here, pages of one size are a stack, and those of another size are another.
_ANOTHER_ORDER = (
    "Pillow__multipage.tiff",
    "Pillow__multipage_out_of_order.tiff",
    "imagecodecs__gray.series.u1.tif",
)


def seen_by_bio_formats() -> list[Entry]:
    return [
        entry
        for entry in SOUND
        if entry.get("bioformats")
        and all(series["sha256_TCZYXS_le"] for series in entry["bioformats"])
        and not _ANOTHER_VIEW.search(entry["exercises"])
        and Path(entry["file"]).name not in _ANOTHER_ORDER
    ]


def path_of(entry: Entry, shared_data: Path) -> Path:
    return shared_data / "corpus" / str(entry["file"])


@pytest.mark.parametrize(
    "entry", [entry for entry in SOUND if isinstance(entry["expect"], dict)], ids=entry_id
)
@pytest.mark.filterwarnings("ignore::napari_ferry.FerryWarning")
def test_pages_are_those_recorded(entry: Entry, shared_data: Path) -> None:
    pages = TiffPages(path_of(entry, shared_data))
    hashes = [sha256(_samples_last(pages, i)) for i in range(len(pages))]
    found = hashlib.sha256("".join(hashes).encode()).hexdigest()
    assert (len(pages), found) == (entry["expect"]["pages"], entry["expect"]["pages_digest"])


def _samples_last(pages: TiffPages, i: int) -> NDArray[Any]:
    data, kind = pages(i), pages.kind(int(pages.kinds[i]))
    return np.moveaxis(data, 0, -1) if kind.axes.startswith("s") and data.ndim == 3 else data


@pytest.mark.parametrize("entry", SOUND, ids=entry_id)
@pytest.mark.filterwarnings("ignore::napari_ferry.FerryWarning")
def test_images_load(entry: Entry, shared_data: Path) -> None:
    images = imload(path_of(entry, shared_data))
    assert images
    for image in images:
        pixels = image.load()
        assert (pixels.shape, pixels.dtype) == (image.shape, image.dtype)
    if entry["expect"] == "ok-with-scale-1":
        assert {axis.scale for axis in images[0].axes} == {1}


@pytest.mark.parametrize("entry", seen_by_bio_formats(), ids=entry_id)
@pytest.mark.filterwarnings("ignore::napari_ferry.FerryWarning")
def test_images_are_those_of_bio_formats(entry: Entry, shared_data: Path) -> None:
    series = {one["sha256_TCZYXS_le"] for one in entry["bioformats"]}
    images = imload(path_of(entry, shared_data))
    # what hangs on a page, such as a thumbnail, Bio-Formats mostly leaves out
    for image in images[:1] if "subifds" in entry["exercises"] else images:
        assert series & {sha256(_turned(image, order)) for order in ("tczyxs", "tzyxsc")}


def _turned(image: Image, order: str) -> NDArray[Any]:
    """Return the pixels with all axes, in an order."""
    names = [*(name for name in order if name not in image.axis_names), *image.axis_names]
    data = image.load().reshape((1,) * (len(names) - image.ndim) + image.shape)
    return data.transpose([names.index(name) for name in order])


@pytest.fixture(scope="module")
def outcomes(shared_data: Path) -> dict[str, dict[str, Any]]:
    """Results of opening each malformed file, by name."""
    code = "import sys, tiff_children; tiff_children.open_in_children(sys.argv[1:])"
    status, out, errors = run_fork(code, *(path_of(entry, shared_data) for entry in BROKEN))
    assert status == 0, errors
    return {found["file"]: found for found in map(json.loads, out.splitlines())}


@pytest.mark.parametrize("entry", BROKEN, ids=entry_id)
def test_malformed_files_are_harmless(entry: Entry, outcomes: dict[str, dict[str, Any]]) -> None:
    name = Path(entry["file"]).name
    found = outcomes[name]
    assert found["status"] == 0, f"killed by signal {found['status']}"
    assert found["seconds"] <= SECONDS
    assert found["megabytes"] <= MEGABYTES
    if found["error"] is not None:
        assert found["is_ours"], found["error"]
        assert len(found["error"]) > 8
        assert name in found["error"]
    else:
        assert entry["expect"] != "error" or "trunc" in name
        assert found["frames"]


@pytest.mark.parametrize("entry", [e for e in BROKEN if "gen__trunc" in e["file"]], ids=entry_id)
def test_truncated_files_never_lose_frames_without_a_warning(
    entry: Entry, outcomes: dict[str, dict[str, Any]]
) -> None:
    found = outcomes[Path(entry["file"]).name]
    if found["error"] is None:
        whole = tifffile.imread(WHOLE)
        n = len(found["frames"])
        assert found["frames"] == [sha256(frame) for frame in whole[:n]]
        assert n == len(whole) or "cut off" in " ".join(found["warnings"])
