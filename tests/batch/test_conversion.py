"""Jobs of a batch: what is converted, skipped and resumed, and that none stops the others."""

import json
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faults import fork
from helpers import make_image
from napari_ferry import Image, imload, imsave, plan, run
from napari_ferry.batch.conversion import _interrupt, run_jobs
from napari_ferry.batch.job_count import BatchProgress
from napari_ferry.batch.jobs import Job, find_jobs
from napari_ferry.batch.output_names import RECORD_NAME, Naming
from napari_ferry.batch.report import Report
from napari_ferry.errors import FerryError, ReopenError, SaveCancelledError, TargetError
from napari_ferry.saving import Plan

OUT = Path("out")


@pytest.fixture(autouse=True)
def _three_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for name in ("a 1", "b µ", "c"):
        imsave(make_image("tyx"), f"in/{name}.tif")


def plan_one(job: Job) -> tuple[Sequence[Image], Plan]:
    images = imload(job.input.source)
    return images, plan(images, job.target)


def convert(suffix: str = ".ome.tif", pattern: str = "{name}", **options: Any) -> Report:
    naming = Naming(folder=OUT, suffix=suffix, pattern=pattern)
    given = {"planner": plan_one, "options": {}, **options}
    return run_jobs(find_jobs(["in"], naming), **given)


def statuses(report: Report) -> list[str]:
    return [outcome.status for outcome in report.outcomes]


def stamps() -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in OUT.iterdir()}


@pytest.mark.parametrize("suffix", [".ome.tif", ".ome.zarr", ".bin", ".gif"])
def test_a_second_call_converts_nothing(suffix: str) -> None:
    assert convert(suffix).summary == "3 converted"
    before = stamps()
    assert convert(suffix).summary == "0 converted, 3 skipped"
    assert stamps() == before
    if suffix != ".gif":
        assert np.array_equal(*(np.asarray(imload(p)[0]) for p in ("in/c.tif", OUT / f"c{suffix}")))


def test_a_changed_source_is_converted_again() -> None:
    convert()
    imsave(make_image("tyx", t=5), "in/c.tif", overwrite=True)
    assert statuses(convert()) == ["skipped", "skipped", "converted"]
    assert imload(OUT / "c.ome.tif")[0].size("t") == 5


def test_changed_options_convert_again() -> None:
    convert(options={"crop": ["t=:2"]})
    assert convert(options={"crop": ["t=:3"]}).count("converted") == 3
    assert convert(options={"crop": ["t=:3"]}).count("skipped") == 3


def test_a_removed_target_is_converted_again() -> None:
    convert()
    (OUT / "c.ome.tif").unlink()
    assert statuses(convert()) == ["skipped", "skipped", "converted"]


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_file_of_somebody_else_is_kept(is_recorded: bool) -> None:
    if is_recorded:
        convert()
    OUT.mkdir(exist_ok=True)
    (OUT / "c.ome.tif").write_text("my own work")
    report = convert()
    assert report.outcomes[-1].status == "failed"
    assert "would be replaced" in report.outcomes[-1].message
    assert convert(dry_run=True).outcomes[-1].status == "failed"
    assert (OUT / "c.ome.tif").read_text() == "my own work"
    assert statuses(convert(overwrite=True)) == ["skipped", "skipped", "converted"]
    assert imload(OUT / "c.ome.tif")


def test_a_file_that_was_refused_is_not_replaced_later() -> None:
    OUT.mkdir()
    (OUT / "c.ome.tif").write_text("my own work")
    convert()
    (OUT / "c.ome.tif").write_text("newer work")
    assert convert().count("failed") == 1
    assert (OUT / "c.ome.tif").read_text() == "newer work"


def test_a_file_made_during_a_save_is_not_recorded_as_its_result() -> None:
    def save_late(planned: Plan, **options: Any) -> list[Path]:
        is_last = planned.paths[0].name.startswith("c")
        if is_last:
            options["progress"] = interfere
        return run(planned, **options)

    def interfere(_: object) -> None:
        (OUT / "c.ome.tif").write_text("my own work")

    assert statuses(convert(save=save_late)) == ["converted", "converted", "failed"]
    assert statuses(convert()) == ["skipped", "skipped", "failed"]
    imsave(make_image("tyx", t=5), "in/c.tif", overwrite=True)
    assert statuses(convert()) == ["skipped", "skipped", "failed"]
    assert (OUT / "c.ome.tif").read_text() == "my own work"
    assert statuses(convert(overwrite=True)) == ["skipped", "skipped", "converted"]


