"""Lazy Zarr arrays: pixels, indexing, chunks that are read, fill values, damage."""

from __future__ import annotations

import json
import pickle  # noqa: TID251 - our own
import threading
from pathlib import Path
from typing import Any

import google_crc32c
import imagecodecs
import numcodecs
import numpy as np
import pytest
import zarr

from helpers import assert_same_pixels, pixels
from napari_ferry import FerryError, FerryWarning, imload, imsave
from napari_ferry.arrays.reading_context import repeated_use
from napari_ferry.codecs.zarr import array as zarr_array
from napari_ferry.codecs.zarr.chunk_codecs import ChunkDecoder, Step
from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.decoded_chunks import CHUNKS
from napari_ferry.codecs.zarr.store import FolderStore
from napari_ferry.errors import UnreadableFileError
from zarr_files import count_reads, edit_json, write_array, write_image, zip_store

V2_CODECS: dict[str, dict[str, Any]] = {
    "none": {"compressors": None},
    "blosc": {"compressors": numcodecs.Blosc("zstd", shuffle=2)},
    "zstd": {"compressors": numcodecs.Zstd()},
    "gzip": {"compressors": numcodecs.GZip()},
    "zlib": {"compressors": numcodecs.Zlib()},
    "bz2": {"compressors": numcodecs.BZ2()},
    "lzma": {"compressors": numcodecs.LZMA()},
    "lz4": {"compressors": numcodecs.LZ4()},
    "shuffle": {"compressors": numcodecs.Zlib(), "filters": [numcodecs.Shuffle(2)]},
    "F": {"order": "F"},
    "points": {"chunk_key_encoding": {"name": "v2", "separator": "."}},
}
V3_CODECS: dict[str, dict[str, Any]] = {
    "none": {"compressors": None},
    "blosc": {"compressors": zarr.codecs.BloscCodec(cname="lz4")},
    "zstd": {"compressors": zarr.codecs.ZstdCodec(checksum=True)},
    "gzip": {"compressors": zarr.codecs.GzipCodec()},
    "crc": {"compressors": [zarr.codecs.GzipCodec(), zarr.codecs.Crc32cCodec()]},
    "big": {"serializer": zarr.codecs.BytesCodec(endian="big")},
    "transpose": {"filters": [zarr.codecs.TransposeCodec(order=(2, 0, 1))]},
    "shards": {"shards": (4, 12, 12), "chunks": (1, 4, 6)},
    "points": {"chunk_key_encoding": {"name": "default", "separator": "."}},
    "v2 keys": {"chunk_key_encoding": {"name": "v2", "separator": "/"}},
}
DTYPES = (
    *("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)


def open_one(path: Path) -> Any:
    """Open the array of the only image of a store."""
    (image,) = imload(path)
    return image.array


def chunk_file(folder: Path, key: str) -> Path:
    """Return the file of a chunk."""
    return folder.joinpath(*key.split("/"))


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", V2_CODECS)
def test_version_2_is_read_whatever_its_codec(name: str, tmp_path: Path) -> None:
    data = pixels((5, 13, 17))
    write_array(tmp_path / "a.zarr", data, zarr_format=2, chunks=(2, 4, 5), **V2_CODECS[name])
    assert_same_pixels(np.asarray(open_one(tmp_path / "a.zarr")), data)


@pytest.mark.parametrize("name", V3_CODECS)
def test_version_3_is_read_whatever_its_codecs(name: str, tmp_path: Path) -> None:
    data = pixels((5, 13, 17))
    write_array(tmp_path / "a.zarr", data, **{"chunks": (2, 4, 5), **V3_CODECS[name]})
    assert_same_pixels(np.asarray(open_one(tmp_path / "a.zarr")), data)


@pytest.mark.sample(4)
@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_of_numbers_is_read(dtype: str, zarr_format: int, tmp_path: Path) -> None:
    data = pixels((3, 5, 7), dtype)
    write_array(tmp_path / "a.zarr", data, zarr_format=zarr_format)
    assert_same_pixels(np.asarray(open_one(tmp_path / "a.zarr")), data)


def test_the_byte_order_of_version_2_is_kept(tmp_path: Path) -> None:
    data = pixels((3, 5, 7), ">f4")
    write_array(tmp_path / "a.zarr", data, zarr_format=2)
    found = open_one(tmp_path / "a.zarr")
    assert found.dtype == np.dtype(">f4")
    assert_same_pixels(np.asarray(found), data)


KEYS: tuple[Any, ...] = (
    *(0, -1, (1, 2), (slice(None), 3), slice(1, 4), slice(None, None, -1), slice(4, 0, -3)),
    *((..., slice(2, 9, 3)), (2, slice(None, None, 5), slice(12, 3, -4)), (0, 0, 0), (), ...),
    *(None, (0, None, slice(3, 3)), [0, 2], ([1, 1], slice(1, 3)), (slice(None), [], 0)),
    *((slice(None), [2, -1], [0, 5]), np.arange(5) > 2, slice(7, 7)),
)


@pytest.mark.sample(6)
@pytest.mark.parametrize("key", KEYS, ids=repr)
@pytest.mark.parametrize("shards", [None, (4, 8, 10)])
def test_indexing_is_that_of_numpy(key: Any, shards: Any, tmp_path: Path) -> None:
    data = pixels((5, 13, 17))
    write_array(tmp_path / "a.zarr", data, chunks=(2, 4, 5), shards=shards)
    array = open_one(tmp_path / "a.zarr")
    assert_same_pixels(np.asarray(array[key]), data[key])
    assert np.ndim(array[key]) == data[key].ndim


@pytest.mark.parametrize("key", [5, (0, 13), (0, 0, 0, 0), "x", ([0, 9],)])
def test_impossible_indices_are_refused(key: Any, tmp_path: Path) -> None:
    array = open_one(write_array(tmp_path / "a.zarr", pixels((5, 13, 17))))
    with pytest.raises(IndexError):
        array[key]


def test_only_the_chunks_under_an_index_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pixels((6, 40, 40))
    array = open_one(write_array(tmp_path / "a.zarr", data, chunks=(2, 10, 10)))
    read = count_reads(monkeypatch)
    assert_same_pixels(array[3, 5:15, 38], data[3, 5:15, 38])
    assert sorted(read) == ["c/1/0/3", "c/1/1/3"]
    assert_same_pixels(array[2, 5:15, 30:], data[2, 5:15, 30:])
    assert len(read) == 2, "they are cached"
    array.close()
    array[3, 5, 38]
    assert len(read) == 3


def test_a_save_reads_whole_chunks_once_and_does_not_cache_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pixels((6, 35, 40))
    write_array(tmp_path / "a.zarr", data, chunks=(2, 10, 10))
    (image,) = imload(tmp_path / "a.zarr")
    read = count_reads(monkeypatch)
    before = CHUNKS.nbytes
    imsave(image, tmp_path / "a.bin")
    assert len(read) == len(set(read)) == 3 * 4 * 4
    assert CHUNKS.nbytes == before
    assert_same_pixels(np.asarray(imload(tmp_path / "a.bin")[0]), data)


def test_whole_chunks_are_cached_for_a_viewer_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pixels((3, 20, 20))
    array = open_one(write_array(tmp_path / "a.zarr", data, chunks=(1, 10, 10)))
    read = count_reads(monkeypatch)
    before = len(CHUNKS)
    assert_same_pixels(array[1], data[1])
    assert len(CHUNKS) == before
    with repeated_use():
        assert_same_pixels(array[1], data[1])
    assert len(read) == 8
    assert len(CHUNKS) == before + 4
    assert_same_pixels(array[1], data[1])
    assert len(read) == 8


def test_opening_reads_no_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_array(tmp_path / "a.zarr", pixels((6, 40, 40)))
    read = count_reads(monkeypatch)
    repr(open_one(tmp_path / "a.zarr"))
    assert read == ["zarr.json"]


def test_only_the_bytes_of_a_chunk_are_read_from_a_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pixels((4, 64, 64))
    write_array(tmp_path / "a.zarr", data, chunks=(1, 16, 16), shards=(4, 64, 64), compressors=None)
    array = open_one(tmp_path / "a.zarr")
    sizes: list[int] = []
    of_store = FolderStore.read_part

    def counting(store: FolderStore, key: str, start: int, nbytes: int) -> bytes:
        sizes.append(nbytes)
        return of_store(store, key, start, nbytes)

    monkeypatch.setattr(FolderStore, "read_part", counting)
    assert_same_pixels(array[2, 20:30, 0:5], data[2, 20:30, 0:5])
    assert sizes == [16 * 64 + 4, 16 * 16 * 2]
    array[3, 0, 0]
    assert sizes[2:] == [16 * 16 * 2], "the index is cached"


def test_the_cache_is_released_with_the_array(tmp_path: Path) -> None:
    array = open_one(write_array(tmp_path / "a.zarr", pixels((6, 40, 40))))
    before = len(CHUNKS)
    array[0, 0, 0]
    assert len(CHUNKS) > before
    del array
    CHUNKS.get(())
    assert len(CHUNKS) <= before


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize(
    ("dtype", "fill"),
    [
        ("u2", 7),
        ("i2", -5),
        ("f4", np.nan),
        ("f8", -np.inf),
        ("?", True),
        ("c8", 1 - 2j),
        ("u1", 0),
    ],
)
def test_missing_chunks_have_the_fill_value(
    dtype: str, fill: Any, zarr_format: int, tmp_path: Path
) -> None:
    data = pixels((4, 10, 10), dtype)
    path = tmp_path / "a.zarr"
    write_array(path, data, chunks=(2, 5, 5), fill_value=fill, zarr_format=zarr_format)
    prefix = "" if zarr_format == 2 else "c/"
    chunk_file(path, f"{prefix}1/0/1").unlink()
    data[2:, :5, 5:] = fill
    assert_same_pixels(np.asarray(open_one(path)), data)


def test_missing_chunks_in_shards_have_the_fill_value(tmp_path: Path) -> None:
    data = np.zeros((4, 8, 8), "u2")
    data[1, 2, 3] = 9
    path = write_array(tmp_path / "a.zarr", data, chunks=(1, 4, 4), shards=(2, 8, 8))
    assert not chunk_file(path, "c/1/0/0").exists()
    assert_same_pixels(np.asarray(open_one(path)), data)


@pytest.mark.filterwarnings("ignore:The record of napari-ferry")  # it says nothing else
@pytest.mark.parametrize("level", ["array", "group"])
@pytest.mark.parametrize("version", ["0.4", "0.5", "shards"])
def test_a_missing_chunk_of_a_complete_store_is_named(
    version: str, level: str, tmp_path: Path
) -> None:
    """Our record says that all chunks were written."""
    data = np.zeros((4, 8, 8), "u2")
    data[:2] = 5
    shards = {"shards": (2, 8, 8)} if version == "shards" else {}
    v2 = version == "0.4"
    number = version if v2 else "0.5"
    path = write_image(tmp_path / "a.zarr", data, "zyx", number, chunks=(1, 4, 4), **shards)
    folder = path / "0" if level == "array" else path
    file = folder / (".zattrs" if v2 else "zarr.json")
    record = {"napari-ferry": {"complete": True}}
    if v2:
        edit_json(file, **record) if file.exists() else file.write_text(json.dumps(record))
    else:
        edit_json(file, attributes={**json.loads(file.read_text()).get("attributes", {}), **record})

    array = open_one(path)
    assert array[0, 0, 0] == 5
    name = {"0.4": "0/2/0/0", "shards": "0/c/1/0/0"}.get(version, "0/c/2/0/0")
    for each in (array, pickle.loads(pickle.dumps(array)), array.as_type(np.dtype("u4"))):
        with pytest.raises(UnreadableFileError, match=rf"^a\.zarr is damaged: .*{name}.*missing"):
            each[2]


def test_a_missing_chunk_of_a_store_of_ours_is_named(tmp_path: Path) -> None:
    (path,) = imsave(pixels((3, 8, 8)), tmp_path / "a.ome.zarr")
    content = json.loads((path / "zarr.json").read_text())
    content["attributes"]["napari-ferry"]["complete"] = True
    (path / "zarr.json").write_text(json.dumps(content))
    array = open_one(path)
    assert array[...].shape == (3, 8, 8)
    for chunk in (path / "0").rglob("*"):
        if chunk.is_file() and chunk.suffix != ".json":
            chunk.unlink()
    array.close()
    with pytest.raises(UnreadableFileError, match=r"^a\.ome\.zarr is damaged: .*missing"):
        array[0]


def test_a_missing_chunk_inside_a_shard_is_a_fill_value_even_if_complete(tmp_path: Path) -> None:
    data = np.zeros((2, 8, 8), "u2")
    data[1] = 5
    attributes = {"napari-ferry": {"complete": True}}
    path = write_array(
        tmp_path / "a.zarr", data, chunks=(1, 4, 4), shards=(2, 8, 8), attributes=attributes
    )
    assert_same_pixels(np.asarray(open_one(path)), data)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0, 4)])
