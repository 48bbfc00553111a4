"""Words and sentences of the repair form, without a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.widgets.form_words import Words
from napari_ferry.widgets.repair import repair_words, sentences

STACK = Layout(dtype=np.dtype("<u2"), offset=0, frames=40, y=256, x=250, confidence=0.9)
NBYTES = 50 * 256 * 256 * 2


def every_words() -> dict[str, Words]:
    found = {}
    for name, value in vars(repair_words).items():
        entries = value if isinstance(value, Mapping) else {name: value}
        found |= {f"{name} {key}": each for key, each in entries.items()}
    return {name: each for name, each in found.items() if isinstance(each, Words)}


@pytest.mark.parametrize("each", every_words().values(), ids=every_words())
def test_labels_are_in_sentence_case_and_have_a_tooltip(each):
    label = each.label.partition(" (")[0]
    assert label[0].isupper()
    assert label[1:] == label[1:].lower()
    assert len(each.tooltip) > 15


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "40 frames of 256 × 250, 16 bit"),
        ({"frames": 1, "dtype": np.dtype("u1")}, "1 frame of 256 × 250, 8 bit"),
        ({"dtype": np.dtype("<i2")}, "40 frames of 256 × 250, 16 bit, signed"),
        ({"dtype": np.dtype(">f4")}, "40 frames of 256 × 250, 32 bit, floating point"),
        ({"channels": 3, "interleaving": "pixel"}, "40 frames of 256 × 250, 16 bit, in color"),
        ({"channels": 2, "interleaving": "plane"}, "40 frames of 256 × 250, 16 bit, 2 channels"),
    ],
)
def test_a_layout_in_words(changes, text):
    assert sentences.describe_frames(replace(STACK, **changes)) == text


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        ({"x": 256}, "1,310,720 bytes (10 frames) at the end, 20 % of the file."),
        ({"x": 256, "frames": 49}, "131,072 bytes (1 frame) at the end, 2 % of the file."),
        ({"frames": 51}, "25,600 bytes (0.2 frames) at the end, below 1 % of the file."),
        ({"frames": 50, "gap": 3072}, "153,600 bytes between frames, 2 % of the file."),
        (
            {"frames": 49, "gap": 3072},
            "147,456 bytes between frames and 134,144 bytes (1 frame) at the end, 4 % of the file.",
        ),
    ],
)
def test_what_is_left_out_is_counted(changes, left_out):
    layout = replace(STACK, **changes)
    assert sentences.summary(NBYTES, layout).partition(" Left out: ")[2] == left_out


def test_nothing_is_left_out_of_a_file_that_fits():
    layout = replace(STACK, frames=50, x=256)
    filled = "50 frames of 256 × 256 pixels fill the file (6.554 MB)"
    assert sentences.summary(NBYTES, layout) == f"{filled}."
    header = replace(layout, offset=352)
    assert sentences.summary(NBYTES + 352, header) == f"{filled} after a header of 352 bytes."
    assert "smaller than one frame" in sentences.summary(1000, layout)


def test_many_names_and_losses_are_counted():
    paths = [Path(f"{name}.json") for name in "abcdefg"]
    question = sentences.write_question(Path("data"), paths, paths, [], {"a loss": paths})
    assert question.text == "Write 7 sidecars in data?"
    assert "a.json, b.json, c.json, d.json, e.json and 2 more: a loss" in question.explanation
    assert question.agree == "Replace"
