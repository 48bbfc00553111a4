"""Types of the options of a save as video."""

from __future__ import annotations

from typing import Literal

VideoCodec = Literal["h264", "ffv1"]
AnyCodec = Literal["auto", "h264", "ffv1"]
Quality = Literal["small", "good", "high", "best"]
