"""Weights of the evidence, as `benchmarks/raw_fit.py` found them."""

from __future__ import annotations

WEIGHTS = {
    "crel": -13.280, "harm": 11.479, "cost": -9.733, "c2": -7.810, "trailer": -7.577,
    "c4": -6.925, "tiny": -4.950, "mosaic": -4.566, "unproved": -4.511, "odd_gap": -4.227,
    "uneven": -2.897, "square": 2.853, "gain": 2.733, "lost": -2.412, "outside": -2.159,
    "unrel": -1.649, "asp": -1.610, "pop_both": 1.604, "hprev": 1.538, "gapped": 1.498,
    "edge": 1.492, "comb": 1.374, "header": 1.373, "nofr": -1.367, "split": 1.332,
    "subrel": -1.323, "prel": 1.311, "hfirst": -1.246, "bigend": -1.209, "t1": 1.184,
    "c3": -1.022, "pow2": 0.982, "em": 0.825, "z": 0.820, "log_t": -0.816, "hcp": 0.760,
    "m8y": 0.733, "seamavg": 0.727, "halves": 0.646, "offgrid": 0.600, "at_seam": -0.589,
    "pop_y": 0.552, "prom": 0.478, "asp2": -0.467, "past_edge": 0.466, "asymmetry": 0.442,
    "intz": -0.424, "pop_x": -0.419, "proof": 0.414, "subprom": -0.367, "m8x": -0.333,
    "seam": 0.277, "unexpl": -0.274, "wide": -0.262, "inner": -0.217, "colllr": 0.206,
    "nohcp": -0.190, "colz": -0.108, "fcorr": -0.084, "seampos": -0.007,
}  # fmt: skip
"""Of all evidence."""

CHEAP = {
    "harm": 11.888, "crel": -11.133, "cost": -10.129, "trailer": -8.127, "c2": -7.903,
    "c4": -7.423, "mosaic": -4.900, "tiny": -4.403, "unproved": -4.373, "odd_gap": -3.464,
    "at_seam": 3.421, "uneven": -3.146, "gain": 3.047, "square": 2.886, "lost": -2.337,
    "t1": 2.235, "pop_both": 2.085, "asp": -1.826, "em": 1.639, "edge": 1.638, "subrel": -1.538,
    "outside": -1.526, "comb": 1.430, "gapped": 1.353, "header": 1.348, "prel": 1.292,
    "c3": -1.261, "log_t": -1.249, "pow2": 1.134, "unrel": -0.949, "pop_y": 0.873, "z": 0.869,
    "asymmetry": 0.801, "bigend": -0.770, "prom": 0.708, "offgrid": 0.686, "nofr": -0.684,
    "halves": 0.680, "pop_x": -0.581, "m8x": -0.554, "asp2": -0.428, "unexpl": -0.423,
    "proof": 0.382, "intz": -0.279, "subprom": -0.254, "colllr": 0.186, "colz": 0.175,
    "wide": -0.125, "m8y": 0.116, "past_edge": -0.109, "split": -0.107,
}  # fmt: skip
"""Of what needs no closer look."""
