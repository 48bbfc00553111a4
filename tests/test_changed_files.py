"""Files that change while their image is open: no format shows pixels of another file."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from napari_ferry import FerryError, imload, imsave

BEFORE = np.repeat(np.arange(6, dtype=np.uint8), 64 * 64).reshape(6, 64, 64) * 20
AFTER = 250 - BEFORE
each_suffix = pytest.mark.parametrize("suffix", [".tif", ".bin", ".gif", ".mp4", ".mkv"])


def outcomes(image: object) -> set[bool]:
    """Read every frame; True for one of the file that was opened, or for the right error."""
    seen = set()
    for i in range(6):
        try:
            found = np.asarray(image.array[i]).mean()  # type: ignore[attr-defined]
        except FerryError as error:
            is_right = "changed since it was opened: open it again" in str(error)
        else:
            is_right = abs(found - BEFORE[i].mean()) < 5
        seen.add(bool(is_right))
    return seen


@each_suffix
@pytest.mark.parametrize("is_read", [False, True], ids=["unread", "read"])
def test_a_replaced_file_is_refused_or_stays_as_it_was(
    suffix: str, is_read: bool, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    imsave(BEFORE, path)
    (image,) = imload(path)
    if is_read:
        np.asarray(image.array[2])
    imsave(AFTER, path, overwrite=True)
    assert outcomes(image) == {True}
    assert abs(np.asarray(imload(path)[0].array[5]).mean() - AFTER[5].mean()) < 5


@each_suffix
def test_a_file_written_anew_in_place_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    imsave(AFTER, tmp_path / f"other{suffix}")
    imsave(BEFORE, path)
    (image,) = imload(path)
    np.asarray(image.array[0])
    path.write_bytes((tmp_path / f"other{suffix}").read_bytes())
    os.utime(path, ns=(0, 1))
    for i in range(1, 6):
        with pytest.raises(FerryError, match="changed since it was opened: open it again"):
            np.asarray(image.array[i])
