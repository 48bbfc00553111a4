"""``python -m benchmarks.cluster``: saves on a cluster of two hosts, and what they cost.

The scheduler and two workers run in network namespaces that are joined by a bridge, each a host of
its own as far as the network goes; this needs Linux and root. ``kills`` kills a worker with SIGKILL
at a random time, again and again while saves go on, and compares every byte with what threads
write; ``client`` kills the calling program. ``rates`` saves with one worker and with two, and
prints the seconds, the memory of workers and client, and the bytes that a write sends. ``sent``
counts those of a source of 100,000 pages, ``scheduler`` passes writes of no work, and ``plan``
plans 100 TB.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import os
import pickle  # noqa: TID251 - our own writes
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import distributed
import numpy as np
import psutil
import xxhash

from benchmarks.children import cpu_seconds
from benchmarks.client_kills import kill_clients
from benchmarks.plan_cost import measure_plans
from benchmarks.sent_bytes import measure_sent
from napari_ferry import Image, Plan, imload, imsave, plan, run
from napari_ferry.arrays import Array, BlockReader
from napari_ferry.arrays.array_layout import Placeholder
from napari_ferry.saving import PlannedFile, Write
from napari_ferry.saving.write_groups import WriteGroup, Writes

_NET = 100 + os.getpid() % 100
"""Second number of all addresses, which two runs at once do not share."""

BRIDGE = f"ferry{_NET}"
PORT = 8786
FORMATS: dict[str, dict[str, Any]] = {
    "a.bin": {},
    "a.ome.tif": {"size_cap": 0.02},
    "a.ome.zarr": {},
    "shards.ome.zarr": {"shards": True},
    "a.mp4": {"frame_rate": 30},
}
_LINKS = itertools.count()

WRITE_BYTES = 8 << 20
"""Bytes of one write, so that a small save has many."""


def main() -> int:
    """Run the chosen measurement, and print its table."""
    parser = argparse.ArgumentParser(prog="benchmarks.cluster", description=__doc__)
    parser.add_argument("what", choices=["kills", "client", "rates", "plan", "scheduler", "sent"])
    parser.add_argument("--kills", type=int, default=50, help="for each format")
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=list(FORMATS))
    parser.add_argument("--bytes", type=float, default=200e6, help="of the movie")
    parser.add_argument("--folder", type=Path, help="where files are written and removed")
    parser.add_argument("--repeats", type=int, default=1, help="of each pair of saves, for rates")
    parser.add_argument("--tasks", type=int, default=20_000, help="of no work, for scheduler")
    options = parser.parse_args()
    if options.what == "plan":
        measure_plans()
        return 0
    small_writes()
    if options.what in ("kills", "client"):
        short_segments()
    with tempfile.TemporaryDirectory(prefix="ferry-cluster-", dir=options.folder) as name:
        folder = Path(name)
        if options.what == "scheduler":
            measure_scheduler(folder, options.tasks)
            return 0
        if options.what == "sent":
            measure_sent(folder, FORMATS)
            return 0
        source = make_source(folder, int(options.bytes))
        if options.what == "kills":
            return sum(
                kill_workers(source, folder, each, options.kills) for each in options.formats
            )
        if options.what == "client":
            return sum(
                kill_clients(source, folder, each, options.kills, save, digest)
                for each in options.formats
            )
        measure_rates(source, folder, options.formats, options.repeats)
    return 0


def small_writes() -> None:
    """Divide saves into small writes, in this process, which plans them."""
    from napari_ferry.codecs.zarr.saving import sections
    from napari_ferry.saving import uncompressed

    uncompressed._WRITE_BYTES = WRITE_BYTES
    sections.BLOCK_BYTES = sections.SHARD_BYTES = WRITE_BYTES


def short_segments() -> None:
    """Divide movies into short segments, in this process, so that a small movie has many."""
    from napari_ferry.codecs.video import segment

    segment._SEGMENT_PIXELS = 1


def make_source(folder: Path, nbytes: int) -> Image:
    """Return a movie of noise and shapes in a compressed file."""
    rng = np.random.default_rng(0)
    frames = max(20, nbytes // (512 * 512 * 2))
    base = rng.integers(0, 200, (512, 512), dtype=np.uint16)
    movie = np.stack([np.roll(base, 3 * t, 0) + 10 * (t % 50) for t in range(frames)])
    image = Image.from_array(movie.astype(np.uint16), "tyx")
    imsave(
        image.replace(scale={"t": 0.05}, unit={"t": "s"}), folder / "source.tif", compression=True
    )
    return imload(folder / "source.tif")[0]


@contextlib.contextmanager
def two_hosts(workers: int = 2) -> Iterator[str]:
    """Start a scheduler and workers in namespaces; return the address of the scheduler.

    Each worker has one thread, and a processor of its own, as an encoder has several threads.
    """
    hosts = [f"ferry{_NET}-host{i}" for i in range(workers + 1)]
    with contextlib.ExitStack() as undo:
        ip("link", "add", BRIDGE, "type", "bridge")
        undo.callback(ip, "link", "del", BRIDGE)
        ip("addr", "add", f"10.{_NET}.0.254/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for i, host in enumerate(hosts):
            add_host(host, i, undo)
        first = f"10.{_NET}.0.1"
        address = f"tcp://{first}:{PORT}"
        start(hosts[0], undo, "scheduler", "--host", first, "--port", str(PORT), "--no-show")
        for i, host in enumerate(hosts[1:], 2):
            own = ["--nthreads", "1", "--memory-limit", "4GB", "--host", f"10.{_NET}.0.{i}"]
            start(host, undo, "worker", address, *own, "--no-dashboard", processor=i - 2)
        yield address


def ip(*arguments: str) -> None:
    """Run a command of iproute2."""
    subprocess.run(["ip", *arguments], check=True)


def add_host(host: str, number: int, undo: contextlib.ExitStack) -> None:
    """Add a network namespace with an address on the bridge."""
    link = f"fer{_NET}x{next(_LINKS)}"  # one that is removed lives on for a moment
    ip("netns", "add", host)
    undo.callback(ip, "netns", "del", host)
    ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", host)
    ip("link", "set", link, "master", BRIDGE, "up")
    ip("-n", host, "addr", "add", f"10.{_NET}.0.{number + 1}/24", "dev", "eth0")
    ip("-n", host, "link", "set", "eth0", "up")
    ip("-n", host, "link", "set", "lo", "up")


def start(
    host: str, undo: contextlib.ExitStack, *arguments: str, processor: int | None = None
) -> None:
    """Start a program of dask on a host, and end it with the block."""
    count = os.cpu_count() or 1
    pinned = [] if processor is None else ["taskset", "-c", str(processor % count)]
    command = [
        *pinned,
        "ip",
        "netns",
        "exec",
        host,
        sys.executable,
        "-m",
        f"distributed.cli.dask_{arguments[0]}",
    ]
    process = subprocess.Popen(
        [*command, *arguments[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    undo.callback(end)


def kill_workers(source: Image, folder: Path, name: str, kills: int) -> int:
    """Save one format while workers are killed; print the result, and return 1 for a difference."""
    expected = save(source, folder, name, None)
    rng, differences, saves, started = random.Random(name), 0, 0, time.monotonic()
    with two_hosts() as address, distributed.Client(address, timeout="30s") as client:
        client.wait_for_workers(2, timeout=60)
        killer = Killer(client, rng, kills)
        while killer.left:
            differences += save(source, folder, name, client, killer) != expected
            saves += 1
    print(
        f"{name}: {kills} kills in {saves} saves, {differences} differ, "
        f"{time.monotonic() - started:.0f} s",
        flush=True,
    )
    return int(differences > 0)


class Killer:
    """Kills a worker at random times while a save is in progress."""

    def __init__(self, client: distributed.Client, rng: random.Random, kills: int) -> None:
        self.client, self.rng, self.left = client, rng, kills
        self.next = 0.0

    def run(self, ended: threading.Event) -> None:
        """Kill workers until the save has ended."""
        while not ended.wait(self.rng.uniform(0.05, 1.5)) and self.left:
            with contextlib.suppress(Exception):  # one that is just starting
                pids = list(self.client.run(os.getpid, on_error="ignore").values())
                os.kill(self.rng.choice(pids), signal.SIGKILL)
                self.left -= 1
                self.client.wait_for_workers(2, timeout=30)


def save(
    source: Image,
    folder: Path,
    name: str,
    client: distributed.Client | None,
    killer: Killer | None = None,
) -> str:
    """Save, and return the digest of all files; workers are killed meanwhile."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    planned = plan(source, out / name, **FORMATS[name])
    ended = threading.Event()
    thread = threading.Thread(target=killer.run, args=(ended,)) if killer else None
    if thread:
        thread.start()
    try:
        run(planned, client=client, overwrite=True)
    finally:
        ended.set()
        if thread:
            thread.join()
    return digest(out)


