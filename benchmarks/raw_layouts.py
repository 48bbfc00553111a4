"""How often the layout of a raw file is found, in how long, and how well it knows that.

``python -m benchmarks.raw_layouts [--count N] [--split test] [--data FOLDER] [--cut byte]`` makes
files whose layout is known and prints how often all fields are right at rank 1 and among the first
3, by class, beside the goals; then what confidences are worth, seconds, bytes and memory. `--fit`
makes weights from files of the other split instead. FOLDER holds real files of other projects.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.raw_set import Raw, make
from napari_ferry import find_layouts
from napari_ferry.raw_layout import judge as judging
from napari_ferry.raw_layout import weights as weighing
from napari_ferry.raw_layout.layout import Known
from napari_ferry.raw_layout.source import open_source

BINS = (0, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99, 1.01)


@dataclass(frozen=True)
class Outcome:
    """What was found for one file; `rank` is 99 where the right layout was not among the first."""

    raw: Raw
    rank: int
    is_type: bool
    confidence: float
    seconds: float
    no_structure: bool


def look(raw: Raw, path: Path) -> Outcome:
    """Find the layout of one file."""
    path.write_bytes(raw.data)
    started = time.process_time()
    found = find_layouts(path)
    seconds = time.process_time() - started
    ranks = [i for i, layout in enumerate(found) if raw.is_right(layout)]
    first = found[0] if found else None
    return Outcome(
        raw,
        ranks[0] if ranks else 99,
        first is not None and raw.is_type(first),
        first.confidence if first else 0.0,
        seconds,
        first is None or any("no image structure" in reason for reason in first.reasons),
    )


Test = Callable[[Outcome], bool]
GOALS: dict[str, tuple[Test, float, float]] = {
    "all but blank": (lambda o: True, 92, 98),
    "real stacks of 8 or more": (lambda o: o.raw.kind == "movie" and o.raw.frames > 7, 95, 99),
    "simulated stacks of 8 or more": (
        lambda o: o.raw.kind[:3] == "sim" and o.raw.frames > 7,
        85,
        95,
    ),
    "2 to 7 frames": (lambda o: 1 < o.raw.frames < 8, 93, 99),
    "single real image": (lambda o: o.raw.kind == "still", 97, 99),
    "random header": (lambda o: o.raw.offset not in (0, 128, 352, 512, 1024, 4096), 0, 97),
}


def report(outcomes: list[Outcome]) -> Iterable[str]:
    """Yield the lines of all tables."""
    seen = [one for one in outcomes if one.raw.kind != "sim_blank"]
    yield "| condition | n | type | top 1 | goal | top 3 | goal |\n|---|---|---|---|---|---|---|"
    for name, (test, first, third) in GOALS.items():
        yield _row(name, [one for one in seen if test(one)], f"{first:g}", f"{third:g}")
    for attribute in ("kind", "stored"):
        for value in sorted({getattr(one.raw, attribute) for one in outcomes}):
            yield _row(value, [one for one in outcomes if getattr(one.raw, attribute) == value])
    yield "\n| confidence | n | mean | right |\n|---|---|---|---|"
    confidences = np.array([one.confidence for one in outcomes])
    right = np.array([one.rank == 0 for one in outcomes])
    error = 0.0
    for low, high in pairwise(BINS):
        inside = (confidences >= low) & (confidences < high)
        if inside.any():
            mean, share = confidences[inside].mean(), right[inside].mean()
            error += abs(mean - share) * inside.mean()
            yield f"| {low:g} to {min(high, 1):g} | {inside.sum()} | {mean:.2f} | {share:.2f} |"
    yield f"\ncalibration error {error:.3f} (goal 0.05)"
    sure = [one for one in outcomes if one.confidence > 0.6 and one.rank and not one.no_structure]
    blank = [one for one in sure if one.raw.kind == "sim_blank"]
    yield f"wrong above 0.6: {len(sure)}, of blank files {len(blank)} (goal 0)"
    seconds = np.array([one.seconds for one in outcomes])
    said = f"median {np.median(seconds):.2f} (goal 1), most {seconds.max():.2f} (goal 2)"
    yield f"seconds of one core: {said}"


def _row(name: str, some: list[Outcome], first: str = "", third: str = "") -> str:
    if not some:
        return f"| {name} | 0 | | | {first} | | {third} |"
    ranks = np.array([one.rank for one in some])
    kinds = np.mean([one.is_type for one in some])
    tops = [f"{100 * share:.0f}" for share in (kinds, (ranks == 0).mean(), (ranks < 3).mean())]
    return f"| {name} | {len(some)} | {tops[0]} | {tops[1]} | {first} | {tops[2]} | {third} |"


def cost_of(path: Path) -> str:
    """Return bytes read of a file and how much the memory of this process grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_source(path) as source:
        judging.judge(source, Known())
        read = source.nread
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    size = path.stat().st_size
    return f"{size / 1e6:.0f} MB: {read / 1e6:.1f} MB read, {grown / 1e3:.0f} MB more memory"


