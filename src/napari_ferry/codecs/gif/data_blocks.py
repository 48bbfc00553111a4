"""Data sub-blocks of a GIF file.

GIF89a specification (CompuServe, 1990), section 15.
"""

from __future__ import annotations

from napari_ferry.arrays.file_window import FileWindow


def skip_blocks(data: FileWindow, offset: int) -> int:
    """Return the offset of the terminator of a sequence of sub-blocks.

    Raises
    ------
    IndexError
        The file ends before it.
    """
    while True:
        if not data.start <= offset < data.start + len(data.window):
            data.move(offset, 1)
        window, at = data.window, offset - data.start
        try:
            while size := window[at]:
                at += size + 1
        except IndexError:
            if not window:
                raise
        else:
            return data.start + at
        offset = data.start + at


def join_blocks(data: bytes) -> bytes:
    """Return the content of data sub-blocks, without their sizes."""
    parts, offset = [], 0
    while offset < len(data):
        parts.append(data[offset + 1 : offset + 1 + data[offset]])
        offset += 1 + data[offset]
    return b"".join(parts)


def split_blocks(content: bytes) -> bytes:
    """Return content as data sub-blocks, with the terminator."""
    parts = (content[i : i + 255] for i in range(0, len(content), 255))
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
