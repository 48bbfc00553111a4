"""Every error and warning of napari-ferry, on one screen.

::

    FerryError
    ├── UnreadableFileError(OSError)         a file is not what it claims to be, or is damaged
    │   └── ReopenError                      a file is not what it seemed to be: open it again
    ├── MissingMetadataError(ValueError)     a raw file's layout is not known
    ├── UnsupportedFormatError(ValueError)   no codec for this suffix
    ├── InvalidImageError(ValueError)        an image, or an option, that cannot be used so
    ├── TargetExistsError(FileExistsError)   something stands where a save would go
    ├── TargetError(OSError)                 a save cannot go there: no room, no right, bad name
    ├── SaveError(OSError)                   a save failed on its way; what was there still stands
    └── SaveCancelledError                   a save was cancelled; what was there still stands
    FerryWarning(UserWarning)                something was assumed, or could not be kept

Each is also the builtin that people catch. A message says what was found, what was expected, and
the cure, in one sentence.
"""


class FerryError(Exception):
    """Base of all errors that napari-ferry raises on purpose."""


class UnreadableFileError(FerryError, OSError):
    """A file is not what it claims to be, is damaged, or is gone."""


class ReopenError(UnreadableFileError):
    """What opening found out of a file is not true of all of it: opened again, it is right."""


class MissingMetadataError(FerryError, ValueError):
    """A raw file has no description of its layout."""


class UnsupportedFormatError(FerryError, ValueError):
    """No codec opens or saves files with this suffix."""


class InvalidImageError(FerryError, ValueError):
    """An image or an option cannot be used in this way."""


class TargetExistsError(FerryError, FileExistsError):
    """Something stands where a save would go, and overwriting was not agreed."""


class TargetError(FerryError, OSError):
    """A save cannot go there: a folder, no room, no permission, an impossible name."""


class SaveError(FerryError, OSError):
    """A save failed on its way; what was there before still stands."""


class SaveCancelledError(FerryError):
    """A save was cancelled; what was there before still stands."""


class FerryWarning(UserWarning):
    """Something was assumed, or could not be kept."""
