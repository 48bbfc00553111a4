"""Saves of opened stores, whose chunks are copied as they are."""

from __future__ import annotations

import errno
import json
import os
import pickle  # noqa: TID251 - our own writes
import shutil
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr

from helpers import assert_same_image, assert_same_pixels, make_full_image, pixels
from napari_ferry import FerryWarning, Image, Plan, imload, imsave, plan, run
from napari_ferry.arrays.progress import Progress
from napari_ferry.codecs.zarr.chunk_files import ChunkFiles
from napari_ferry.codecs.zarr.saving import byte_copy, chunk_copy, copied_image
from napari_ferry.codecs.zarr.saving.chunk_encoder import ChunkEncoder
from napari_ferry.errors import SaveError, TargetError, UnreadableFileError
from napari_ferry.saving.plan_run import check_save
from zarr_files import edit_json, write_array, write_group, write_image, write_labels, zip_store

_DOCUMENTS = ("zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")


def is_copied(planned: Plan) -> bool:
    """Return True if all writes or tasks of a plan copy files."""
    steps = planned.stream.tasks if planned.stream else planned.writes
    return all(isinstance(step.array, chunk_copy.StoredChunks) for step in steps)


def chunks_of(path: Path, key: str = "") -> dict[str, bytes]:
    """Return the bytes of all chunks by array and numbers, in a folder or a ZIP file."""
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]
        files = {name: (path / name).read_bytes() for name in names}
    else:
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    return {
        name.replace("/c/", "/").replace(".", "/"): data
        for name, data in files.items()
        if name.startswith(key) and not name.endswith((*_DOCUMENTS, "/"))
    }


def pyramid_of(data: np.ndarray) -> list[np.ndarray]:
    """Return levels that are not those that a save would make."""
    return [data, data[..., ::2, ::2], data[..., ::4, ::4]]


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy few chunks at once."""
    monkeypatch.setattr(copied_image, "_COPY_BYTES", 4000)


@pytest.fixture
def no_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if a chunk is decoded or encoded."""

    def fail(*arguments: Any) -> None:
        raise AssertionError("a chunk was decoded or encoded")

    monkeypatch.setattr(ChunkFiles, "read", fail)
    monkeypatch.setattr(ChunkEncoder, "encode", fail)


def save(path: Path, target: Path, **options: Any) -> Plan:
    """Save the images of a store, and return the plan."""
    images = imload(path)
    planned = plan(images, target, **options)
    imsave(images, target, **options)
    return planned


V2_COMPRESSORS = [
    None,
    numcodecs.Blosc("lz4", 5, 1),
    numcodecs.Blosc("zstd", 3, 2),
    numcodecs.Blosc("blosclz", 9, 0),
    numcodecs.Blosc("zlib", 1, -1),
    numcodecs.Zstd(0),
    numcodecs.GZip(1),
]


