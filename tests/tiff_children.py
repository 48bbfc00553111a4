"""Malformed TIFF files, each opened in a child with limits of time and memory."""

from __future__ import annotations

import json
import os
import signal
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from helpers import SHARED, sha256
from napari_ferry import FerryError, FerryWarning, imload

SECONDS, MEGABYTES = 20, 1500

WHOLE = SHARED / "corpus" / "tiff" / "gen__ome_unit_unknown.ome.tif"
"""A file with the pixels that the truncated ones had."""


def open_in_children(paths: Iterable[str]) -> None:
    """Open each file in a child with limits, and print the result as a line of JSON."""
    imload(WHOLE)  # which imports what it takes, once instead of in each child
    for path in map(Path, paths):
        start = time.monotonic()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _limit()
            os.write(writing, json.dumps(_open(path)).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as file:
            answer = file.read()
        _, status, usage = os.wait4(child, 0)
        found = {
            "file": path.name,
            "status": os.waitstatus_to_exitcode(status),
            "seconds": time.monotonic() - start,
            "megabytes": usage.ru_maxrss // 1024,
        }
        print(json.dumps(found | json.loads(answer or "{}")), flush=True)


def _limit() -> None:
    """Let this process be killed when it takes too long, and refuse it memory beyond 4 GB."""
    import resource

    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


def _open(path: Path) -> dict[str, Any]:
    """Open and load a file; return the hashes of its frames, or the error, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FerryWarning)
        found = _load(path)
    return found | {"warnings": [str(one.message) for one in caught]}


def _load(path: Path) -> dict[str, Any]:
    try:
        frames = [
            sha256(frame)
            for image in imload(path)
            for frame in image.load().reshape(-1, *image.shape[-3 if image.is_rgb else -2 :])
        ]
    except Exception as error:  # noqa: BLE001  # which is what the test looks at
        is_ours = isinstance(error, FerryError)
        return {"error": f"{type(error).__name__}: {error}", "is_ours": is_ours}
    return {"error": None, "frames": frames}
