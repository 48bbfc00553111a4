"""Helpers for tests that save under faults: versions of one movie, children that die on the way."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np

import napari_ferry
from folder_format import plan_folder, read_folder, read_label
from napari_ferry import FerryError, Image, imload, imsave, run
from napari_ferry.arrays import Frames
from napari_ferry.saving.partial.interruption import SUFFIX, check_exists, partial_folder

SIZE = 128
CAP = 2.5 * SIZE * SIZE * 2 / 1e9
"""Size cap of a series, in GB: two frames of `SIZE` x `SIZE` uint16 and some room."""

_OURS = (Path(__file__).parent, Path(napari_ferry.__file__).parents[1])
"""Where children find these helpers, and the source that is tested, not the one installed."""


LEVEL = 30
"""Gray level of version 1 of a movie in a format for movies; that of version 2 is twice as high."""


@dataclass(frozen=True)
class Kind:
    """One way of saving: the name of its first file, what was asked for, in parts or whole."""

    name: str
    asked: str
    in_parts: bool = False
    is_encoded: bool = False
    is_movie: bool = False
    is_folder: bool = False

    def save(self, image: Image, folder: Path, **run_options: Any) -> list[Path]:
        if self.is_folder:
            planned = plan_folder(image.array, folder / self.name, label=image.name)
            return run(planned, **run_options)
        # each part describes the whole, in a few hundred bytes for each of the others
        cap = CAP * (image.size("y") / SIZE) ** 2 + 400e-9 * image.size("t")
        cap = 3.9e-6 + 6e-12 * image.size("y") ** 2 if self.is_encoded else cap
        options: dict[str, Any] = {"size_cap": cap} if self.in_parts else {}
        options |= {"compression": "zlib"} if self.is_encoded else {}
        if self.is_movie:
            image = replace(image, levels=(np.uint8(LEVEL) * np.asarray(image.array, np.uint8),))
            options["as_seen"] = False
        return imsave(image, folder / self.asked, **run_options, **options)


KINDS = {
    "tif": Kind("movie.tif", "movie.tif"),
    "ome": Kind("movie.ome.tif", "movie.ome.tif"),
    "series": Kind("movie_00000.tif", "movie.tif", in_parts=True),
    "bin": Kind("movie.bin", "movie.bin"),
    "zlib": Kind("movie.ome.tif", "movie.ome.tif", is_encoded=True),
}
"""Ways of saving all samples, for which each test of `tests/saving` is made."""

EVERY_KIND = KINDS | {
    "zlib series": Kind("movie_00000.tif", "movie.tif", in_parts=True, is_encoded=True),
    "gif": Kind("movie.gif", "movie.gif", is_movie=True),
    "png": Kind("movie_0001.png", "movie.png", is_movie=True),
    "apng": Kind("movie.apng", "movie.apng", is_movie=True),
    "mp4": Kind("movie.mp4", "movie.mp4", is_movie=True),
    "mkv": Kind("movie.mkv", "movie.mkv", is_movie=True),
    "mov": Kind("movie.mov", "movie.mov", is_movie=True),
    "zarr": Kind("movie.ome.zarr", "movie.ome.zarr"),
}
"""Ways of saving in every format."""

FOLDERS = {"store": Kind("movie.store", "movie.store", is_folder=True)}
"""Ways of saving a folder that is one data set."""

ALL_KINDS = EVERY_KIND | FOLDERS


def movie(version: int, *, frames: int | None = None, size: int = SIZE) -> Image:
    """Return one version of a movie: pixels, name and length say which it is."""
    length = frames or 4 + 2 * (version % 2)
    pixels = np.full((length, size, size), version, np.uint16)
    return Image.from_array(pixels, "tyx", name=f"v{version}")


def lazy_movie(version: int, read: Callable[[int], None], **options: Any) -> Image:
    """Return a version that is read frame by frame, with `read` called for each frame."""
    whole = movie(version, **options)

    def frame(i: int) -> np.ndarray:
        read(i)
        return np.asarray(whole.array[i])

    lazy = Frames(frame, whole.shape, whole.dtype, 1)
    return Image((lazy,), whole.axes, name=whole.name)


def version_of(path: Path) -> int:
    """Return which version stands there; anything that is none of them whole is an error."""
    (image,) = [_open_folder(path)] if path.suffix == ".store" else imload(path)
    pixels = np.asarray(image.array)
    step = LEVEL if pixels.dtype == np.uint8 else 1
    version = round(pixels.flat[0] / step)
    assert pixels.dtype in (np.uint8, np.uint16)
    assert pixels.shape == movie(version, size=pixels.shape[-1]).shape, "frames are missing"
    off = np.abs(pixels.astype(int) - version * step).max()
    assert off <= (4 if image.metadata.get("video") else 0), "frames of two versions"
    assert image.name == f"v{version}", f"pixels of v{version} are called {image.name}"
    return version


def _open_folder(path: Path) -> Image:
    check_exists(path)
    return Image.from_array(read_folder(path), "tyx", name=read_label(path))


def names(folder: Path) -> list[str]:
    """Return the names of everything in a folder, hidden files included."""
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder and of the folders in it, apart from unfinished saves."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    seen = {name: path for name, path in files.items() if not name.parts[0].endswith(SUFFIX)}
    return {str(name): path.read_bytes() for name, path in seen.items()}


def leftovers(folder: Path) -> list[str]:
    """Return what unfinished saves have left in a folder."""
    return [name for name in names(folder) if name.endswith(SUFFIX)]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, _OURS))}


@contextmanager
def python(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run code in a child, which can import this module and ours; it is gone afterwards."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def run_python(code: str, *arguments: object) -> tuple[int, str, str]:
    """Run code in a child to its end; return exit status, output and errors."""
    with python(code, *arguments) as child:
        out, err = child.communicate(timeout=120)
        return child.returncode, out, err


# --- children that have imported everything already -----------------------------------------

_SERVER = """
import json, os, socket, sys
if os.fork():
    os._exit(0)
