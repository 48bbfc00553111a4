"""Mutants of good files: bytes, structures and texts changed at random, by a seed and a number."""

from __future__ import annotations

import json
import random
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any

from mutant_seeds import Seed

_ODD = (0, 1, 2, 3, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**24, 2**31 - 1)
_ODD += (2**31, 2**32 - 1, 2**32, 2**40, 2**53, 2**63 - 1, 2**63, 2**64 - 1)
"""Numbers at which a field, or a product of fields, changes its meaning."""

_TAGS = (254, 256, 257, 258, 259, 262, 266, 270, 273, 274, 277, 278, 279, 284, 305, 317, 320, 322)
_TAGS += (323, 324, 325, 330, 338, 339, 347, 530, 50838, 50839)
_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34712, 34887, 34892, 34925, 50000, 50001)

_METADATA = (".json", ".zarray", ".zattrs", ".zgroup")
"""Ends of the names of files in JSON."""

_VALUES: tuple[Any, ...] = (
    *(None, True, False, "", "x", "\0", "\ud800", "9" * 400, [], {}, [[]], [None], {"": {}}),
    *(0, -1, 1, 2, 0.5, -0.0, 1e-320, 1e308, float("nan"), float("inf"), float("-inf")),
    *(2**31, 2**53 + 1, 2**63, 2**64, 10**30, -(2**63), 10**400),
    *("uint16", "float64", "O", "U4", "V8", "M8[s]", ">c16", "i4,i4", "second", "um", "t", "s"),
    *("#ff00zz", "labels", "../../x", "/etc/passwd", list(range(100)), "c" * 70000),
)
"""Values of JSON that a field may not expect."""


def mutate(seeds: Sequence[Seed], form: str, seed: int, number: int) -> Seed:
    """Return mutant `number` of a run: some file, with one change to a handful of changes."""
    rng = random.Random(f"{form} {seed} {number}")
    base = rng.choice(seeds)
    name = rng.choice([*base.files])
    data = base.files[name]
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 12))):
        data = _change(rng, form, name, data, seeds)
    return Seed({**base.files, name: data}, base.opened)


def has_changed_metadata(seeds: Sequence[Seed], form: str, seed: int, number: int) -> bool:
    """Return True if a mutant differs from its file in its metadata, which are JSON."""
    rng = random.Random(f"{form} {seed} {number}")
    return rng.choice([*rng.choice(seeds).files]).endswith(_METADATA)


def _change(rng: random.Random, form: str, name: str, data: bytes, seeds: Sequence[Seed]) -> bytes:
    """Make one change: of the structure of a format, of a text in the file, or of any bytes."""
    if not data:
        return rng.randbytes(rng.randrange(64))
    if name.endswith(_METADATA):
        structure: Callable[[random.Random, bytes], bytes] = change_json
    else:
        by_form = {"tiff": _change_tag, "video": _change_box, "png": _change_chunk}
        structure = by_form.get(form, _change_field)
    kind = rng.random()
    if kind < 0.55:
        return structure(rng, data)
    if kind < 0.65:
        return _change_number(rng, data)
    if kind < 0.68:
        other = rng.choice([*rng.choice(seeds).files.values()])
        return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
    return _change_bytes(rng, data)


def _change_bytes(rng: random.Random, data: bytes) -> bytes:
    """Change, insert, remove or repeat bytes anywhere, or cut the file off."""
    at, length = rng.randrange(len(data)), min(len(data), 1 << rng.randrange(10))
    choice = rng.randrange(8)
    if choice == 0:
        return data[:at]
    if choice == 1:
        return data[:at] + rng.randbytes(length) + data[at:]
    if choice == 2:
        return data[:at] + data[at + length :]
    if choice == 3:
        return data[:at] + data[at : at + length] * 2 + data[at + length :]
    if choice == 4:
        return data[:at] + bytes([rng.choice((0, 255))]) * length + data[at + length :]
    if choice == 5:
        return data[:at] + rng.randbytes(1) + data[at + 1 :]
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _change_field(rng: random.Random, data: bytes, start: int = 0, stop: int = 0) -> bytes:
    """Write an odd number over a field of 1 to 8 bytes, near the beginning where none is given."""
    stop = stop or min(len(data), rng.choice((16, 64, 1024, len(data))))
    at, size = rng.randrange(start, max(start + 1, stop)), rng.choice((1, 2, 2, 4, 4, 8))
    number = rng.choice((*_ODD, len(data), rng.randrange(len(data) + 1), rng.getrandbits(64)))
    field = (number % 256**size).to_bytes(size, rng.choice(("little", "big")))
    return data[:at] + field + data[at + size :]


