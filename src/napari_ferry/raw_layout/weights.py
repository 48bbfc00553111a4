"""Weights of the evidence, as `benchmarks/raw_layouts.py --fit` found them."""

from __future__ import annotations

WEIGHTS = {
    "harm": 13.061, "crel": -10.103, "trailer": -9.871, "cost": -9.851, "c2": -6.728,
    "c4": -5.416, "outside": -3.213, "uneven": -3.084, "em": 2.966, "tiny": -2.907, "gain": 2.534,
    "pop_both": 2.237, "square": 2.098, "asymmetry": -2.077, "asp": -2.043, "subrel": -2.028,
    "prel": 2.018, "lost": -1.694, "t1": 1.633, "wide": -1.301, "header": 1.297, "hprev": 1.289,
    "seam": 1.204, "c3": -1.201, "asp2": -1.130, "unrel": -1.077, "split": -0.994, "comb": 0.950,
    "pow2": 0.774, "m8y": 0.664, "hfirst": -0.624, "seampos": -0.600, "colllr": 0.586, "z": 0.571,
    "fcorr": 0.543, "log_t": -0.543, "bigend": -0.541, "subprom": -0.534, "hcp": 0.504,
    "nofr": 0.501, "m8x": 0.476, "nohcp": -0.402, "prom": 0.333, "colz": 0.317, "unexpl": -0.313,
    "intz": -0.258, "pop_x": 0.212, "pop_y": 0.175, "gapped": -4.0, "odd_gap": -1.0,
    "offgrid": -0.2, "inner": -0.3, "seamavg": 0.3, "at_seam": 2.0, "unproved": -1.0,
    "proof": 0.1, "edge": 0.7, "mosaic": -5.0, "halves": 1.0, "past_edge": -0.5,
}  # fmt: skip
"""Of all evidence."""

CHEAP = {
    "harm": 13.599, "trailer": -12.236, "crel": -9.636, "cost": -9.064, "c2": -6.788,
    "c4": -5.336, "pop_both": 3.335, "uneven": -3.140, "em": 2.597, "tiny": -2.566,
    "subrel": -2.438, "gain": 2.427, "split": -2.382, "square": 2.340, "outside": -2.308,
    "lost": -1.968, "asp": -1.956, "t1": 1.863, "asymmetry": -1.749, "prel": 1.612,
    "header": 1.537, "wide": -1.302, "c3": -1.247, "asp2": -1.095, "comb": 0.939, "unrel": -0.856,
    "pop_y": 0.839, "m8y": 0.708, "log_t": -0.604, "m8x": 0.572, "z": 0.559, "bigend": -0.533,
    "prom": 0.441, "nofr": 0.428, "pow2": 0.419, "subprom": -0.304, "unexpl": -0.295,
    "pop_x": 0.099, "gapped": -4.0, "odd_gap": -1.0, "offgrid": -0.2, "at_seam": 2.0,
    "unproved": -1.0, "proof": 0.1, "colz": 0.3, "intz": -0.25, "colllr": 0.5,
}  # fmt: skip
"""Of what needs no look at the file's seams."""
