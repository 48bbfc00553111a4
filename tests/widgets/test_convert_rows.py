"""Rows, totals and stored batches of the dock *Convert folder*, without a window."""

import math
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_ferry import Image, Plan, imload, imsave, plan, run
from napari_ferry.batch.batch_record import Record
from napari_ferry.batch.inputs import Input
from napari_ferry.batch.job_count import BatchProgress
from napari_ferry.batch.jobs import Job
from napari_ferry.batch.output_names import Naming
from napari_ferry.batch.report import Outcome, Report
from napari_ferry.errors import (
    InvalidImageError,
    MissingMetadataError,
    TargetError,
    UnreadableFileError,
)
from napari_ferry.saving.execution.cluster import connection
from napari_ferry.widgets.convert import batch_run
from napari_ferry.widgets.convert.batch_run import BatchRun
from napari_ferry.widgets.convert.conversion_request import ConversionRequest
from napari_ferry.widgets.convert.convert_words import in_form_words
from napari_ferry.widgets.convert.inspection import inspect, restate
from napari_ferry.widgets.convert.report_text import (
    describe_problems,
    describe_progress,
    describe_report,
)
from napari_ferry.widgets.convert.row import Facts, Row
from napari_ferry.widgets.convert.row_model import RowModel
from napari_ferry.widgets.convert.stored_batch import UnfinishedBatch
from napari_ferry.widgets.convert.target_check import TargetChecker, number_rows
from napari_ferry.widgets.convert.totals import Rates, describe_totals
from napari_ferry.widgets.convert.trial import choose_sample, find_rates
from napari_ferry.widgets.plan_summary import formats


def row(name: str, **facts: object) -> Row:
    known = Facts(**facts) if facts else None  # type: ignore[arg-type]
    return Row(input=Input(source=Path(name)), facts=known, is_inspected=known is not None)


def test_texts_and_check_marks_of_rows(qtbot) -> None:
    model = RowModel(None)
    model.append([row("a.tif"), row("b.tif", shape="t 3, y 4, x 5")])
    first, second = model.index(0), model.index(1)
    role = Qt.ItemDataRole
    assert (first.data(), second.data()) == ("a.tif", "b.tif")
    assert "b.tif" in second.data(role.ToolTipRole)
    assert second.data(role.AccessibleTextRole).startswith("b.tif, ")
    assert second.data(role.FontRole) is None
    assert model.data(model.index(5)) is None
    assert not model.flags(model.index(5))
    assert not model.setData(first, "c.tif")
    assert model.setData(first, Qt.CheckState.Unchecked, role.CheckStateRole)
    assert first.data(role.CheckStateRole) == Qt.CheckState.Unchecked
    model.is_locked = True
    assert not model.setData(first, Qt.CheckState.Checked, role.CheckStateRole)
    model.check_all(True)
    assert [each.is_checked for each in model.rows] == [False, True]


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [(1, 4, math.inf, "File 2 of 4, 25 %"), (0, 0, 90.0, "File 2 of 4, 100 %, ")],
)
def test_the_progress_of_a_batch_in_words(done: int, total: int, seconds: float, text: str) -> None:
    progress = BatchProgress(
        name="a.tif", jobs_done=1, n_jobs=4, shares={}, done=done, total=total, seconds_left=seconds
    )
    found = describe_progress(progress)
    assert found.startswith(text)
    assert found.endswith(" left") == math.isfinite(seconds)


def request(folder: Path, suffix: str, pattern: str = "{name}", **options: object):
    chosen = next(each for each in formats() if suffix in each.suffixes)
    naming = Naming(folder=folder, suffix=suffix, pattern=pattern)
    return ConversionRequest(naming, chosen, options)


@pytest.fixture
def recording(tmp_path: Path) -> Input:
    (path,) = imsave(np.zeros((3, 8, 9), np.uint8), tmp_path / "in" / "cells.tif")
    return Input(source=path, files=(path,))


def test_the_total_of_files_not_looked_into_is_estimated_from_the_others(tmp_path: Path) -> None:
    rows = [row("a.tif", target_bytes=2000, pixels=4000), row("b.tif"), row("c.tif")]
    rows[2].is_checked = False
    text = describe_totals(rows, tmp_path, None).headline
    assert text.startswith("2 files, about 4\u00a0kB; ")


