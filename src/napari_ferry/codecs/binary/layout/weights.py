"""Weights of the evidence, as `benchmarks/raw_fit.py` found them."""

from __future__ import annotations

WEIGHTS = {
    "harm": 12.378, "c2": -9.727, "crel": -9.140, "cost": -9.093, "trailer": -7.992,
    "c4": -7.515, "mosaic": -5.437, "unproved": -4.402, "tiny": -4.390, "odd_gap": -3.847,
    "gain": 2.984, "uneven": -2.587, "square": 2.520, "comb": 2.407, "lost": -2.182,
    "split": 2.035, "c3": -2.005, "prel": 1.964, "pop_both": 1.786, "asp": -1.759,
    "unrel": -1.724, "nofr": -1.646, "header": 1.547, "outside": -1.405, "pow2": 1.243,
    "edge": 1.197, "hprev": 1.157, "z": 1.112, "hfirst": -0.962, "out_seam": 0.892,
    "seampos": 0.823, "hcp": 0.784, "seamavg": 0.784, "m8y": 0.775, "proof": 0.736,
    "alike": 0.626, "log_t": -0.585, "halves": 0.579, "m8x": -0.571, "subprom": -0.551,
    "intz": -0.481, "subrel": -0.451, "unalike": -0.439, "asp2": -0.392, "unexpl": -0.323,
    "pop_y": 0.309, "at_border": 0.301, "inner": -0.285, "t1": 0.259, "colllr": 0.255,
    "pop_x": 0.214, "bigend": -0.164, "prom": 0.114, "wide": -0.077, "em": 0.061, "seam": 0.032,
}  # fmt: skip
"""Of all evidence."""

CHEAP = {
    "harm": 12.605, "c2": -10.073, "crel": -9.009, "trailer": -8.185, "cost": -8.092,
    "c4": -7.817, "mosaic": -5.286, "unproved": -4.286, "tiny": -3.847, "odd_gap": -3.325,
    "gain": 2.760, "uneven": -2.683, "split": 2.639, "comb": 2.375, "c3": -2.354, "lost": -2.331,
    "square": 2.322, "asp": -2.142, "pop_both": 2.133, "outside": 2.052, "header": 1.481,
    "prel": 1.433, "unrel": -1.432, "edge": 1.310, "nofr": -1.303, "pow2": 1.233, "t1": 1.029,
    "z": 0.998, "subrel": -0.924, "gapped": -0.861, "proof": 0.783, "em": 0.685,
    "at_border": 0.643, "log_t": -0.622, "intz": -0.570, "halves": 0.522, "prom": 0.491,
    "m8y": 0.484, "unexpl": -0.411, "pop_y": 0.395, "bigend": -0.366, "m8x": -0.343,
    "subprom": -0.301, "colllr": 0.202, "asp2": 0.143, "pop_x": -0.134, "wide": -0.079,
    "past_edge": -0.037,
}  # fmt: skip
"""Of what needs no closer look."""
