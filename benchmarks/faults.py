"""Damage saves and files in every way, and count what becomes of them.

``python -m benchmarks.faults [--part PART] [--format FORMAT] [--seed N] [--count N]`` has parts:

- ``kills``: saves over an old file are killed at random times, 400 of each kind;
- ``operations``: saves are killed, or refused by the system, at every single file operation;
- ``disks``: saves to disks that become full, of 10 sizes;
- ``mutants``: damaged files are opened and some frames read: 10,000 TIFF, 5,000 GIF, 3,000 video
  and 5,000 raw files with sidecars.

The old or the new file must be whole, and damaged files open or are refused in one sentence, within
20 s and 500 MB. The table is followed by each distinct failure and the command that repeats it. The
files of mutants are made here; those of the corpus in ``../shared`` are added where it is present.
The tests make shorter runs of all parts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from faults import ALL_KINDS, kill_saves, leftovers, movie, version_of, warm_up  # noqa: E402
from mutant_runs import BAD, Outcome, Run, run_mutants, write  # noqa: E402
from mutant_seeds import FORMATS, corpus_seeds, make_seeds  # noqa: E402
from mutants import mutate  # noqa: E402
from save_faults import (  # noqa: E402
    FAULTS,
    Tally,
    fail_at_each,
    full_disks,
    kill_at_each,
    small_disks,
)

SIZE = 512
"""Pixels along y and x of saves that are killed, so that much of the time goes into writing."""

COUNTS = {"tiff": 10_000, "gif": 5000, "video": 3000, "binary": 5000}
KILLS, DISKS = 400, 10


@dataclass(kw_only=True)
class Row:
    """One line of the table, and the failures behind it."""

    part: str
    what: str
    found: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    bad: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    megabytes: float = 0.0

    def __str__(self) -> str:
        seen = ", ".join(f"{what} {count}" for what, count in sorted(self.found.items()))
        worst = f"{self.slowest:>7.1f} s{self.megabytes:>6.0f} MB" if self.slowest else f"{'':>18}"
        cases = sum(self.found.values())
        seconds = f"{self.seconds:>7.0f} s"
        return f"{self.part:<12}{self.what:<22}{cases:>7}{self.bad:>7}{worst}{seconds}  {seen}"


def main() -> int:
    """Run what was asked for; 1 if anything is wrong."""
    options = _options()
    warm_up()
    rows = []
    head = f"{'part':<12}{'saved or opened as':<22}{'cases':>7}{'wrong':>7}"
    print(f"{head}{'at most':>18}{'took':>9}  found")
    for part in [options.part] if options.part else PARTS:
        for row in PARTS[part](options):
            rows.append(row)
            print(row, flush=True)
    failures = [line for row in rows for line in row.failures]
    print("", *(failures or ["Nothing is wrong."]), sep="\n")
    return 1 if failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--part", choices=PARTS, help="one part; all when absent")
    parser.add_argument(
        "--format", choices=[*FORMATS, *ALL_KINDS], help="a format of mutants, or a kind of saves"
    )
    parser.add_argument("--seed", type=int, default=0, help="of random kills and of mutants")
    parser.add_argument("--count", type=int, help="of kills, disks or mutants of each kind")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--workers", type=int, default=2, help="processes that open mutants")
    parser.add_argument("--keep", type=Path, help="folder for the mutants that fail")
    return parser.parse_args()


def _kinds(options: argparse.Namespace) -> list[str]:
    return [name for name in ALL_KINDS if options.format in (None, name)]


def _kills(options: argparse.Namespace) -> Iterator[Row]:
    for number, name in enumerate(_kinds(options)):
        kind, start = ALL_KINDS[name], time.monotonic()
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            kind.save(movie(1, size=SIZE), folder)
            count = options.count or KILLS
            found = kill_saves(name, folder, count, options.seed + number, size=SIZE)
            kind.save(movie(2, size=SIZE), folder, overwrite=True)
            assert version_of(folder / kind.name) == 2
            left = leftovers(folder)
        torn = sorted({one for one in found if one.startswith("torn")})
        row = Row(part="kills", what=name, seconds=time.monotonic() - start)
        row.found = Counter(one.split(":")[0] for one in found)
        row.bad = row.found["torn"] + bool(left)
        row.failures = [f"kills, {name}: {text}" for text in torn]
        row.failures += [f"kills, {name}: {left} are left"] if left else []
        yield row


def _operations(options: argparse.Namespace) -> Iterator[Row]:
    for name in _kinds(options):
        yield _row(
            "operations", name, "killed", lambda folder, name=name: kill_at_each(name, folder)
        )
        for fault in FAULTS:
            yield _row(
                "operations",
                name,
                fault,
                lambda folder, name=name, fault=fault: fail_at_each(name, folder, fault),
            )


def _disks(options: argparse.Namespace) -> Iterator[Row]:
    count = options.count or DISKS
    for name in _kinds(options):
        yield _row("disks", name, "full", lambda f, name=name: full_disks(name, f, count))
        try:
            yield _row("disks", name, "small", lambda f, name=name: small_disks(name, f, count))
        except PermissionError as error:
            print(f"{'disks':<12}{f'{name}, small':<22}left out: {error.strerror}")


def _row(part: str, name: str, fault: str, make: Callable[[Path], Tally]) -> Row:
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = make(Path(folder))
        wrong = [line.replace(folder, "") for line in tally.wrong]
    row = Row(part=part, what=f"{name}, {fault}", found=tally.found, bad=len(wrong))
    row.seconds = time.monotonic() - start
    row.failures = [f"{part}, {name}, {fault}, operation {line}" for line in wrong]
    return row


def _mutants(options: argparse.Namespace) -> Iterator[Row]:
    for form in [one for one in FORMATS if options.format in (None, one)]:
        start, corpus = time.monotonic(), corpus_seeds(form)
        what = form if corpus else f"{form}, no corpus"
        numbers = range(options.first, options.first + (options.count or COUNTS[form]))
        run = Run(form=form, seeds=make_seeds(form) + corpus, seed=options.seed, numbers=numbers)
        row = Row(part="mutants", what=what)
        distinct: dict[str, list[Outcome]] = {}
        for outcome in run_mutants(run, workers=options.workers):
            row.found[outcome.what] += 1
            row.slowest = max(row.slowest, outcome.seconds)
            row.megabytes = max(row.megabytes, outcome.megabytes)
            if outcome.what in BAD:
                distinct.setdefault(outcome.key, []).append(outcome)
                _keep(run, outcome, options.keep)
        row.bad = sum(map(len, distinct.values()))
        row.failures = [_describe(run, outcomes) for outcomes in distinct.values()]
        row.seconds = time.monotonic() - start
        yield row


def _describe(run: Run, outcomes: list[Outcome]) -> str:
    first = min(outcomes, key=lambda outcome: outcome.number)
    return (
        f"mutants, {run.form}: {len(outcomes)} x {first.key} {first.text}\n"
        f"    python -m benchmarks.faults --part mutants --format {run.form} --seed {run.seed} "
        f"--first {first.number} --count 1 --keep FOLDER"
    )


def _keep(run: Run, outcome: Outcome, folder: Path | None) -> None:
    if folder is not None:
        place = folder / f"{run.form}-{run.seed}-{outcome.number}"
        place.mkdir(parents=True, exist_ok=True)
        write(mutate(run.seeds, run.form, run.seed, outcome.number), place)


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "kills": _kills,
    "operations": _operations,
    "disks": _disks,
    "mutants": _mutants,
}

if __name__ == "__main__":
    sys.exit(main())
