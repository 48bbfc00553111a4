"""Weights of the evidence, as `benchmarks/raw_fit.py` found them."""

from __future__ import annotations

WEIGHTS = {
    "crel": -14.401, "harm": 11.459, "cost": -9.897, "c2": -7.896, "trailer": -7.644,
    "c4": -7.370, "tiny": -5.158, "mosaic": -4.660, "unproved": -4.458, "odd_gap": -4.352,
    "uneven": -2.957, "gain": 2.957, "square": 2.839, "lost": -2.355, "asp": -1.692,
    "pop_both": 1.646, "prel": 1.595, "comb": 1.546, "hprev": 1.483, "outside": -1.475,
    "nofr": -1.474, "unrel": -1.449, "edge": 1.438, "header": 1.421, "c3": -1.233,
    "split": 1.227, "bigend": -1.202, "hfirst": -1.184, "pow2": 1.128, "subrel": -1.083,
    "z": 0.924, "seamavg": 0.819, "t1": 0.761, "hcp": 0.760, "out_seam": 0.760, "m8y": 0.718,
    "log_t": -0.714, "m8x": -0.697, "halves": 0.571, "pop_y": 0.545, "em": 0.487, "proof": 0.461,
    "prom": 0.427, "subprom": -0.420, "pop_x": -0.401, "gapped": -0.387, "intz": -0.345,
    "asp2": -0.332, "unexpl": -0.301, "wide": -0.283, "seampos": 0.232, "inner": -0.175,
    "seam": 0.174, "nohcp": -0.035,
}  # fmt: skip
"""Of all evidence."""

CHEAP = {
    "harm": 11.542, "crel": -11.450, "cost": -10.533, "trailer": -8.527, "c2": -8.001,
    "c4": -7.782, "mosaic": -4.916, "tiny": -4.446, "unproved": -4.328, "odd_gap": -3.594,
    "at_seam": 3.405, "gain": 3.215, "uneven": -3.181, "square": 2.739, "lost": -2.375,
    "pop_both": 2.153, "asp": -2.045, "edge": 1.684, "t1": 1.671, "comb": 1.646, "prel": 1.494,
    "c3": -1.454, "gapped": -1.438, "header": 1.406, "pow2": 1.319, "em": 1.275,
    "subrel": -1.271, "out_seam": 1.242, "log_t": -1.096, "m8x": -0.958, "z": 0.955,
    "unrel": -0.861, "nofr": -0.858, "pop_y": 0.762, "bigend": -0.705, "pop_x": -0.676,
    "prom": 0.636, "halves": 0.619, "proof": 0.422, "unexpl": -0.379, "split": -0.363,
    "intz": -0.321, "subprom": -0.296, "colllr": 0.217, "colz": 0.192, "outside": -0.174,
    "wide": -0.158, "past_edge": -0.138, "m8y": 0.081, "asp2": 0.026,
}  # fmt: skip
"""Of what needs no closer look."""
