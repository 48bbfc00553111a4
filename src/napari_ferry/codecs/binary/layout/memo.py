"""Methods whose results are kept for as long as their object lives."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar


class _Keeps(Protocol):
    kept: dict[tuple[object, ...], Any]


_P = ParamSpec("_P")
_T = TypeVar("_T")
_Self = TypeVar("_Self", bound=_Keeps)


def kept(
    method: Callable[Concatenate[_Self, _P], _T],
) -> Callable[Concatenate[_Self, _P], _T]:
    """Keep what a method returns for each of its arguments in the dictionary `kept` of its object.

    Unlike `functools.cache` it keeps no object alive, and windows are large.
    """

    @wraps(method)
    def found(self: _Self, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        key = (method.__name__, *args, *kwargs.items())
        if key not in self.kept:
            self.kept[key] = method(self, *args, **kwargs)
        result: _T = self.kept[key]
        return result

    return found
