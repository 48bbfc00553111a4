"""Make the pictures of README and guides from the real window: ``make docs``."""

from __future__ import annotations

from pathlib import Path

from napari_ferry.widgets.demo import show_demo

PICTURES = Path(__file__).parent / "pictures"


def main() -> int:
    """Write every picture; return 1 when the demonstration found a difference."""
    PICTURES.mkdir(exist_ok=True)
    return show_demo(PICTURES / "window.png")


if __name__ == "__main__":
    raise SystemExit(main())
