"""Options of a save as OME-Zarr."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Version = Literal["0.5", "0.4"]
ChunkKind = Literal["2D", "3D"]
Method = Literal["mean", "nearest", "mode"]
Compression = Literal["zstd", "lz4", "best", "none"]


@dataclass(frozen=True, kw_only=True)
class StoreOptions:
    """Options of a save, as in `plan` of the codec."""

    version: Version
    chunks: ChunkKind | None
    shards: bool | None
    levels: int | None
    downsample: Method | None
    compression: Compression | None

    @property
    def prefix(self) -> str:
        """Part of the keys of chunks before their numbers."""
        return "c" if self.version == "0.5" else ""
