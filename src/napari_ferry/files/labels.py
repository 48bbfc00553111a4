"""Labels in file names: texts of any characters, which are read back unchanged."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote

_ENCODED = re.compile("%[0-9A-Fa-f]{2}")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f%./\\:*?"<>|{}]|^[ ~]|[ ]$')
"""Characters not allowed in names on some systems, or with a meaning in names and patterns."""


def encode_label(text: str) -> str:
    """Return a text with other characters than those of file names as percent and digits.

    Letters of all languages remain; of characters that file systems store in another form, such as
    a letter and its accent apart, the bytes of UTF-8 are given.

    >>> encode_label("rot/grün 1.5_a"), decode_label("rot%2Fgrün 1%2E5_a")
    ('rot%2Fgrün 1%2E5_a', 'rot/grün 1.5_a')
    """
    is_stable = unicodedata.is_normalized("NFC", text) and text.isprintable()
    if not is_stable:
        return quote(text, safe=" ", errors="surrogatepass").replace(".", "%2E").replace("~", "%7E")
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", text)


def decode_label(label: str) -> str:
    """Return the text of a label; a label that is not encoded is unchanged."""
    if not _ENCODED.search(label):
        return label
    try:
        return unquote(label, errors="strict")
    except UnicodeDecodeError:
        return label


def numbers_as_labels(numbers: list[int]) -> list[str]:
    """Return whole numbers as texts of the same length, of at least two digits.

    >>> numbers_as_labels([3, 21]), numbers_as_labels([0])
    (['03', '21'], ['00'])
    """
    width = max(2, *(len(str(number)) for number in numbers))
    return [f"{number:0{width}d}" for number in numbers]