def _change_number(rng: random.Random, data: bytes) -> bytes:
    """Replace a decimal number in a text of the file, mostly by one of the same length."""
    found = [*re.finditer(rb"(?<=[ \">:=\[,\n;])-?\d{1,12}(\.\d+)?(?=[\" <,\]}\n;.])", data)]
    if not found:
        return _change_bytes(rng, data)
    one = rng.choice(found)
    length = one.end() - one.start()
    text = str(rng.choice((*_ODD, -1, "nan", "1e308", "-inf", "1e-320"))).encode()
    if rng.random() < 0.7:
        text = text[:length].rjust(length, b"0")
    return data[: one.start()] + text + data[one.end() :]


# --- TIFF ---------------------------------------------------------------------------------------


def _change_tag(rng: random.Random, data: bytes) -> bytes:
    """Change the type, the count, the value or the code of a tag, or the text of a description."""
    entries, order, is_big = _entries(data)
    if not entries:
        return _change_field(rng, data)
    at = rng.choice(entries)
    word, size = ("Q", 8) if is_big else ("I", 4)
    code, type_ = struct.unpack_from(order + "HH", data, at)
    (count,) = struct.unpack_from(order + word, data, at + 4)
    (value,) = struct.unpack_from(order + word, data, at + 4 + size)
    choice, edited = rng.randrange(10), bytearray(data)
    mask = 256**size - 1
    if code == 270 and type_ == 2 and choice < 7 and value + count <= len(data):
        text = change_text(rng, data[value : value + count].rstrip(b"\0")) + b"\0"
        struct.pack_into(order + 2 * word, edited, at + 4, len(text), len(data))
        return bytes(edited) + text
    if choice == 0:
        struct.pack_into(order + "H", edited, at, rng.choice((*_TAGS, rng.getrandbits(16))))
    elif choice == 1:
        struct.pack_into(order + "H", edited, at + 2, rng.choice((*range(20), 65535)))
    elif choice == 2:
        odd = rng.choice((0, 1, 2, 3, count + 1, max(0, count - 1), *_ODD))
        struct.pack_into(order + word, edited, at + 4, odd & mask)
    elif choice < 8 or not entries[1:]:
        number = rng.choice((*_ODD, *_COMPRESSIONS, value + 1, max(0, value - 1), 2 * value))
        number = rng.choice((number, rng.randrange(len(data) + 1)))
        struct.pack_into(order + word, edited, at + 4 + size, number & mask)
    else:  # exchange two tags, whose order no longer rises
        other, length = rng.choice(entries), 4 + 2 * size
        edited[at : at + length], edited[other : other + length] = (
            data[other : other + length],
            data[at : at + length],
        )
    return bytes(edited)


def _entries(data: bytes) -> tuple[list[int], str, bool]:
    """Return the offsets of the tags in all directories, the byte order, and if it is BigTIFF."""
    order, is_big = ("<" if data[:2] == b"II" else ">"), data[2:4] in (b"+\0", b"\0+")
    word, size, head = ("Q", 8, "Q") if is_big else ("I", 4, "H")
    entries: list[int] = []
    seen: set[int] = set()
    try:
        (at,) = struct.unpack_from(order + word, data, 8 if is_big else 4)
        while at and at not in seen and len(entries) < 2000:
            seen.add(at)
            (count,) = struct.unpack_from(order + head, data, at)
            first, length = at + struct.calcsize(head), 4 + 2 * size
            entries += range(first, min(first + count * length, len(data) - length), length)
            (at,) = struct.unpack_from(order + word, data, first + count * length)
    except (struct.error, OverflowError):
        pass
    return entries, order, is_big


