"""Cases, each in a fresh process; rounds in turns; ratios to the first case of each group.

As ``python -m benchmarks.measure FILE`` this is the fresh process: it prepares one case, measures
only its job, and prints seconds, CPU seconds and peak memory as JSON.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.children import Watch, cpu_seconds

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Case:
    """One way of doing a job.

    Parameters
    ----------
    name : str
        What the table calls it.
    make : str
        ``module:function`` in this package. It prepares the case, given `settings` and an empty
        folder ``out``, and returns the job, a function without arguments.
    settings : mapping
        Plain JSON values.
    repeats : int
        How often the job is done in one process; the median counts.
    goals : mapping of str to float
        The most that ``wall`` or ``cpu`` (ratios), ``seconds``, ``cpu_seconds`` or ``peak`` (MB)
        should be.
    """

    name: str
    make: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    repeats: int = 1
    goals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Cases that do the same job; the first is 1.0."""

    name: str
    cases: Sequence[Case]
    rounds: int


@dataclass(frozen=True)
class Result:
    """One case over all rounds.

    Parameters
    ----------
    seconds, cpu_seconds : float
        Medians, of wall time and of the CPU time of all threads and of processes that were started.
    wall, cpu : float
        Medians of each round's ratio to the first case of the group.
    spread : tuple of float
        Smallest and largest wall ratio.
    best : float
        Ratio of the shortest times: what is left when other work did not disturb.
    peak : float
        Most memory above what was used before the job, and that of the processes that it started,
        in MB (1e6 bytes); the median.
    """

    group: str
    case: Case
    seconds: float
    cpu_seconds: float
    wall: float
    cpu: float
    spread: tuple[float, float]
    best: float
    peak: float

    @property
    def missed(self) -> list[str]:
        """The goals that were missed."""
        return [key for key, most in self.case.goals.items() if getattr(self, key) > most]


def measure_group(group: Group, folder: Path, *, fresh: bool = True) -> Iterator[Result]:
    """Do every case once per round, each round in another order.

    Without `fresh` all of it is done in this process, which is quick and says nothing.
    """
    if not fresh:  # what this process has made so far need not be looked through each time
        gc.collect()
        gc.freeze()
    found: dict[int, list[dict[str, float]]] = {i: [] for i in range(len(group.cases))}
    for turn in range(group.rounds):
        order = list(range(len(group.cases)))
        for i in order[turn % len(order) :] + order[: turn % len(order)]:
            found[i].append(_do(group.cases[i], folder, fresh))
    for i, case in enumerate(group.cases):
        yield _summarize(group, case, found[i], found[0])


def warm(job: Callable[[], Any]) -> Callable[[], Any]:
    """Do a job once before it is measured: the libraries import on first use."""
    job()
    return job


def _summarize(
    group: Group, case: Case, own: list[dict[str, float]], base: list[dict[str, float]]
) -> Result:
    wall = [a["seconds"] / b["seconds"] for a, b in zip(own, base, strict=True)]
    cpu = [a["cpu"] / max(b["cpu"], 1e-9) for a, b in zip(own, base, strict=True)]
    return Result(
        group.name,
        case,
        statistics.median(one["seconds"] for one in own),
        statistics.median(one["cpu"] for one in own),
        statistics.median(wall),
        statistics.median(cpu),
        (min(wall), max(wall)),
        min(one["seconds"] for one in own) / min(one["seconds"] for one in base),
        statistics.median(one["peak"] for one in own) / 1e6,
    )


def _do(case: Case, folder: Path, fresh: bool) -> dict[str, float]:
    out = folder / "out"
    out.mkdir()
    order = {"make": case.make, "settings": {**case.settings, "out": str(out)}}
    order["repeats"] = case.repeats
    try:
        return _in_fresh_process(case, order, folder) if fresh else _measure(order)
    finally:
        _set_aside(out)


def _set_aside(out: Path) -> None:
    """Free the disk space of what a case wrote, whose files are removed with the last group.

    Just after others were removed, ext4 takes up to 20 times as long to create a file.
    """
    aside = out.with_name(f"out-{uuid.uuid4().hex}")
    out.rename(aside)
    for file in aside.rglob("*"):
        if file.is_file() and not file.is_symlink():
            os.truncate(file, 0)


def _in_fresh_process(case: Case, order: Mapping[str, Any], folder: Path) -> dict[str, float]:
    # bytecode is kept from the first round on, as by an installation
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measure", json.dumps(order)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{case.name} failed:\n{done.stderr}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    lines = [
        "| job | way | wall (x) | spread | best (x) | CPU (x) | seconds | CPU s | peak MB | goal |",
        "|---|---|---:|---|---:|---:|---:|---:|---:|---|",
    ]
    group = ""
    for one in results:
        low, high = one.spread
        lines.append(
            f"| {one.group if one.group != group else ''} | {one.case.name} | {one.wall:.2f} "
            f"| {low:.2f}-{high:.2f} | {one.best:.2f} | {one.cpu:.2f} | {one.seconds:.4g} "
            f"| {one.cpu_seconds:.4g} | {one.peak:.0f} | {_goal(one)} |"
        )
        group = one.group
    return "\n".join(lines)


def _goal(one: Result) -> str:
    units = {
        "wall": "x",
        "cpu": "x CPU",
        "seconds": " s",
        "cpu_seconds": " s CPU",
        "peak": " MB",
    }
    return ", ".join(
        f"{'MISSED' if key in one.missed else 'met'} <= {most:g}{units[key]}"
        for key, most in one.case.goals.items()
    )


def _job_of(order: Mapping[str, Any]) -> Callable[[], Any]:
    module, function = order["make"].split(":")
    make = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    job: Callable[[], Any] = make(**order["settings"])
    return job


def _measure(order: Mapping[str, Any]) -> dict[str, float]:
    """Prepare a case and do its job, in this process.

    What a job returns is kept until the clock has stopped, and released before the next one.
    """
    job = _job_of(order)
    seconds, cpu, peaks = [], [], []
    for _ in range(order["repeats"]):
        gc.collect()
        with Watch() as children:
            before = _start_peak()
            wall_start, cpu_start = time.perf_counter(), cpu_seconds()
            kept = job()
            cpu.append(cpu_seconds() - cpu_start)
            seconds.append(time.perf_counter() - wall_start)
            peaks.append(peak_bytes() - before + children.peak)
        del kept
    return {
        "seconds": statistics.median(seconds),
        "cpu": statistics.median(cpu),
        "peak": max(0, *peaks),
    }


def _start_peak() -> int:
    """Forget the peak so far where the system can do that, and return the memory in use."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak_bytes()


def peak_bytes() -> int:
    """Return the most resident memory since the last `_start_peak` or begin, in bytes.

    That of `resource` counts from before this process began, so it is only the second choice.
    """
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except OSError:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    print(json.dumps(_measure(json.loads(sys.argv[1]))))
    sys.stdout.flush()
    os._exit(0)  # what a case keeps alive need not be torn down in order
