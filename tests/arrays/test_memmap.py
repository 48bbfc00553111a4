"""Mapped files: shortened files are reported, not accessed; maps are pickled as paths."""

from __future__ import annotations

import copy
import os
import pickle  # noqa: TID251 - the pickles are from this test
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import assert_same_pixels
from napari_ferry import Image, UnreadableFileError
from napari_ferry.arrays.memmap import Mapped, map_strided

MOVIE = np.arange(60 * 64 * 64, dtype=np.uint16).reshape(60, 64, 64)


def mapped_movie(folder: Path) -> Mapped:
    """Return a map of the movie in a raw file."""
    MOVIE.tofile(folder / "a.raw")
    return Mapped(folder / "a.raw", np.uint16, "r", 0, MOVIE.shape)


READS: tuple[Callable[[Any], object], ...] = (
    *(np.sqrt, np.median, np.sort, np.max, list, repr, str),
    # as `np.add.reduce(a)` would, but numpy leaks an array whose ufunc raises an error
    *(lambda a: a.__array_ufunc__(np.add, "reduce", a), lambda a: np.add(a, a, dtype=np.uint16)),
    *(copy.copy, copy.deepcopy, lambda a: pickle.dumps(a[::-1]), lambda a: a.sum(where=True)),
    *(lambda a: a.max(), lambda a: a.mean(), lambda a: a.std(), lambda a: a.any()),
    *(lambda a: a.argmax(), lambda a: a.cumsum(), lambda a: a.clip(2, 3), lambda a: a.round(-1)),
    *(lambda a: a + 1, lambda a: 1 + a, lambda a: a == 5, lambda a: 5 in a, lambda a: MOVIE + a),
    *(lambda a: np.add(MOVIE, 1, where=a), lambda a: np.add(MOVIE, 1, out=a)),
    *(lambda a: np.stack([a, a]), lambda a: np.block([[MOVIE], [a]]), lambda a: a @ a),
    *(lambda a: np.copyto(MOVIE.copy(), a), lambda a: np.einsum("tyx->t", a)),
    *(lambda a: np.concatenate(arrays=(a,)), lambda a: np.dot(a, a), lambda a: a.nonzero()),
    *(lambda a: a.astype(float), lambda a: a.copy(), lambda a: a.take([3]), lambda a: a.item(7)),
    *(lambda a: a.flat, lambda a: a.ravel("F"), lambda a: a.flatten(), lambda a: a.reshape(-1)),
    *(lambda a: a.tolist(), lambda a: a.tobytes(), lambda a: a.tofile(os.devnull)),
    *(lambda a: a.T.copy(), lambda a: a.view(np.uint8).sum()),
)
"""Operations that access pixels without indexing, as far as a map can check them."""


def test_shortened_maps_are_refused_by_numpy_functions(tmp_path: Path) -> None:
    whole = mapped_movie(tmp_path)
    os.truncate(tmp_path / "a.raw", 9000)
    for read in READS:
        with pytest.raises(UnreadableFileError, match=r"a\.raw has become shorter"):
            read(whole)


@pytest.mark.parametrize("mode", ["r+", "c"])
def test_a_writable_map_of_a_shortened_file_is_refused(mode: Any, tmp_path: Path) -> None:
    MOVIE.tofile(tmp_path / "a.raw")
    mapped: Any = Mapped(tmp_path / "a.raw", np.uint16, mode, 0, MOVIE.shape)
    mapped += 1
    mapped.flat = mapped + np.uint16(1)
    assert isinstance(mapped, Mapped)
    assert_same_pixels(np.asarray(mapped), MOVIE + np.uint16(2))
    os.truncate(tmp_path / "a.raw", 9000)
    changes: tuple[Callable[[], object], ...] = (
        *(lambda: mapped.__setitem__(50, 3), lambda: mapped.fill(3), mapped.sort),
        *(lambda: setattr(mapped, "flat", 3), lambda: np.copyto(mapped, MOVIE)),
    )
    for change in changes:
        with pytest.raises(UnreadableFileError, match="shorter"):
            change()


