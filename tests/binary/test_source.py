"""Bounded reads of raw files."""

from __future__ import annotations

from contextlib import contextmanager

from napari_ferry import find_layouts
from napari_ferry.codecs.binary.layout import evaluate, find
from napari_ferry.codecs.binary.layout.source import Source
from raw_files import scene, stored


def test_very_wide_rows_are_read_in_part(tmp_path, monkeypatch):
    sources = []
    opened = find.open_source

    @contextmanager
    def remembered(path):
        with opened(path) as source:
            sources.append(source)
            yield source

    monkeypatch.setattr(find, "open_source", remembered)
    path = tmp_path / "a.raw"
    with path.open("wb") as file:
        file.truncate(90_000_000)
    find_layouts(path, x=10_000_000, dtype="u1")
    assert sources[0].nread < 20_000_000


def test_number_of_bytes_read_is_bounded(tmp_path, monkeypatch):
    path, pixels = tmp_path / "a.raw", stored("<u2", scene((8, 256, 256)))
    with path.open("wb") as file:
        for _ in range(120):
            file.write(pixels.tobytes())

    sources = []
    monkeypatch.setattr(
        evaluate,
        "find_sample_types",
        record_sources(evaluate.find_sample_types, sources),
        raising=True,
    )
    best = find_layouts(path)[0]
    assert (best.y, best.x, best.frames) == (256, 256, 960)
    (source,) = sources
    assert source.size > 120_000_000
    assert source.nread < 16_000_000


def record_sources(function, sources: list[Source]):
    def call(source, known):
        sources.append(source)
        return function(source, known)

    return call