def digest(folder: Path) -> str:
    """Return the digest of the names and bytes of all files without UUIDs, and remove them."""
    hasher = xxhash.xxh3_128()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".tif":  # each save has identifiers of its own
                data = np.asarray(imload(path)[0]).tobytes()
            hasher.update(f"{path.relative_to(folder)}".encode() + data)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return hasher.hexdigest()


def measure_scheduler(folder: Path, count: int) -> None:
    """Print how many writes of no work pass the window in a second, and the memory they need."""
    with two_hosts() as address, distributed.Client(address, timeout="30s") as client:
        client.wait_for_workers(2, timeout=60)
        run(no_work(folder / "warm.bin", 100), client=client)
        before = client.run_on_scheduler(resident), resident()
        started = time.monotonic()
        run(no_work(folder / "idle.bin", count), client=client)
        seconds = time.monotonic() - started
        after = client.run_on_scheduler(resident), resident()
    print(
        f"{count} writes of no work in {seconds:.1f} s, {count / seconds:.0f} a second; "
        f"scheduler +{(after[0] - before[0]) / 1e6:.1f} MB, client "
        f"+{(after[1] - before[1]) / 1e6:.1f} MB"
    )


def no_work(path: Path, count: int) -> Plan:
    """Return a plan of writes that write nothing."""
    array = Placeholder((count,), np.dtype(np.uint8))
    group = WriteGroup(
        path=path,
        count=count,
        make=functools.partial(_idle_write, array=array),
        nbytes=count,
        key="",
        arrays=(array,),
    )
    file = PlannedFile(path=path, nbytes=0, create=Path.touch)
    return Plan(files=(file,), writes=Writes([group]))


