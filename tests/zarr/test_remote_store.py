"""Stores on servers: the requests that are made, what servers lack, and their errors."""

from __future__ import annotations

import pickle  # noqa: TID251 - our own
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import google_crc32c
import numpy as np
import pytest
import zarr

from helpers import assert_same_pixels, pixels
from napari_ferry import FerryError, imload
from napari_ferry.cli import main
from napari_ferry.codecs.zarr import remote_store
from napari_ferry.codecs.zarr.decoded_chunks import CHUNKS
from napari_ferry.codecs.zarr.remote_store import RemoteStore
from napari_ferry.errors import UnreadableFileError, UnsupportedFormatError
from web_server import Server, serving
from zarr_files import edit_json, write_array, write_image, write_labels

DATA = pixels((3, 64, 64))
LEVELS = [DATA[:, :: 2**k, :: 2**k] for k in range(5)]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as made:
        yield made


def write_pyramid(path: Path, version: str = "0.5", *, is_consolidated: bool = True) -> Path:
    write_image(path, LEVELS, "zyx", version, chunks=(1, 32, 32))
    if is_consolidated:
        zarr.consolidate_metadata(str(path))
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_pyramid_opens_with_few_requests(version: str, server: Server) -> None:
    write_pyramid(server.folder / "a.ome.zarr", version)
    (image,) = imload(f"{server.address}/a.ome.zarr")
    assert len(server.requests) <= (3 if version == "0.4" else 2), server.requests
    assert image.name == "a"
    for level, expected in zip(image.levels, LEVELS, strict=True):
        assert_same_pixels(np.asarray(level), expected)


@pytest.mark.parametrize(("version", "count"), [("0.4", 18), ("0.5", 7)])
def test_stores_without_consolidated_metadata_open(
    version: str, count: int, server: Server
) -> None:
    write_pyramid(server.folder / "a.zarr", version, is_consolidated=False)
    (image,) = imload(f"{server.address}/a.zarr/")
    assert len(server.requests) <= count, server.requests
    assert_same_pixels(np.asarray(image.levels[4]), LEVELS[4])


def test_a_tile_requests_its_chunks_once(server: Server) -> None:
    write_pyramid(server.folder / "a.zarr")
    (image,) = imload(f"{server.address}/a.zarr")
    server.requests.clear()
    for _ in range(2):
        assert_same_pixels(image.array[1, 10:40, 5:9], DATA[1, 10:40, 5:9])
    assert sorted(server.requests) == [f"GET /a.zarr/0/c/1/{k}/0" for k in range(2)]


@pytest.mark.parametrize("path", ["a.zarr/0", "a.zarr/labels/cells", "a.zarr/labels"])
def test_parts_of_a_store_open_by_their_addresses(path: str, server: Server) -> None:
    write_labels(write_pyramid(server.folder / "a.zarr"), {"cells": DATA})
    (image,) = imload(f"{server.address}/{path}")
    assert_same_pixels(np.asarray(image.array), DATA)


def test_labels_in_consolidated_metadata_open(server: Server) -> None:
    path = write_pyramid(server.folder / "a.zarr", is_consolidated=False)
    write_labels(path, {"cells": DATA})
    zarr.consolidate_metadata(str(path))
    assert [image.name for image in imload(f"{server.address}/a.zarr")] == ["a", "cells"]


def test_arrays_of_a_described_group_open(server: Server) -> None:
    path = server.folder / "a.zarr"
    zarr.open_group(str(path), mode="w")
    write_array(path / "b", DATA)
    zarr.consolidate_metadata(str(path))
    assert [image.name for image in imload(f"{server.address}/a.zarr")] == ["b"]
    assert len(server.requests) == 2


def write_shards(server: Server) -> str:
    """Write an array in shards, and return its address."""
    chunks = {"chunks": (1, 16, 16), "shards": (3, 64, 64), "compressors": None}
    write_array(server.folder / "a.zarr", DATA, **chunks)
    return f"{server.address}/a.zarr"


def test_only_parts_of_shards_are_requested(server: Server) -> None:
    (image,) = imload(write_shards(server))
    server.requests.clear()
    assert_same_pixels(image.array[1, :10, :10], DATA[1, :10, :10])
    assert server.requests == ["GET /a.zarr/c/0/0/0"] * 2
    assert_same_pixels(np.asarray(image.array), DATA)


