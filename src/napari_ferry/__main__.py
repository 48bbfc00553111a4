"""``python -m napari_ferry``, the same as the command ``napari-ferry``."""

from napari_ferry.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
