"""Types of the options of a save as TIFF."""

from __future__ import annotations

from typing import Literal

Compression = Literal["none", "zlib", "zstd", "lzw"]
