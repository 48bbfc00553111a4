"""Videos: MP4, QuickTime, Matroska, WebM and AVI, read frame by frame; H.264 and FFV1 written."""

from __future__ import annotations

from pathlib import Path

from napari_ferry.image import Image
from napari_ferry.video.read import read_video

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")


def open(path: Path) -> list[Image]:
    return [read_video(path)]