def test_a_target_from_another_source_is_kept() -> None:
    convert()
    before = stamps()["c.ome.tif"]
    Path("other").mkdir()
    shutil.copy("in/c.tif", "other/c.tif")
    naming = Naming(folder=OUT, suffix=".ome.tif")
    assert statuses(run_jobs(find_jobs(["other"], naming), plan_one, options={})) == ["failed"]
    assert stamps()["c.ome.tif"] == before


def test_one_bad_file_does_not_stop_the_others() -> None:
    Path("in/b µ.tif").write_bytes(b"II*\0")
    report = convert()
    assert statuses(report) == ["converted", "failed", "converted"]
    assert "b µ.tif" in report.outcomes[1].message
    assert report.outcomes[1].target == OUT / "b µ.ome.tif"


def test_a_save_that_fails_is_tried_again() -> None:
    def fail(planned: Plan, **options: Any) -> list[Path]:
        if planned.paths[0].name.startswith("b"):
            raise TargetError("The disk is full.")
        return run(planned, **options)

    assert statuses(convert(save=fail)) == ["converted", "failed", "converted"]
    assert statuses(convert()) == ["skipped", "converted", "skipped"]


def test_a_file_too_large_for_the_memory_does_not_stop_the_others() -> None:
    def fill_memory(planned: Plan, **options: Any) -> list[Path]:
        if planned.paths[0].name.startswith("b"):
            np.empty(2**60, np.uint8)
        return run(planned, **options)

    report = convert(save=fill_memory)
    assert statuses(report) == ["converted", "failed", "converted"]
    assert report.outcomes[1].message.startswith("b µ.tif needs more memory than there is (Unable")


def test_a_file_with_other_pixels_than_expected_is_opened_again() -> None:
    opened: list[str] = []

    def plan_once(job: Job) -> tuple[Sequence[Image], Plan]:
        opened.append(Path(job.input.source).name)
        if opened.count("c.tif") == 1 and opened[-1] == "c.tif":
            raise ReopenError("c.tif looked gray.")
        return plan_one(job)

    assert convert(planner=plan_once).summary == "3 converted"
    assert opened.count("c.tif") == 2


def test_a_cancelled_batch_goes_on() -> None:
    finished: list[str] = []
    report = convert(
        finished=lambda outcome: finished.append(outcome.status), cancel=lambda: len(finished) == 1
    )
    assert report.summary == "1 converted, 2 not converted yet"
    assert convert().summary == "2 converted, 1 skipped"


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupted_batch_goes_on(when: str) -> None:
    def interrupt(planned: Plan, **options: Any) -> list[Path]:
        if planned.paths[0].name.startswith("b"):
            if when == "after":
                run(planned, **options)
            raise KeyboardInterrupt
        return run(planned, **options)

    with pytest.raises(KeyboardInterrupt):
        convert(save=interrupt)
    expected = ["skipped", "converted" if when == "before" else "skipped", "converted"]
    assert statuses(convert()) == expected