def change_text(rng: random.Random, text: bytes) -> bytes:
    """Change a description: JSON by its structure, another text by its numbers and its words."""
    if text.startswith(b"{") and rng.random() < 0.7:
        return change_json(rng, text)
    choice = rng.random()
    if choice < 0.5:
        return _change_number(rng, text or b"0")
    words = [*re.finditer(rb"[^\s=\"<>/,:]+", text)]
    if choice < 0.8 and words:
        one, other = rng.choice(words), rng.choice(words)
        odd = rng.choice((other[0], b"", b"\xff", b"1e999", b"-1", b"9" * 30, one[0] * 2))
        return text[: one.start()] + odd + text[one.end() :]
    return _change_bytes(rng, text or b"0")


# --- PNG ----------------------------------------------------------------------------------------


def _change_chunk(rng: random.Random, data: bytes) -> bytes:
    """Change the data of a chunk with its checksum, remove a chunk, or repeat it elsewhere."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        chunks.append(data[at:end])
        at = end
    if not chunks:
        return _change_field(rng, data)
    k, choice = rng.randrange(len(chunks)), rng.randrange(6)
    kind, content = chunks[k][4:8], chunks[k][8:-4]
    if choice == 0:
        del chunks[k]
    elif choice == 1:
        chunks.insert(rng.randrange(len(chunks) + 1), chunks[k])
    else:
        change = change_text if kind == b"tEXt" else _change_field
        content = change(rng, content or b"\0")
        checksum = zlib.crc32(kind + content).to_bytes(4, "big")
        chunks[k] = len(content).to_bytes(4, "big") + kind + content + checksum
    return b"".join((data[:8], *chunks, data[at:]))


# --- video --------------------------------------------------------------------------------------


def _change_box(rng: random.Random, data: bytes) -> bytes:
    """Write an odd number over a field of the metadata of a container."""
    start = data.find(b"moov")
    if start > 0:
        return _change_field(rng, data, start, start + struct.unpack_from(">I", data, start - 4)[0])
    index = max(data.rfind(b"idx1"), data.rfind(b"\x1c\x53\xbb\x6b"))
    if index > 0 and rng.random() < 0.3:
        return _change_field(rng, data, index, len(data))
    return _change_field(rng, data, 0, min(len(data), 700))


# --- JSON ---------------------------------------------------------------------------------------


def change_json(rng: random.Random, text: bytes) -> bytes:
    """Change a value of a JSON text by another one, or the text itself."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _change_bytes(rng, text or b"{}")
    choice = rng.random()
    if choice < 0.1:
        return _change_bytes(rng, text)
    if choice < 0.15:
        deep = rng.choice((b"[", b'{"a":')) * rng.choice((10, 1000, 100_000))
        return text.replace(b":", b": " + deep, 1)
    if choice < 0.2:  # a key twice
        return (
            b"{"
            + json.dumps({rng.choice([*value]): rng.choice(_VALUES)})[1:-1].encode()
            + (b"," + text.lstrip()[1:])
            if isinstance(value, dict) and value
            else text + text
        )
    if choice < 0.23:
        return rng.choice(
            (b"\xef\xbb\xbf" + text, text.decode("utf-8", "replace").encode("utf-16"))
        )
    value = _change_value(rng, value)
    return json.dumps(value, ensure_ascii=rng.random() < 0.9).encode("utf-8", "surrogatepass")


def _change_value(rng: random.Random, value: Any) -> Any:
    """Replace, remove, add or exchange one value, at any depth."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.05:
        return rng.choice(_VALUES)
    key = rng.choice([*value] if isinstance(value, dict) else range(len(value)))
    choice = rng.random()
    if choice < 0.6:
        value[key] = _change_value(rng, value[key])
    elif choice < 0.7:
        del value[key]
    elif choice < 0.8 and isinstance(value, dict):
        value[rng.choice((key, key.upper(), key * 2, "s", "offset", "gap"))] = rng.choice(_VALUES)
    elif choice < 0.8:
        value.append(rng.choice(_VALUES))
    else:
        other = rng.choice([*value] if isinstance(value, dict) else range(len(value)))
        value[key], value[other] = value[other], value[key]
    return value