def test_a_trial_gives_the_size_and_the_time_of_encoded_files(tmp_path: Path) -> None:
    rows = [row("a.tif", target_bytes=10_000, pixels=10_000, is_encoded=True)]
    before = describe_totals(rows, tmp_path, None).headline
    after = describe_totals(rows, tmp_path, Rates(0.1, 0.002, 3)).headline
    assert before.startswith("1 file, at most 10\u00a0kB; ")
    assert after.startswith("1 file, about 1\u00a0kB, about 23\u00a0s; ")


def test_more_than_fits_on_the_disk_is_told_before(tmp_path: Path) -> None:
    rows = [row("a.tif", target_bytes=10**18, pixels=10)]
    text = describe_totals(rows, tmp_path / "new" / "folder", None).headline
    assert "; but only " in text


def test_losses_name_their_file_or_the_number_of_files(tmp_path: Path) -> None:
    facts = {"a.tif": ("a is cut", "colors"), "b.tif": ("b is cut",), "c.tif": ("c is cut",)}
    rows = [row(name, losses=losses) for name, losses in facts.items()]
    rows[1].outcomes = [Outcome(source="b.tif", status="converted", target=Path("b.mp4"))]
    losses = describe_totals(rows, tmp_path, None).losses
    assert losses == ("2 files: a is cut", "a.tif: colors")


def test_a_row_tells_what_became_of_its_file() -> None:
    each = row("a.tif", stored=1000)
    outcome = Outcome(source="a.tif", status="converted", target=Path("a.mp4"), target_bytes=10)
    each.share = 0.25
    assert (each.state, each.state_text) == ("running", "25 %")
    each.share, each.outcomes = None, [outcome]
    assert each.summary.startswith("1 kB → 10 B")
    each.outcomes = [replace(outcome, warnings=("a.tif is cut off.",))]
    assert (each.state_text, each.notes) == ("done, see below", ("a.tif is cut off.",))
    each.outcomes = [outcome, replace(outcome, status="failed", message="The disk is full.")]
    assert (each.state, each.summary) == ("failed", "The disk is full.")