def test_axes_without_length_are_read(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = write_array(tmp_path / "a.zarr", np.zeros(shape), chunks=(1,) * len(shape))
    with pytest.warns(FerryWarning, match="contains no pixels"):
        assert np.asarray(open_one(path)).shape == shape


@pytest.mark.parametrize("content", [b"", b"\0" * 40, b"damage" * 100])
@pytest.mark.parametrize("shards", [None, (2, 10, 10)])
def test_a_damaged_chunk_is_named(content: bytes, shards: Any, tmp_path: Path) -> None:
    path = write_array(tmp_path / "a.zarr", pixels((4, 10, 10)), chunks=(2, 5, 5), shards=shards)
    name = "c/1/0/1" if shards is None else "c/1/0/0"
    chunk_file(path, name).write_bytes(content)
    array = open_one(path)
    with pytest.raises(UnreadableFileError, match=rf"^a\.zarr is damaged: .*{name}"):
        array[3, 0, 9]
    assert array[0].shape == (10, 10)


@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.99])
@pytest.mark.parametrize("name", V3_CODECS)
def test_a_truncated_chunk_is_refused(name: str, fraction: float, tmp_path: Path) -> None:
    options = {"chunks": (5, 13, 17), **V3_CODECS[name]}
    path = write_array(tmp_path / "a.zarr", pixels((4, 12, 12)), **options)
    for file in [file for file in path.rglob("*") if file.is_file() and file.suffix != ".json"]:
        content = file.read_bytes()
        file.write_bytes(content[: int(len(content) * fraction)])
    with pytest.raises(UnreadableFileError, match="is damaged"):
        np.asarray(open_one(path))


