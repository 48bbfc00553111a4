"""Repairs of the documents with the metadata of a data set, and the function to write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from napari_ferry.errors import TargetError
from napari_ferry.saving.disk.backup import back_up
from napari_ferry.saving.plan import Plan
from napari_ferry.saving.plan_run import run
from napari_ferry.saving.write import PlannedFile, write_text


@dataclass(frozen=True, kw_only=True)
class RepairedDocument:
    """One document with its new text.

    Parameters
    ----------
    path : Path
        The document.
    before : bytes, optional
        Its present content; ``None`` if it does not exist.
    text : str
        Its new content.
    """

    path: Path
    before: bytes | None
    text: str


@dataclass(frozen=True, kw_only=True)
class Repair:
    """Changes of metadata, not yet written.

    Parameters
    ----------
    changes : tuple of str
        One line for each change.
    remarks : tuple of str
        Sentences about what is unknown, or cannot be repaired.
    documents : tuple of RepairedDocument
        Documents to write, in this order.
    """

    changes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    documents: tuple[RepairedDocument, ...] = ()


RepairPlanner = Callable[..., Repair]
"""The function ``repair(path, *, options) -> Repair`` of a codec."""


def run_repair(repair: Repair) -> list[Path]:
    """Write the documents of a repair, each of them in one step; return the copies of old ones.

    Raises
    ------
    TargetError
        A document has changed since it was read, or cannot be written. Documents before it are
        repaired, and those after it are unchanged; each of them is complete.
    """
    for document in repair.documents:
        _refuse_changed(document)
    backups = []
    for number, document in enumerate(repair.documents):
        try:
            if document.before is not None:
                backups.append(back_up(document.path))
            run(_plan(document), overwrite=True)
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"{number} of {len(repair.documents)} documents were written before")
            raise
    return backups


def _plan(document: RepairedDocument) -> Plan:
    """Return the plan to write a document."""
    nbytes = len(document.text.encode())
    create = partial(write_text, text=document.text)
    file = PlannedFile(path=document.path, nbytes=nbytes, create=create)
    return Plan(files=(file,), identity=document.text)


def _refuse_changed(document: RepairedDocument) -> None:
    path = document.path
    try:
        now = path.read_bytes() if path.exists() else None
    except OSError as error:
        raise TargetError(
            f"{path.name} cannot be read ({error.strerror or error}), so it is not replaced: check "
            "its folder."
        ) from error
    if now != document.before:
        raise TargetError(
            f"{path.name} in {path.parent.name} has changed since it was checked, so nothing is "
            "written: check it again."
        )
