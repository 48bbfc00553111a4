"""Saves on a cluster: the same bytes as on threads, whatever happens to the workers."""

from __future__ import annotations

import errno
import logging
import os
import pickle  # noqa: TID251 - our own steps
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask
import distributed
import numpy as np
import pytest
import tifffile

from faults import leftovers, run_fork
from helpers import pixels
from napari_ferry import (
    ClusterError,
    Image,
    InvalidImageError,
    Plan,
    Progress,
    SaveCancelledError,
    imload,
    imsave,
    plan,
    run,
)
from napari_ferry.arrays import Frames
from napari_ferry.arrays.array_layout import ArrayLayout
from napari_ferry.arrays.progress import Monitor
from napari_ferry.cli import main
from napari_ferry.errors import FerryError
from napari_ferry.saving.execution.cluster import (
    cluster_runner,
    connection,
    source_checks,
    worker_checks,
)
from napari_ferry.saving.execution.cluster.cluster_runner import ClusterRunner
from napari_ferry.saving.execution.cluster.file_task import make_file_remotely
from napari_ferry.saving.execution.cluster.run_file import RunCheck, running
from napari_ferry.saving.partial.interruption import partial_folder
from napari_ferry.saving.partial.journal import read_journal
from napari_ferry.saving.partial.partial_folder import PartialFolder
from resumable import make_plan, source

pytestmark = pytest.mark.leaves_partial

FRAME = 64 * 64 * 2
MOVIE = pixels((12, 2, 64, 64))

FORMATS: dict[str, dict[str, Any]] = {
    "a.bin": {},
    "a.tif": {},
    "a.ome.tif": {"size_cap": 60_000 / 1e9},
    "zlib.tif": {"compression": "zlib"},
    "a.ome.zarr": {},
    "shards.ome.zarr": {"shards": True, "levels": 2},
    "a.gif": {},
    "a.mp4": {},
    "a.mkv": {},
}


@pytest.fixture(scope="module")
def client() -> Iterator[distributed.Client]:
    """A client of two workers, each a process of its own.

    A local cluster looks for a lost worker again after 15 s, and gives it up for good if another
    test has just killed it then.
    """
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"}),
        distributed.LocalCluster(**options) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def scheduler_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out a line of the scheduler with wrong arguments, which pytest turns into an error.

    It is about results that are lost with a worker, and ends only the tests.
    """
    monkeypatch.setattr(logging.getLogger("distributed.scheduler"), "disabled", True)


@pytest.fixture
def many_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan a write for a frame or two."""
    monkeypatch.setattr("napari_ferry.saving.uncompressed._WRITE_BYTES", FRAME)
    for name in ("BLOCK_BYTES", "SHARD_BYTES"):
        monkeypatch.setattr(f"napari_ferry.codecs.zarr.saving.sections.{name}", 2 * FRAME)
    monkeypatch.setattr("napari_ferry.codecs.zarr.saving.pyramid._ONE_LEVEL_SIDE", 32)
    monkeypatch.setattr("napari_ferry.codecs.video.segment._EXACT_BYTES", 4 * FRAME)
    monkeypatch.setattr("napari_ferry.saving.stream._TASK_BYTES", FRAME)
    for constant, value in {"_SEGMENT_PIXELS": 1, "_FEWEST_FRAMES": 2, "KEY_FRAMES": 2}.items():
        monkeypatch.setattr(f"napari_ferry.codecs.video.segment.{constant}", value)


