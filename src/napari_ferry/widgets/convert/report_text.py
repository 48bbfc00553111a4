"""Progress and report of a batch, described for the user."""

from __future__ import annotations

import math
from pathlib import Path

from napari_ferry.arrays.progress import size_text
from napari_ferry.batch.job_count import BatchProgress
from napari_ferry.batch.report import Outcome, Report
from napari_ferry.files.short_texts import count_things
from napari_ferry.files.similar_texts import group_similar
from napari_ferry.widgets.convert.convert_words import in_form_words
from napari_ferry.widgets.plan_summary import Description, seconds_text


def describe_progress(progress: BatchProgress) -> str:
    """Return the number of the current file, the part that is done, and the remaining time."""
    number = min(progress.jobs_done + 1, progress.n_jobs)
    share = 100 * progress.done / progress.total if progress.total else 100
    left = ""
    if math.isfinite(progress.seconds_left):
        left = f", {seconds_text(progress.seconds_left)} left"
    return f"File {number} of {progress.n_jobs}, {share:.0f} %{left}"


def describe_report(report: Report, folder: Path) -> Description:
    """Return the numbers of a batch, and a sentence for each file that failed."""
    size = sum(outcome.target_bytes for outcome in report.outcomes)
    saved = f", {size_text(size)} in {folder.name}" if size else ""
    headline = f"{report.summary}{saved}, in {seconds_text(report.seconds)}."
    return Description(headline, (f"In {folder}.",), (*_failures(report), *_warnings(report)))


def describe_problems(report: Report) -> str:
    """Return the numbers of files with a problem; empty without any.

    >>> describe_problems(Report())
    ''
    """
    failed = report.count("failed")
    warned = sum(bool(outcome.warnings) for outcome in report.outcomes)
    numbers = ((failed, "failed"), (warned, "with warnings"))
    return ", ".join(f"{count} {word}" for count, word in numbers if count)


def _failures(report: Report) -> list[str]:
    return [_failure(each) for each in report.outcomes if each.status == "failed"]


def _warnings(report: Report) -> list[str]:
    """Return the warnings of all files, each once with the number of its files."""
    named = [(Path(each.source).name, text) for each in report.outcomes for text in each.warnings]
    return [
        f"{count_things(count, 'file')}: {text}" if count > 1 else text
        for text, count in group_similar(named)
    ]


def _failure(outcome: Outcome) -> str:
    """Return the message of a failure, which names the file."""
    text, name = in_form_words(outcome.message), Path(outcome.source).name
    return text if name in text else f"{name}: {text}"