def test_a_truncated_chunk_of_blosc_is_refused_whatever_is_behind_it_in_memory() -> None:
    samples = np.random.default_rng(0).integers(0, 1 << 12, (8, 8), np.uint16)
    whole = np.frombuffer(imagecodecs.blosc_encode(samples, typesize=2), np.uint8)
    decoder = ChunkDecoder(shape=(8, 8), dtype=np.dtype("u2"), order=(0, 1), steps=(Step("blosc"),))
    assert_same_pixels(decoder.decode(whole), samples)
    for n in (0, 3, 15, 16, len(whole) - 1):
        with pytest.raises(DamageError):
            decoder.decode(whole[:n])


@pytest.mark.parametrize(
    ("name", "encode"),
    [("blosc", imagecodecs.blosc_encode), ("lz4", numcodecs.LZ4().encode)],
)
def test_a_chunk_that_decodes_to_more_than_its_shape_is_refused(name: str, encode: Any) -> None:
    larger = np.frombuffer(encode(np.zeros((8, 9), np.uint16)), np.uint8)
    decoder = ChunkDecoder(shape=(8, 8), dtype=np.dtype("u2"), order=(0, 1), steps=(Step(name),))
    with pytest.raises(DamageError, match="it has 144 bytes, expected 128"):
        decoder.decode(larger)


