"""Mutants opened in processes of their own, with limits; a crash is that of the mutant it meets."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from mutant_seeds import Seed
from mutants import mutate
from napari_ferry import FerryError, FerryWarning, Image, imload
from napari_ferry.image import describe

SECONDS, MEGABYTES = 20, 500
"""Most time, and most memory beyond that of the process itself, that one file may take."""

_ADDRESS_BYTES = 6 << 30
"""Memory that a process may ask for, to protect the machine."""

BAD = ("crash", "hang", "memory", "raw exception", "empty")
"""Outcomes that no file may have; the others are ``ok`` and ``refused``."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of mutants: the format and its seeds, a number for chance, and which mutants."""

    form: str
    seeds: Sequence[Seed]
    seed: int
    numbers: Sequence[int]


@dataclass(kw_only=True)
class Outcome:
    """What became of one mutant."""

    number: int
    what: str
    text: str = ""
    place: str = ""
    seconds: float = 0.0
    megabytes: float = 0.0
    warned: int = 0

    @property
    def key(self) -> str:
        """What failures of one cause have in common."""
        return f"{self.what} {self.place}"


# --- one file -----------------------------------------------------------------------------------


def read_some(path: Path) -> str:
    """Open a file, look at its facts, read some frames of each image; return the outcome."""
    what = "ok"
    for image in imload(path)[:64]:
        _ = repr(image), describe(image), image.nbytes
        if 0 in image.shape:
            what = "empty"
        for level in (image.levels[0], image.levels[-1]):
            if not all(_frame_sizes(image, level)):
                what = "empty"
    return what


def _frame_sizes(image: Image, level: Any) -> Iterator[int]:
    """Read the first, the middle and the last frame of a level; yield their numbers of samples."""
    lead = level.shape[: max(0, image.ndim - image.frame_ndim)]
    count = int(np.prod(lead, dtype=object)) if lead else 1
    for i in sorted({0, count // 2, count - 1} if count else ()):
        yield np.asarray(level[np.unravel_index(i, lead)] if lead else level[...]).size


def _outcome(number: int, path: Path) -> Outcome:
    """Open a mutant, and return what became of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            outcome = Outcome(number=number, what=read_some(path))
        except FerryError as error:
            outcome = Outcome(number=number, what="refused", text=f"{error}")
        except Exception as error:  # noqa: BLE001 - which is what this looks for
            outcome = Outcome(
                number=number,
                what="raw exception",
                text=f"{type(error).__name__}: {error}"[:300],
                place=f"{type(error).__name__} at {_place(error)}",
            )
    if outcome.what == "empty" and any(one.category is FerryWarning for one in caught):
        outcome.what = "ok"  # which is not silent
    outcome.warned = len(caught)
    return outcome


def _place(error: BaseException) -> str:
    """Return the last line of ours in a traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "napari_ferry" in frame.filename] or frames
    return f"{ours[-1].filename.split('napari_ferry/')[-1]}:{ours[-1].lineno}"


# --- a process for many files -------------------------------------------------------------------


def _work(run: Run, numbers: Sequence[int], out: int) -> None:
    """Open mutants one by one; report the number of each before, and the outcome after it."""
    logging.disable(logging.CRITICAL)
    _limit_memory()
    for number in numbers:
        with tempfile.TemporaryDirectory(prefix="ferry-mutant-") as temporary:
            path = write(mutate(run.seeds, run.form, run.seed, number), Path(temporary))
            os.write(out, f"{json.dumps([number, temporary])}\n".encode())
            before, start = _reset_peak(), time.monotonic()
            outcome = _outcome(number, path)
            outcome.seconds = time.monotonic() - start
            outcome.megabytes = (_peak() - before) / 1e6
        if outcome.what in ("ok", "refused") and outcome.megabytes > MEGABYTES:
            outcome.what = "memory"
        os.write(out, f"{json.dumps(vars(outcome))}\n".encode())


def _become(work: Callable[[], None]) -> NoReturn:
    """Work, and end this process; what libraries print is not shown, an error of ours is."""
    shown, status = os.dup(2), 1
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    try:
        work()
        status = 0
    except Exception:  # noqa: BLE001 - the process ends here, and nobody else would show it
        os.write(shown, traceback.format_exc().encode())
    finally:
        os._exit(status)


def write(mutant: Seed, folder: Path) -> Path:
    """Write the files of a mutant into a folder; return the path to open."""
    for name, data in mutant.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder / mutant.opened


def _limit_memory() -> None:
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_BYTES, _ADDRESS_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _reset_peak() -> int:
    """Forget the peak of memory; return the memory in use in bytes, 0 where nobody counts it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    with contextlib.suppress(OSError):
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    return 0


@dataclass
class _Worker:
    """A forked process, the mutants that it has to open, and what it has reported."""

    run: Run
    numbers: list[int]
    current: tuple[int, str] | None = None
    since: float = 0.0
    rest: bytes = b""
    outcomes: list[Outcome] = field(default_factory=list)

    def start(self) -> None:
        reading, writing = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            os.close(reading)
            _become(lambda: _work(self.run, self.numbers, writing))
        os.close(writing)
        self.reading, self.current, self.since = reading, None, time.monotonic()

    def receive(self) -> bool:
        """Take what the process has reported; False where it has ended."""
        data = os.read(self.reading, 1 << 16)
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in map(json.loads, lines):
            self.since = time.monotonic()
            if isinstance(line, list):
                self.current = (line[0], line[1])
                continue
            self.outcomes.append(Outcome(**line))
            self.numbers, self.current = self.numbers[1:], None
        return bool(data)

    def end(self) -> bool:
        """Bury the process; blame what it had open. True where mutants remain."""
        os.close(self.reading)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if self.current is None:
            if self.numbers:
                raise RuntimeError(f"a process ended with status {status} between two files")
            return False
        number, temporary = self.current
        shutil.rmtree(temporary, ignore_errors=True)
        is_hung = status == -signal.SIGKILL and time.monotonic() - self.since >= SECONDS
        what, place = ("hang", "") if is_hung else ("crash", f"status {status}")
        self.outcomes.append(Outcome(number=number, what=what, place=place))
        self.numbers, self.rest = self.numbers[1:], b""
        return bool(self.numbers)


def run_mutants(run: Run, *, workers: int = 1) -> Iterator[Outcome]:
    """Open every mutant of a run in forked processes; yield the outcomes as they come."""
    shares = [list(run.numbers[k::workers]) for k in range(workers)]
    busy = [_Worker(run, share) for share in shares if share]
    for worker in busy:
        worker.start()
    try:
        while busy:
            ready, _, _ = select.select([worker.reading for worker in busy], [], [], 0.5)
            for worker in [*busy]:
                if worker.reading in ready:
                    is_alive = worker.receive()
                    if not is_alive and worker.end():
                        worker.start()
                    elif not is_alive:
                        busy.remove(worker)
                    yield from worker.outcomes
                    worker.outcomes = []
                elif worker.current and time.monotonic() - worker.since > SECONDS:
                    os.kill(worker.pid, signal.SIGKILL)
    finally:
        for worker in busy:
            os.kill(worker.pid, signal.SIGKILL)
            os.waitpid(worker.pid, 0)
            os.close(worker.reading)
