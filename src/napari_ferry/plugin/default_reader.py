"""napari-ferry as the default reader of its formats: a question, a menu entry and a preference.

napari's settings name the reader of each pattern of file names. Folders are left out: the only
pattern for them includes the stores of other plugins, such as OME-Zarr, for which napari would then
report an error.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from napari_ferry.io.search import suffixes
from napari_ferry.plugin.manifest import PLUGIN, reader_patterns
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.preferences import preferences_page
from napari_ferry.plugin.previous_readers import load_readers, save_readers

Choice: TypeAlias = Literal["ask once", "asked", "yes", "no"]
"""Value of the preference; "asked" is that of a person who did not answer, and changes nothing."""

_PAGE = "opening"


def offer_default() -> None:
    """Ask once about making napari-ferry the default reader.

    Without preferences, nothing is asked: the question could not be marked as asked.
    """
    page = preferences_page(_PAGE)
    if page is None or page.default_reader != "ask once":
        return
    page.default_reader = "asked"
    if is_default():
        return
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
    """Restore the readers replaced by napari-ferry."""
    _restore_readers()
    _store("no")


def follow_preference() -> None:
    """Apply the preference, and each later change of it.

    napari does not tell an inactive plugin about changes, so that they are applied here. Those
    already applied are not: the readers may have been chosen by hand since.
    """
    page = preferences_page(_PAGE)
    if page is None:
        return
    page.events.default_reader.connect(lambda event: _apply(event.value))
    is_applied = bool(load_readers()) == (page.default_reader == "yes")
    if not is_applied:
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
    elif choice == "no":
        _restore_readers()


def _add_patterns() -> None:
    """Make napari-ferry the reader of its patterns, and store the previous readers."""
    settings, stored = _settings(), load_readers()
    readers: dict[str, str] = settings.extension2reader
    previous = {pattern: readers.get(pattern) for pattern in _patterns()}
    # those of patterns that are ours already
    earlier = {name: reader for name, reader in stored.items() if readers.get(name) == PLUGIN}
    save_readers({**previous, **earlier})
    settings.extension2reader = {**readers, **dict.fromkeys(previous, PLUGIN)}


def _restore_readers() -> None:
    """Restore the stored readers, except those of patterns reassigned since.

    Without stored readers, napari-ferry was chosen by hand, and all our patterns lose it.
    """
    settings, stored = _settings(), load_readers()
    if not stored and is_default():
        stored = dict.fromkeys(_patterns())
    readers: dict[str, str] = settings.extension2reader
    previous = {name: reader for name, reader in stored.items() if readers.get(name) == PLUGIN}
    others = {name: reader for name, reader in readers.items() if name not in previous}
    known = {name: reader for name, reader in previous.items() if reader is not None}
    settings.extension2reader = {**others, **known}
    save_readers({})


def _patterns() -> list[str]:
    """Return the patterns of all suffixes for which napari offers our readers."""
    patterns = (f"*{suffix}" for suffix in suffixes(to_open=True))
    return [pattern for pattern in patterns if pattern in reader_patterns()]


def _settings() -> Any:
    from napari.settings import get_settings

    return get_settings().plugins
