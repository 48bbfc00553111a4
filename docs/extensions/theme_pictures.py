"""Show ``name.png`` in the light theme, and ``name-dark.png`` beside it in the dark one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class ThemePictures(SphinxTransform):
    """Add the dark picture to each picture that has one."""

    default_priority = 100  # before Sphinx collects the files of pictures

    def apply(self, **_: Any) -> None:
        folder = Path(self.document["source"]).parent
        for picture in list(self.document.findall(nodes.image)):
            path = Path(picture["uri"])
            dark = path.with_stem(f"{path.stem}-dark")
            if (folder / dark).is_file():
                copy = picture.deepcopy()
                copy["uri"] = dark.as_posix()
                copy["classes"] = [*picture["classes"], "only-dark"]
                picture["classes"] = [*picture["classes"], "only-light"]
                picture.parent.insert(picture.parent.index(picture) + 1, copy)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_transform(ThemePictures)
    return {"parallel_read_safe": True}
