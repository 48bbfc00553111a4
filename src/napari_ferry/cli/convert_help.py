"""Help of ``napari-ferry convert``: formats, their contents and options, and exit statuses."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from napari_ferry.cli.formats import flag_of, help_of
from napari_ferry.io.protocol import Codec, hooks_of
from napari_ferry.io.search import codecs
from napari_ferry.rendering.save import option_sources
from napari_ferry.signatures import Option, options_of

CONVERT_USAGE = "%(prog)s [OPTIONS] IN [IN ...] OUT"

EXIT_STATUSES = """\
exit status:
  0 done; 1 an error, or damaged data; 2 a wrong command line;
  130 interrupted (Ctrl+C); 143 terminated"""

_NOTES = """\
what gets lost:
  A conversion prints what the format cannot store, and what it assumes, as
  "lost or assumed: ..."; --dry-run prints it before anything is written.

progress:
  A bar on a terminal shows bytes, speed and the remaining time; in a log there
  is a line for each of many files. Ctrl+C stops a conversion and leaves
  existing files unchanged. Existing files are replaced only with --overwrite,
  and only by complete files.
"""

_EXAMPLES = """\
examples:
  napari-ferry convert movie.tif movie.ome.zarr
  napari-ferry convert movie.tif out/ --format .ome.tif --crop t=:100 --dry-run
  napari-ferry convert cells.ome.tif gfp.mp4 --channel GFP --frame-rate 20
  napari-ferry convert recordings/ movies/ --format .mp4
"""


def describe_formats(formats: Sequence[Codec]) -> str:
    """Return the end of the help: about all formats, or about those of an output file."""
    chosen = [codec for codec in formats or codecs() if codec.SUFFIXES]
    sections = ["formats, by the suffix of OUT:", *_summaries(chosen), ""]
    if formats:
        sections += _list_shared(chosen)
    else:
        sections += ["options of the formats (explained by: convert --format .mp4 --help):"]
        sections += [*_list_groups(chosen), ""]
    return "\n".join([*sections, _NOTES, *([] if formats else [_EXAMPLES]), EXIT_STATUSES])


def _summaries(formats: Sequence[Codec]) -> list[str]:
    """Return a line for each format: its suffixes and its contents."""
    names = [" ".join(codec.SUFFIXES) for codec in formats]
    width = max(map(len, names))
    return [
        f"  {name:<{width}}  {hooks_of(codec).SUMMARY}"
        for name, codec in zip(names, formats, strict=True)
    ]


def _list_groups(formats: Sequence[Codec]) -> list[str]:
    """Return the flags of formats, grouped by the formats they have in common."""
    owners: dict[str, list[Codec]] = {}
    for codec in formats:
        for option in options_of(option_sources(codec)):
            owners.setdefault(option.name, []).append(codec)

    groups: dict[tuple[str, ...], list[str]] = {}
    for name, own in owners.items():
        suffixes = tuple(suffix for codec in own for suffix in codec.SUFFIXES)
        groups.setdefault(suffixes, []).append(flag_of(name))
    lines = []
    for suffixes, flags in groups.items():
        lines.append(f"  {' '.join(suffixes)}:")
        lines.append(fill(" ".join(flags), 79, initial_indent=" " * 6, subsequent_indent=" " * 6))
    return lines


def _list_shared(formats: Sequence[Codec]) -> list[str]:
    """Return the options with another meaning if the format draws."""
    found = [option for codec in formats for option in options_of(option_sources(codec))]
    lines = [f"  {_shared_text(each)}" for each in found if each.name in ("crop", "scale")]
    return ["without names of axes, options of the picture:", *lines, ""] if lines else []


def _shared_text(option: Option) -> str:
    return f"{flag_of(option.name):<9} {help_of(option)}"