@pytest.mark.parametrize("shards", [None, (8, 8)])
def test_a_chunk_file_larger_than_any_chunk_is_not_read(shards: Any, tmp_path: Path) -> None:
    path = write_array(
        tmp_path / "a.zarr", pixels((8, 8)), chunks=(4, 4), shards=shards, compressors=None
    )
    file = chunk_file(path, "c/0/0")
    if shards is None:
        file.write_bytes(bytes(1 << 21))
        message = "it has 2097152 bytes, expected at most"
    else:  # the index, of four chunks, is at the end
        content = file.read_bytes()
        index = np.frombuffer(content[-68:-4], "<u8").copy()
        index[1] = 1 << 40
        checksum = google_crc32c.value(index.tobytes()).to_bytes(4, "little")
        file.write_bytes(content[:-68] + index.tobytes() + checksum)
        message = "it has 1099511627776 bytes according to the index"
    with pytest.raises(UnreadableFileError, match=message):
        open_one(path)[0, 0]


def test_pixels_in_a_store_are_never_handed_over_without_a_copy(tmp_path: Path) -> None:
    array = open_one(write_array(tmp_path / "a.zarr", pixels((8, 8))))
    with pytest.raises(ValueError, match="reading them makes a copy"):
        array.__array__(copy=False)


