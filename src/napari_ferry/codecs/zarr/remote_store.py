"""The files of a Zarr store by their keys, on a server.

They are read with fsspec (https://filesystem-spec.readthedocs.io), which is optional. Consolidated
metadata are used where they exist, as each request takes time. Zarr version 2 has them in
``.zmetadata``, version 3 in the ``zarr.json`` of the root.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.store import METADATA_FILES, TOO_SHORT
from napari_ferry.errors import UnreadableFileError, UnsupportedFormatError
from napari_ferry.files.json_files import parse_json

SCHEMES = ("http", "https", "s3", "memory")
"""Schemes of addresses; ``memory`` is fsspec's scheme for data in this process."""

_CONNECT_SECONDS = 15.0
_READ_SECONDS = 30.0
"""Timeout of a server without any data, in seconds."""

_FRESH_SECONDS = 30.0
"""Time until the server is asked again for changes of the store, in seconds."""

_CONSOLIDATED = ".zmetadata"

_REFUSED = (401, 403)
_NOT_FOUND = 404
_NO_SUCH_RANGE = 416

_MOST_TEXT = 80
"""Maximum number of characters of another library's message in ours."""


class RemoteStamp(NamedTuple):
    """Version of a file according to its server; each value may be missing."""

    etag: str | None
    modified: str | None
    nbytes: int | None


class _Documents(NamedTuple):
    """Metadata files known so far.

    Parameters
    ----------
    contents : mapping
        Content of each by its key.
    version : int
        Version of the Zarr format, the same for all arrays and groups.
    is_complete : bool
        True if there are no others.
    source : str
        Key of the file that contains all of them.
    """

    contents: Mapping[str, bytes]
    version: int
    is_complete: bool
    source: str


class RemoteStore:
    """The store at an address, read-only.

    Parameters
    ----------
    url : str
        Address of the folder of a store, of a group or of an array.
    clock : callable
        Returns the time in seconds.

    Raises
    ------
    UnsupportedFormatError
        fsspec, or its package for this kind of address, is not installed.
    """

    is_remote = True

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        address, mark, query = url.partition("?")
        self._root, self._query = address.rstrip("/"), mark + query
        self._clock = clock
        self._files, self._errors = _open_file_system(self._root)
        self._lock = threading.RLock()
        self._documents: _Documents | None = None
        self._stamp: tuple[float, RemoteStamp | None] | None = None

    def __repr__(self) -> str:
        return f"RemoteStore({self._root!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return RemoteStore, (self.url,)

    @property
    def name(self) -> str:
        """Last part of the address."""
        return self._root.rpartition("/")[2]

    def read(self, key: str, most: int) -> bytes | None:
        """Return a whole file, or ``None`` if it is missing; see `Store.read`."""
        file_name = key.rpartition("/")[2]
        if file_name in METADATA_FILES:
            known = self._read_documents()
            is_other = (file_name == "zarr.json") != (known.version == 3)
            if key in known.contents or known.is_complete or is_other:
                return known.contents.get(key)
        data = self._fetch(key)
        if data is not None and len(data) > most:
            raise DamageError(f"it has {len(data)} bytes, expected at most {most}")
        return data

    def read_part(self, key: str, start: int, nbytes: int) -> bytes | None:
        """Return bytes of a file, or ``None`` if it is missing; see `Store.read_part`."""
        if not nbytes:
            return b""
        data = self._fetch(key, start, None if start < 0 else start + nbytes)
        if data is not None and len(data) > nbytes:
            raise UnreadableFileError(
                f"{self.name} cannot be read: its server sends whole files where parts of them are "
                f"requested, as of {key} (it does not support byte ranges): download the store and "
                "open the copy."
            )
        if data is not None and len(data) < nbytes:
            raise DamageError(TOO_SHORT)
        return data

    def size(self, key: str) -> int | None:
        """Return the size of a file in bytes, or ``None`` if it is missing."""
        stamp = self._ask(key)
        return None if stamp is None else stamp.nbytes or 0

    def list_names(self, key: str) -> list[str]:
        """Return the names in a folder; with HTTP, only the names in consolidated metadata."""
        known = self._read_documents()
        if known.is_complete:
            prefix = f"{key}/" if key else ""
            inside = [each[len(prefix) :] for each in known.contents if each.startswith(prefix)]
            return list(dict.fromkeys(each.partition("/")[0] for each in inside))
        if self._root.startswith("http"):
            return []
        try:
            listed = self._files.ls(self._address_of(key), detail=False)
        except FileNotFoundError:
            return []
        except self._errors as error:
            raise self._unreadable(key, error) from error
        return [str(each).rstrip("/").rpartition("/")[2] for each in listed]

    def stamp(self, key: str) -> object:
        """Return the version of the metadata of all arrays and groups.

        Without consolidated metadata, changes are not noticed: each file would be a request.
        """
        known = self._read_documents()
        if not known.is_complete:
            return RemoteStamp(None, None, None)
        with self._lock:
            now = self._clock()
            if self._stamp is None or now - self._stamp[0] > _FRESH_SECONDS:
                self._stamp = now, self._ask(known.source)
            return self._stamp[1]

    def close(self) -> None:
        """Forget the version of the store, to ask the server for it at the next use."""
        self._stamp = None

    def _read_documents(self) -> _Documents:
        """Return the metadata of the root, and their consolidated metadata."""
        with self._lock:
            if self._documents is None:
                data = self._fetch("zarr.json")
                if data is not None:
                    self._documents = _parse_v3(data)
                else:
                    self._documents = _parse_v2(self._fetch(_CONSOLIDATED))
            return self._documents

    def _fetch(self, key: str, start: int | None = None, end: int | None = None) -> bytes | None:
        """Return bytes of a file, or ``None`` if it is missing."""
        try:
            data: bytes = self._files.cat_file(self._address_of(key), start=start, end=end)
        except FileNotFoundError:
            return None
        except self._errors as error:
            if getattr(error, "status", None) == _NO_SUCH_RANGE:
                raise DamageError(TOO_SHORT) from error
            raise self._unreadable(key, error) from error
        return data

    def _ask(self, key: str) -> RemoteStamp | None:
        """Ask for the version of a file; ``None`` if it is missing."""
        try:
            found = self._files.info(self._address_of(key))
        except FileNotFoundError as error:
            if isinstance(error.__cause__, self._errors):  # fsspec hides errors of HTTP
                cause = error.__cause__
                if getattr(cause, "status", _NOT_FOUND) != _NOT_FOUND:
                    raise self._unreadable(key, cause) from cause
            return None
        except self._errors as error:
            raise self._unreadable(key, error) from error
        modified = found.get("Last-Modified", found.get("LastModified"))
        etag, size = found.get("ETag"), found.get("size")
        return RemoteStamp(etag, None if modified is None else str(modified), size)

    def _address_of(self, key: str) -> str:
        return f"{self._root}/{key}{self._query}" if key else self._root + self._query

    def _unreadable(self, key: str, error: BaseException) -> UnreadableFileError:
        """Return the error for a file refused by the server."""
        status = getattr(error, "status", None)
        if isinstance(error, TimeoutError):
            reason, cure = "its server did not answer in time", "try again later"
        elif status in _REFUSED or isinstance(error, PermissionError):
            reason, cure = "its server refuses access", "check the address, and ask for permission"
        elif status is not None:
            reason, cure = f"its server reports error {status}", "try again later"
        else:
            text = " ".join(str(error).split())[:_MOST_TEXT] or type(error).__name__
            reason = f"its server cannot be reached: {text}"
            cure = "check the address and the connection"
        return UnreadableFileError(
            f"{self.name} cannot be read ({reason}; {key} was requested): {cure}."
        )