def _idle_write(path: Path, index: int, *, array: Array) -> Write:
    return Write(path=path, array=array, region=(slice(index, index + 1),), put=put_nothing)


def put_nothing(path: Path, reader: BlockReader) -> str:
    """Return a digest of nothing, as a write does."""
    return "00"


def measure_rates(source: Image, folder: Path, names: list[str], repeats: int) -> None:
    """Print what a save costs with one worker and with two, memory, and bytes sent for a write.

    The CPU time of the busiest worker is the time of the save where nothing else runs.
    """
    print(
        "| format | 1 worker, s | 2 workers, s | ratio | busiest worker, CPU s, of 1 and 2 | ratio "
        "| worker, MB above start | bytes a write |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in names:
        for _ in range(repeats):
            one, two = (measure_save(source, folder, name, workers) for workers in (1, 2))
            print(
                f"| {name} | {one.seconds:.1f} | {two.seconds:.1f} | "
                f"{one.seconds / two.seconds:.2f} | {one.busiest:.1f}, {two.busiest:.1f} | "
                f"{one.busiest / two.busiest:.2f} | {max(one.memory, two.memory) / 1e6:.0f} | "
                f"{sent_bytes(source, folder, name)} |",
                flush=True,
            )


class SaveCost(NamedTuple):
    """Seconds of a save, CPU seconds of its busiest worker, and growth of a worker in bytes."""

    seconds: float
    busiest: float
    memory: float


def measure_save(source: Image, folder: Path, name: str, workers: int) -> SaveCost:
    """Return the cost of a save, after a small one for the imports."""
    with two_hosts(workers) as address, distributed.Client(address, timeout="30s") as client:
        client.wait_for_workers(workers, timeout=60)
        first = source.levels[0][:20]
        save(replace(source, levels=(first,)), folder, name, client)
        before, memory = client.run(cpu_seconds), max(client.run(resident).values())
        started = time.monotonic()
        save(source, folder, name, client)
        seconds = time.monotonic() - started
        after = client.run(cpu_seconds)
        busiest = max(after[worker] - before[worker] for worker in after)
        return SaveCost(seconds, busiest, max(client.run(peak).values()) - memory)


def resident() -> float:
    """Return the memory of this process, in bytes."""
    return float(psutil.Process().memory_info().rss)


def peak() -> float:
    """Return the largest memory of this process so far, in bytes."""
    import resource

    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def sent_bytes(source: Image, folder: Path, name: str) -> int:
    """Return the largest pickled write of a plan, without its source, which travels once."""

    from napari_ferry.arrays.array_layout import ArrayLayout

    planned = plan(source, folder / "out" / name, **FORMATS[name])
    writes = itertools.islice(planned.writes, 20)
    return max(
        (len(pickle.dumps(replace(each, array=ArrayLayout(each.array)))) for each in writes),
        default=0,
    )


if __name__ == "__main__":
    sys.exit(main())