def open_movie(folder: Path, suffix: str = ".ome.tif") -> Image:
    """Return a movie in a file, which workers open by its path."""
    path = folder / f"source{suffix}"
    imsave(Image.from_array(MOVIE, "tcyx"), path, compression="zlib")
    return imload(path)[0]


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files in a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def save_twice(planned: Plan, **options: Any) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the files that threads write, and those that the same plan writes with options."""
    folder = planned.paths[0].parent
    run(planned)
    on_threads = contents(folder)
    run(planned, overwrite=True, **options)
    return on_threads, contents(folder)


@pytest.mark.sample(4)
@pytest.mark.usefixtures("many_writes")
@pytest.mark.parametrize("is_in_memory", [False, True], ids=["file", "memory"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_cluster_writes_the_same_bytes(
    client: distributed.Client, tmp_path: Path, name: str, is_in_memory: bool
) -> None:
    image = Image.from_array(MOVIE, "tcyx") if is_in_memory else open_movie(tmp_path)
    image = image.replace(scale={"t": 0.1}, unit={"t": "s"})
    (tmp_path / "out").mkdir()
    planned = plan(image, tmp_path / "out" / name, **FORMATS[name])
    seen: list[Progress] = []
    threads, cluster = save_twice(planned, client=client, progress=seen.append)
    assert threads == cluster
    assert seen[-1].done == seen[-1].total == planned.source_bytes
    image.close()


@pytest.mark.usefixtures("many_writes")
@pytest.mark.parametrize("name", ["a.bin", "a.ome.tif", "a.ome.zarr", "a.mp4"])
def test_a_save_survives_the_death_of_workers(
    client: distributed.Client, tmp_path: Path, name: str
) -> None:
    image = open_movie(tmp_path)
    (tmp_path / "out").mkdir()
    planned = plan(image, tmp_path / "out" / name, **FORMATS[name])
    assert len(planned.writes) > 3
    killed: list[int] = []

    def kill_once(progress: Progress) -> None:
        if not killed:
            killed.extend(client.run(os.getpid).values())
            for pid in killed:
                os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    threads, cluster = save_twice(planned, client=client, progress=kill_once)
    assert threads == cluster
    assert len(killed) == 2
    client.wait_for_workers(2, timeout=30)
    image.close()


@pytest.mark.usefixtures("many_writes")
def test_a_save_on_a_cluster_is_cancelled(client: distributed.Client, tmp_path: Path) -> None:
    image = open_movie(tmp_path)
    seen: list[Progress] = []
    start = time.monotonic()
    with pytest.raises(SaveCancelledError):
        imsave(
            image,
            tmp_path / "a.ome.zarr",
            client=client,
            progress=seen.append,
            cancel=lambda: bool(seen),
        )
    assert time.monotonic() - start < 10
    assert [path.name for path in tmp_path.iterdir()] == ["source.ome.tif"]
    image.close()


@pytest.mark.usefixtures("many_writes")
@pytest.mark.parametrize("name", ["a.bin", "a.ome.zarr"])
def test_a_save_goes_on_on_another_cluster(
    client: distributed.Client, tmp_path: Path, name: str
) -> None:
    image = open_movie(tmp_path)
    planned = plan(image, tmp_path / name, **FORMATS[name])
    counts: list[int] = []

    def interrupt(progress: Progress) -> None:
        counts.append(progress.done)
        if len(counts) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(planned, client=client, progress=interrupt)
    journal = read_journal(partial_folder(tmp_path / name))
    assert sum(map(len, journal.writes.values())) >= 3

    again: list[Progress] = []
    run(planned, client=client, progress=again.append)
    assert again[-1].done == planned.source_bytes
    assert not leftovers(tmp_path)
    np.testing.assert_array_equal(np.asarray(imload(tmp_path / name)[0]), MOVIE)
    image.close()


_KILLED = """
import os, signal, sys
from pathlib import Path
from napari_ferry import run
from resumable import FRAME, make_plan

def kill(progress):
    if progress.done >= 5 * FRAME:
        os.kill(os.getpid(), signal.SIGKILL)