def test_a_flipped_bit_is_found_by_a_checksum(tmp_path: Path) -> None:
    codecs = [zarr.codecs.GzipCodec(), zarr.codecs.Crc32cCodec()]
    path = write_array(tmp_path / "a.zarr", pixels((8, 8)), chunks=(8, 8), compressors=codecs)
    file = chunk_file(path, "c/0/0")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="checksum"):
        np.asarray(open_one(path))


def test_a_chunk_that_claims_too_much_is_refused_before_memory_is_allocated(
    tmp_path: Path,
) -> None:
    path = write_array(tmp_path / "a.zarr", pixels((8, 8)), chunks=(8, 8), zarr_format=2)
    huge = [1_000_000, 1_000_000]
    edit_json(path / ".zarray", shape=huge, chunks=huge)
    array = open_one(path)
    with pytest.raises(UnreadableFileError, match="cannot be a chunk"):
        array[0, 0]


def test_a_read_of_too_many_chunks_is_refused(tmp_path: Path) -> None:
    path = write_array(tmp_path / "a.zarr", pixels((8, 8)), chunks=(2, 2), zarr_format=2)
    edit_json(path / ".zarray", shape=[900_000_000] * 2)
    array = open_one(path)
    with pytest.raises(UnreadableFileError, match="chunks would be read at once"):
        np.asarray(array)
    assert array[:3, -3:].tolist()[2] == [0, 0, 0]


def test_an_array_that_does_not_fit_into_memory_is_refused(tmp_path: Path) -> None:
    path = write_array(tmp_path / "a.zarr", pixels((8, 8)), chunks=(2, 2), zarr_format=2)
    edit_json(path / ".zarray", shape=[1_900_000_000] * 2, chunks=[1_900_000_000] * 2)
    with pytest.raises(UnreadableFileError, match="do not fit into memory"):
        np.asarray(open_one(path))


