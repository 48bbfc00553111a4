"""Digests of repaired documents in our record."""

from __future__ import annotations

from napari_ferry.codecs.zarr.document_digests import digests_of, find_digests
from napari_ferry.codecs.zarr.repair.documents import Documents


def renew_digests(documents: Documents) -> None:
    """Update the digests of changed documents, if the root has any.

    Documents that were not changed keep theirs, so that damage in them is still found.
    """
    for root in ("zarr.json", ".zattrs"):
        value = documents.value(root)
        digests = None if value is None else find_digests(root, value)
        if digests is None:
            continue
        contents = {key: documents.value(key) for key in documents.changed if key in digests}
        renewed = digests_of({key: each for key, each in contents.items() if each is not None})
        if renewed:
            digests |= renewed
            documents.note(root, f"digests in {root}: {', '.join(renewed)} -> up to date")