run(make_plan("a.mp4", Path(sys.argv[2])), client=sys.argv[1], progress=kill)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no SIGKILL")
def test_a_movie_goes_on_after_its_client_was_killed(
    client: distributed.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source(tmp_path / "source")
    planned = make_plan("a.mp4", tmp_path)
    status, _, err = run_fork(_KILLED, client.scheduler.address, tmp_path)
    assert status == -signal.SIGKILL, err
    recorded = {*read_journal(partial_folder(tmp_path / "a.mp4")).writes["new-0.mp4"]}
    assert len(recorded) >= 3

    written: list[int] = []
    monkeypatch.setattr(PartialFolder, "record_write", lambda *args: written.append(args[2]))
    run(planned, client=client)
    assert {*written} == {*range(len(planned.writes))} - recorded
    assert not leftovers(tmp_path)
    resumed = (tmp_path / "a.mp4").read_bytes()
    run(planned, overwrite=True)
    assert (tmp_path / "a.mp4").read_bytes() == resumed


@pytest.mark.usefixtures("many_writes")
def test_segments_of_a_movie_in_memory_have_its_times(
    client: distributed.Client, tmp_path: Path
) -> None:
    movie = Image.from_array((MOVIE[:, 0] >> 8).astype(np.uint8), "tyx")
    planned = plan(movie, tmp_path / "a.mp4", as_seen=False)
    assert len(planned.writes) > 3
    threads, cluster = save_twice(planned, client=client)
    assert threads == cluster


def test_a_lost_scheduler_keeps_what_was_written(tmp_path: Path) -> None:
    class Lost:
        status = "closed"

    with running(tmp_path) as check:
        runner = ClusterRunner(Lost(), check)  # type: ignore[arg-type]
        with pytest.raises(ClusterError, match="goes on where this save ended"):
            runner._check_connection(OSError("gone"), is_last=False)


@pytest.mark.parametrize(("code", "attempts"), [(errno.EIO, 5), (errno.ENOSPC, 1)])
def test_a_step_is_not_repeated_on_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, attempts: int
) -> None:
    made: list[str] = []

    class Client:
        def submit(self, *_: Any, key: str, pure: bool) -> None:
            made.append(key)

    def fail(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(ClusterRunner, "_wait", fail)
    with running(tmp_path) as check:
        runner = ClusterRunner(Client(), check)  # type: ignore[arg-type]
        monitor = Monitor(total=0, report=None, cancel=None)
        with pytest.raises(OSError, match=re.escape(os.strerror(code))):
            runner._run(monitor, "new-0.gif", print, None, None)
    assert len(made) == attempts


def test_an_attempt_of_another_run_writes_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as check:
        check()
    with pytest.raises(SaveCancelledError):
        RunCheck(check.path, check.run_id)()
    with running(tmp_path) as second:
        second()
        with pytest.raises(SaveCancelledError):
            RunCheck(check.path, check.run_id)()
    assert not any(tmp_path.iterdir())


def test_large_images_in_memory_do_not_travel() -> None:
    large = np.broadcast_to(np.uint16(0), (600, 1000, 1000))
    with pytest.raises(InvalidImageError, match=r"1\.2 GB\).*save them as \.bin or \.ome\.zarr"):
        source_checks.check_sources([large, large])
    source_checks.check_sources([large[:100]])


@pytest.mark.parametrize("scheduler", [5, "nowhere:1", object()])
def test_what_is_not_a_cluster_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: Any
) -> None:
    monkeypatch.setattr(connection, "_TIMEOUT", "0.2s")
    with pytest.raises(FerryError, match=r"give a client|does not answer"):
        imsave(MOVIE, tmp_path / "a.bin", client=scheduler)
    assert not any(tmp_path.iterdir())


def test_a_cluster_without_workers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_WORKER_TIMEOUT", "0.2s")
    options = {"n_workers": 0, "processes": False, "dashboard_address": "127.0.0.1:0"}
    with (
        distributed.LocalCluster(**options) as cluster,
        pytest.raises(ClusterError, match="has no workers"),
    ):
        imsave(MOVIE, tmp_path / "a.bin", client=cluster)


def test_distributed_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InvalidImageError, match=r"pip install 'napari-ferry\[cluster\]'"):
        imsave(MOVIE, tmp_path / "a.bin", client="tcp://127.0.0.1:8786")


