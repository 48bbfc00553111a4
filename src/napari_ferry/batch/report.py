"""Reports of a batch: the outcome of each data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from napari_ferry.batch.inputs import Skipped

Status = Literal["converted", "planned", "skipped", "failed"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Outcome of one data set.

    Parameters
    ----------
    source : str or Path
        Path or address of the data set.
    status : {"converted", "planned", "skipped", "failed"}
        A data set is skipped if its target is up to date, or if it is not to be converted. Without
        writing, it is planned instead of converted.
    target : Path, optional
        The target; ``None`` for a data set that is not to be converted.
    message : str
        Why it was skipped or failed.
    files : tuple of Path
        The files that were saved, or are planned.
    warnings, losses : tuple of str
        Sentences about what was assumed, and what the format cannot store.
    source_bytes, target_bytes : int
        Size of the files of the source, and of those that were saved; at most, if planned.
    seconds : float
        Time that it took.
    """

    source: str | Path
    status: Status
    target: Path | None = None
    message: str = ""
    files: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    source_bytes: int = 0
    target_bytes: int = 0
    seconds: float = 0.0

    @classmethod
    def of_skipped(cls, skipped: Skipped) -> Outcome:
        """Return the outcome of a skipped file."""
        return cls(source=skipped.path, status="skipped", message=skipped.reason)


@dataclass(kw_only=True)
class Report:
    """Outcomes of a batch, in order.

    Parameters
    ----------
    outcomes : list of Outcome
        Outcome of each data set so far.
    remaining : int
        Jobs that were not begun, or were stopped, because the batch was cancelled.
    seconds : float
        Time of the whole batch.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    remaining: int = 0
    seconds: float = 0.0

    def count(self, status: Status) -> int:
        """Return the number of data sets with a status."""
        return sum(outcome.status == status for outcome in self.outcomes)

    @property
    def summary(self) -> str:
        """One line with the numbers, such as ``298 converted, 1 skipped, 1 failed``."""
        planned = self.count("planned")
        counts = [
            (self.count("converted"), "" if planned else "converted"),
            (planned, "to convert"),
            (self.count("skipped"), "skipped"),
            (self.count("failed"), "failed"),
            (self.remaining, "not converted yet"),
        ]
        return ", ".join(f"{n} {word}" for n, word in counts if word and (n or word == "converted"))

    def to_json(self) -> Mapping[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "converted": self.count("converted"),
            "planned": self.count("planned"),
            "skipped": self.count("skipped"),
            "failed": self.count("failed"),
            "remaining": self.remaining,
            "seconds": self.seconds,
            "files": [_outcome_json(outcome) for outcome in self.outcomes],
        }


def _outcome_json(outcome: Outcome) -> Mapping[str, Any]:
    return {
        **asdict(outcome),
        "source": str(outcome.source),
        "target": None if outcome.target is None else str(outcome.target),
        "files": list(map(str, outcome.files)),
    }
