"""Weights of the evidence, as `benchmarks/raw_layouts.py --fit` found them."""

from __future__ import annotations

WEIGHTS = {
    "harm": 10.3, "trailer": -8.5, "crel": -6.8, "c2": -6.4, "cost": -5.7, "uneven": -5.0, "c4": -4.2,
    "em": 3.2, "c3": -3.2, "gain": 2.7, "t1": 2.3, "square": 1.9, "tiny": -1.7, "lost": -1.55,
    "pop_both": 1.4, "subrel": -1.35, "wide": -1.3, "unrel": -1.2, "seampos": -1.2, "m8y": 1.2,
    "prel": 1.2, "asp2": -1.1, "header": 1.07, "asp": -1.0, "subprom": -0.9, "fcorr": 0.8,
    "hcp": 0.74, "colz": 0.65, "seam": 0.64, "comb": 0.68, "nohcp": -0.6, "bigend": -0.5,
    "unexpl": -0.4, "z": 0.4, "hfirst": -0.4, "hprev": 0.4, "pop_y": -0.3, "colllr": 0.3,
    "prom": 0.23, "log_t": 0.16, "m8x": -0.16, "intz": -0.1, "nofr": -0.07, "asymmetry": -0.5,
}  # fmt: skip

CHEAP = WEIGHTS
