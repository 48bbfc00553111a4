"""Faults at file operations: each operation of a save is counted, and one of them goes wrong."""

from __future__ import annotations

import builtins
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from napari_ferry.saving.disk import flush
from napari_ferry.saving.partial import placement

_PATHS = ("mkdir", "open", "replace", "rename", "unlink", "rmdir", "listdir", "scandir", "truncate")
_DESCRIPTORS: list[tuple[Any, str]] = [(os, "fsync"), (os, "ftruncate")]
_DESCRIPTORS += [(flush, "_sync_file_system"), (placement, "exchange")]
if sys.platform != "win32":
    import fcntl

    _DESCRIPTORS.append((fcntl, "flock"))

Fault = Callable[[str], None]


def fail(code: int) -> Fault:
    """Return a fault: the system refuses an operation."""

    def fault(name: str) -> None:
        raise OSError(code, os.strerror(code))

    return fault


def _path_of(descriptor: int) -> Path | None:
    """Return the path of an open folder, where the system knows it."""
    link = Path(f"/proc/self/fd/{descriptor}")
    return link.readlink() if link.exists() else None


def interrupt(name: str) -> None:
    """Interrupt this process, as Ctrl+C does."""
    raise KeyboardInterrupt


def die(name: str) -> None:
    """End this process at once, as SIGKILL does: nothing is cleaned up, no buffer is written."""
    os._exit(9)


@dataclass(kw_only=True)
class Operations:
    """The operations on files in a folder, from 1, and what happens at one of them.

    Parameters
    ----------
    folder : Path
        Operations elsewhere are not counted.
    at : int
        Operation that goes wrong; 0 for none.
    fault : callable
        What happens instead of it. Half of what is to be written is written before.
    later : tuple of str
        Names of operations that go wrong from then on, too.
    room : int, optional
        Bytes that can be written in all; the fault happens to what goes beyond them.
    """

    folder: Path
    at: int = 0
    fault: Fault = die
    later: tuple[str, ...] = ()
    room: int | None = None
    calls: list[str] = field(default_factory=list)
    written: int = 0
    has_half: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, name: str) -> None:
        """Count an operation before it happens."""
        with self.lock:
            self.calls.append(name)
            count = len(self.calls)
        if count == self.at or (name in self.later and 0 < self.at < count):
            self.fault(name)

    def write(self, data: Any, put: Callable[[Any], int | None]) -> int | None:
        """Write data, or what there is room for, or half of it before the rest goes wrong."""
        data = memoryview(data).cast("B")
        if self.room is not None:
            data = data[: max(0, self.room - self.written)] or self.fault("write") or data
        if len(self.calls) + 1 == self.at and len(data) > 1 and not self.has_half:
            self.has_half, data = True, data[: len(data) // 2]
        else:
            self.call("write")
        count = put(data)
        self.written += count or 0
        return count

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count the operations of the ``with`` block."""
        with ExitStack() as patches:
            for name in _PATHS:
                patches.enter_context(mock.patch.object(os, name, self._of_path(name)))
            for module, name in _DESCRIPTORS:
                counted = self._counted(getattr(module, name))
                patches.enter_context(mock.patch.object(module, name, counted))
            opened = self._open(io.open)
            for module in (io, builtins):
                patches.enter_context(mock.patch.object(module, "open", opened))
            yield

    def _is_inside(self, path: Any) -> bool:
        is_path = isinstance(path, str | bytes | os.PathLike)
        return is_path and os.fsdecode(path).startswith(str(self.folder))

    def _of_path(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)
        counted = self._counted(real)

        def call(*arguments: Any, **options: Any) -> Any:
            path = arguments[0] if arguments else None
            if options.get("dir_fd") is not None:  # of `shutil.rmtree`
                path = _path_of(options["dir_fd"])
            place = counted if self._is_inside(path) else real
            return place(*arguments, **options)

        return call

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            self.call(real.__name__)
            return real(*arguments, **options)

        return call

    def _open(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return `open` with counted opening, writing and truncating, if in the folder."""
        operations = self

        class Raw(io.FileIO):
            def write(self, data: Any, /) -> Any:
                return operations.write(data, super().write)

            def truncate(self, size: int | None = None, /) -> int:
                operations.call("truncate")
                return super().truncate(size)

        def opened(
            file: Any,
            mode: str = "r",
            buffering: int = -1,
            encoding: str | None = None,
            errors: str | None = None,
            newline: str | None = None,
            closefd: bool = True,
            opener: Any = None,
        ) -> Any:
            if not operations._is_inside(file):
                return real(file, mode, buffering, encoding, errors, newline, closefd, opener)
            if opener is None:  # which opens by `os.open`
                operations.call("open")
            if not set(mode) & set("wax+"):
                return real(file, mode, buffering, encoding, errors, newline, closefd, opener)
            raw = Raw(file, mode.replace("b", "").replace("t", ""), opener=opener)
            if buffering == 0:
                return raw
            buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
            return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors)

        return opened
