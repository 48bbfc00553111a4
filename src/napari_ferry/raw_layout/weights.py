"""Weights of the evidence, as `benchmarks/raw_fit.py` found them."""

from __future__ import annotations

WEIGHTS = {
    "crel": -12.429, "harm": 11.201, "cost": -8.770, "c2": -7.735, "trailer": -7.381,
    "c4": -7.070, "tiny": -5.505, "unproved": -4.648, "odd_gap": -4.622, "mosaic": -4.557,
    "gain": 2.724, "uneven": -2.717, "square": 2.700, "lost": -2.310, "split": 2.036,
    "pop_both": 2.001, "nofr": -1.931, "asp": -1.739, "comb": 1.545, "outside": -1.527,
    "hprev": 1.461, "gap_edge": 1.415, "header": 1.390, "prel": 1.388, "pow2": 1.328,
    "unrel": -1.268, "edge": 1.160, "unalike": -1.059, "hfirst": -1.034, "c3": -0.992,
    "bigend": -0.943, "hcp": 0.922, "z": 0.898, "seampos": 0.882, "at_seam": 0.866,
    "m8x": -0.825, "subrel": -0.779, "log_t": -0.777, "m8y": 0.737, "seamavg": 0.699,
    "intz": -0.656, "halves": 0.570, "alike": 0.514, "subprom": -0.476, "proof": 0.465,
    "asp2": -0.423, "pop_y": 0.403, "em": 0.402, "unexpl": -0.358, "out_seam": 0.309,
    "prom": 0.233, "pop_x": -0.191, "t1": -0.150, "wide": -0.124, "inner": -0.119, "seam": 0.084,
    "fcorr": -0.028, "gapped": -0.021, "colllr": 0.001,
}  # fmt: skip
"""Of all evidence."""

CHEAP = {
    "harm": 11.610, "crel": -10.347, "cost": -9.180, "trailer": -8.200, "c2": -7.806,
    "c4": -7.558, "mosaic": -5.083, "tiny": -4.676, "unproved": -4.570, "at_seam": 4.453,
    "odd_gap": -3.787, "uneven": -3.082, "gain": 2.896, "pop_both": 2.714, "square": 2.658,
    "lost": -2.278, "gapped": -2.182, "outside": 2.068, "asp": -1.982, "t1": 1.664,
    "split": 1.660, "edge": 1.593, "gap_edge": 1.582, "comb": 1.551, "pow2": 1.528,
    "header": 1.363, "em": 1.316, "prel": 1.291, "subrel": -1.149, "c3": -1.106, "unrel": -1.008,
    "m8x": -0.903, "log_t": -0.895, "nofr": -0.889, "z": 0.871, "halves": 0.696, "prom": 0.628,
    "pop_x": -0.609, "fcorr": -0.594, "intz": -0.588, "bigend": -0.564, "pop_y": 0.555,
    "proof": 0.433, "unexpl": -0.359, "subprom": -0.254, "asp2": 0.198, "m8y": 0.167,
    "colllr": 0.161, "colz": 0.141, "wide": -0.122, "past_edge": -0.098,
}  # fmt: skip
"""Of what needs no closer look."""
