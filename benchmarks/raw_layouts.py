"""Accuracy, speed and calibration of the search for the layouts of raw files.

``python -m benchmarks.raw_layouts [--count N] [--first I] [--split test] [--data FOLDER]`` makes
files with known layouts and prints how often all fields are right at rank 1 and among the first
3, by class, next to the goals; then the calibration of the confidences, seconds, bytes and memory.
`--form` selects files that are truncated, have gaps or are otherwise odd, `--known` gives the
offset or the frames to the search, `--big` measures large files. FOLDER holds real files of other
projects. The weights come from `benchmarks/raw_fit.py`, and from files of the other split.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.raw_set import FORMS, Raw, make
from napari_ferry import find_layouts
from napari_ferry.codecs.binary.layout import find
from napari_ferry.codecs.binary.layout.source import Source, open_source

BINS = (0, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99, 1.01)


@dataclass(frozen=True)
class Outcome:
    """Result for one file; `rank` is 99 if the right layout was not among the first."""

    raw: Raw
    rank: int
    is_type: bool
    confidence: float
    seconds: float
    no_structure: bool
    nread: int


def look(raw: Raw, path: Path, known: str = "") -> Outcome:
    """Find the layout of one file; one field may be known."""
    path.write_bytes(raw.data)
    more = {known: getattr(raw, known)} if known else {}

    sources = remember_sources()
    started = time.process_time()
    found = find_layouts(path, **more)
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
        sources[-1].nread,
    )


def remember_sources() -> list[Source]:
    """Return a list of the sources opened from now on."""
    sources: list[Source] = []

    @contextmanager
    def opened(path: Path) -> Iterator[Source]:
        with open_source(path) as source:
            sources.append(source)
            yield source

    find.open_source = opened
    return sources


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
    "calcium movies": (lambda o: "calcium" in o.raw.kind or "bruker" in o.raw.name, 0, 90),
    "random header": (lambda o: o.raw.offset not in (0, 128, 352, 512, 1024, 4096), 0, 97),
}


def report(outcomes: list[Outcome]) -> Iterable[str]:
    """Yield the lines of all tables."""
    seen = [one for one in outcomes if one.raw.kind != "sim_blank"]
    yield "| condition | n | type | top 1 | goal | top 3 | goal |\n|---|---|---|---|---|---|---|"
    for name, (test, first, third) in GOALS.items():
        yield _row(name, [one for one in seen if test(one)], f"{first:g}", f"{third:g}")
    for attribute in ("kind", "stored", "form"):
        for value in sorted({getattr(one.raw, attribute) for one in outcomes}):
            yield _row(
                value or "plain", [one for one in outcomes if getattr(one.raw, attribute) == value]
            )

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
    yield f"right where above 0.9: {right[confidences >= 0.9].mean():.3f} (goal 0.98)"
    sure = [one for one in outcomes if one.confidence > 0.6 and one.rank and not one.no_structure]
    blank = [one for one in sure if one.raw.kind == "sim_blank"]
    yield f"wrong above 0.6: {len(sure)}, of blank files {len(blank)} (goal 0)"

    seconds = np.array([one.seconds for one in outcomes])
    text = f"median {np.median(seconds):.2f} (goal 1), most {seconds.max():.2f} (goal 2)"
    yield f"seconds of one core: {text}, {(seconds < 2).mean():.1%} below 2"
    nread = np.array([one.nread for one in outcomes]) / 1e6
    yield f"MB read: median {np.median(nread):.1f}, most {nread.max():.1f} (goal 16)"


def _row(name: str, some: list[Outcome], first: str = "", third: str = "") -> str:
    if not some:
        return f"| {name} | 0 | | | {first} | | {third} |"
    ranks = np.array([one.rank for one in some])
    kinds = np.mean([one.is_type for one in some])
    tops = [f"{100 * share:.0f}" for share in (kinds, (ranks == 0).mean(), (ranks < 3).mean())]
    return f"| {name} | {len(some)} | {tops[0]} | {tops[1]} | {first} | {tops[2]} | {third} |"


_CHILD = """
import sys, time
from benchmarks.measure import peak_bytes
from benchmarks.raw_layouts import find_layouts, remember_sources
sources, started = remember_sources(), time.process_time()
first = find_layouts(sys.argv[1])[0]
seconds = time.process_time() - started
peak = peak_bytes() / 1e6
print(f"{first} in {seconds:.2f} s, {sources[0].nread / 1e6:.1f} MB read, peak {peak:.0f} MB")
"""


def cost_of(path: Path) -> str:
    """Return the first layout of a file and its cost, in a process of its own."""
    child = subprocess.run(
        [sys.executable, "-c", _CHILD, str(path)], capture_output=True, text=True, check=True
    )
    return f"{path.stat().st_size / 1e6:,.0f} MB: {child.stdout.strip()}"


def big_file(folder: Path) -> Path:
    """Make a movie of 2 GB."""
    path, rng = folder / "big.raw", np.random.default_rng(0)
    still = rng.poisson(50, (512, 512)).cumsum(1) % 4000
    with path.open("wb") as file:
        for _ in range(64):
            noise = rng.normal(0, 40, (62, 512, 512))
            file.write((still + noise + 500).clip(0, 65535).astype("<u2").tobytes())
    return path


def stretch(path: Path) -> Path:
    """Let a file grow to 40 GB, with a hole at its end."""
    frame = 512 * 512 * 2
    with path.open("r+b") as file:
        file.truncate(40_000_000_000 // frame * frame)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=180)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--split", choices=["dev", "test"], default="test")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--form", choices=FORMS, default="")
    parser.add_argument("--known", choices=["offset", "frames"], default="")
    parser.add_argument("--big", action="store_true", help="what files of 2 and 40 GB cost")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        if options.big:
            path = big_file(Path(folder))
            print(cost_of(path))
            print(cost_of(stretch(path)))
            return
        path = Path(folder) / "a.raw"
        numbers = range(options.first, options.first + options.count)
        files = (make(options.split, i, options.data, form=options.form) for i in numbers)
        files = (raw for raw in files if not options.form or raw.form == options.form)
        outcomes = [look(raw, path, options.known) for raw in files]
    print("\n".join(report(outcomes)))


if __name__ == "__main__":
    main()
