"""Plain JSON values for several tests."""

from __future__ import annotations

from hypothesis import strategies as st

TEXT = st.text(max_size=12)

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXT,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXT, inside, max_size=3),
    max_leaves=6,
)

NAN, INF = float("nan"), float("inf")