def big_file(folder: Path) -> Path:
    """Make a movie of 2 GB."""
    path, rng = folder / "big.raw", np.random.default_rng(0)
    still = rng.poisson(50, (512, 512)).cumsum(1) % 4000
    with path.open("wb") as file:
        for _ in range(64):
            noise = rng.normal(0, 40, (62, 512, 512))
            file.write((still + noise + 500).clip(0, 65535).astype("<u2").tobytes())
    return path


def fitted(files: Iterable[Raw], path: Path, stiffness: float = 6.0) -> str:
    """Return weights, as `weights` holds them, under which the right layouts are likeliest."""
    tables: list[tuple[list[dict[str, float]], np.ndarray]] = []
    for raw in files:
        path.write_bytes(raw.data)
        with open_source(path) as source:
            found = judging.judge(source, Known())
        right = np.array([raw.is_right(one.layout) for one in found], bool)
        if right.any() and raw.kind != "sim_blank":
            tables.append(([one.features for one in found], right))
    every = _fit(tables, weighing.WEIGHTS, stiffness)
    cheap = _fit(tables, weighing.CHEAP, stiffness)
    return f"WEIGHTS = {every!r}\n\nCHEAP = {cheap!r}"


def _fit(
    tables: list[tuple[list[dict[str, float]], np.ndarray]], now: dict[str, float], stiffness: float
) -> dict[str, float]:
    """Move weights to where the logarithm of the right layouts' likelihood is highest.

    Each weight is held back by a spring, in units of its feature's spread, as files are few.
    """
    from scipy.optimize import minimize

    names = list(now)
    rows = np.array([[f.get(n, 0.0) for n in names] for table, _ in tables for f in table])
    right = np.concatenate([found for _, found in tables])
    starts = np.cumsum([0] + [len(found) for _, found in tables])[:-1]
    owner = np.repeat(np.arange(len(tables)), [len(found) for _, found in tables])
    spread = rows.std(0) + 1e-9
    rows /= spread
    begin = np.array([now[name] for name in names]) * spread

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        score = rows @ w
        e = np.exp(score - np.maximum.reduceat(score, starts)[owner])
        total = np.add.reduceat(e, starts)
        good = np.add.reduceat(e * right, starts) + 1e-300
        slope = (e / total[owner] - e * right / good[owner]) @ rows
        away = w - begin
        value = float((np.log(total) - np.log(good)).sum() + 0.5 * stiffness * away @ away)
        return value, slope + stiffness * away

    best = minimize(loss, begin, jac=True, method="L-BFGS-B")
    found = dict(zip(names, best.x / spread, strict=True))
    return {
        name: round(float(w), 3) for name, w in sorted(found.items(), key=lambda kv: -abs(kv[1]))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=180)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--cut", choices=["", "item", "byte"], default="")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--big", action="store_true", help="what a file of 2 GB costs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.big:
            print(cost_of(big_file(Path(folder))))
            return
        path = Path(folder) / "a.raw"
        numbers = range(options.first, options.first + options.count)
        files = (make(options.split, i, options.data, cut=options.cut) for i in numbers)
        files = (raw for raw in files if raw.cut == options.cut)
        if options.fit:
            print(fitted(files, path))
            return
        outcomes = [look(raw, path) for raw in files]
    print("\n".join(report(outcomes)))


if __name__ == "__main__":
    main()
