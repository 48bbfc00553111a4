"""Tags of a video file, in any encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer


def read_tags(container: InputContainer) -> dict[str, str]:
    """Return the tags of a file, with U+FFFD in place of bytes outside UTF-8."""
    return {_to_text(key): _to_text(value) for key, value in container.metadata.items()}


def _to_text(escaped: str) -> str:
    return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
