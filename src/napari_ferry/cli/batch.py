"""``napari-ferry convert`` for many files, each saved by itself."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TypeAlias

from napari_ferry.arrays.progress import size_text
from napari_ferry.batch.batch_options import IMAGE_OPTIONS
from napari_ferry.batch.batch_record import digest_options
from napari_ferry.batch.conversion import run_jobs
from napari_ferry.batch.job_count import BatchProgress
from napari_ferry.batch.jobs import Job, Jobs, find_jobs, single_job
from napari_ferry.batch.parallel_jobs import count_at_once
from napari_ferry.batch.report import Outcome, Report
from napari_ferry.cli.batch_targets import choose_naming, has_many_targets
from napari_ferry.cli.formats import to_command_line
from napari_ferry.cli.output_path import choose_target
from napari_ferry.cli.source_lists import expand_lists
from napari_ferry.cli.terminal import has_bar, has_lines, report, show
from napari_ferry.errors import InvalidImageError
from napari_ferry.files.short_texts import list_few
from napari_ferry.files.similar_texts import group_similar
from napari_ferry.image import Image
from napari_ferry.saving import Plan

PlanOne: TypeAlias = Callable[[argparse.Namespace, Path], tuple[list[Image], Plan]]
"""Opens the source of a command line, and plans to save it as a target."""


def convert_many(
    options: argparse.Namespace, plan_one: PlanOne, run_one: Callable[..., list[Path]]
) -> int:
    """Convert many files, and print the outcome of each.

    Parameters
    ----------
    options : Namespace
        The command line.
    plan_one : callable
        Opens the source of a command line, and plans to save it as a target.
    run_one : callable
        ``run_one(options, plan, overwrite=, progress=, cancel=)`` carries out a plan.

    Returns
    -------
    int
        Exit status: 1 if a file could not be converted.
    """
    jobs = _find_jobs(options)
    chosen = {name: getattr(options, name) for name in (*IMAGE_OPTIONS, *options.options)}
    jobs.check_folder(digest_options(chosen))
    result = Report()

    def show_outcome(outcome: Outcome) -> None:
        """Print one outcome above the progress bar, or a line about the progress without one."""
        with _above_bar(options):
            _show_outcome(outcome, options)
        if has_lines(options) and outcome.status == "converted":
            n_done = len(jobs.jobs) - result.remaining
            report(f"{n_done} of {len(jobs.jobs)} done: {outcome.target}")

    try:
        with _showing_progress(options) as progress:
            run_jobs(
                jobs,
                lambda job: plan_one(_options_of(job, options), job.target),
                options=chosen,
                overwrite=options.overwrite,
                dry_run=options.dry_run,
                save=partial(run_one, options),
                progress=progress,
                finished=show_outcome,
                report=result,
                at_once=count_at_once(options.client),
            )
    except KeyboardInterrupt as interrupt:
        interrupt.add_note("the same command goes on with the rest")
        raise
    finally:
        _show_end(result, options)
    return int(result.count("failed") > 0)


def _find_jobs(options: argparse.Namespace) -> Jobs:
    """Return the jobs of a command line."""
    if has_many_targets(options):
        naming = choose_naming(options)
        if naming.has_images and options.image is not None:
            raise InvalidImageError(
                f"--image {options.image} chooses one image, and {{image}} names each: leave one "
                "of them out."
            )
        return find_jobs(expand_lists(options.sources), naming, recursive=options.recursive)
    target = choose_target(options.source, options.target, options.format)
    return single_job(options.source, target)


def _options_of(job: Job, options: argparse.Namespace) -> argparse.Namespace:
    """Return the command line of one of many jobs."""
    image = options.image if job.image is None else job.image
    return argparse.Namespace(**{**vars(options), "source": str(job.input.source), "image": image})


def _show_outcome(outcome: Outcome, options: argparse.Namespace) -> None:
    """Print the outcome of one data set; skipped ones are printed together at the end."""
    if outcome.status == "failed":
        report(_failure_text(outcome))
    elif outcome.status != "skipped" and not (options.quiet or options.json):
        is_planned = outcome.status == "planned"
        size = f"{'at most ' if is_planned else ''}{size_text(outcome.target_bytes)}"
        show(f"{'would write ' if is_planned else ''}{outcome.target}: {size}")


def _failure_text(outcome: Outcome) -> str:
    """Return the message of a failure, with the name of the file."""
    text, name = to_command_line(outcome.message), Path(outcome.source).name
    return text if name in text else f"{name}: {text}"


def _show_end(result: Report, options: argparse.Namespace) -> None:
    """Print messages about several data sets, and the numbers; or everything as JSON."""
    if options.json:
        show(json.dumps(result.to_json(), indent=1))
        return
    _report_similar("warning", [(each, each.warnings) for each in result.outcomes])
    if options.quiet:
        return
    _report_similar("note: lost or assumed", [(each, each.losses) for each in result.outcomes])
    for line in _skipped_lines(result.outcomes):
        show(line)
    show(_summary(result, options))


def _report_similar(head: str, texts: Sequence[tuple[Outcome, Sequence[str]]]) -> None:
    """Print messages about data sets, once if they differ only in the name of the file."""
    named = [(Path(each.source).name, text) for each, own in texts for text in own]
    for text, count in group_similar(named):
        more = f" ({count} files)" if count > 1 else ""
        report(f"{head}: {to_command_line(text)}{more}")


def _skipped_lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield a line for each reason to skip data sets."""
    names: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.status == "skipped":
            names.setdefault(outcome.message, []).append(Path(outcome.source).name)
    for reason, skipped in names.items():
        yield f"skipped: {list_few(skipped)} ({to_command_line(reason)})"


def _summary(result: Report, options: argparse.Namespace) -> str:
    """Return the last line: the numbers, and for a dry run the size of all targets."""
    if not options.dry_run:
        return result.summary
    size = size_text(sum(each.target_bytes for each in result.outcomes))
    return f"{result.summary}; at most {size} in all; nothing is written (--dry-run)"


def _above_bar(options: argparse.Namespace) -> AbstractContextManager[None]:
    """Return a context with the progress bar hidden, to print lines above it."""
    if not has_bar(options):
        return nullcontext()
    from tqdm import tqdm

    context: AbstractContextManager[None] = tqdm.external_write_mode()
    return context


@contextmanager
def _showing_progress(
    options: argparse.Namespace,
) -> Iterator[Callable[[BatchProgress], None] | None]:
    """Return a context with a function to move a progress bar, on a terminal."""
    if not has_bar(options):
        yield None
        return
    from tqdm import tqdm

    with tqdm(unit="B", unit_scale=True, leave=False) as bar:

        def move(progress: BatchProgress) -> None:
            """Move the bar, and name the current file."""
            bar.total = progress.total
            number = min(progress.jobs_done + 1, progress.n_jobs)
            name = f"{number}/{progress.n_jobs} {progress.name}"
            bar.set_description_str(name, refresh=False)
            bar.update(progress.done - bar.n)

        yield move