def _parse_v3(data: bytes) -> _Documents:
    """Return the metadata in the ``zarr.json`` of a root."""
    root = _parse_object(data)
    members = _parse_member(_parse_member(root, "consolidated_metadata"), "metadata")
    contents = {f"{path}/zarr.json": json.dumps(each).encode() for path, each in members.items()}
    is_complete = bool(members) or root.get("node_type") == "array"
    return _Documents({**contents, "zarr.json": data}, 3, is_complete, "zarr.json")


def _parse_v2(data: bytes | None) -> _Documents:
    """Return the metadata in a ``.zmetadata``; none if it is missing."""
    members = {} if data is None else _parse_member(_parse_object(data), "metadata")
    contents = {key: json.dumps(each).encode() for key, each in members.items()}
    return _Documents(contents, 2, bool(contents), _CONSOLIDATED)


def _parse_object(data: bytes) -> Mapping[str, Any]:
    """Return a JSON object, empty if the bytes are damaged; a later read reports the damage."""
    try:
        value = parse_json(data.decode("utf-8-sig"))
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}


def _parse_member(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    member = value.get(key)
    return member if isinstance(member, Mapping) else {}


def _open_file_system(root: str) -> tuple[Any, tuple[type[Exception], ...]]:
    """Return the file system of fsspec for an address, and the types of its errors.

    Raises
    ------
    UnsupportedFormatError
        A package is missing.
    """
    scheme = root.partition(":")[0]
    try:
        import fsspec

        if not scheme.startswith("http"):
            errors: tuple[type[Exception], ...] = (OSError,)
            if scheme == "s3":
                from botocore.exceptions import BotoCoreError

                errors = (OSError, BotoCoreError)
            return fsspec.filesystem(scheme), errors

        import aiohttp

        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS
        )
        files = fsspec.filesystem(scheme, client_kwargs={"timeout": timeout})
        return files, (OSError, aiohttp.ClientError)
    except ImportError as error:
        raise UnsupportedFormatError(
            f"{root} cannot be opened, because {error.name or error} is not installed: install "
            "napari-ferry[remote], or download the store."
        ) from error
