"""The calling program of a save on a cluster, killed again and again, and what it loses.

As a program, this is the client: it saves one format, and tells how many writes it recorded.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari_ferry import Image, imload, plan, run
from napari_ferry.saving.partial.interruption import partial_folder
from napari_ferry.saving.partial.journal import read_journal
from napari_ferry.saving.partial.partial_folder import PartialFolder

_LOOK_SECONDS = 0.01


def main() -> int:
    """Save one format on a cluster."""
    from benchmarks.cluster import FORMATS, short_segments, small_writes

    address, source, target = sys.argv[1:]
    small_writes()
    short_segments()
    recorded: list[int] = []
    record = PartialFolder.record_write

    def note(self: PartialFolder, name: str, index: int, record_: Any) -> None:
        record(self, name, index, record_)
        recorded.append(index)

    PartialFolder.record_write = note  # type: ignore[method-assign]
    planned = plan(imload(source)[0], target, **FORMATS[Path(target).name])
    print("begun", flush=True)
    run(planned, client=address, overwrite=True)
    print(len(recorded), flush=True)
    return 0


def kill_clients(
    source: Image,
    folder: Path,
    name: str,
    kills: int,
    save: Callable[..., str],
    digest: Callable[[Path], str],
) -> int:
    """Save one format while the client is killed; print the result, and return 1 for a failure."""
    from benchmarks.cluster import FORMATS, two_hosts

    expected = save(source, folder, name, None)
    target = folder / "out" / name
    total = len(plan(source, target, **FORMATS[name]).writes)
    rng, started = random.Random(name), time.monotonic()
    saves = differences = repeated = left = resumed = 0
    with two_hosts() as address:
        command = [address, str(folder / "source.tif"), str(target)]
        usual = _time_of(command)
        differences += digest(folder / "out") != expected
        left = kills
        while left:
            while left and _kill(command, target, rng, usual):
                left -= 1
            before = _recorded(target)
            client = _start(command)
            output, _ = client.communicate()
            assert client.returncode == 0, "the client failed"
            written = int(output.split()[-1])
            repeated += max(0, written - (total - before)) if total > 1 else 0
            resumed += before
            saves += 1
            differences += digest(folder / "out") != expected
    print(
        f"{name}: client killed {kills} times in {saves} saves of {total} writes, {resumed} writes "
        f"resumed, {repeated} recorded ones repeated, {differences} differ, "
        f"{time.monotonic() - started:.0f} s",
        flush=True,
    )
    return int(differences > 0 or repeated > 0)


def _start(command: list[str]) -> subprocess.Popen[str]:
    """Start a client, and wait until its save begins."""
    client = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.client_kills", *command],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdout is not None
    assert client.stdout.readline() == "begun\n"
    return client


def _time_of(command: list[str]) -> float:
    """Return the seconds of a save without a kill."""
    client = _start(command)
    started = time.monotonic()
    assert client.wait() == 0
    return time.monotonic() - started


def _kill(command: list[str], target: Path, rng: random.Random, usual: float) -> bool:
    """Kill a client after some writes, or some time without one; return False if it ended before.

    Parameters
    ----------
    command : list of str
        Command line of the client.
    target : Path
        Target of the save.
    rng : random.Random
        Source of the number of writes and of the time.
    usual : float
        Seconds of a save without a kill.
    """
    enough = _recorded(target) + rng.randint(1, 4)
    client = _start(command)
    end = time.monotonic() + rng.uniform(0.5, 1) * usual
    while client.poll() is None:
        time.sleep(_LOOK_SECONDS)
        if _recorded(target) >= enough or time.monotonic() > end:
            client.send_signal(signal.SIGKILL)
            client.wait()
            return True
    return False


def _recorded(target: Path) -> int:
    """Return the number of writes in the journal of a killed save."""
    first = target.with_name("a_00000.ome.tif") if target.suffix == ".tif" else target
    folder = partial_folder(first)
    if not folder.is_dir():
        return 0
    return sum(map(len, read_journal(folder).writes.values()))


if __name__ == "__main__":
    sys.exit(main())