def test_an_array_is_pickled_as_its_path(tmp_path: Path) -> None:
    data = pixels((5, 13, 17))
    array = open_one(write_array(tmp_path / "a.zarr", data, chunks=(2, 4, 5)))
    array[...]
    pickled = pickle.dumps(array)
    assert len(pickled) < 2000
    assert_same_pixels(np.asarray(pickle.loads(pickled)), data)


@pytest.mark.parametrize("suffix", [".zarr", ".ozx"])
def test_a_store_that_changed_is_refused(suffix: str, tmp_path: Path) -> None:
    data = pixels((5, 13, 17))
    path = write_array(tmp_path / "b.zarr", data, chunks=(2, 4, 5))
    if suffix == ".ozx":
        path = zip_store(path, tmp_path / "a.ozx")
    array = open_one(path)
    array[0]
    if suffix == ".ozx":
        path.write_bytes(path.read_bytes() + b"more")
    else:
        (path / "zarr.json").write_text((path / "zarr.json").read_text() + " ")
    with pytest.raises(UnreadableFileError, match="open it again"):
        array[3]
    array.close()


def test_a_store_that_was_removed_is_not_zeros(tmp_path: Path) -> None:
    path = write_array(tmp_path / "a.zarr", pixels((5, 13, 17)))
    array = open_one(path)
    path.rename(tmp_path / "b.zarr")
    with pytest.raises(UnreadableFileError, match="can no longer be read"):
        array[0]