from faults import warm_up
warm_up()
requests = socket.socket(fileno=int(sys.argv[1]))
while True:
    request, fds, _, _ = socket.recv_fds(requests, 1 << 16, 4)
    if not request:
        sys.exit()
    *streams, status = fds
    child = os.fork()
    if not child:
        break
    os.write(status, b"%d\\n" % child)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.write(status, b"%d\\n" % code)
    for fd in fds:
        os.close(fd)
requests.close()
for place, stream in enumerate(streams):
    os.dup2(stream, place)
for fd in fds:
    os.close(fd)
sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)
sys.stderr = open(2, "w", 1, errors="backslashreplace", closefd=False)
code, folder, *sys.argv[1:] = json.loads(request)
os.chdir(folder)
exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
"""
"""Forks for each request, reports the child, and how it has ended; ends with the last request."""


@dataclass
class Fork:
    """A child of the server; what these tests need of `subprocess.Popen`."""

    pid: int
    stdin: IO[str]
    stdout: IO[str]
    stderr: IO[str]
    status: IO[str]
    returncode: int | None = None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):  # it has ended
                os.kill(self.pid, number)

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = int(self.status.readline())
        return self.returncode

    def communicate(self, text: str = "") -> tuple[str, str]:
        self.stdin.write(text)
        self.stdin.close()
        out = self.stdout.read()
        self.wait()
        self.stderr.seek(0)
        return out, self.stderr.read()


def warm_up() -> None:
    """Save and open a movie of each kind, so that this process has imported what that takes."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in ALL_KINDS.values():
            for version in (1, 2):
                kind.save(movie(version), Path(folder), overwrite=True)
            version_of(Path(folder, kind.name))


