"""Check of fax pages: imagecodecs leaves rows white from the first invalid code on, silently.

ITU-T T.4 and T.6; TIFF 6.0 (Adobe, 1992), sections 10 and 11.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.pages.damage import DamageError

if TYPE_CHECKING:
    import tifffile

_RLE, _GROUP_3, _GROUP_4 = 2, 3, 4
"""Values of the tag Compression."""

_T4_OPTIONS = 292
_REVERSED = 2
"""Value of the tag FillOrder for bytes that begin with their lowest bit."""

_END_OF_BLOCK, _END_OF_BLOCK_BITS = 0x001001, 24
_PADDING = bytes(16)
"""Invalid codes, at which the decoder stops in any case."""

_MAX_OTHER_ONES = 8
"""Maximum number of bits of 1 at the end of the codes before the white rows."""

_MAX_COUNTED = 1 << 20
"""Bytes of a strip above which its rows are not counted, as they could fill the memory."""


@dataclass(frozen=True)
class FaxDecoder:
    """Decoder of the strips or tiles of a fax page, with a check of their last rows.

    Parameters
    ----------
    decode : callable
        tifffile's decoder.
    compression : int
        Value of the tag Compression.
    options : int
        Value of the tag T4Options.
    is_reversed : bool
        True if bytes begin with their lowest bit.
    """

    decode: Callable[..., Any]
    compression: int
    options: int
    is_reversed: bool

    def __call__(self, data: bytes | None, index: int, **tables: Any) -> Any:
        """Decode a strip or tile.

        Raises
        ------
        DamageError
            It ends before its last row.
        """
        import imagecodecs

        decoded = self.decode(data, index, **tables)
        if data is None:
            return decoded
        rows = decoded[0].reshape(-1, decoded[0].shape[-2])
        n_white = _count_white(rows)
        if n_white:
            codes = bytes(imagecodecs.bitorder_decode(data)) if self.is_reversed else data
            if not self._has_rows(codes, len(rows), rows.shape[1], n_white):
                raise DamageError(f"invalid fax codes after row {len(rows) - n_white}")
        return decoded

    def _has_rows(self, codes: bytes, n_rows: int, width: int, n_white: int) -> bool:
        """Return True if the white rows at the end are in the codes."""
        import imagecodecs

        if self.compression == _GROUP_4:
            return n_white - 1 <= _count_final_ones(codes) <= n_white + _MAX_OTHER_ONES
        if len(codes) > _MAX_COUNTED:
            return True
        if self.compression == _RLE:
            found = imagecodecs.ccittrle_decode(codes + _PADDING, 0, width)
        else:
            found = imagecodecs.ccittfax3_decode(codes + _PADDING, 0, width, t4options=self.options)
        return len(found) >= n_rows


def checked_decoder(page: tifffile.TiffPage) -> Callable[..., Any]:
    """Return tifffile's decoder of a page, with a check if it is a fax page."""
    decode: Callable[..., Any] = page.decode
    if page.compression not in (_RLE, _GROUP_3, _GROUP_4):
        return decode
    options = page.tags.valueof(_T4_OPTIONS) or 0
    return FaxDecoder(decode, page.compression, options, page.fillorder == _REVERSED)


def _count_white(rows: NDArray[Any]) -> int:
    """Return the number of white (zero) rows at the end."""
    inked = np.flatnonzero(rows.any(1))
    return len(rows) - (int(inked[-1]) + 1 if inked.size else 0)


def _count_final_ones(codes: bytes) -> int:
    """Return the number of bits of 1 before the end of block.

    In group 4, each of them is a white row after a white row (T.6, section 2.2).
    """
    bits = _without_final_zeros(int.from_bytes(codes.rstrip(b"\0"), "big"))
    if bits & ((1 << _END_OF_BLOCK_BITS) - 1) == _END_OF_BLOCK:
        bits = _without_final_zeros(bits >> _END_OF_BLOCK_BITS)
    return (~bits & (bits + 1)).bit_length() - 1


def _without_final_zeros(bits: int) -> int:
    return bits >> (bits & -bits).bit_length() - 1 if bits else 0