def test_threads_read_the_same_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zarr_array, "_THREADED_BYTES", 1)
    monkeypatch.setattr(zarr_array, "_BATCH", 3)
    data = pixels((6, 40, 40))
    path = write_array(tmp_path / "a.zarr", data, chunks=(1, 8, 8), shards=(2, 16, 16))
    array = open_one(path)
    found: list[Any] = [None] * 4

    def read(k: int) -> None:
        found[k] = np.asarray(array[k:])
        array.close()

    threads = [threading.Thread(target=read, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(4):
        assert_same_pixels(found[k], data[k:])


def test_what_is_read_may_be_changed(tmp_path: Path) -> None:
    data = pixels((4, 8, 8))
    array = open_one(write_array(tmp_path / "a.zarr", data, chunks=(4, 8, 8)))
    array[0][...] = 0
    array[...][...] = 0
    assert_same_pixels(np.asarray(array), data)


UNSUPPORTED: list[tuple[str, Any, str]] = [
    ("dtype", "|O", "Python objects"),
    ("dtype", [["a", "<u2"]], "images are numbers"),
    ("dtype", "<M8[s]", "images are numbers"),
    ("dtype", 5, "images are numbers"),
    ("compressor", {"id": "evil"}, "codec 'evil' is not supported"),
    ("compressor", {"id": "pickle"}, "codec 'pickle' is not supported"),
    ("filters", [{"id": "pickle"}], "codec 'pickle' is not supported"),
    ("filters", [{"id": "shuffle", "elementsize": 0}], "element size 0"),
    ("filters", {"id": "x"}, "filters are not a list"),
    ("shape", [5, -1, 4], "shape"),
    ("shape", [2**40, 2**40, 4], "more samples than any file"),
    ("shape", "5", "shape"),
    ("shape", [1] * 40, "40 axes"),
    ("chunks", [0, 1, 1], "chunk shape"),
    ("chunks", [1, 1], "does not match"),
    ("fill_value", "x", "fill value"),
    ("fill_value", 1e9, "fill value"),
    ("fill_value", {}, "fill value"),
    ("order", "Q", "order of axes"),
    ("dimension_separator", "-", "separator"),
]


@pytest.mark.parametrize(("key", "value", "message"), UNSUPPORTED)
def test_unsupported_metadata_are_refused(
    key: str, value: Any, message: str, tmp_path: Path
) -> None:
    path = write_array(tmp_path / "a.zarr", pixels((5, 13, 17)), zarr_format=2)
    edit_json(path / ".zarray", **{key: value})
    with pytest.raises(FerryError, match=rf"^a\.zarr cannot be opened: .*{message}"):
        imload(path)


UNSUPPORTED_V3: list[tuple[str, Any, str]] = [
    ("data_type", "string", "images are numbers"),
    ("data_type", {"name": "structured"}, "images are numbers"),
    ("chunk_grid", {"name": "rectilinear"}, "chunk grid"),
    ("chunk_key_encoding", {"name": "hash"}, "keys of its chunks"),
    ("storage_transformers", [{"name": "x"}], "storage transformers"),
    ("codecs", [{"name": "zstd"}], "not supported in this place"),
    ("codecs", [], "no codec 'bytes'"),
    ("codecs", [{"name": "bytes"}, {"name": "new"}], "codec 'new' is not supported"),
    ("codecs", [{"name": "transpose", "configuration": {"order": [0]}}, "bytes"], "permutation"),
    ("codecs", [{"name": "bytes", "configuration": {"endian": "x"}}], "byte order"),
]


@pytest.mark.parametrize(("key", "value", "message"), UNSUPPORTED_V3)
def test_unsupported_metadata_of_version_3_are_refused(
    key: str, value: Any, message: str, tmp_path: Path
) -> None:
    path = write_array(tmp_path / "a.zarr", pixels((5, 13, 17)))
    edit_json(path / "zarr.json", **{key: value})
    with pytest.raises(FerryError, match=rf"^a\.zarr cannot be opened: .*{message}"):
        imload(path)


def test_shards_in_shards_are_named(tmp_path: Path) -> None:
    path = write_array(tmp_path / "a.zarr", pixels((8, 8)), chunks=(2, 2), shards=(4, 4))
    (outer,) = json.loads((path / "zarr.json").read_text())["codecs"]
    inner = {"name": outer["name"], "configuration": {**outer["configuration"]}}
    outer["configuration"]["codecs"] = [inner]
    edit_json(path / "zarr.json", codecs=[outer])
    with pytest.raises(FerryError, match=r"^a\.zarr cannot be opened: its shards contain smaller"):
        imload(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chunk_shape": [3, 3]}, r".*its shards \(4, 4\) do not consist of whole chunks \(3, 3\)"),
        ({"index_location": "middle"}, ".*index of its shards is encoded"),
        (
            {"index_codecs": [{"name": "bytes"}, {"name": "gzip"}]},
            ".*index of its shards is encoded",
        ),
    ],
)
def test_unsupported_shards_are_refused(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = write_array(tmp_path / "a.zarr", pixels((8, 8)), chunks=(2, 2), shards=(4, 4))
    (outer,) = json.loads((path / "zarr.json").read_text())["codecs"]
    outer["configuration"] |= changes
    edit_json(path / "zarr.json", codecs=[outer])
    with pytest.raises(FerryError, match=rf"^a\.zarr cannot be opened: {message}"):
        imload(path)


@pytest.mark.parametrize(("fill", "expected"), [("0x7fc00000", np.nan), ("-Infinity", -np.inf)])
def test_fill_values_as_text(fill: str, expected: float, tmp_path: Path) -> None:
    path = write_array(tmp_path / "a.zarr", np.zeros((4, 4), "f4"))
    edit_json(path / "zarr.json", fill_value=fill)
    np.testing.assert_equal(np.asarray(open_one(path)), np.full((4, 4), expected, "f4"))


@pytest.mark.parametrize("missing", [False, True])
def test_nested_chunks_without_a_separator_are_found(missing: bool, tmp_path: Path) -> None:
    """zarr-python 2 wrote folders of chunks without saying so."""
    data = pixels((4, 6, 8))
    path = write_array(tmp_path / "a.zarr", data, zarr_format=2, chunks=(2, 3, 4))
    edit_json(path / ".zarray", dimension_separator=...)
    if missing:
        chunk_file(path, "0/0/0").unlink()
        data[:2, :3, :4] = 0
    assert_same_pixels(np.asarray(open_one(path)), data)