def test_inspecting_says_what_exists_and_what_is_up_to_date(
    recording: Input, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    wanted = request(out, ".ome.tif")
    first = inspect(recording, wanted, Record.read(out), is_visible=True)
    assert (first.facts.state, first.facts.shape) == ("new", "t 3, y 8, x 9, uint8")
    assert first.thumbnail is not None

    out.mkdir()
    (out / "cells.ome.tif").write_bytes(b"of somebody else")
    state = inspect(recording, wanted, Record.read(out), is_visible=False).facts.state
    assert state == "exists"
    assert BatchRun(request=wanted, inputs=[recording]).run().summary == "0 converted, 1 skipped"
    assert (out / "cells.ome.tif").read_bytes() == b"of somebody else"
    assert BatchRun(request=wanted, inputs=[recording], overwrite=True).run().count("converted")
    state = inspect(recording, wanted, Record.read(out), is_visible=False).facts.state
    assert state == "current"


@pytest.mark.parametrize("pattern", ["{index}", "{index}_{image}"])
def test_names_with_numbers_have_states_once_the_numbers_are_known(
    pattern: str, two_images: Input, recording: Input, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    wanted = request(out, ".tif", pattern)
    rows = [Row(input=two_images), Row(input=recording)]
    BatchRun(request=wanted, inputs=[two_images, recording]).run()

    def look() -> list[str]:
        for each in rows:
            found = inspect(
                each.input, wanted, Record.read(out), numbers=each.numbers, is_visible=False
            )
            each.facts, each.is_inspected = found.facts, True
        return [each.state for each in rows]

    assert look() == ["new", "new"]
    assert number_rows(rows, wanted.naming) == rows
    assert not any(each.is_inspected for each in rows)
    assert look() == ["current", "current"]
    assert number_rows(rows, wanted.naming) == []
    rows[0].is_checked = False  # the other one becomes the first
    assert number_rows(rows, wanted.naming) == rows
    assert (rows[0].numbers, rows[1].numbers) == (None, (1, 1))
    assert rows[1].facts is not None
    known = restate(rows[1].facts, recording, wanted, Record.read(out), rows[1].numbers)
    assert (known.state, look()[1]) == ("exists", "exists")
    assert restate(known, recording, wanted, Record.read(out), None).state == "new"


def test_two_files_with_one_target_are_told_before() -> None:
    rows = [Row(input=Input(source=Path("/in", name))) for name in ("a.tif", "a.gif", "b.gif")]
    checker, naming = TargetChecker(), Naming(folder=Path("/new"), suffix=".mp4")
    conflicts = checker.check(rows, naming).conflicts
    assert [each.input.source in conflicts for each in rows] == [True, True, False]
    assert conflicts[rows[0].input.source].startswith("a.gif would be saved as a.mp4")
    sentence = checker.check(rows, naming).obstacle(is_pending=True)
    assert sentence == (
        "/in/a.tif and /in/a.gif would both be saved as /new/a.mp4: give names that tell them "
        "apart, such as {index}_{name}."
    )
    rows[1].is_checked = False
    assert not checker.check(rows, naming).conflicts
    of_images = replace(naming, pattern="all")
    assert len(checker.check(rows, of_images).conflicts) == 2
    of_images = replace(naming, pattern="{image}")
    assert not checker.check(rows, of_images).conflicts  # before the images are counted
    rows[0].facts = rows[2].facts = Facts(n_images=1)
    assert len(checker.check(rows, of_images).conflicts) == 2


def test_a_folder_that_cannot_be_written_to_is_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming = Naming(folder=tmp_path / "new" / "folder", suffix=".mp4")
    assert not TargetChecker().check([row("a.tif")], naming).folder
    (tmp_path / "file").write_text("x")
    check = TargetChecker().check([row("a.tif")], Naming(folder=tmp_path / "file", suffix=".mp4"))
    assert "is a file, not a folder" in check.obstacle(is_pending=True)
    monkeypatch.setattr(os, "access", lambda *_: False)
    check = TargetChecker().check([row("a.tif")], naming)
    sentence = f"The folder {tmp_path} cannot be written to: choose another one."
    assert check.obstacle(is_pending=True) == sentence
    assert check.obstacle(is_pending=False) == ""
    wanted = request(naming.folder, ".mp4")
    with pytest.raises(TargetError, match="cannot be written to"):
        BatchRun(request=wanted, inputs=[Input(source=tmp_path / "a.tif")]).run()


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    (path := tmp_path / "damaged.tif").write_bytes(b"II*\0garbage")
    source = Input(source=path, files=(path,))
    facts = inspect(source, request(tmp_path, ".mp4"), Record(folder=tmp_path), is_visible=True)
    assert facts.facts.state == "failed"
    assert facts.facts.error.startswith("damaged.tif ")
    assert "\n" not in facts.facts.error


def test_a_pattern_with_image_makes_a_file_of_each_image(tmp_path: Path) -> None:
    images = [np.full((2, 8, 8), k, np.uint8) for k in (1, 2)]
    (path,) = imsave({"a": images[0], "b": images[1]}, tmp_path / "two.ome.tif")
    wanted = request(tmp_path / "out", ".tif", "{name}_{image}")
    report = BatchRun(request=wanted, inputs=[Input(source=path, files=(path,))]).run()
    assert [each.target.name for each in report.outcomes if each.target] == [
        "two_0.tif",
        "two_1.tif",
    ]


@pytest.fixture
def two_images(tmp_path: Path) -> Input:
    images = [np.full((2, 8, 8), k, np.uint8) for k in (1, 2)]
    (path,) = imsave({"a": images[0], "b": images[1]}, tmp_path / "two.ome.tif")
    return Input(source=path, files=(path,))


@pytest.mark.parametrize("made", [("two_0.tif",), ("two_1.tif",)])
def test_a_file_is_up_to_date_when_each_of_its_images_is(
    made: tuple[str, ...], two_images: Input, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    wanted = request(out, ".tif", "{name}_{image}")

    def state() -> str:
        return inspect(two_images, wanted, Record.read(out), is_visible=False).facts.state

    assert state() == "new"
    BatchRun(request=wanted, inputs=[two_images]).run()
    assert state() == "current"
    (out / made[0]).unlink()
    assert state() == "new"
    (out / made[0]).write_bytes(b"of somebody else")
    assert state() == "exists"


def test_a_file_with_images_that_are_left_is_pending(two_images: Input) -> None:
    outcome = Outcome(source=two_images.source, status="converted", target=Path("two_0.tif"))
    each = Row(input=two_images, outcomes=[outcome], n_targets=2)
    assert (each.state, each.is_pending) == ("new", True)
    each.outcomes.append(replace(outcome, target=Path("two_1.tif")))
    assert (each.state, each.is_pending) == ("converted", False)


def test_several_files_are_converted_at_once_on_a_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Client:
        def nthreads(self) -> dict[str, int]:
            return {"a": 1, "b": 1}

    together = Barrier(2, timeout=30)

    def save(planned: Plan, client: object, **options: Any) -> list[Path]:
        together.wait()  # breaks unless both are in progress
        return run(planned, **options)

    monkeypatch.setattr(connection, "connecting", lambda _: nullcontext(Client()))
    monkeypatch.setattr(batch_run, "run", save)
    paths = [imsave(np.zeros((3, 8, 9), np.uint8), tmp_path / f"{k}.tif")[0] for k in range(2)]
    inputs = [Input(source=path, files=(path,)) for path in paths]
    wanted = request(tmp_path / "out", ".tif")
    batch = BatchRun(request=wanted, inputs=inputs, address="tcp://there:1")
    assert batch.run().summary == "2 converted"


def test_an_image_that_is_gone_is_a_sentence(recording: Input, tmp_path: Path) -> None:
    job = Job(input=recording, target=tmp_path / "cells_3.tif", image=3)
    with pytest.raises(UnreadableFileError, match=r"cells.tif no longer has image 3"):
        request(tmp_path, ".tif", "{name}_{image}").plan_job(job)


def test_a_target_whose_name_is_impossible_fails_alone(recording: Input, tmp_path: Path) -> None:
    (path,) = imsave(np.zeros((3, 8, 9), np.uint8), tmp_path / "in" / f"{250 * 'a'}.tif")
    long = Input(source=path, files=(path,))
    (tmp_path / "out").mkdir()
    report = BatchRun(request=request(tmp_path / "out", ".ome.tif"), inputs=[long, recording]).run()
    assert [each.status for each in report.outcomes] == ["failed", "converted"]


@pytest.mark.parametrize(
    ("suffix", "options"), [(".tif", {}), (".gif", {"start": 0, "step": 2, "loop": 0})]
)
def test_rates_come_from_a_part_that_is_saved_elsewhere(
    suffix: str, options: dict[str, object], recording: Input, tmp_path: Path
) -> None:
    found = Row(input=recording, facts=Facts(pixels=1), is_inspected=True)
    assert choose_sample([row("unknown.tif"), found]) == recording
    rates = find_rates(recording, request(tmp_path / "out", suffix, **options), lambda: False)
    assert rates is not None
    assert rates.seconds_per_file > 0
    assert rates.seconds_per_byte >= 0
    assert not (tmp_path / "out").exists()


def test_a_report_lists_failures_and_warnings() -> None:
    failed = Outcome(source="a.tif", status="failed", message="It is not a TIFF file.")
    warned = Outcome(source="b.tif", status="converted", warnings=("b is cut off.",))
    report = Report(outcomes=[failed, warned], seconds=2)
    assert describe_problems(report) == "1 failed, 1 with warnings"
    assert describe_report(report, Path("out")).losses == (
        "a.tif: It is not a TIFF file.",
        "b is cut off.",
    )


def test_an_unfinished_batch_is_read_again_and_nothing_else() -> None:
    values = {
        "sources": ["/data/recordings"],
        "target": "/data/movies",
        "pattern": "{name}",
        "is_recursive": False,
        "done": 3,
        "total": 30,
    }
    batch = UnfinishedBatch.parse(values)
    assert batch is not None
    assert batch.sentence == "3 of 30 files of recordings are converted."
    assert UnfinishedBatch.parse({**values, "done": "3"}) is None
    assert UnfinishedBatch.parse({**values, "sources": []}) is None


def test_messages_have_the_words_of_the_form(tmp_path: Path) -> None:
    text = "a.mp4 would be replaced: give overwrite=True (--overwrite on the command line), or x."
    expected = "a.mp4 would be replaced: check 'Replace existing files', or x."
    assert in_form_words(text) == expected

    raw = tmp_path / "a.raw"
    np.arange(64 * 64, dtype=np.uint16).tofile(raw)
    with pytest.raises(MissingMetadataError) as unknown:
        imload(raw)
    assert "missing_metadata" in str(unknown.value)
    told = in_form_words(str(unknown.value))
    assert "same folder, or open the raw file with 'Repair binary metadata'" in told
    assert "missing_metadata" not in told
    assert "napari-ferry" not in told

    cures = {
        "tzyx": "enter one under 'Position', such as z=0, or choose a projection under "
        "'Other axes'.",
        "zpyx": "choose one under 'Animate axis'.",
    }
    for axes, cure in cures.items():
        with pytest.raises(InvalidImageError) as several:
            plan(Image.from_array(np.zeros((2, 3, 8, 8), np.uint8), axes), tmp_path / "a.gif")
        assert "position=" in str(several.value)
        assert in_form_words(str(several.value)).endswith(f": {cure}")