class Workers:
    """A client whose single worker gives one answer to each question."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def run(self, question: Any, *arguments: Any, on_error: str) -> dict[str, Any]:
        return {"tcp://host:1": self.answers.pop(0)}


OWN = worker_checks.read_versions()


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ([{**OWN, "numpy": "1.0"}], r"tcp://host:1 has numpy 1\.0, but this computer has"),
        ([{**OWN, "av": ""}], r"tcp://host:1 has av missing"),
        ([ModuleNotFoundError("no", name="napari_ferry")], "lacks the package napari_ferry"),
        ([OSError("closed")], "None of the 1 workers"),
        ([ValueError("broken")], r"failed before the save \(broken\)"),
        ([OWN, ""], "does not share the folder"),
        ([OWN, "probe-" + 32 * "0"], "does not share the folder"),
    ],
)
def test_workers_that_cannot_save_are_named(
    tmp_path: Path, answers: list[Any], sentence: str
) -> None:
    with running(tmp_path) as check, pytest.raises(ClusterError, match=sentence):
        worker_checks.check_workers(Workers(*answers), check)  # type: ignore[arg-type]


@pytest.mark.parametrize("small", [True, False])
def test_large_sources_in_files_travel_once(
    client: distributed.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    monkeypatch.setattr(cluster_runner, "_SMALL_BYTES", 5000 if small else 10)
    sent: list[int] = []
    spy = SimpleNamespace(
        scatter=lambda *args, **options: sent.append(1) or client.scatter(*args, **options),
        submit=client.submit,
        nthreads=client.nthreads,
        status="running",
    )
    image = open_movie(tmp_path)
    with running(tmp_path) as check:
        runner = ClusterRunner(spy, check)  # type: ignore[arg-type]
        for _ in range(3):
            runner._send(image.array)
    assert sent == ([] if small else [1])
    image.close()


@pytest.mark.parametrize("name", ["a.bin", "a.tif", "a.ome.zarr", "a.mp4", "a.png"])
def test_steps_do_not_grow_with_the_pages_of_their_source(tmp_path: Path, name: str) -> None:
    sizes = []
    for count in (100, 1000):
        source = tmp_path / f"{count}.tif"
        with tifffile.TiffWriter(source) as writer:
            for k in range(count):
                page = np.full((16, 16), k, np.uint16)
                writer.write(page, compression="zlib", contiguous=False, metadata=None)
        (image,) = imload(source)
        planned = plan(image, tmp_path / name)
        tasks = planned.stream.tasks if planned.stream else planned.writes
        sizes.append(len(pickle.dumps(replace(next(iter(tasks)), array=ArrayLayout(image.array)))))
        image.close()
    assert max(sizes) <= 5000
    assert abs(sizes[1] - sizes[0]) < 100


def test_workers_that_read_other_pixels_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = open_movie(tmp_path)
    planned = plan(image, tmp_path / "a.bin")
    own = source_checks.read_sample(image.array, source_checks._sampled_region(image.array))
    assert own.digest
    source_checks.check_pixels(Workers(own), planned)  # type: ignore[arg-type]
    with pytest.raises(ClusterError, match=r"tcp://host:1 reads other pixels than this computer"):
        source_checks.check_pixels(Workers(own._replace(digest="0")), planned)  # type: ignore[arg-type]
    missing = own._replace(digest="", reason="a.tif does not exist.")
    with pytest.raises(ClusterError, match=r"tcp://host:1 cannot read the images \(a.tif does"):
        source_checks.check_pixels(Workers(missing), planned)  # type: ignore[arg-type]
    image.close()


def test_a_source_that_a_worker_does_not_see_is_a_reason(tmp_path: Path) -> None:
    image = open_movie(tmp_path)
    array = image.array
    image.close()
    for file in tmp_path.glob("*.tif"):
        file.unlink()
    region = source_checks._sampled_region(array)
    assert "tif" in source_checks.read_sample(array, region).reason


def test_workers_with_too_little_memory_are_named(tmp_path: Path) -> None:
    def client(limit: float, threads: int = 2) -> Any:
        info = {"memory_limit": limit, "nthreads": threads}
        return SimpleNamespace(scheduler_info=lambda **_: {"workers": {"tcp://host:1": info}})

    def read(i: int) -> Any:
        raise AssertionError("planning reads no pixels")

    frames = Frames(read, (2000, 4096, 4096), np.uint16, 1)
    for name in ("a.bin", "a.ome.zarr"):
        planned = plan(Image.from_array(frames, "tyx"), tmp_path / name)
        assert 2 * 32e6 < planned.step_memory < 300e6
        source_checks.check_memory(client(4e9), planned)
        source_checks.check_memory(client(0), planned)
        source_checks.check_memory(client(planned.step_memory * 2, threads=1), planned)
        with pytest.raises(ClusterError, match=r"tcp://host:1 has 2 threads and a memory limit"):
            source_checks.check_memory(client(planned.step_memory * 2), planned)


@pytest.mark.parametrize("name", ["a.gif", "zlib.tif", "a.ozx"])
def test_a_worker_writes_a_whole_file(
    client: distributed.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    image = open_movie(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    planned = plan(image, out / name, **FORMATS.get(name, {}))
    run(planned)
    expected = contents(out)

    def refuse(*_: Any) -> None:
        raise AssertionError("this process writes the file")

    monkeypatch.setattr("napari_ferry.saving.execution.steps.make_stream", refuse)
    seen: list[Progress] = []
    run(planned, overwrite=True, client=client, progress=seen.append)
    assert contents(out) == expected
    assert seen[-1].done == seen[-1].total
    image.close()


def test_files_beside_that_of_an_attempt_are_removed(
    client: distributed.Client, tmp_path: Path
) -> None:
    """The bands of a large page are collected in a file next to that of the attempt."""
    imsave(np.zeros((2900, 2900), "u2"), tmp_path / "source.tif")
    (image,) = imload(tmp_path / "source.tif")
    (tmp_path / "out").mkdir()
    for _ in range(2):
        imsave(image, tmp_path / "out" / "a.tif", compression="zlib", client=client, overwrite=True)
        assert [*contents(tmp_path / "out")] == ["a.tif"]
    image.close()


def test_a_failed_attempt_leaves_no_file(tmp_path: Path) -> None:
    stream = plan(MOVIE[:, 0], tmp_path / "zlib.tif", compression="zlib").stream
    assert stream is not None

    def fail(paths: Sequence[Path], _: Any) -> int:
        paths[0].write_bytes(bytes(100))
        raise OSError("the disk is full")

    with running(tmp_path) as check:
        before = sorted(tmp_path.iterdir())
        with pytest.raises(OSError, match="is full"):
            make_file_remotely(replace(stream, assemble=fail), tmp_path / "new-0.tif", check)
        assert sorted(tmp_path.iterdir()) == before
        make_file_remotely(stream, tmp_path / "new-0.tif", check)
    assert [path.name for path in tmp_path.iterdir()] == ["new-0.tif"]


def test_several_files_of_a_batch_are_written_at_once(
    client: distributed.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for k in range(4):
        imsave(Image.from_array(MOVIE[:, 0] + k, "tyx"), folder / f"{k}.tif")
    running_now: list[int] = []
    most: list[int] = []
    make_file = ClusterRunner.make_file
    together = threading.Barrier(2, timeout=60)

    def count(self: ClusterRunner, *arguments: Any) -> bool:
        running_now.append(1)
        most.append(len(running_now))
        together.wait()
        try:
            return make_file(self, *arguments)
        finally:
            running_now.pop()

    monkeypatch.setattr(ClusterRunner, "make_file", count)
    address = client.scheduler.address
    command = ["convert", folder, tmp_path / "out", "--format", ".gif", "--cluster", address]
    assert main([*map(str, command)]) == 0
    assert max(most) == 2
    assert sorted(path.name for path in (tmp_path / "out").glob("*.gif")) == [
        f"{k}.gif" for k in range(4)
    ]


def test_an_image_in_memory_is_not_sent_for_one_file(
    client: distributed.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("the pixels travel")

    monkeypatch.setattr(ClusterRunner, "_run", refuse)
    imsave(Image.from_array(MOVIE[:, 0], "tyx"), tmp_path / "a.gif", client=client)
    assert imload(tmp_path / "a.gif")[0].shape == MOVIE[:, 0].shape
