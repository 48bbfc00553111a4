"""napari-ferry as the default reader of its formats: a question, a menu entry and a preference.

napari's settings name the reader of each pattern of file names. Folders are left out: the only
pattern for them includes the stores of other plugins, such as OME-Zarr, for which napari would then
report an error.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from napari_ferry.io import suffixes
from napari_ferry.plugin.manifest import PLUGIN, reader_patterns
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.preferences import preferences_page

Choice: TypeAlias = Literal["ask once", "yes", "no"]
"""Value of the preference; "no" is also that of a person who did not answer."""

_PAGE = "opening"


def offer_default() -> None:
    """Ask once whether napari-ferry should become the default reader.

    Nobody is asked without preferences, in which the question could not be marked as asked.
    """
    page = preferences_page(_PAGE)
    if page is None or page.default_reader != "ask once":
        return
    if is_default():
        page.default_reader = "yes"
        return
    page.default_reader = "no"
    notify(
        "Always open these files with napari-ferry? These are TIFF, GIF, video and raw files; a "
        "reader is then not asked for.",
        buttons={"Yes": open_always},
    )


def open_always() -> None:
    """Make napari-ferry the default reader of its formats."""
    _add_patterns()
    _store("yes")
    notify(
        "napari-ferry now opens TIFF, GIF, video and raw files. To undo this, choose File > "
        "Preferences > napari-ferry.",
        buttons={"Undo": open_as_before},
    )


def open_as_before() -> None:
    """Let napari ask for a reader again."""
    _remove_patterns()
    _store("no")


def follow_preference() -> None:
    """Apply the preference, and each later change of it.

    napari does not tell an inactive plugin about changes, so that they are applied here.
    """
    page = preferences_page(_PAGE)
    if page is not None:
        page.events.default_reader.connect(lambda event: _apply(event.value))
        _apply(page.default_reader)


def is_default() -> bool:
    """Return True if most patterns have napari-ferry as their reader.

    A person may have chosen it for a single one, or removed a single one.
    """
    readers: dict[str, str] = _settings().extension2reader
    patterns = _patterns()
    return sum(readers.get(pattern) == PLUGIN for pattern in patterns) > len(patterns) / 2


def _store(choice: Choice) -> None:
    page = preferences_page(_PAGE)
    if page is not None:
        page.default_reader = choice


def _apply(choice: Choice) -> None:
    """Change napari's settings unless they agree with a choice."""
    if choice == "yes" and not is_default():
        _add_patterns()
    elif choice == "no" and is_default():
        _remove_patterns()


def _add_patterns() -> None:
    settings = _settings()
    ours = dict.fromkeys(_patterns(), PLUGIN)
    settings.extension2reader = {**settings.extension2reader, **ours}


def _remove_patterns() -> None:
    settings, patterns = _settings(), _patterns()
    settings.extension2reader = {
        pattern: reader
        for pattern, reader in settings.extension2reader.items()
        if pattern not in patterns or reader != PLUGIN
    }


def _patterns() -> list[str]:
    """Return the patterns of all suffixes for which napari offers our readers."""
    patterns = (f"*{suffix}" for suffix in suffixes(to_open=True))
    return [pattern for pattern in patterns if pattern in reader_patterns()]


def _settings() -> Any:
    from napari.settings import get_settings

    return get_settings().plugins
