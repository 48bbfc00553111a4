"""Zarr stores of the corpus, and of other programs and their older versions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers import Entry, entry_id, read_corpus, read_golden, sha256
from napari_ferry import FerryError, FerryWarning, imload

CORPUS = read_corpus("zarr", lambda _: True)
SOUND = [entry for entry in CORPUS if isinstance(entry["expect"], dict)]
OTHERS = [entry for entry in CORPUS if not isinstance(entry["expect"], dict)]
OLDER = [
    (system, entry)
    for system in ("scout", "intake_io", "careamics")
    for entry in read_golden(system, lambda entry: ".zarr" in entry["open"])
]

quietly = pytest.mark.filterwarnings("ignore::napari_ferry.FerryWarning")


@pytest.mark.parametrize("entry", SOUND, ids=entry_id)
@quietly
def test_levels_and_axes_are_those_recorded(entry: Entry, shared_data: Path) -> None:
    image = imload(shared_data / "corpus" / entry["file"])[0]
    expected = entry["expect"]
    assert [[axis.name, axis.unit] for axis in image.axes] == expected["axes"]
    assert [axis.scale for axis in image.axes] == expected["levels"][0]["scale"][0]
    for level, recorded in zip(image.levels, expected["levels"], strict=True):
        assert (list(level.shape), level.dtype.name) == (recorded["shape"], recorded["dtype"])
        if "sha256" in recorded:
            assert sha256(level) == recorded["sha256"]


READABLE = ("multiscales missing", "root metadata file deleted", "version 9.9")
"""What is opened although the corpus expects an error: arrays one by one, or with a warning."""


@pytest.mark.sample(4)
@pytest.mark.parametrize("entry", OTHERS, ids=entry_id)
@quietly
def test_the_others_are_opened_or_refused(entry: Entry, shared_data: Path) -> None:
    error = read_all(shared_data / "corpus" / entry["file"])
    expected = entry["expect"]
    if entry["exercises"] in READABLE or expected.startswith("ok"):
        assert error == ""
    elif expected.startswith("error"):
        assert error.startswith(Path(entry["file"]).name)


def read_all(path: Path) -> str:
    """Read a store, or a part of a very large one; return the message of its error."""
    try:
        for image in imload(path):
            for frame in image.array if image.nbytes < 1e9 else (image.array[0, 0, :9, :9],):
                np.asarray(frame)
    except FerryError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("system", "entry"), OLDER, ids=[entry["id"] for _, entry in OLDER])
def test_stores_of_other_programs(system: str, entry: Entry, shared_data: Path) -> None:
    path, _, inside = entry["open"].partition(".zarr")
    (image,) = imload(shared_data / "earlier-systems" / system / f"{path}.zarr")
    assert image.shape == tuple(entry["shape"])
    assert sha256(image.array) == entry["sha256_c_order"]
    if "coords" in entry and not inside:
        assert [channel.name for channel in image.channels] == entry["coords"]["c"]
        scales = {axis.name: axis.scale for axis in image.axes}
        assert {name: scales[name] for name in entry["spacing"]} == pytest.approx(entry["spacing"])


def test_a_pickle_is_never_loaded(shared_data: Path) -> None:
    with pytest.raises(FerryError, match="Python objects"):
        imload(shared_data / "corpus" / "zarr" / "gen__v2_pickle.ome.zarr")


def test_a_future_version_is_opened_with_a_warning(shared_data: Path) -> None:
    with pytest.warns(FerryWarning, match=r"version 9\.9"):
        imload(shared_data / "corpus" / "zarr" / "gen__v05_version_future.ome.zarr")