@cache
def _server() -> socket.socket:
    """Start the server of this process; it ends when the process does, with its socket.

    It is no child of this process, as some tests count and kill the children.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-c", _SERVER, str(theirs.fileno())]
        nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        subprocess.run(
            command, pass_fds=[theirs.fileno()], env=_environment(), check=True, **nowhere
        )
    return ours


@contextmanager
def fork(code: str, *arguments: object) -> Iterator[subprocess.Popen[str] | Fork]:
    """Run code as `python` does, in a fork of a process that has imported all that saves need.

    The child is there in milliseconds, not in half a second. Where processes cannot fork, this
    is `python`.
    """
    if not hasattr(os, "fork"):
        with python(code, *arguments) as child:
            yield child
        return
    (its_stdin, stdin), (stdout, its_stdout), (status, its_status) = (os.pipe() for _ in range(3))
    with (
        os.fdopen(stdin, "w") as stdin,
        os.fdopen(stdout) as stdout,
        os.fdopen(status) as status,
        tempfile.TemporaryFile("w+") as stderr,
    ):
        request = json.dumps([code, *map(str, (Path.cwd(), *arguments))]).encode()
        theirs = [its_stdin, its_stdout, stderr.fileno(), its_status]
        socket.send_fds(_server(), [request], theirs)
        for fd in (its_stdin, its_stdout, its_status):
            os.close(fd)
        child = Fork(int(status.readline()), stdin, stdout, stderr, status)
        try:
            yield child
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()


def run_fork(code: str, *arguments: object) -> tuple[int, str, str]:
    """Run code as `run_python` does, in a fork."""
    with fork(code, *arguments) as child:
        out, err = child.communicate()
        return child.wait(), out, err


_SAVE_FOREVER = """
import itertools, sys
from pathlib import Path
from faults import ALL_KINDS, movie
kind, folder, size = ALL_KINDS[sys.argv[1]], Path(sys.argv[2]), int(sys.argv[3])
images = [movie(version, size=size) for version in (1, 2)]
for n in itertools.count():
    kind.save(images[n % 2], folder, overwrite=True)
    print(n, flush=True)
"""


def kill_saves(kind: str, folder: Path, kills: int, seed: int, *, size: int = SIZE) -> list[str]:
    """Kill a process that saves two versions in turns, at random times; check after each.

    Returns
    -------
    list of str
        What was found after each kill: ``"v1"``, ``"v2"``, ``"said"`` where opening named the
        files that were on their way, or ``"torn: ..."``.
    """
    delays, outcomes = random.Random(seed), []
    with fork(_SAVE_FOREVER, kind, folder, size) as child:
        assert child.stdout is not None
        times = [time.monotonic() for _, line in zip(range(3), child.stdout, strict=False) if line]
    for _ in range(kills):
        with fork(_SAVE_FOREVER, kind, folder, size) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "0\n"
            time.sleep(delays.uniform(0, times[2] - times[0]))  # as long as two saves
            child.send_signal(signal.SIGKILL)
            child.wait()
        try:
            outcomes.append(found(folder / ALL_KINDS[kind].name))
        except AssertionError as error:
            outcomes.append(f"torn: {error}")
    return outcomes


def found(path: Path) -> str:
    """Return which version stands there, ``"said"`` where the error says where its files are."""
    try:
        return f"v{version_of(path)}"
    except FerryError as error:
        if str(partial_folder(path)) not in str(error):
            raise AssertionError(f"files are lost: {error}") from error
        return "said"


DIE_AT_RENAME = """
import os, sys
from pathlib import Path
from faults import KINDS, movie
left, replace = int(sys.argv[3]), os.replace
def dying(*places, **options):
    global left
    if not left:
        os._exit(9)
    left -= 1
    replace(*places, **options)
os.replace = dying
KINDS[sys.argv[1]].save(movie(2), Path(sys.argv[2]), overwrite=True)
"""
"""Saves a kind of movie into a folder, and dies at a rename: arguments kind, folder, number."""
