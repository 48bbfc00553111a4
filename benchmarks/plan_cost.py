"""What the plan of a very large save costs: seconds, memory and writes, each in a new process."""

from __future__ import annotations

import pickle  # noqa: TID251 - our own results
import resource
import subprocess
import sys
import time
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

SHAPE = (2980, 2, 500, 4096, 4096)
"""100 TB of 16-bit samples, tczyx."""

PLANS: dict[str, tuple[str, dict[str, Any]]] = {
    ".bin": ("large.bin", {}),
    "capped OME-TIFF": ("large.ome.tif", {}),
    "capped OME-TIFF, compressed": ("encoded.ome.tif", {"compression": "zlib"}),
    "store, sharded": ("large.ome.zarr", {"shards": True}),
    "store, not sharded": ("flat.ome.zarr", {"shards": False}),
    "store in a ZIP file": ("large.ozx", {}),
}


class Cost(NamedTuple):
    """Cost of a plan."""

    seconds: float
    nbytes: float
    n_writes: int
    n_files: int
    fingerprint_seconds: float


def measure_plans() -> None:
    """Print the cost of each plan."""
    print("| 100 TB as | plan, s | fingerprint, s | memory, MB | writes or tasks | files |")
    print("|---|---|---|---|---|---|")
    for name in PLANS:
        command = [
            sys.executable,
            "-c",
            f"from benchmarks import plan_cost as p; p.report({name!r})",
        ]
        cost: Cost = pickle.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        print(
            f"| {name} | {cost.seconds:.2f} | {cost.fingerprint_seconds:.2f} | "
            f"{cost.nbytes / 1e6:.0f} | {cost.n_writes} | {cost.n_files} |",
            flush=True,
        )


def report(name: str) -> None:
    """Write the cost of a plan to the standard output, for the process that started this one."""
    sys.stdout.buffer.write(pickle.dumps(measure(name)))


def measure(name: str) -> Cost:
    """Return the cost of a plan, beyond the memory of the imported package."""
    from napari_ferry import Image, plan
    from napari_ferry.arrays import Frames

    file, options = PLANS[name]
    before = _peak()
    image = Image.from_array(Frames(_read, SHAPE, np.uint16, 3), "tczyx")
    started = time.process_time()
    planned = plan(image, file, **options)
    seconds = time.process_time() - started
    steps = planned.stream.tasks if planned.stream else planned.writes
    count, nbytes = len(steps), planned.source_bytes
    assert planned.fingerprint
    assert nbytes > 99e12
    ended = time.process_time()
    return Cost(seconds, _peak() - before, count, len(planned.files), ended - started - seconds)


def _read(index: int) -> NDArray[Any]:
    """Return a frame, which no plan asks for."""
    raise AssertionError("planning reads no pixels")


def _peak() -> float:
    """Return the largest memory of this process so far, in bytes."""
    return 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
