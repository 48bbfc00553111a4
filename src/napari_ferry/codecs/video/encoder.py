"""Encoding of frames by the ffmpeg of imageio-ffmpeg, in a separate process fed through a pipe.

This keeps the memory of the encoder, and the effects of a crash, outside our process. The exit
status is checked, because it indicates whether the file is complete.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from napari_ferry.arrays.blocks import as_bytes
from napari_ferry.errors import SaveError

_PIPE_BYTES = 1 << 20
"""Capacity of the pipe on Linux: 16 times the default, so that the two processes wait less."""

_F_SETPIPE_SZ = 1031

_CHECK_SECONDS = 0.1
"""Time between checks for cancelling, in seconds."""

_CREATE_NO_WINDOW = 0x08000000

_FFMPEG_CURE = (
    "reinstall the package imageio-ffmpeg, or set the environment variable IMAGEIO_FFMPEG_EXE to "
    "the path of an ffmpeg program"
)


class Encoder:
    """One run of ffmpeg; the process ends with the ``with`` block in any case.

    Parameters
    ----------
    arguments : sequence of str
        Arguments of ffmpeg, without the program name.
    path : Path
        The file, for messages.

    Raises
    ------
    SaveError
        ffmpeg was not found or cannot be run.
    """

    def __init__(self, arguments: Sequence[str], path: Path) -> None:
        self.path = path
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        program = find_ffmpeg()

        # in a process group of its own, because a keyboard interrupt is for us to handle
        options = {"creationflags": _CREATE_NO_WINDOW} if sys.platform == "win32" else {}
        try:
            self.process = subprocess.Popen(
                [program, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                start_new_session=sys.platform != "win32",
                **options,  # type: ignore[call-overload]
            )
        except OSError as error:
            self.errors.close()
            raise SaveError(
                f"{program} cannot be run to write a video ({error.strerror}): {_FFMPEG_CURE}."
            ) from error
        _enlarge_pipe(self.process)

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

    def write(self, blocks: Iterable[NDArray[Any]]) -> None:
        """Send all frames, then wait until the file is whole.

        Parameters
        ----------
        blocks : iterable of numpy.ndarray
            Consecutive frames in the pixel format given in the arguments; any axes.

        Raises
        ------
        SaveError
            ffmpeg failed.
        """
        for frames in blocks:
            if not self._send(frames):
                break
        self._close()
        if self.process.wait() != 0:
            raise SaveError(
                f"ffmpeg could not write the video ({self._error_text()}): free some space, or "
                "choose another folder or codec, and save again."
            )

    def kill_on(self, check: Callable[[], None]) -> None:
        """Kill ffmpeg when `check` raises, and return when it has ended; for a thread."""
        is_running = True
        try:
            while is_running:
                check()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(_CHECK_SECONDS)
                    is_running = False
        finally:
            self.process.kill()

    def _send(self, frames: NDArray[Any]) -> bool:
        """Send some frames; return False if ffmpeg has ended."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(as_bytes(frames))
        except OSError:
            return False
        return True

    def _close(self) -> None:
        """Close the pipe; unread data do not matter if ffmpeg has ended."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()

    def _error_text(self) -> str:
        """Return the first and the last line of ffmpeg's errors: the cause and the consequence."""
        self.errors.seek(0)
        lines = self.errors.read().decode("utf-8", "replace").strip().splitlines()
        ends = dict.fromkeys(line[:200] for line in (*lines[:1], *lines[-1:]))
        return "; ".join(ends) or f"it ended with status {self.process.returncode}"


def find_ffmpeg() -> str:
    """Return the path of the ffmpeg included in imageio-ffmpeg, or known to it.

    Raises
    ------
    SaveError
        No ffmpeg was found.
    """
    import imageio_ffmpeg

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise SaveError(f"No ffmpeg was found to write a video: {_FFMPEG_CURE}.") from error


def _enlarge_pipe(process: subprocess.Popen[bytes]) -> None:
    """Increase the capacity of the pipe if the system allows it."""
    if sys.platform != "linux" or process.stdin is None:
        return
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.fcntl(process.stdin.fileno(), _F_SETPIPE_SZ, _PIPE_BYTES)
