"""Damage of a TIFF file, in words for its user."""

from __future__ import annotations


class DamageError(ValueError):
    """Pages, strips or tiles are impossible; its message is a part of a sentence for the user."""


def reason_of(error: Exception, otherwise: str = "") -> str:
    """Return the reason for an error in parentheses, after a space; empty if there is none.

    Parameters
    ----------
    error : Exception
        A `DamageError`, or an error of a library, whose message is not for users.
    otherwise : str
        The reason for an error of a library.
    """
    reason = str(error) if isinstance(error, DamageError) else otherwise
    return f" ({reason})" if reason else ""
