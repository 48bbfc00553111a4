"""Frames through a pipe into the ffmpeg that imageio-ffmpeg brings, in a process of its own.

So the memory of an encoder, and whatever it does on its last leg, stays outside; and its exit
status is looked at, which says whether the file is whole.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from napari_ferry.arrays.blocks import as_bytes
from napari_ferry.errors import SaveError

_PIPE_BYTES = 1 << 20
"""What Linux lets lie in a pipe: 16 times the usual, so that the two processes wait less."""

_F_SETPIPE_SZ = 1031


class Encoder:
    """One run of ffmpeg, which is ended whatever happens.

    Parameters
    ----------
    arguments : sequence of str
        What ffmpeg is asked for, without its own name.
    path : Path
        The file, for messages.
    """

    def __init__(self, arguments: Sequence[str], path: Path) -> None:
        self.path = path
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        # its own group: an interrupt at the keyboard is for us, and we end it
        apart = {"creationflags": 0x08000000} if sys.platform == "win32" else {}
        program = find_ffmpeg()
        try:
            self.process = subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                start_new_session=sys.platform != "win32",
                **apart,  # type: ignore[call-overload]
            )
        except OSError as error:
            self.errors.close()
            raise SaveError(
                f"{program} cannot be run to write a video ({error.strerror}): install the package "
                "imageio-ffmpeg anew, or name an ffmpeg in the environment variable "
                "IMAGEIO_FFMPEG_EXE."
            ) from error
        _widen(self.process)

    def __enter__(self) -> Encoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self._close()
        self.process.wait()
        self.errors.close()

    def write(self, pieces: Iterable[NDArray[Any]]) -> None:
        """Send frames, piece by piece, and wait until the file is whole.

        Raises
        ------
        SaveError
            ffmpeg could not write it.
        """
        for frames in pieces:
            if not self._send(frames):
                break
        self._close()
        if self.process.wait() != 0:
            raise SaveError(
                f"ffmpeg could not write the video ({self._said()}): make room, or choose "
                "another place or codec, and save again."
            )

    def _send(self, frames: NDArray[Any]) -> bool:
        """Send some frames; false when ffmpeg has ended, and says why."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(as_bytes(frames))
        except OSError:
            return False
        return True

    def _close(self) -> None:
        """Send no more; what was not taken is not missed, as ffmpeg has ended."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def _said(self) -> str:
        """Return the first and the last line of what ffmpeg said: a cause, and what came of it."""
        self.errors.seek(0)
        lines = self.errors.read().decode("utf-8", "replace").strip().splitlines()
        ends = dict.fromkeys(line[:200] for line in (*lines[:1], *lines[-1:]))
        return "; ".join(ends) or f"it ended with {self.process.returncode}"


def find_ffmpeg() -> str:
    """Return the ffmpeg that imageio-ffmpeg brings or knows of.

    Raises
    ------
    SaveError
        There is none.
    """
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise SaveError(
            "There is no ffmpeg to write a video with: install the package imageio-ffmpeg anew, "
            "or name an ffmpeg in the environment variable IMAGEIO_FFMPEG_EXE."
        ) from error


def _widen(process: subprocess.Popen[bytes]) -> None:
    """Let more lie in the pipe, where the system allows it."""
    if sys.platform != "linux" or process.stdin is None:
        return
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.fcntl(process.stdin.fileno(), _F_SETPIPE_SZ, _PIPE_BYTES)