def test_a_server_without_byte_ranges_is_named(server: Server) -> None:
    server.has_ranges = False
    (image,) = imload(write_shards(server))
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr .*does not support byte ranges"):
        image.array[0]
    write_pyramid(server.folder / "b.zarr")
    assert_same_pixels(np.asarray(imload(f"{server.address}/b.zarr")[0].array), DATA)


def test_a_missing_chunk_is_filled_and_a_refused_one_is_an_error(server: Server) -> None:
    path = write_pyramid(server.folder / "a.zarr")
    (path / "0" / "c" / "0" / "0" / "0").unlink()
    (image,) = imload(f"{server.address}/a.zarr")
    assert not image.array[0, :32, :32].any()
    errors = {403: "refuses access", 401: "refuses access", 500: "error 500", 429: "error 429"}
    for status, text in errors.items():
        server.status = {"c/1/1/1": status}
        with pytest.raises(UnreadableFileError, match=rf"^a\.zarr cannot be read \(.*{text}"):
            image.array[1]


@pytest.mark.parametrize("status", [403, 500])
def test_metadata_that_are_refused_are_an_error(status: int, server: Server) -> None:
    write_pyramid(server.folder / "a.zarr")
    server.status = {"zarr.json": status}
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr cannot be read"):
        imload(f"{server.address}/a.zarr")


def test_a_missing_store_is_named(server: Server) -> None:
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr is not a Zarr store.*address"):
        imload(f"{server.address}/a.zarr")


def test_a_slow_server_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_store, "_READ_SECONDS", 0.05)
    is_over = threading.Event()
    server.wait = is_over.wait
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr .*did not answer in time"):
        imload(f"{server.address}/a.zarr")
    is_over.set()


def test_a_server_that_is_gone_is_named(server: Server) -> None:
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr .*cannot be reached"):
        imload("http://127.0.0.1:9/a.zarr")


def test_a_store_that_changed_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_pyramid(server.folder / "a.zarr")
    (image,) = imload(f"{server.address}/a.zarr")
    store: Any = image.array.files.store  # type: ignore[attr-defined]
    image.array[0]
    edit_json(path / "zarr.json", more=1)
    image.array[1]
    store._clock = lambda: time.monotonic() + 100
    with pytest.raises(UnreadableFileError, match="open it again"):
        image.array[2]
    store.close()
    with pytest.raises(UnreadableFileError, match="open it again"):
        image.array[2]


def test_damaged_metadata_and_chunks_are_named(server: Server) -> None:
    path = write_pyramid(server.folder / "a.zarr")
    (image,) = imload(f"{server.address}/a.zarr")
    (path / "0" / "c" / "0" / "0" / "0").write_bytes(b"damage")
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr is damaged: 0/c/0/0/0"):
        image.array[0]
    (path / "zarr.json").write_text("{")
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr is damaged: zarr\.json"):
        imload(f"{server.address}/a.zarr")


@pytest.mark.parametrize(
    ("start", "nbytes", "message"),
    [(0, 0, "is damaged"), (25_000, 512, "it is too short"), (1 << 30, 512, "it is too short")],
    ids=["empty", "beyond the end", "after the end"],
)
def test_wrong_places_of_chunks_in_shards_are_named(
    start: int, nbytes: int, message: str, server: Server
) -> None:
    address = write_shards(server)
    file = server.folder / "a.zarr" / "c" / "0" / "0" / "0"
    content = file.read_bytes()
    index = np.frombuffer(content[-772:-4], "<u8").copy()  # of 48 chunks, and a checksum
    index[:2] = start, nbytes
    checksum = google_crc32c.value(index.tobytes()).to_bytes(4, "little")
    file.write_bytes(content[:-772] + index.tobytes() + checksum)
    (image,) = imload(address)
    with pytest.raises(UnreadableFileError, match=rf"^a\.zarr .*{message}"):
        image.array[0, 0, 0]
    assert_same_pixels(image.array[1:], DATA[1:])


def test_errors_of_s3_are_known() -> None:
    pytest.importorskip("s3fs")
    from botocore.exceptions import NoCredentialsError

    store = RemoteStore("s3://bucket/a.zarr")
    with pytest.raises(store._errors):
        raise NoCredentialsError


