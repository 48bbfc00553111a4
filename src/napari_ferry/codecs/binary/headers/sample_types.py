"""Types of samples in the words of other programs."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

_WORDS = {
    **dict.fromkeys(("uchar", "unsignedchar", "byte", "ubyte", "gray8", "mono8", "y8"), "u1"),
    **dict.fromkeys(("char", "signedchar", "sbyte"), "i1"),
    **dict.fromkeys(("ushort", "unsignedshort", "unsignedshortint", "word"), "u2"),
    **dict.fromkeys(("gray16", "mono16", "y16", "mono10", "mono12", "mono14"), "u2"),
    **dict.fromkeys(("short", "shortint", "signedshort", "signedshortint"), "i2"),
    **dict.fromkeys(("uint", "unsignedint", "ulong", "unsignedlong"), "u4"),
    **dict.fromkeys(("int", "signedint", "long", "signedlong"), "i4"),
    **dict.fromkeys(("ulonglong", "unsignedlonglong", "unsignedlonglongint"), "u8"),
    **dict.fromkeys(("longlong", "signedlonglong", "longlongint", "signedlonglongint"), "i8"),
    **dict.fromkeys(("float", "single", "real", "gray32"), "f4"),
    "half": "f2",
    "double": "f8",
}
_PATTERN = re.compile(
    r"(?P<kind>uint|int|unsigned|signed|float|real|u|i|s|f)?(?P<bits>8|16|32|64)"
    r"(?:bits?)?(?P<after>unsigned|signed|float|real|uint|int|integer|u|s)?(?:t)?"
)
_KINDS = {"unsigned": "u", "uint": "u", "u": "u", "integer": "u", "": "u"} | {
    "signed": "i", "int": "i", "i": "i", "s": "i", "float": "f", "real": "f", "f": "f",
}  # fmt: skip
_ORDERS = {
    **dict.fromkeys(("little", "littleendian", "lsb", "le", "<", "l", "intel", "0"), "<"),
    **dict.fromkeys(("big", "bigendian", "msb", "be", ">", "b", "m", "motorola", "1"), ">"),
}


def parse_type(word: str) -> np.dtype[Any] | None:
    """Return a type in little-endian order, or ``None`` for an unknown word.

    >>> [str(parse_type(word)) for word in ("uint16", "unsigned short", "16-bit", "MONO8", "?")]
    ['uint16', 'uint16', 'uint16', 'uint8', 'None']
    >>> parse_type(">u2")
    dtype('>u2')
    """
    if re.fullmatch(r"[<>|=][uifc]\d{1,2}", word.strip()):
        return _number(word.strip())  # as numpy writes it: the 8 of "<u8" are bytes
    folded = re.sub(r"[^a-z0-9]", "", word.lower())
    if folded in _WORDS:
        return np.dtype(f"<{_WORDS[folded]}")

    match = _PATTERN.fullmatch(folded)
    if match is None:
        return None
    kind = _KINDS[match["kind"] or match["after"] or ""]
    return _number(f"<{kind}{int(match['bits']) // 8}")


def type_of_bits(bits: int) -> np.dtype[Any] | None:
    """Return the unsigned type for samples of some bits; ``None`` for none."""
    return next((np.dtype(f"<u{n}") for n in (1, 2, 4) if 0 < bits <= 8 * n), None)


def parse_order(word: object) -> str | None:
    """Return the mark of a byte order, ``<`` or ``>``; ``None`` for an unknown word.

    >>> parse_order("Big-Endian"), parse_order("ieee-le"), parse_order("dont-care")
    ('>', '<', None)
    """
    folded = re.sub(r"[^a-z0-9<>]", "", str(word).lower()).removeprefix("ieee")
    return _ORDERS.get(folded)


def _number(code: str) -> np.dtype[Any] | None:
    try:
        return np.dtype(code)
    except TypeError:
        return None
