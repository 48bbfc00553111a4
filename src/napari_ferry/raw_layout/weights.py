"""Weights of the evidence, as `benchmarks/raw_fit.py` found them."""

from __future__ import annotations

WEIGHTS = {
    "crel": -14.242, "harm": 11.477, "cost": -9.713, "c2": -7.925, "trailer": -7.628,
    "c4": -7.089, "tiny": -5.117, "mosaic": -4.623, "unproved": -4.551, "odd_gap": -4.262,
    "uneven": -2.935, "square": 2.903, "gain": 2.880, "lost": -2.373, "unrel": -1.701,
    "split": 1.668, "asp": -1.665, "pop_both": 1.624, "hprev": 1.540, "edge": 1.516,
    "out_seam": 1.471, "prel": 1.416, "comb": 1.409, "header": 1.378, "gapped": 1.337,
    "nofr": -1.311, "subrel": -1.307, "hfirst": -1.251, "bigend": -1.176, "t1": 1.093,
    "c3": -1.022, "pow2": 0.903, "z": 0.851, "em": 0.829, "seamavg": 0.806, "log_t": -0.794,
    "at_seam": -0.773, "hcp": 0.755, "fcorr": -0.691, "m8y": 0.658, "halves": 0.645,
    "pop_y": 0.590, "offgrid": 0.559, "asymmetry": 0.496, "past_edge": 0.492, "outside": -0.460,
    "prom": 0.458, "proof": 0.437, "intz": -0.417, "pop_x": -0.408, "asp2": -0.395,
    "subprom": -0.384, "m8x": -0.327, "seampos": 0.323, "wide": -0.299, "unexpl": -0.274,
    "inner": -0.215, "seam": 0.211, "colllr": 0.205, "nohcp": -0.192, "colz": -0.099,
}  # fmt: skip
"""Of all evidence."""

CHEAP = {
    "harm": 11.787, "crel": -11.592, "cost": -10.168, "trailer": -8.415, "c2": -7.991,
    "c4": -7.580, "mosaic": -4.880, "tiny": -4.441, "unproved": -4.414, "odd_gap": -3.502,
    "at_seam": 3.416, "uneven": -3.220, "gain": 3.201, "square": 2.843, "lost": -2.278,
    "pop_both": 2.173, "t1": 2.009, "asp": -1.960, "edge": 1.673, "em": 1.630, "subrel": -1.526,
    "comb": 1.471, "prel": 1.440, "header": 1.382, "c3": -1.277, "log_t": -1.262,
    "out_seam": 1.162, "unrel": -1.039, "pow2": 1.006, "gapped": 0.995, "z": 0.900,
    "pop_y": 0.809, "asymmetry": 0.749, "bigend": -0.740, "halves": 0.669, "prom": 0.656,
    "offgrid": 0.654, "pop_x": -0.632, "nofr": -0.591, "m8x": -0.539, "proof": 0.400,
    "unexpl": -0.363, "subprom": -0.274, "colllr": 0.273, "intz": -0.246, "wide": -0.188,
    "colz": 0.182, "asp2": -0.177, "split": 0.172, "past_edge": -0.115, "outside": 0.100,
    "m8y": 0.077,
}  # fmt: skip
"""Of what needs no closer look."""
