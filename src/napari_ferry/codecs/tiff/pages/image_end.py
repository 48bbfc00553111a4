"""Check of strips and tiles with an image in JPEG or JPEG 2000 for data replaced by zeros.

A file system leaves zeros at the end of a file after a crash. The decoders fill the rest of such an
image with gray, silently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_ferry.codecs.tiff.pages.damage import DamageError

if TYPE_CHECKING:
    import tifffile

_COMPRESSIONS = (7, 33003, 33004, 33005, 34712, 34892)
"""Values of the tag Compression: JPEG, JPEG 2000, lossy JPEG of DNG."""

_END = b"\xff\xd9"
"""End of a JPEG image (ITU-T T.81, table B.1) and of a codestream (T.800, A.4.4)."""

_STARTS_OF_DATA = (b"\xff\xda", b"\xff\x93")
"""Start of a scan of a JPEG image, and of data of a JPEG 2000 codestream."""

_HOLE = bytes(64)


@dataclass(frozen=True)
class EndCheckedDecoder:
    """Decoder of strips or tiles, with a check of their last bytes.

    Parameters
    ----------
    decode : callable
        The decoder without the check.
    """

    decode: Callable[..., Any]

    def __call__(self, data: bytes | None, index: int, **tables: Any) -> Any:
        """Decode a strip or tile.

        Raises
        ------
        DamageError
            Zeros are in the place of its last data.
        """
        if data is not None and data.endswith(_HOLE) and not _has_end(data):
            raise DamageError("zeros are in the place of its last data")
        return self.decode(data, index, **tables)


def _has_end(data: bytes) -> bool:
    """Return True if an image ends after its last data."""
    return data.rfind(_END) > max(map(data.rfind, _STARTS_OF_DATA))


def with_end_check(page: tifffile.TiffPage, decode: Callable[..., Any]) -> Callable[..., Any]:
    """Return the decoder of a page with a check, if its strips or tiles have an end."""
    return EndCheckedDecoder(decode) if int(page.compression) in _COMPRESSIONS else decode