_KILLED = """
import os, sys
from pathlib import Path
from napari_ferry import imload, plan, run
from napari_ferry.batch.conversion import _interrupt, run_jobs
from napari_ferry.batch.jobs import find_jobs
from napari_ferry.batch.output_names import Naming
def plan_one(job):
    images = imload(job.input.source)
    return images, plan(images, job.target)
def save(planned, **options):
    is_last = planned.paths[0].name.startswith("b")
    if is_last and sys.argv[1] == "before":
        os._exit(9)
    if is_last and sys.argv[1] == "between":
        options["progress"] = lambda _: os._exit(9)
    paths = run(planned, **options)
    if is_last:
        os._exit(9)
    return paths
run_jobs(find_jobs(["in"], Naming(folder=Path("out"), suffix=".ome.tif")), plan_one, options={},
         save=save)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_batch_goes_on(when: str) -> None:
    """A target that was put in place just before is converted again, as it is not recorded."""
    with fork(_KILLED, when) as child:
        child.communicate()
    assert child.returncode == 9
    assert (OUT / "b µ.ome.tif").exists() is (when == "after")
    assert statuses(convert()) == ["skipped", "converted", "converted"]
    assert statuses(convert()) == ["skipped"] * 3


def test_a_file_made_after_a_killed_save_is_kept() -> None:
    with fork(_KILLED, "between") as child:
        child.communicate()
    assert child.returncode == 9
    (OUT / "b µ.ome.tif").write_text("my own work")
    assert statuses(convert()) == ["skipped", "failed", "converted"]
    assert (OUT / "b µ.ome.tif").read_text() == "my own work"
    assert statuses(convert(overwrite=True)) == ["skipped", "converted", "skipped"]


def test_a_damaged_record_is_no_obstacle() -> None:
    convert()
    record = OUT / RECORD_NAME
    lines = record.read_bytes()
    record.write_bytes(b'\xff\n[1]\n{"target": 3}\n' + lines[:-20])
    report = convert()
    assert report.count("skipped") == 2
    assert convert().count("skipped") >= 2
    record.unlink()
    assert statuses(convert()) == ["failed"] * 3


def test_an_output_among_the_inputs_is_skipped() -> None:
    naming = Naming(folder=Path("in"), suffix=".gif")
    assert run_jobs(find_jobs(["in"], naming), plan_one, options={}).count("converted") == 3
    again = run_jobs(find_jobs(["in"], naming), plan_one, options={})
    assert again.count("skipped") == 6
    itself = find_jobs(["in/*.tif"], Naming(folder=Path("in")))
    assert (itself.jobs, {each.reason for each in itself.skipped}) == ((), {"its own target"})
    imsave(make_image("tyx"), "in/c.ome.tif")
    other = find_jobs(["in/c.tif", "in/c.ome.tif"], Naming(folder=Path("in"), suffix=".ome.tif"))
    assert [each.reason for each in other.skipped] == [
        "its target c.ome.tif is another input",
        "its own target",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_a_target_that_is_a_link_to_an_input_is_skipped() -> None:
    """A save follows the link, and would replace the recording itself."""
    OUT.mkdir()
    (OUT / "c.tif").symlink_to(Path("in/c.tif").absolute())
    before = Path("in/c.tif").stat()
    report = convert(".tif", overwrite=True)
    assert report.count("converted") == 2
    assert report.outcomes[0].message == "its own target"
    assert Path("in/c.tif").stat() == before


def test_two_inputs_with_one_target_are_refused_before_anything_is_written() -> None:
    imsave(make_image("tyx"), "in/c.bin")
    message = (
        r"c\.bin and .*c\.tif would both be saved as out.c\.gif: .* such as \{index\}_\{name\}"
    )
    with pytest.raises(TargetError, match=message):
        convert(".gif")
    assert not OUT.exists()


def test_inputs_of_two_folders_with_one_target_may_be_named_after_their_folders() -> None:
    imsave(make_image("tyx"), "other/c.tif")
    with pytest.raises(TargetError, match=r"such as \{parent\}_\{name\} or \{index\}_\{name\}"):
        find_jobs(["in/c.tif", "other/c.tif"], Naming(folder=OUT))


def test_nothing_to_convert_is_a_sentence() -> None:
    Path("none").mkdir()
    with pytest.raises(FerryError, match=r"There are no images in none"):
        find_jobs(["none"], Naming(folder=OUT))
    Path("none/notes.txt").touch()
    Path("none/more.txt").touch()
    with pytest.raises(FerryError, match=r"more\.txt is skipped \(not an image .*, and 1 more;"):
        find_jobs(["none"], Naming(folder=OUT))


def test_a_dry_run_writes_nothing() -> None:
    report = convert(dry_run=True)
    assert report.summary == "3 to convert"
    assert all(outcome.target_bytes > 0 for outcome in report.outcomes)
    assert not OUT.exists()


def test_progress_counts_the_whole_batch() -> None:
    seen: list[BatchProgress] = []
    convert(progress=seen.append)
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert {each.total for each in seen} == {sum(p.stat().st_size for p in Path("in").iterdir())}
    assert (seen[-1].done, seen[-1].jobs_done) == (seen[-1].total, 3)
    assert seen[-1].seconds_left == 0
    assert 0 < seen[1].done < seen[1].total
    assert [*dict.fromkeys(each.name for each in seen)] == [
        *("a 1.ome.tif", "b µ.ome.tif", "c.ome.tif")
    ]


def test_the_report_is_plain_json() -> None:
    imsave(make_image("tyx").replace(unit={"t": "s"}, scale={"t": 0.1}), "in/d.tif")
    report = convert(".gif")
    told = json.loads(json.dumps(report.to_json()))
    assert (told["converted"], told["failed"], len(told["files"])) == (4, 0, 4)
    first = told["files"][0]
    assert Path(first["source"]).name == "a 1.tif"
    assert first["files"] == [first["target"]] == [str(OUT / "a 1.gif")]
    assert first["target_bytes"] == (OUT / "a 1.gif").stat().st_size
    assert first["source_bytes"] == Path("in/a 1.tif").stat().st_size
    assert first["losses"]
    assert first["seconds"] > 0


def test_warnings_belong_to_their_file() -> None:
    Path("in/c.tif").write_bytes(Path("in/c.tif").read_bytes()[:-70])
    report = convert()
    assert [bool(outcome.warnings or outcome.message) for outcome in report.outcomes] == [
        *(False, False, True)
    ]


def test_files_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    close = Image.close
    monkeypatch.setattr(Image, "close", lambda self: closed.append(self.name) or close(self))
    convert()
    assert closed == ["a 1", "b µ", "c"]


def test_many_files_take_little_time() -> None:
    for k in range(37):
        shutil.copy("in/c.tif", f"in/rec {k}.tif")
    assert convert(".tif").summary == "40 converted"
    assert convert(".tif").summary == "0 converted, 40 skipped"


def test_several_at_once_are_reported_in_order() -> None:
    together = threading.Barrier(3, timeout=30)
    seen: list[BatchProgress] = []
    names: list[str] = []

    def save(planned: Plan, /, **options: Any) -> list[Path]:
        together.wait()  # breaks unless all three are in progress
        return run(planned, **options)

    report = convert(
        save=save,
        at_once=3,
        progress=seen.append,
        finished=lambda outcome: names.append(outcome.target.name),
    )
    assert report.summary == "3 converted"
    assert names == ["a 1.ome.tif", "b µ.ome.tif", "c.ome.tif"]
    assert [each.done for each in seen] == sorted(each.done for each in seen)
    assert (seen[-1].done, seen[-1].jobs_done) == (seen[-1].total, 3)
    assert {path.name for each in seen for path in each.shares} == {"a 1.tif", "b µ.tif", "c.tif"}
    assert max(len(each.shares) for each in seen) == 3
    assert convert(at_once=3).summary == "0 converted, 3 skipped"


def test_one_of_several_at_once_may_fail() -> None:
    Path("in/b µ.tif").write_bytes(b"II*\0")
    report = convert(at_once=2)
    assert statuses(report) == ["converted", "failed", "converted"]
    assert report.outcomes[1].message


def test_an_interrupt_ends_all_that_are_in_progress() -> None:
    both = threading.Barrier(2, timeout=30)
    ended: list[str] = []

    def save(planned: Plan, /, cancel: Callable[[], bool], **options: Any) -> list[Path]:
        name = planned.paths[0].name
        if name not in ("a 1.ome.tif", "b µ.ome.tif"):  # it may begin before the others end
            raise SaveCancelledError
        both.wait()
        if name == "a 1.ome.tif":
            raise KeyboardInterrupt
        try:
            while not cancel():
                time.sleep(0.001)  # leaves Python's lock to the others
        except KeyboardInterrupt:  # a save that can be resumed keeps its files
            ended.append(name)
            raise
        return []

    report = Report()
    with pytest.raises(KeyboardInterrupt):
        convert(save=save, at_once=2, report=report)
    assert ended == ["b µ.ome.tif"]
    assert (report.outcomes, report.remaining) == ([], 3)


def test_a_cancelled_batch_cancels_all_that_are_in_progress() -> None:
    is_cancelled = threading.Event()
    both = threading.Barrier(2, action=is_cancelled.set, timeout=30)

    def save(planned: Plan, /, **options: Any) -> list[Path]:
        both.wait()
        return run(planned, **options)

    report = convert(save=save, at_once=2, cancel=is_cancelled.is_set)
    assert report.summary == "0 converted, 3 not converted yet"
    assert not [*OUT.glob("*.ferry-partial")]
    with pytest.raises(KeyboardInterrupt):
        _interrupt(is_cancelled, None)
    assert _interrupt(is_cancelled, is_cancelled.is_set)
