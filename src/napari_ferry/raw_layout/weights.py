"""Weights of the evidence, as `benchmarks/raw_layouts.py --fit` found them."""

from __future__ import annotations

WEIGHTS = {
    "harm": 11.406, "trailer": -8.734, "cost": -8.182, "crel": -7.829, "c2": -6.482, "c4": -4.868,
    "uneven": -3.656, "em": 2.793, "gain": 2.730, "c3": -2.285, "square": 2.229, "t1": 2.220,
    "tiny": -2.047, "pop_both": 1.869, "lost": -1.794, "subrel": -1.681, "wide": -1.301,
    "asp2": -1.298, "asp": -1.285, "prel": 1.237, "header": 1.204, "seampos": -1.172,
    "unrel": -1.090, "m8y": 0.970, "seam": 0.970, "comb": 0.801, "hprev": 0.777,
    "outside": -0.727, "asymmetry": -0.684, "subprom": -0.645, "bigend": -0.507, "z": 0.480,
    "hcp": 0.452, "hfirst": -0.438, "nohcp": -0.422, "colz": 0.403, "unexpl": -0.355,
    "colllr": 0.330, "fcorr": 0.329, "nofr": 0.294, "pow2": 0.279, "prom": 0.208, "intz": -0.125,
    "m8x": 0.100, "log_t": -0.089, "pop_x": 0.075, "pop_y": -0.063,
}  # fmt: skip
"""Of all evidence."""

CHEAP = {
    "harm": 11.609, "trailer": -10.458, "cost": -7.791, "crel": -7.478, "c2": -6.502,
    "c4": -5.033, "uneven": -3.735, "gain": 2.672, "em": 2.582, "pop_both": 2.551,
    "square": 2.541, "t1": 2.156, "subrel": -2.112, "c3": -2.053, "tiny": -1.849, "lost": -1.484,
    "outside": -1.310, "wide": -1.303, "header": 1.247, "asp": -1.230, "asp2": -1.149,
    "prel": 1.070, "m8y": 0.929, "asymmetry": -0.853, "comb": 0.768, "unrel": -0.495,
    "bigend": -0.471, "z": 0.459, "pow2": 0.382, "unexpl": -0.329, "prom": 0.304,
    "subprom": -0.296, "pop_y": 0.268, "log_t": -0.187, "nofr": 0.087, "m8x": 0.084,
    "pop_x": 0.034,
}  # fmt: skip
"""Of what needs no look at the file's seams."""
