"""The package as a whole: its public names, what importing it costs, its manifest, its hygiene."""

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import napari_ferry
from faults import run_python

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(napari_ferry.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
MANIFEST = PACKAGE / "napari.yaml"

HEAVY = {
    "PIL",
    "dask",
    "imagecodecs",
    "imageio",
    "magicgui",
    "napari",
    "npe2",
    "qtpy",
    "tifffile",
    "xarray",
    "zarr",
}
BANNED = {
    "allow_pickle",
    "cloudpickle",
    "dill",
    "eval",
    "exec",
    "marshal",
    "pickle",
    "shelve",
    "yaml",
}


def test_version_is_that_of_the_distribution():
    assert napari_ferry.__version__ == importlib.metadata.version("napari-ferry")


def test_version_is_that_of_the_citation_and_of_the_newest_changes():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    version, date = (
        re.search(rf'^{key}: "?([^"\n]+)"?$', citation, re.MULTILINE).group(1)
        for key in ("version", "date-released")
    )
    assert version == napari_ferry.__version__
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", changes, re.MULTILINE)
    released = next(heading for heading in headings if heading != "[Unreleased]")
    assert released == f"[{version}] - {date}"


def test_public_names_are_sorted_and_importable():
    names = napari_ferry.__all__
    assert list(names) == sorted(set(names))
    missing = [name for name in names if not hasattr(napari_ferry, name)]
    assert not missing


def test_public_names_are_not_the_modules_of_the_same_name():
    """Importing ``napari_ferry.plan``, the module, must not hide ``napari_ferry.plan()``."""
    code = """if True:
        import importlib, inspect, napari_ferry
        for name in ("arrays", "codecs", "errors", "image", "io", "movie", "saving.plan"):
            importlib.import_module(f"napari_ferry.{name}")
        print(*(n for n in napari_ferry.__all__ if inspect.ismodule(getattr(napari_ferry, n))))
    """
    assert _run(code).split() == []


def test_layers_have_two_doors():
    from napari_ferry import layers

    assert layers.__all__ == ["from_layers", "to_layers"]
    (image,) = layers.from_layers([(np.zeros((3, 4)), {"name": "a"}, "image")])
    assert [meta["name"] for _, meta, _ in layers.to_layers([image])] == ["a"]


def test_children_of_tests_run_the_source_that_is_tested():
    assert Path(_run("import napari_ferry; print(napari_ferry.__file__)").strip()) == Path(
        napari_ferry.__file__
    )


def test_types_are_published():
    assert (PACKAGE / "py.typed").is_file()


# --- importing --------------------------------------------------------------------------------


def _modules_after(statement: str) -> set[str]:
    return set(_run(f"{statement}\nimport sys\nprint(*sys.modules)").split())


def _run(code: str) -> str:
    status, out, errors = run_python(code)
    assert status == 0, errors
    return out


def test_import_costs_little_more_than_numpy():
    """Counted in modules, which luck does not touch; ``benchmarks/importing.py`` times it."""
    more = _modules_after("import napari_ferry") - _modules_after("import numpy")
    assert len(more) <= 90, sorted(more)


def test_import_loads_no_heavy_library():
    loaded = {name.split(".")[0] for name in _modules_after("import napari_ferry")}
    assert not HEAVY & loaded


def test_opening_a_store_imports_no_other_format_and_no_heavy_library(tmp_path: Path):
    """A store of one plane, of which Blosc is in imagecodecs."""
    store = tmp_path / "a.ome.zarr"
    napari_ferry.imsave(np.ones((8, 8), np.uint16), store)
    code = f"""if True:
        from napari_ferry import imload
        assert imload({str(store)!r})[0].array[0].max() == 1
    """
    loaded = _modules_after(code)
    assert "numpy.ma" not in loaded - _modules_after("import numpy")
    heavy = (HEAVY | {"av", "fsspec", "imageio_ffmpeg", "numcodecs", "pandas"}) - {"imagecodecs"}
    assert not heavy & {name.split(".")[0] for name in loaded}
    others = {"movie", "ome_xml", "rendering", "layers", "codecs.zarr.saving", "codecs.zarr.repair"}
    others |= {f"codecs.{name}" for name in ("gif.read", "png.read", "tiff.pages", "video.reader")}
    assert not {name for name in others if f"napari_ferry.{name}" in loaded}


def test_the_window_does_not_wait_for_modules_that_save():
    """They are imported in a thread; see `napari_ferry.plugin.commands`."""
    loaded = _modules_after("from napari_ferry.plugin.commands import write_tiff")
    assert not {name for name in loaded if name.startswith("napari_ferry.rendering")}
    assert not {name for name in loaded if name.startswith("napari_ferry.codecs.")}


# --- manifest ---------------------------------------------------------------------------------


def test_manifest_is_valid_and_all_its_commands_import():
    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution("napari-ferry")
    manifest.validate_imports()
    assert manifest.name == importlib.metadata.metadata("napari-ferry")["Name"] == "napari-ferry"


def test_manifest_at_the_top_is_that_of_the_package():
    link = ROOT / "napari.yaml"
    if not link.exists():
        pytest.skip("no napari.yaml beside the tests: not a checkout of the repository")
    if sys.platform == "win32" and not link.is_symlink():
        pytest.skip("symlinks are not checked out on this system")
    assert link.is_symlink()
    assert link.resolve() == MANIFEST.resolve()


# --- hygiene ----------------------------------------------------------------------------------


def _banned(tree: ast.AST) -> list[str]:
    """Return line and name of each import, call or option that lets a file run as code."""
    found = [(node, name) for node in ast.walk(tree) for name in _names(node)]
    return [f"{node.lineno}: {name}" for node, name in found if name.split(".")[0] in BANNED]


def _names(node: ast.AST) -> list[str]:
    """Return the modules that a node imports, the function it calls, or the option it sets."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            return [node.module or ""]
        case ast.Call(func=ast.Name(id=name)):
            return [name]
        case ast.keyword(arg="allow_pickle", value=value):
            return [] if isinstance(value, ast.Constant) and not value.value else ["allow_pickle"]
    return []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_file_content_can_run_as_code(path: Path):
    assert not _banned(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from yaml import safe_load",
        "eval('1')",
        "np.load(path, allow_pickle=True)",
    ],
)
def test_the_check_for_code_finds_it(code: str):
    assert _banned(ast.parse(code))


def test_no_registry_is_named_in_the_repository():
    """Where packages come from is each user's setting, so no file names a registry."""
    hosts = [".".join(parts).encode() for parts in (("pypi", "org"), ("pythonhosted", "org"))]
    hosts += [b"index" + b"-url", b"find" + b"-links"]
    named = [
        str(path.relative_to(ROOT))
        for path in _tracked_files()
        if any(host in path.read_bytes().lower() for host in hosts)
    ]
    assert not named


def _tracked_files() -> list[Path]:
    """Return what git tracks, or would if it were added now."""
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(
            [*command, "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a checkout of the repository")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]