def test_a_chunk_larger_than_any_chunk_is_named(server: Server) -> None:
    path = write_pyramid(server.folder / "a.zarr")
    (path / "0" / "c" / "0" / "0" / "0").write_bytes(bytes(2 << 20))
    (image,) = imload(f"{server.address}/a.zarr")
    with pytest.raises(UnreadableFileError, match="it has 2097152 bytes, expected at most"):
        image.array[0]


def test_a_group_without_a_list_of_its_arrays_is_refused(server: Server) -> None:
    zarr.open_group(str(server.folder / "a.zarr"), mode="w")
    write_array(server.folder / "a.zarr" / "one", DATA)
    with pytest.raises(UnreadableFileError, match=r"^a\.zarr holds no images"):
        imload(f"{server.address}/a.zarr")
    assert all(each.endswith(("json", ".zattrs", "group", "array")) for each in server.requests)
    assert len(imload(f"{server.address}/a.zarr/one")) == 1


@pytest.mark.parametrize(
    ("status", "message"), [(403, "refuses access"), (404, "open it again"), (500, "error 500")]
)
def test_metadata_that_are_gone_or_refused_later_are_named(
    status: int, message: str, server: Server
) -> None:
    write_pyramid(server.folder / "a.zarr")
    (image,) = imload(f"{server.address}/a.zarr")
    store: Any = image.array.files.store  # type: ignore[attr-defined]
    store._clock = lambda: time.monotonic() + 100
    server.status = {"zarr.json": status}
    with pytest.raises(UnreadableFileError, match=message):
        image.array[0]


def test_an_array_is_pickled_as_its_address(server: Server) -> None:
    write_pyramid(server.folder / "a.zarr")
    (image,) = imload(f"{server.address}/a.zarr")
    pickled = pickle.dumps(image.array)
    assert len(pickled) < 2000
    assert_same_pixels(np.asarray(pickle.loads(pickled)), DATA)


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[Callable[[Path], str]]:
    """Return a function that puts a store into fsspec's memory, and returns its address."""
    memory = fsspec.filesystem("memory")

    def put(path: Path) -> str:
        for file in path.rglob("*"):
            if file.is_file():
                key = file.relative_to(path.parent).as_posix()
                memory.pipe_file(f"/bucket/{key}", file.read_bytes())
        return f"memory://bucket/{path.name}"

    yield put
    memory.store.clear()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("is_consolidated", [False, True])
def test_stores_of_other_file_systems_open(
    version: str, is_consolidated: bool, bucket: Callable[[Path], str], tmp_path: Path
) -> None:
    path = write_pyramid(tmp_path / "a.zarr", version, is_consolidated=is_consolidated)
    (image,) = imload(bucket(path))
    for level, expected in zip(image.levels, LEVELS, strict=True):
        assert_same_pixels(np.asarray(level), expected)


def test_shards_and_groups_of_other_file_systems_open(
    bucket: Callable[[Path], str], tmp_path: Path
) -> None:
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    write_array(tmp_path / "a.zarr" / "b", DATA, chunks=(1, 16, 16), shards=(3, 64, 64))
    (image,) = imload(bucket(tmp_path / "a.zarr"))
    assert_same_pixels(np.asarray(image.array), DATA)
    assert RemoteStore("memory://bucket/none.zarr").list_names("") == []


@pytest.mark.parametrize(
    "url", ["https://example.org/a.ozx", "ftp://example.org/a.zarr", "file:///none/a.zarr"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(FerryError, match="is an address"):
        imload(url)


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(UnsupportedFormatError, match=r"install napari-ferry\[remote\]"):
        imload("https://example.org/a.zarr")


def test_the_command_line_opens_addresses(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pyramid(server.folder / "a.zarr")
    assert main(["info", f"{server.address}/a.zarr"]) == 0
    assert "64" in capsys.readouterr().out


def test_closing_releases_the_chunks(server: Server) -> None:
    write_pyramid(server.folder / "a.zarr")
    (image,) = imload(f"{server.address}/a.zarr")
    before = len(CHUNKS)
    image.array[0]
    image.close()
    assert len(CHUNKS) <= before