def test_results_of_maps_are_plain_arrays(tmp_path: Path) -> None:
    """A map without a file is useless, and one without dimensions cannot be hashed."""
    whole: Any = mapped_movie(tmp_path)
    part = whole[2:4]
    scalars = (part.max(), part.argmax(), part.sum(), np.median(part), part[1, 2, 3])
    numbers = (MOVIE[2:4].max(), MOVIE[2:4].argmax(), MOVIE[2:4].sum(), np.median(MOVIE[2:4]))
    assert set(scalars) == {*numbers, MOVIE[3, 2, 3]}
    assert all(isinstance(found, np.generic) for found in scalars)
    computed = (part + 1, whole[[2, 3]], whole[MOVIE > 9], part.astype(float), np.sqrt(part))
    computed += (part.copy(), part.max(0), np.sort(part), np.stack([part, part]), *np.modf(part))
    computed += (*part.nonzero(), part.take([0]), *np.unique(part, return_counts=True))
    computed += (np.add(part, 1, out=MOVIE[2:4].copy()), copy.deepcopy(part), whole[3:3])
    assert {type(found) for found in computed} == {np.ndarray}
    views = (part, part.T, part[..., 0], np.moveaxis(part, 0, 1), *np.split(part, 2), part.ravel())
    assert {type(found) for found in views} == {Mapped}
    assert_same_pixels(part + 1, MOVIE[2:4] + 1)
    assert_same_pixels(np.stack([part, part]), np.stack([MOVIE[2:4], MOVIE[2:4]]))


def test_a_computed_array_is_not_a_map(tmp_path: Path) -> None:
    MOVIE.tofile(tmp_path / "a.raw")
    mapped = map_strided(tmp_path / "a.raw", 0, MOVIE.shape, MOVIE.strides, MOVIE.dtype)
    doubled = mapped * 2
    os.truncate(tmp_path / "a.raw", 10)
    assert_same_pixels(doubled[3], MOVIE[3] * 2)
    assert_same_pixels(pickle.loads(pickle.dumps(doubled)), MOVIE * 2)


def test_changes_of_a_map_in_memory_are_pickled(tmp_path: Path) -> None:
    MOVIE.tofile(tmp_path / "a.raw")
    mapped = Mapped(tmp_path / "a.raw", np.uint16, "c", 0, MOVIE.shape)
    mapped[0] = 7
    assert_same_pixels(pickle.loads(pickle.dumps(mapped))[0], np.full((64, 64), 7, np.uint16))


def test_a_map_is_pickled_as_its_path(tmp_path: Path) -> None:
    whole: Any = mapped_movie(tmp_path)
    for view in (whole, whole[3:50:7, ::2], whole.transpose(1, 0, 2), whole[5]):
        packed = pickle.dumps(view)
        assert len(packed) < 2000
        again = pickle.loads(packed)
        assert_same_pixels(again, view)
        assert isinstance(again, Mapped)
    assert_same_pixels(pickle.loads(pickle.dumps(whole[::-1])), MOVIE[::-1])
    packed = pickle.dumps(whole)
    os.utime(tmp_path / "a.raw", ns=(0, 1))
    with pytest.raises(UnreadableFileError, match=r"a\.raw has changed since it was opened"):
        pickle.loads(packed)
    (tmp_path / "a.raw").unlink()
    with pytest.raises(UnreadableFileError, match=r"a\.raw"):
        pickle.loads(packed)


def test_dask_does_not_copy_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mapped = mapped_movie(tmp_path)
    monkeypatch.setattr(Mapped, "copy", lambda self: pytest.fail("everything was copied"))
    found = Image.from_array(mapped, "tyx").to_dask()
    assert found.chunksize == (1, 64, 64)
    assert_same_pixels(found[3:5].compute(), MOVIE[3:5])
