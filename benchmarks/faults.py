"""Kill a save at random times, over and over: the old or the new must stand, never a torn one.

``python benchmarks/faults.py [KILLS]`` kills each way of saving 200 times, or as often as is said,
on the disk of the temporary folder; a torn file ends it with an AssertionError. The tests do the
same a few times.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from faults import KINDS, kill_saves, leftovers, movie, version_of

SIZE = 512
"""Pixels along y and x, so that much of the time goes into writing."""


def main(kills: int) -> None:
    print(f"{'saved as':<10}{'kills':>7}{'left over':>11}{'seconds':>9}  found")
    for seed, (name, kind) in enumerate(KINDS.items()):
        with tempfile.TemporaryDirectory() as temporary:
            folder, started = Path(temporary), time.perf_counter()
            kind.save(movie(1, size=SIZE), folder)
            found = Counter(kill_saves(name, folder, kills, seed, size=SIZE))
            kind.save(movie(2, size=SIZE), folder, overwrite=True)
            assert version_of(folder / kind.name) == 2
            left, seconds = len(leftovers(folder)), time.perf_counter() - started
        seen = ", ".join(f"{what} {count}" for what, count in sorted(found.items()))
        print(f"{name:<10}{kills:>7}{left:>11}{seconds:>9.0f}  {seen}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
