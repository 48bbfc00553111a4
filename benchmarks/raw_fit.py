"""Weights of the evidence for layouts of raw files, from files whose layout is known.

``python -m benchmarks.raw_fit [--count 400] [--data FOLDER] [--write]`` makes files of the split
"dev", lists the evidence for all candidate layouts, and finds the weights that make the right ones
likeliest: a conditional logit with a penalty on the square of each weight in units of its
evidence's spread, as files are few. It prints the accuracy for files that were left out of the fit,
in five parts, for several penalties; `--write` writes the weights into `layout/score.py`.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.raw_set import FORMS, Raw, make
from napari_ferry.codecs.binary.layout import KnownFields, score
from napari_ferry.codecs.binary.layout.evaluate import evaluate_layouts
from napari_ferry.codecs.binary.layout.source import open_source

PENALTIES = (0.2, 0.5, 1.0, 3.0)
PENALTY = 0.5
FORM_FILES, FORM_WEIGHT = 45, 0.25
"""Files of each form other than plain; they count less, as they are rarer among users' files."""

LATE = "alike unalike seam seampos seamavg out_seam inner hfirst hprev hcp"
"""Evidence from `verify`, which only selected candidates have."""

FOR = (
    "alike seam seamavg out_seam prom prel em edge hcp harm comb z gain colllr at_border "
    "halves proof square pop_both"
)
AGAINST = (
    "cost crel unexpl unrel subprom subrel inner intz lost uneven hfirst past_edge "
    "trailer odd_gap gapped mosaic unproved unalike"
)
"""Evidence with a fixed sign of its weight, which few files may reverse by chance."""


@dataclass(frozen=True)
class Case:
    """Evidence for each layout of a file, the right layouts, and the weight of the file."""

    features: list[dict[str, float]]
    right: list[bool]
    weight: float


def cases(files: Iterable[Raw], path: Path) -> Iterator[Case]:
    """Yield the evidence in files with an image."""
    for raw in files:
        if raw.kind == "sim_blank":
            continue
        path.write_bytes(raw.data)
        with open_source(path) as source:
            candidates = evaluate_layouts(source, KnownFields())
        right = [raw.is_right(candidate.layout) for candidate in candidates]
        weight = FORM_WEIGHT if raw.form else 1.0
        yield Case([candidate.features for candidate in candidates], right, weight)


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
    """Return the weights of the highest likelihood for the right layouts."""
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
    """Return the rank of the right layout, the share of the first, and the weight of each file."""
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
    """Return the accuracy of the first and the first three layouts, and the calibration error."""
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
    """Return the summary of a cross-validation in five parts."""
    part = np.random.default_rng(0).integers(0, 5, len(some))
    every = []
    for k in range(5):
        found = fit([case for case, i in zip(some, part, strict=True) if i != k], names, penalty)
        every += ranks([case for case, i in zip(some, part, strict=True) if i == k], found)
    return summary(every)


def write_weights(some: list[Case], names: list[str]) -> None:
    """Replace the weights in the `score` module."""
    path = Path(score.__file__)
    cheap = [name for name in names if name not in LATE.split()]
    module = path.read_text()
    for table, fitted in (("WEIGHTS", names), ("CHEAP_WEIGHTS", cheap)):
        block = _block(table, fit(some, fitted, PENALTY))
        module = re.sub(rf"(?ms)^{table} = \{{.*?^\}}  # fmt: skip\n", block, module)
    path.write_text(module)


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
    print("now:", summary(ranks(some, score.WEIGHTS)))
    for penalty in PENALTIES:
        print(f"penalty {penalty:g}, left out:", validated(some, names, penalty))
    if options.write:
        write_weights(some, names)


if __name__ == "__main__":
    main()
