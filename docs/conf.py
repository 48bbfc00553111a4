"""Configuration of the site, for Sphinx: ``make docs`` builds it into ``build/docs``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import napari_ferry

sys.path.insert(0, str(Path(__file__).parent / "extensions"))
os.environ.setdefault("COLUMNS", "100")  # for the usage lines of the command line

project = "napari-ferry"
author = "napari-ferry developers"
copyright = author  # noqa: A001  the name that Sphinx expects
version = release = napari_ferry.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "command_line",
    "format_options",
    "theme_pictures",
]
exclude_patterns = ["extensions", "theme"]
templates_path = []
suppress_warnings = [
    "myst.header",  # pages that are included begin at their own level
]

# Anchors of headings are those of the repository's pages, so that each link works in both places.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autodoc_typehints = "none"  # the docstrings have them in words
add_module_names = False
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
napoleon_google_docstring = False
napoleon_use_rtype = False
python_maximum_signature_line_length = 80
default_role = "py:obj"

html_theme = "pydata_sphinx_theme"
html_title = "napari-ferry"
html_sidebars = {"faq": []}  # it has no pages below it
html_static_path = ["theme"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "napari-ferry"},
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "show_nav_level": 1,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
