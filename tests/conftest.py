"""What every test gets: nothing left behind, and files of other programs where they are at hand."""

import gc
import importlib
import os
import signal
import sys
import sysconfig
import time
import types
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import settings

from gui import SharedWindow, is_of_a_slider

pytest.register_assert_rewrite("helpers", "ome_documents", "tiff_files")

ROOT = Path(__file__).resolve().parents[1]

# Tests neither see nor change the settings of the person who runs them.
os.environ["NAPARI_CONFIG"] = ""

# Time limits for one example fail on busy machines; on a server every run sees the same examples.
settings.register_profile("ferry", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("ferry")

# A shell that runs them in the background has its children pass over interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

_HOME = Path.home()
_NOT_OURS = tuple(
    str(folder)
    for folder in (
        *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
        *(os.environ.get(name) for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")),
        *(os.environ.get(name) for name in ("APPDATA", "LOCALAPPDATA")),
        *(_HOME / name for name in (".cache", ".config", ".local", ".fonts", "Library")),
        *("/dev", "/etc", "/proc", "/run", "/sys", "/usr", "/var/cache", "/System", "/Library"),
        ROOT / ".hypothesis",
        ROOT / ".pytest_cache",
    )
    if folder
)
_NOT_OURS_SUFFIXES = (".log", ".otf", ".pfb", ".so", ".ttc", ".ttf")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of files of other programs and older versions, too large for the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the folder ../shared/data is absent, looked for at {folder}")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _unflushed() -> Iterator[None]:
    """Leave files in the cache of the system, which no test of this process can tell from a disk.

    Linux flushes the whole file system after a folder, with all that other workers have written.
    The children of tests, which are killed while they save, do flush.
    """
    from napari_ferry.saving.disk import flush

    def fsync(fd: int) -> None:
        os.fstat(fd)

    def _sync_file_system(folder: Path) -> bool:
        return folder.stat() is not None and sys.platform == "linux"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        patch.setattr(flush, "_sync_file_system", _sync_file_system)
        yield


@pytest.fixture(scope="session")
def _shared_window(qapp: Any) -> Iterator[SharedWindow]:
    """One shown window of each worker."""
    import napari
    from napari.settings import get_settings

    get_settings().reset()
    with pytest.MonkeyPatch.context() as patch:
        _leave_out_threads(patch)
        patch.setattr("napari._qt.qt_main_window.SHOW_QT_WARNING", False)
        viewer = napari.Viewer(show=True, show_welcome_screen=False)
        if sys.platform == "linux":
            assert qapp.platformName() == "xcb", "other platforms draw wrong pixels"
        qapp.processEvents()
        shared = SharedWindow(viewer)
        _forget_garbage()
        yield shared
        patch.setattr(viewer.window._qt_window, "_save_current_window_settings", lambda: None)
        viewer.close()
    del viewer, shared
    gc.collect()


@pytest.fixture
def shared_viewer(
    _shared_window: SharedWindow,
    qtbot: Any,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Any]:
    """A viewer without layers in a window that is shown, the same for many tests.

    A window takes most of the time of a test that opens one. Use `make_napari_viewer` where a test
    closes its window, or looks at how it opens. Here a test fails that leaves behind a widget of
    ours, a listener or a task, where there it fails when it keeps the window alive.
    """
    from napari.settings import get_settings

    _leave_out_threads(monkeypatch)
    get_settings().reset()
    _answer_question()
    _shared_window.prepare()
    failures = request.session.testsfailed
    yield _shared_window.viewer
    get_settings().reset()
    left = _shared_window.restore()
    if left and request.session.testsfailed == failures:
        pytest.fail(f"left behind in the window: {', '.join(left)}", pytrace=False)


def _answer_question() -> None:
    """Answer the question that follows the first file opened by a person."""
    from napari_ferry.plugin.preferences import preferences_page

    page = preferences_page("opening")
    if page is not None:
        page.default_reader = "no"


def _leave_out_threads(patch: pytest.MonkeyPatch) -> None:
    """Leave out what napari's own fixture leaves out, and collecting garbage with each layer."""
    patch.setattr("napari._qt.threads.status_checker.StatusChecker.start", lambda *_: None)
    patch.setattr("napari._vispy.canvas.gc", types.SimpleNamespace(collect=lambda: 0))


def _forget_garbage() -> None:
    """Keep what there is now out of all collections of garbage to come, which are quicker then."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)  # tests run without pytest-xdist, too
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one worker more than there are processors, as tests of windows often wait."""
    return min(1 + (os.cpu_count() or 1), 4)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out slow tests and most cases of long lists, which a server runs, unless named."""
    if "CI" in os.environ or any("::" in argument for argument in config.args):
        return
    left_out = {item for item in items if item.get_closest_marker("slow")}
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("sample"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for each in cases.values():
        left_out.update(each)
        left_out.difference_update(_sample(each))
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=list(left_out))


def _sample(cases: list[pytest.Item]) -> list[pytest.Item]:
    """Return evenly spaced cases of one test, as many as its mark says."""
    mark = cases[0].get_closest_marker("sample")
    assert mark is not None
    count = min(mark.args[0], len(cases))
    return [cases[i * len(cases) // count] for i in range(count)]


def pytest_collection_finish() -> None:
    """Import what napari's own fixtures import for every test, then never look at it again."""
    with suppress(ImportError):  # without Qt
        importlib.import_module("napari._qt.qt_main_window")
        importlib.import_module("napari.viewer")
    _forget_garbage()


@pytest.fixture(autouse=True)
def _nothing_left_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a file open or an unfinished save behind.

    A failed test is not blamed twice, because its traceback keeps alive what it had open.
    """
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    failures, before = request.session.testsfailed, _open_files()
    yield
    if request.session.testsfailed > failures:
        return
    left = _wait_until_closed(before)
    if left:
        pytest.fail(f"files left open: {', '.join(sorted(left))}", pytrace=False)
    if folder and not request.node.get_closest_marker("leaves_partial"):
        partial = [str(path) for path in folder.rglob("*.ferry-partial")]
        if partial:
            pytest.fail(f"unfinished saves left behind: {', '.join(partial)}", pytrace=False)


@pytest.fixture(autouse=True)
def _no_widget_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a window, dialog or other top-level Qt widget behind."""
    is_shared = "shared_viewer" in request.fixturenames
    if is_shared:
        request.getfixturevalue("_shared_window")
    failures, before = request.session.testsfailed, _top_level_widgets()
    yield
    if request.session.testsfailed > failures:
        return
    left = [widget for widget in _top_level_widgets() if widget not in before]
    left = [widget for widget in left if not (is_shared and is_of_a_slider(widget))]
    if left:
        names = ", ".join(f"{type(widget).__name__} {widget.objectName()!r}" for widget in left)
        pytest.fail(f"widgets left behind: {names}", pytrace=False)


def _open_files() -> Counter[str]:
    """Return how often each file is open in this process, libraries' own files left out."""
    paths = _open_on_linux() if sys.platform == "linux" else _open_elsewhere()
    ours = (path for path in paths if not path.startswith(_NOT_OURS))
    return Counter(path for path in ours if not path.endswith(_NOT_OURS_SUFFIXES))


def _open_on_linux() -> Iterator[str]:
    """Yield the path of each open file, in a fifth of the time of psutil and `pathlib`."""
    folder = "/proc/self/fd"
    for descriptor in os.listdir(folder):  # noqa: PTH208
        with suppress(OSError):  # what listed the folder is closed
            path = os.readlink(f"{folder}/{descriptor}")  # noqa: PTH115
            if path.startswith("/") and os.path.isfile(path):  # noqa: PTH113
                yield path


def _open_elsewhere() -> Iterator[str]:
    return (file.path for file in psutil.Process().open_files())


def _wait_until_closed(before: Counter[str]) -> Counter[str]:
    """Return what stays open beyond `before` once garbage is collected and threads have ended."""
    for delay in (0, 0.1, 0.5, 2, 5):  # a busy machine may keep a thread waiting
        left = _open_files() - before
        if not left:
            break
        time.sleep(delay)
        _forget_garbage()
        left = _open_files() - before
    return left


def _top_level_widgets() -> list[object]:
    """Return Qt's top-level widgets that are still alive; none where no test has started Qt."""
    qt = sys.modules.get("qtpy.QtWidgets")
    app = qt.QApplication.instance() if qt else None
    if app is None:
        return []
    qt_core = sys.modules["qtpy.QtCore"]
    app.sendPostedEvents(None, qt_core.QEvent.Type.DeferredDelete.value)
    app.processEvents()
    return app.topLevelWidgets()
