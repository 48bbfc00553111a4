"""Weights of the evidence for layouts of raw files, from files whose layout is known.

``python -m benchmarks.raw_fit [--count 400] [--data FOLDER] [--write]`` makes files of the split
"dev", lists the evidence for all layouts that come into question, and finds the weights under
which the right ones are likeliest: a conditional logit with a penalty on the square of each weight
in units of its evidence's spread, as files are few. It prints how often files that were left out
of the fit are right, in five parts, for several penalties; `--write` writes `weights.py` anew.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.raw_set import FORMS, Raw, make
from napari_ferry.codecs.binary.layout import KnownFields, weights
from napari_ferry.codecs.binary.layout import evaluate as judge
from napari_ferry.codecs.binary.layout.source import open_source

PENALTIES = (0.2, 0.5, 1.0, 3.0)
PENALTY = 0.5
FORM_FILES, FORM_WEIGHT = 45, 0.25
"""Files of each form other than plain; they count less, as they are rarer among users' files."""

LATE = "alike unalike seam seampos seamavg out_seam inner hfirst hprev hcp"
"""Evidence that takes a closer look than is had at all layouts."""

FOR = (
    "alike seam seamavg out_seam prom prel em edge hcp harm comb z gain colllr at_border "
    "halves proof square pop_both"
)
AGAINST = (
    "cost crel unexpl unrel subprom subrel inner intz lost uneven hfirst past_edge "
    "trailer odd_gap gapped mosaic unproved unalike"
)
"""Evidence that must not count the other way round, as few files may suggest by chance."""


@dataclass(frozen=True)
class Case:
    """The evidence for each layout of a file, which are right, and how much the file counts."""

    features: list[dict[str, float]]
    right: list[bool]
    weight: float


def cases(files: Iterable[Raw], path: Path) -> Iterator[Case]:
    """Yield the evidence in files that show an image."""
    for raw in files:
        if raw.kind == "sim_blank":
            continue
        path.write_bytes(raw.data)
        with open_source(path) as source:
            found = judge.judge(source, KnownFields())
        right = [raw.is_right(one.layout) for one in found]
        weight = FORM_WEIGHT if raw.form else 1.0
        yield Case([one.features for one in found], right, weight)


def files(count: int, folder: Path | None) -> Iterator[Raw]:
    """Yield plain files, then some of each other form."""
    for number in range(count):
        yield make("dev", number, folder)
    for form in FORMS[1:]:
        for number in range(1000, 1000 + FORM_FILES):
            raw = make("dev", number, folder, form=form)
            if raw.form == form:
                yield raw


def names_in(some: list[Case]) -> list[str]:
    """Return the names of all evidence."""
    return sorted({name for case in some for table in case.features for name in table})


def fit(some: list[Case], names: list[str], penalty: float) -> dict[str, float]:
    """Return weights under which the right layouts are likeliest."""
    from scipy.optimize import minimize

    used = [case for case in some if any(case.right)]
    counts = [len(case.right) for case in used]
    rows = np.array([[f.get(n, 0.0) for n in names] for case in used for f in case.features])
    right = np.concatenate([np.array(case.right) for case in used])
    weight = np.array([case.weight for case in used])
    starts, owner = np.cumsum([0, *counts])[:-1], np.repeat(np.arange(len(used)), counts)
    spread = np.maximum(rows.std(0), 0.02)
    rows = rows / spread

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        score = rows @ w
        e = np.exp(score - np.maximum.reduceat(score, starts)[owner])
        total, good = np.add.reduceat(e, starts), np.add.reduceat(e * right, starts) + 1e-300
        slope = (weight[owner] * (e / total[owner] - e * right / good[owner])) @ rows
        value = float((weight * (np.log(total) - np.log(good))).sum())
        return value + 0.5 * penalty * float(w @ w), slope + penalty * w

    bounds = [(0 if n in FOR.split() else None, 0 if n in AGAINST.split() else None) for n in names]
    best = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B", bounds=bounds)
    return dict(zip(names, best.x / spread, strict=True))


def ranks(some: list[Case], found: dict[str, float]) -> list[tuple[int, float, float]]:
    """Return of each file the rank of the right layout, the first one's share, and the weight."""
    every = []
    for case in some:
        if not case.right:
            every.append((99, 0.0, case.weight))
            continue
        score = np.array([sum(found.get(n, 0.0) * v for n, v in f.items()) for f in case.features])
        order = np.argsort(-score)
        p = np.exp(score - score.max())
        rank = next((k for k, i in enumerate(order) if case.right[i]), 99)
        every.append((rank, float(p.max() / p.sum()), case.weight))
    return every


def summary(every: list[tuple[int, float, float]]) -> str:
    """Return how often the right layout comes first or among three, and the calibration error."""
    rank, p, weight = np.array(every).T
    at = np.digitize(p, [0.3, 0.5, 0.7, 0.85, 0.95, 0.99])
    right = rank == 0
    error = sum(
        abs(np.average((p - right)[at == k], weights=weight[at == k])) * weight[at == k].sum()
        for k in np.unique(at)
    )
    first, third = (100 * np.average(rank < k, weights=weight) for k in (1, 3))
    return f"top 1 {first:.1f}, top 3 {third:.1f}, calibration {error / weight.sum():.3f}"


def validated(some: list[Case], names: list[str], penalty: float) -> str:
    """Return the summary of files each of which was left out of a fit."""
    part = np.random.default_rng(0).integers(0, 5, len(some))
    every = []
    for k in range(5):
        found = fit([case for case, i in zip(some, part, strict=True) if i != k], names, penalty)
        every += ranks([case for case, i in zip(some, part, strict=True) if i == k], found)
    return summary(every)


def text(some: list[Case], names: list[str]) -> str:
    """Return the module that holds the weights."""
    cheap = fit(some, [name for name in names if name not in LATE.split()], PENALTY)
    return (
        '"""Weights of the evidence, as `benchmarks/raw_fit.py` found them."""\n\n'
        "from __future__ import annotations\n\n"
        + _block("WEIGHTS", fit(some, names, PENALTY))
        + '"""Of all evidence."""\n\n'
        + _block("CHEAP", cheap)
        + '"""Of what needs no closer look."""\n'
    )


def _block(name: str, found: dict[str, float]) -> str:
    lines = [""]
    for key, value in sorted(found.items(), key=lambda pair: -abs(pair[1])):
        item = f' "{key}": {value:.3f},'
        if abs(value) < 5e-4:
            continue
        if len(lines[-1]) + len(item) > 94:
            lines.append("")
        lines[-1] += item
    body = "\n".join(f"   {line}" for line in lines)
    return f"{name} = {{\n{body}\n}}  # fmt: skip\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        some = list(cases(files(options.count, options.data), Path(folder) / "a.raw"))
    names = names_in(some)
    print("now:", summary(ranks(some, weights.WEIGHTS)))
    for penalty in PENALTIES:
        print(f"penalty {penalty:g}, left out:", validated(some, names, penalty))
    if options.write:
        Path(weights.__file__).write_text(text(some, names))


if __name__ == "__main__":
    main()
