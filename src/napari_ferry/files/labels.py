"""Labels in file names: texts of any characters, read back unchanged."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import quote, unquote

_ENCODED = re.compile("%[0-9A-Fa-f]{2}")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f%./\\:*?"<>|{}]|^[ ~]|[ ]$')
"""Characters not allowed in names on some systems, or with a meaning in names and patterns."""

_LONGEST = 80
"""Bytes of a label in UTF-8; a name with several of them has 255 at most."""


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


def file_labels(texts: Sequence[str | None]) -> list[str]:
    """Return labels for the names of files, encoded; or numbers from 0 instead of all of them.

    Numbers replace labels of which one is missing, is too long, or differs from another only in
    case, which some file systems do not distinguish.

    >>> file_labels(["DAPI", "a/b"]), file_labels(["GFP", "gfp"]), file_labels(["GFP", None])
    (['DAPI', 'a%2Fb'], ['00', '01'], ['00', '01'])
    """
    labels = [encode_label(text) if text else "" for text in texts]
    is_distinct = len({label.casefold() for label in labels}) == len(labels)
    fits = all(0 < len(label.encode()) <= _LONGEST for label in labels)
    return labels if is_distinct and fits else numbers_as_labels(list(range(len(labels))))


def decode_label(label: str) -> str:
    """Return the text of a label; an unencoded label is unchanged."""
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
