"""Checks of the workers of a cluster before the first byte of a save is written."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_ferry.errors import ClusterError
from napari_ferry.saving.execution.cluster.run_file import RunCheck
from napari_ferry.saving.partial.journal import probe_name

if TYPE_CHECKING:
    import distributed

_PACKAGES = ("napari-ferry", "numpy", "tifffile", "imagecodecs", "av", "imageio-ffmpeg")
"""Packages whose versions have to be equal, as the bytes of a save depend on them."""


def check_workers(client: distributed.Client, check: RunCheck) -> None:
    """Refuse workers with other versions, or without access to the folder of the save.

    Parameters
    ----------
    client : Client
        Client of the cluster.
    check : RunCheck
        Check of the run, whose file exists.

    Raises
    ------
    ClusterError
        A worker lacks a package or has another version, or does not share the folder.
    """
    own = read_versions()
    for worker, versions in ask(client, read_versions).items():
        for package, version in own.items():
            if versions[package] != version:
                raise ClusterError(
                    f"The worker {worker} has {package} {versions[package] or 'missing'}, but "
                    f"this computer has {version}: install the same versions."
                )
    for worker, name in ask(client, leave_probe, check).items():
        _check_probe(worker, name, check)


def ask(client: distributed.Client, question: Any, *arguments: Any) -> Mapping[str, Any]:
    """Return the answers of all workers by their addresses, except those of dead workers.

    Raises
    ------
    ClusterError
        A worker lacks a package or failed to answer, or none answered.
    """
    found: Mapping[str, Any] = client.run(question, *arguments, on_error="return")
    answers = {worker: each for worker, each in found.items() if not isinstance(each, OSError)}
    if not answers:
        raise ClusterError(
            f"None of the {len(found)} workers of the cluster answers: look at their logs, and "
            "start them again."
        )

    for worker, answer in answers.items():
        if isinstance(answer, ModuleNotFoundError):
            raise ClusterError(
                f"The worker {worker} lacks the package {answer.name}: install napari-ferry with "
                "the same versions on all workers."
            ) from answer
        if isinstance(answer, Exception):
            raise ClusterError(
                f"The worker {worker} failed before the save ({answer}): start it again."
            ) from answer
    return answers


def read_versions() -> dict[str, str]:
    """Return the versions of Python and of packages; empty for a missing one."""
    versions = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for package in _PACKAGES:
        versions[package] = ""
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions


def leave_probe(check: RunCheck) -> str:
    """Return the name of a new file in the folder of the save; empty if it is not shared.

    Called on each worker.
    """
    if not check.is_current():
        return ""
    name = probe_name()
    try:
        (check.path.parent / name).write_text(check.run_id, "utf-8")
    except OSError:
        return ""
    return name


def _check_probe(worker: str, name: str, check: RunCheck) -> None:
    """Refuse a worker whose file is not seen here, and remove the file."""
    folder = check.path.parent
    try:
        is_shared = bool(name) and (folder / name).read_text("utf-8") == check.run_id
    except OSError:
        is_shared = False
    if not is_shared:
        raise ClusterError(
            f"The worker {worker} does not share the folder {folder.parent} with this computer: "
            "save to a folder that all of them see by the same path, and may write to."
        )
    (folder / name).unlink()
