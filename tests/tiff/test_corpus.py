"""TIFF files of the corpus: real, unusual and malformed ones.

``index.json`` records the pixels of every page, as several readers agree on them, and the hash that
Bio-Formats gives each image. Malformed files are opened in children, which may use 1.5 GB and 20 s.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from faults import run_python
from helpers import SHARED, Entry, entry_id, read_corpus, sha256
from napari_ferry import FerryError, FerryWarning, Image, imload
from napari_ferry.codecs.tiff.pages.pages import TiffPages

MALFORMED = ("malformed", "generated-malformed")
SOUND = read_corpus("tiff", lambda entry: entry["kind"] not in MALFORMED)
BROKEN = read_corpus("tiff", lambda entry: entry["kind"] in MALFORMED)

SECONDS, MEGABYTES = 20, 1500

_WHOLE = SHARED / "corpus" / "tiff" / "gen__ome_unit_unknown.ome.tif"
"""A file with the pixels that the truncated ones had."""

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
    code = "import sys; from tiff import test_corpus; test_corpus.open_in_children(sys.argv[1:])"
    status, out, errors = run_python(code, *(path_of(entry, shared_data) for entry in BROKEN))
    assert status == 0, errors
    return {found["file"]: found for found in map(json.loads, out.splitlines())}


@pytest.mark.parametrize("entry", BROKEN, ids=entry_id)
def test_malformed_files_do_no_harm(entry: Entry, outcomes: dict[str, dict[str, Any]]) -> None:
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
def test_truncated_files_never_lose_frames_in_silence(
    entry: Entry, outcomes: dict[str, dict[str, Any]]
) -> None:
    found = outcomes[Path(entry["file"]).name]
    if found["error"] is None:
        whole = tifffile.imread(_WHOLE)
        n = len(found["frames"])
        assert found["frames"] == [sha256(frame) for frame in whole[:n]]
        assert n == len(whole) or "cut off" in " ".join(found["warnings"])


def open_in_children(paths: Iterable[str]) -> None:
    """Open each file in a child with limits, and print the result as a line of JSON."""
    imload(_WHOLE)  # which imports what it takes, once instead of in each child
    for path in map(Path, paths):
        start = time.monotonic()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _limit()
            os.write(writing, json.dumps(_open(path)).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as file:
            answer = file.read()
        _, status, usage = os.wait4(child, 0)
        found = {
            "file": path.name,
            "status": os.waitstatus_to_exitcode(status),
            "seconds": time.monotonic() - start,
            "megabytes": usage.ru_maxrss // 1024,
        }
        print(json.dumps(found | json.loads(answer or "{}")), flush=True)


def _limit() -> None:
    """Let this process be killed when it takes too long, and refuse it memory beyond 4 GB."""
    import resource

    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


def _open(path: Path) -> dict[str, Any]:
    """Open and load a file; return the hashes of its frames, or the error, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FerryWarning)
        found = _load(path)
    return found | {"warnings": [str(one.message) for one in caught]}


def _load(path: Path) -> dict[str, Any]:
    try:
        frames = [
            sha256(frame)
            for image in imload(path)
            for frame in image.load().reshape(-1, *image.shape[-3 if image.is_rgb else -2 :])
        ]
    except Exception as error:  # noqa: BLE001  # which is what the test looks at
        is_ours = isinstance(error, FerryError)
        return {"error": f"{type(error).__name__}: {error}", "is_ours": is_ours}
    return {"error": None, "frames": frames}