@pytest.mark.sample(6)
@pytest.mark.parametrize("compressor", V2_COMPRESSORS, ids=str)
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "u1", ">f4", "bool"])
def test_version_2_becomes_version_3(tmp_path: Path, dtype: str, compressor: Any) -> None:
    data = pixels((3, 40, 50), dtype)
    path = write_image(tmp_path / "a.zarr", data, "zyx", "0.4", compressors=compressor)
    target = tmp_path / "b.ome.zarr"
    planned = save(path, target)
    assert is_copied(planned)
    assert chunks_of(target) == chunks_of(path)
    array = zarr.open_array(str(target / "0"), mode="r")
    assert array.metadata.zarr_format == 3
    assert array.metadata.dimension_names == ("z", "y", "x")
    assert_same_pixels(array[...], data.astype(data.dtype.newbyteorder("=")))
    assert_same_pixels(np.asarray(imload(target)[0].array), data)
    files = [file for file in target.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= planned.nbytes


@pytest.mark.sample(3)
@pytest.mark.usefixtures("no_codecs")
@pytest.mark.parametrize("names", [("a.zarr", "b.ozx"), ("a.ozx", "b.zarr"), ("a.ozx", "b.ozx")])
@pytest.mark.parametrize("shards", [None, (2, 40, 40)])
def test_pyramids_are_copied(tmp_path: Path, names: tuple[str, str], shards: Any) -> None:
    data = pixels((4, 80, 80))
    source = tmp_path / names[0]
    levels = pyramid_of(data)
    folder = write_image(tmp_path / "source.zarr", levels, "zyx", chunks=(1, 20, 20), shards=shards)
    if source.suffix == ".ozx":
        zip_store(folder, source)
    else:
        folder.rename(source)
    planned = save(source, tmp_path / names[1])
    assert is_copied(planned)
    assert not [loss for loss in planned.losses if "pyramid" in loss]
    assert chunks_of(tmp_path / names[1]) == chunks_of(source)


@pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="Linux only")
@pytest.mark.parametrize("kind", ["unsupported", "short", "missing"])
def test_what_the_system_does_not_copy_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = write_image(tmp_path / "a.zarr", pixels((3, 40, 50)), "zyx", compressors=None)
    monkeypatch.setattr(chunk_copy, "BUFFER_BYTES", 1000)
    copy_range = os.copy_file_range
    copied: list[int] = []

    def copy(source: int, target: int, count: int, offset: int) -> int:
        if kind == "unsupported":
            raise OSError(errno.EXDEV, "other file system")
        copied.append(copy_range(source, target, count // 3, offset))
        return copied[-1]

    if kind == "missing":
        monkeypatch.delattr(os, "copy_file_range")
    else:
        monkeypatch.setattr(os, "copy_file_range", copy)
    save(path, tmp_path / "b.zarr")
    assert chunks_of(tmp_path / "b.zarr") == chunks_of(path)
    assert bool(copied) == (kind == "short")


def test_values_of_copied_pyramids(tmp_path: Path) -> None:
    levels = pyramid_of(pixels((2, 3, 80, 80)))
    path = write_image(
        tmp_path / "a.zarr", levels, "tzyx", "0.4", scale=[1, 2, 0.5, 0.5], order="C"
    )
    save(path, tmp_path / "b.zarr")
    save(tmp_path / "b.zarr", tmp_path / "c.zarr")
    (found,) = imload(tmp_path / "c.zarr")
    assert [axis.scale for axis in found.axes] == [1, 2, 0.5, 0.5]
    for ours, expected in zip(found.levels, levels, strict=True):
        assert_same_pixels(np.asarray(ours), expected)
    ome = json.loads((tmp_path / "c.zarr" / "zarr.json").read_text())["attributes"]["ome"]
    steps = [each["coordinateTransformations"] for each in ome["multiscales"][0]["datasets"]]
    assert [step[0]["scale"][-1] for step in steps] == [0.5, 1.0, 2.0]
    assert [step[1]["translation"][-1] for step in steps] == [0, 0, 0]
    assert "type" not in ome["multiscales"][0]


def test_positions_and_calibration_are_those_of_the_image(tmp_path: Path) -> None:
    image = make_full_image("tczyx")
    imsave(image, tmp_path / "a.zarr", levels=3, version="0.4")
    (found,) = imload(tmp_path / "a.zarr")
    axes = (*found.axes[:-1], replace(found.axes[-1], scale=7.0, translation=1.0))
    changed = replace(found, axes=axes, name="new")
    assert is_copied(plan(changed, tmp_path / "b.zarr"))
    imsave(changed, tmp_path / "b.zarr")
    (again,) = imload(tmp_path / "b.zarr")
    assert_same_image(again, replace(image, axes=axes, name="new"))
    ome = json.loads((tmp_path / "b.zarr" / "zarr.json").read_text())["attributes"]["ome"]
    (multiscale,) = ome["multiscales"]
    assert multiscale["type"] == "mean"
    last = multiscale["datasets"][2]["coordinateTransformations"]
    assert last[0]["scale"][-1] == 28
    assert last[1]["translation"][-1] == pytest.approx(1 + 1.5 * 7)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["ctzyx", "yxs", "pqtyx"])
def test_own_stores_are_copied_in_any_order_of_axes(
    tmp_path: Path, version: Any, axes: str
) -> None:
    image = make_full_image(axes, "uint8")
    imsave(image, tmp_path / "a.zarr", version=version)
    planned = save(tmp_path / "a.zarr", tmp_path / "b.zarr", version=version)
    assert is_copied(planned)
    assert chunks_of(tmp_path / "b.zarr") == chunks_of(tmp_path / "a.zarr")
    assert_same_image(imload(tmp_path / "b.zarr")[0], image)


DIFFERENT: list[dict[str, Any]] = [
    {"compression": "lz4"},
    {"compression": "none"},
    {"chunks": "3D"},
    {"shards": True},
    {"levels": 1},
    {"levels": 3},
    {"downsample": "nearest"},
    {"version": "0.4"},
]
SAME: list[dict[str, Any]] = [
    {"compression": "zstd", "levels": 2, "shards": False, "chunks": "2D", "downsample": "mean"},
    {},
]


@pytest.mark.sample(3)
@pytest.mark.parametrize("options", [*DIFFERENT, *SAME], ids=str)
def test_options_that_differ_encode_again(tmp_path: Path, options: dict[str, Any]) -> None:
    data = pixels((70, 40, 50))
    imsave(Image.from_array(data, "zyx"), tmp_path / "a.zarr", levels=2)
    planned = save(tmp_path / "a.zarr", tmp_path / "b.zarr", **options)
    assert is_copied(planned) == (options in SAME)
    assert_same_pixels(np.asarray(imload(tmp_path / "b.zarr")[0].array), data)


@pytest.mark.parametrize(
    "options",
    [
        {"order": "F"},
        {"filters": numcodecs.Shuffle(2)},
        {"compressors": numcodecs.Zlib(1)},
        {"compressors": numcodecs.LZMA()},
    ],
    ids=str,
)
def test_what_version_3_lacks_is_encoded_again(tmp_path: Path, options: dict[str, Any]) -> None:
    data = pixels((3, 40, 50), "<u2")
    path = write_image(tmp_path / "a.zarr", data, "zyx", "0.4", **options)
    planned = save(path, tmp_path / "b.zarr")
    assert not is_copied(planned)
    assert_same_pixels(zarr.open_array(str(tmp_path / "b.zarr" / "0"), mode="r")[...], data)
    assert is_copied(save(path, tmp_path / "c.zarr", version="0.4"))
    assert_same_pixels(zarr.open_array(str(tmp_path / "c.zarr" / "0"), mode="r")[...], data)


def test_an_unknown_setting_of_blosc_is_encoded_again(tmp_path: Path) -> None:
    data = pixels((3, 40, 50), "<u2")
    path = write_image(
        tmp_path / "a.zarr", data, "zyx", "0.4", compressors=numcodecs.Blosc("lz4", 5, 1)
    )
    compressor = {"id": "blosc", "cname": "lz4", "clevel": 10, "shuffle": 1, "blocksize": 0}
    edit_json(path / "0" / ".zarray", compressor=compressor)
    assert not is_copied(save(path, tmp_path / "b.zarr"))
    assert_same_pixels(zarr.open_array(str(tmp_path / "b.zarr" / "0"), mode="r")[...], data)


def test_complex_fill_values_remain(tmp_path: Path) -> None:
    data = np.full((40, 40), 1 + 2j, "complex64")
    data[:10, :10] = 3
    path = write_image(tmp_path / "a.zarr", data, "yx", "0.4", chunks=(10, 10), fill_value=1 + 2j)
    assert is_copied(save(path, tmp_path / "b.zarr"))
    assert_same_pixels(zarr.open_array(str(tmp_path / "b.zarr" / "0"), mode="r")[...], data)


def test_missing_chunks_in_a_zip_file_remain_missing(tmp_path: Path) -> None:
    data = pixels((4, 40, 50))
    path = write_image(tmp_path / "a.zarr", data, "zyx", chunks=(1, 40, 50))
    (path / "0" / "c" / "2" / "0" / "0").unlink()
    assert is_copied(save(zip_store(path, tmp_path / "a.ozx"), tmp_path / "b.zarr"))
    assert sorted(chunks_of(tmp_path / "b.zarr")) == [f"0/{k}/0/0" for k in (0, 1, 3)]


def test_a_chunk_larger_than_the_memory_of_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    data = pixels((700, 600))
    path = write_array(tmp_path / "a.zarr", data, chunks=data.shape, compressors=None)
    assert data.nbytes > 3 * byte_copy.BUFFER_BYTES
    assert is_copied(save(path, tmp_path / "b.zarr", levels=1))
    assert chunks_of(tmp_path / "b.zarr", "0")["0/0/0"] == data.tobytes()


@pytest.mark.parametrize("fill", [0, 7, float("nan"), float("-inf")])
def test_missing_chunks_remain_missing(tmp_path: Path, fill: float) -> None:
    data = np.full((40, 40), fill, "float32")
    data[:10, :10] = 3
    path = write_image(tmp_path / "a.zarr", data, "yx", "0.4", chunks=(10, 10), fill_value=fill)
    planned = save(path, tmp_path / "b.zarr")
    assert is_copied(planned)
    assert [*chunks_of(tmp_path / "b.zarr")] == ["0/0/0"]
    assert_same_pixels(np.asarray(imload(tmp_path / "b.zarr")[0].array), data)
    assert_same_pixels(zarr.open_array(str(tmp_path / "b.zarr" / "0"), mode="r")[...], data)


def test_a_missing_chunk_of_a_complete_store_is_an_error(tmp_path: Path) -> None:
    imsave(pixels((40, 40)), tmp_path / "a.zarr")
    imsave(imload(tmp_path / "a.zarr"), tmp_path / "b.zarr")
    (tmp_path / "b.zarr" / "0" / "c" / "0" / "0").unlink()
    with pytest.raises(UnreadableFileError, match="0/c/0/0 is missing"):
        imsave(imload(tmp_path / "b.zarr"), tmp_path / "c.zarr")
    assert not (tmp_path / "c.zarr").exists()


def test_a_changed_source_is_refused(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", pixels((40, 40)), "yx")
    images = imload(path)
    planned = plan(images, tmp_path / "b.zarr")
    edit_json(path / "0" / "zarr.json", attributes={"by": "another program"})
    with pytest.raises(UnreadableFileError, match="has changed"):
        run(planned)
    assert not (tmp_path / "b.zarr").exists()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_are_added_to_a_copied_image(tmp_path: Path, version: Any) -> None:
    data, other = pixels((3, 80, 80)), pixels((3, 80, 80), "uint32")
    path = write_image(tmp_path / "a.zarr", pyramid_of(data), "zyx", version)
    write_labels(path, {"old": other // 3}, version)
    image, old = imload(path)
    new = Image.from_array(other, "zyx", name="new", kind="labels")
    target = tmp_path / "b.zarr"
    imsave([image, old, new], target, version=version)
    found = imload(target)
    assert [each.name for each in found] == [image.name, "old", "new"]
    assert [len(each.levels) for each in found] == [3, 3, 3]
    for each, expected in zip(found, (data, other // 3, other), strict=True):
        assert_same_pixels(np.asarray(each.array), expected)
    for k in range(3):
        assert chunks_of(target, f"{k}/") == chunks_of(path, f"{k}/")


def test_levels_of_other_factors_are_encoded_again_with_new_labels(tmp_path: Path) -> None:
    data = pixels((80, 80))
    path = write_image(tmp_path / "a.zarr", [data, data[::4, ::4]], "yx")
    (image,) = imload(path)
    labels = Image.from_array(data, "yx", kind="labels")
    assert is_copied(plan(image, tmp_path / "b.zarr"))
    imsave([image, labels], tmp_path / "b.zarr")
    found = imload(tmp_path / "b.zarr")
    assert [len(each.levels) for each in found] == [1, 1]


@pytest.mark.parametrize("step", [2, 4])
def test_labels_are_copied_if_their_levels_are_those_of_the_image(
    tmp_path: Path, step: int
) -> None:
    data = pixels((3, 80, 80), "uint32")
    path = write_image(tmp_path / "a.zarr", [data, data[:, ::2, ::2]], "zyx")
    write_group(path / "labels", {"labels": ["cells"]})
    levels = [data, data[:, ::step, ::step]]
    attributes = {"image-label": {"source": {"image": "../../"}}}
    write_image(path / "labels" / "cells", levels, "zyx", attributes=attributes)
    assert is_copied(save(path, tmp_path / "b.zarr")) == (step == 2)
    image, labels = imload(tmp_path / "b.zarr")
    assert [level.shape for level in labels.levels] == [level.shape for level in image.levels]
    assert_same_pixels(np.asarray(labels.array), data)


@pytest.mark.parametrize(
    "steps",
    [..., [5], [{"type": "scale", "scale": [1, 1, 1]}]],
    ids=["missing", "not a mapping", "of another shape"],
)
def test_levels_without_valid_steps_are_placed_by_their_shapes(tmp_path: Path, steps: Any) -> None:
    data = pixels((3, 80, 80))
    path = write_image(tmp_path / "a.zarr", [data, data[:, ::2, ::2]], "zyx")
    document = json.loads((path / "zarr.json").read_text())
    dataset = document["attributes"]["ome"]["multiscales"][0]["datasets"][1]
    del dataset["coordinateTransformations"]
    dataset |= {} if steps is ... else {"coordinateTransformations": steps}
    (path / "zarr.json").write_text(json.dumps(document))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FerryWarning)
        assert is_copied(save(path, tmp_path / "b.zarr"))
    ome = json.loads((tmp_path / "b.zarr" / "zarr.json").read_text())["attributes"]["ome"]
    (multiscale,) = ome["multiscales"]
    found = multiscale["datasets"][1]["coordinateTransformations"]
    assert found[0]["scale"] == [1, 2, 2]


def test_arrays_that_no_group_describes_as_levels_are_encoded(tmp_path: Path) -> None:
    data = pixels((3, 80, 80))
    path = write_group(tmp_path / "a.zarr", {})
    for name, level in (("s0", data), ("s1", data[:, ::2, ::2])):
        write_array(path / name, level)
    images = imload(path)
    pyramid = replace(images[0], levels=tuple(each.array for each in images))
    assert not is_copied(plan(pyramid, tmp_path / "b.zarr"))
    write_image(path, data, "zyx")  # which describes none of them
    assert not is_copied(plan(pyramid, tmp_path / "b.zarr"))


def test_levels_whose_documents_are_gone_are_encoded(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", pixels((40, 40)), "yx")
    (image,) = imload(path)
    (path / "0" / "zarr.json").unlink()
    planned = plan(image, tmp_path / "b.zarr")
    assert not is_copied(planned)
    with pytest.raises(SaveError, match=r"0/zarr\.json is not as it was when it was opened"):
        run(planned)


def interrupt_copy(path: Path, target: Path) -> None:
    """Interrupt a save after some of its chunks."""
    calls: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        calls.append(progress)
        if len(calls) == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imsave(imload(path), target, workers=1, progress=interrupt)


@pytest.mark.leaves_partial
def test_an_interrupted_copy_does_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_image(tmp_path / "a.zarr", pixels((8, 40, 50)), "zyx", chunks=(1, 40, 50))
    read: list[str] = []
    read_parts = byte_copy._read_parts

    def record(store: Any, key: str, buffer: memoryview) -> Any:
        read.append(key)
        return read_parts(store, key, buffer)

    monkeypatch.setattr(byte_copy, "_read_parts", record)
    interrupt_copy(path, tmp_path / "b.zarr")
    first = [*read]
    read.clear()
    imsave(imload(path), tmp_path / "b.zarr", workers=1)
    assert len(first) >= 5
    assert not {*first[:4]} & {*read}
    assert chunks_of(tmp_path / "b.zarr") == chunks_of(path)


@pytest.mark.leaves_partial
def test_a_chunk_that_changed_since_an_interruption_is_copied_again(tmp_path: Path) -> None:
    data = pixels((8, 40, 50))
    path = write_image(tmp_path / "a.zarr", data, "zyx", chunks=(1, 40, 50), compressors=None)
    interrupt_copy(path, tmp_path / "b.zarr")
    chunks = path / "0" / "c"
    chunk = chunks / "0" / "0" / "0"
    chunk.write_bytes(bytes(len(chunk.read_bytes())))
    (chunks / "1" / "0" / "0").unlink()
    imsave(imload(path), tmp_path / "b.zarr", workers=1)
    assert chunks_of(tmp_path / "b.zarr") == chunks_of(path)


@pytest.mark.leaves_partial
def test_an_interrupted_copy_of_missing_chunks_is_resumed(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", pixels((8, 40, 50)), "zyx", chunks=(1, 40, 50))
    for k in (0, 5):
        (path / "0" / "c" / str(k) / "0" / "0").unlink()
    interrupt_copy(path, tmp_path / "b.zarr")
    imsave(imload(path), tmp_path / "b.zarr", workers=1)
    assert chunks_of(tmp_path / "b.zarr") == chunks_of(path)


def test_writes_of_copies_are_small(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.zarr", pyramid_of(pixels((8, 80, 80))), "zyx")
    planned = plan(imload(path), tmp_path / "b.zarr")
    sizes = [len(pickle.dumps(write)) for write in planned.writes]
    assert max(sizes) < 3000
    assert sum(write.nbytes for write in planned.writes) == planned.source_bytes
    assert planned.source_bytes == sum(level.nbytes for level in imload(path)[0].levels)


def test_plain_arrays_become_images(tmp_path: Path) -> None:
    data = pixels((3, 40, 50))
    path = write_array(tmp_path / "a.zarr", data, zarr_format=2, chunk_key_encoding=None)
    assert (path / "0.0.0").exists()
    planned = save(path, tmp_path / "b.ome.zarr")
    assert is_copied(planned)
    assert_same_pixels(np.asarray(imload(tmp_path / "b.ome.zarr")[0].array), data)


def test_large_planes_without_smaller_levels_get_them(tmp_path: Path) -> None:
    path = write_array(tmp_path / "a.zarr", pixels((4, 1100), "uint8"))
    save(path, tmp_path / "b.zarr")
    assert len(imload(tmp_path / "b.zarr")[0].levels) > 1


Change = Callable[[Image], Image]


@pytest.mark.parametrize(
    "change",
    [
        lambda image: replace(image, levels=(image.array[:2],)),
        lambda image: replace(image, levels=(np.asarray(image.array),)),
        lambda image: replace(image, axes=image.axes[::-1]),
    ],
    ids=["sliced", "loaded", "turned"],
)
def test_changed_pixels_are_encoded(tmp_path: Path, change: Change) -> None:
    path = write_image(tmp_path / "a.zarr", pixels((40, 40, 40)), "zyx")
    image = change(imload(path)[0])
    assert not is_copied(plan(image, tmp_path / "b.zarr"))
    imsave(image, tmp_path / "b.zarr")
    assert_same_image(imload(tmp_path / "b.zarr")[0], image)


def test_a_store_of_a_huge_shape_is_planned_in_few_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_ferry.saving.write._MOST_WRITES", 50)
    zarr.create_array(
        tmp_path / "a.zarr", shape=(10**6, 10**6, 10**6), chunks=(1, 1024, 1024), dtype="u2"
    )
    (image,) = imload(tmp_path / "a.zarr", axes="tyx")
    planned = plan(image, tmp_path / "b.ome.zarr", levels=1)
    assert planned.source_bytes == 2 * 10**18
    assert len(planned.writes) <= 200


def huge_sparse(path: Path, separator: str) -> None:
    """Write three chunks of an array of 4 exabytes."""
    array = zarr.create_array(
        path,
        shape=(10**6, 10**6, 10**6),
        chunks=(1, 4, 4),
        dtype="u4",
        chunk_key_encoding={"name": "default", "separator": separator},
    )
    for place in ((0, 0, 0), (500_000, 777, 12), (10**6 - 1, 10**6 - 1, 10**6 - 1)):
        array[place] = place[0] + 7


@pytest.mark.parametrize("separator", ["/", "."])
def test_only_the_files_of_a_huge_sparse_store_are_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, separator: str
) -> None:
    monkeypatch.setattr("napari_ferry.saving.write._MOST_WRITES", 50)
    huge_sparse(tmp_path / "a.zarr", separator)
    (image,) = imload(tmp_path / "a.zarr", axes="tyx")
    done: list[Progress] = []
    planned = plan(image, tmp_path / "b.ome.zarr", levels=1)
    assert is_copied(planned)
    tracemalloc.start()
    try:
        run(planned, progress=done.append)
        assert tracemalloc.get_traced_memory()[1] < 4e6
    finally:
        tracemalloc.stop()
    assert done[-1].done == done[-1].total == 4 * 10**18
    found = chunks_of(tmp_path / "b.ome.zarr")
    assert sorted(found.values()) == sorted(chunks_of(tmp_path / "a.zarr").values())
    (copied,) = imload(tmp_path / "b.ome.zarr")
    assert int(copied.array[500_000, 777, 12]) == 500_007
    assert int(copied.array[10**6 - 1, 10**6 - 1, 10**6 - 1]) == 10**6 + 6
    assert int(copied.array[3, 0, 0]) == 0


@pytest.mark.parametrize("name", ["b.ome.zarr", "b.ozx"])
def test_the_size_of_copied_files_is_compared_with_the_free_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = pixels((8, 40, 50))
    path = write_image(tmp_path / "a.zarr", data, "zyx", chunks=(1, 40, 50), compressors=None)
    stored = sum(len(each) for each in chunks_of(path).values())
    planned = plan(imload(path), tmp_path / name)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=stored // 2))
    with pytest.raises(TargetError, match="GB free and the save needs"):
        run(planned)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=stored + 100_000))
    run(planned)


def test_the_least_size_of_a_copy_is_found_in_the_first_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_image(tmp_path / "a.zarr", pyramid_of(pixels((8, 40, 50))), "zyx")
    planned = plan([*imload(path), *imload(path)], tmp_path / "b.ome.zarr")
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(TargetError, match="GB free and the save needs"):
        check_save(planned)


def test_a_sparse_copy_is_not_refused_for_its_largest_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge_sparse(tmp_path / "a.zarr", "/")
    (image,) = imload(tmp_path / "a.zarr", axes="tyx")
    monkeypatch.setattr("napari_ferry.saving.write._MOST_WRITES", 50)
    planned = plan(image, tmp_path / "b.ome.zarr", levels=1)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100_000))
    check_save(planned)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    with pytest.raises(TargetError, match="GB free and the save needs"):
        check_save(planned)
