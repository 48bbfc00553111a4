# One environment in .venv, one command for each job. `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
GROUPS := --group dev --group docs --group benchmarks
RESOLUTION ?=
TESTS := -m pytest --numprocesses=logical --dist=worksteal
PYTEST := $(BIN)/python $(TESTS)

# What `make compat` tests: the formats that depend on libraries, without windows, and without the rooms
# that use nothing but numpy; of these, what every format has to do, where only Python is another; and
# the versions of Python that pyproject.toml names, from the oldest to the newest.
EVERY_FORMAT := numpy_io readers \
	$(addsuffix .py,test_codec_contract test_fill_values test_plain_uses test_changed_files)
CORE := $(EVERY_FORMAT) gif tiff video zarr
# What it also tests with PySide6: menus, dialogs and forms, which are used through Qt's binding.
WINDOWS := plugin $(patsubst %,widgets/test_%.py,dialogs export export_movie reload repair save_progress)
SUPPORTED := $(shell sed -n 's/.*Python :: \(3\.[0-9]*\)".*/\1/p' pyproject.toml)

# What napari and Qt need of Debian or Ubuntu; Xvfb stands in for a screen where there is none.
SYSTEM := libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 libxcb-cursor0 libxcb-icccm4 \
	libxcb-keysyms1 libxcb-shape0 libxkbcommon-x11-0 libxkbcommon0
ifeq ($(shell uname -s)$(DISPLAY),Linux)
SYSTEM += xauth xvfb
SCREEN := env QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1600x1000x24"
endif
unexport QT_QPA_PLATFORM
unexport PYTHONDONTWRITEBYTECODE  # tests start many processes, each of which would compile all modules

.PHONY: help demo test coverage test-core test-windows compat lint bench measure docs pictures clean system

help:  ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 18

demo: $(READY)  ## open napari with sample data; without a display, save a picture of its window
	@$(SCREEN) $(BIN)/napari-ferry demo $(if $(SCREEN),--screenshot napari-ferry-demo.png)

test: $(READY)  ## run the tests; ARGS="-k tiff" picks some, CI=true adds the long ones
	@$(SCREEN) $(PYTEST) $(ARGS)

coverage: $(READY)  ## run all tests, and list the lines and branches that none of them reaches
	@$(BIN)/coverage erase
	@CI=true $(SCREEN) $(BIN)/coverage run $(TESTS) $(ARGS); status=$$?; \
		$(BIN)/coverage combine --quiet && $(BIN)/coverage report; exit $$status

test-core: $(READY)  ## run the tests of the formats, without windows
	@$(SCREEN) $(PYTEST) -m "not thorough and not window" $(CORE:%=tests/%) $(ARGS)

test-windows: $(READY)  ## run the tests of the forms; QT_API=pyside6 chooses an installed Qt binding
	@$(SCREEN) $(PYTEST) -m "window and not slow and not thorough" $(WINDOWS:%=tests/%) $(ARGS)

compat:  ## run both on the newest Python (forms with PySide6), and the core on the lowest versions
	@$(call core,$(lastword $(SUPPORTED)),highest,test-core test-windows,--group pyside6,QT_API=pyside6 CORE="$(EVERY_FORMAT)")
	@$(call core,$(firstword $(SUPPORTED)),lowest-direct,test-core)

# $(call core,VERSION,RESOLUTION,TARGETS,GROUPS,VARIABLES): tests in an environment of their own, such
# as .venv-3.11-lowest-direct. A Python that is missing is reported; on a server (CI=true) it fails, since
# a check that tested nothing must not pass, and elsewhere nobody needs every Python to contribute.
core = for python in python$(1) $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$(1).*/bin/python; do \
		"$$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "$(1)")' 2>/dev/null && break; \
		python=; \
	done; \
	if test -z "$$python"; then \
		echo "NOT TESTED with $(2) versions: Python $(1) is neither on the PATH nor in pyenv."; \
		test "$$CI" != true; \
	else \
		echo "Testing on Python $(1) with the $(2) versions of the dependencies: $(3)"; \
		$(MAKE) --no-print-directory --keep-going $(3) PYTHON="$$python" VENV=.venv-$(1)-$(2) \
			RESOLUTION=$(2) GROUPS="--group test $(4)" $(5); \
	fi

lint: $(READY)  ## check style, types, the direction of imports and the manifest
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@mkdir -p .mypy_cache && echo "$$CODECS" >.mypy_cache/each_codec.py
	@$(BIN)/mypy src tests/option_mistakes.py .mypy_cache/each_codec.py
	@$(BIN)/lint-imports --no-logo
	@$(SCREEN) $(BIN)/npe2 validate --imports napari-ferry

# Every codec as a `Codec`, for mypy; found by their place, as `napari_ferry.io` finds them.
define CODECS
from napari_ferry.io.protocol import Codec
$(foreach format,$(notdir $(patsubst %/codec.py,%,$(wildcard src/napari_ferry/codecs/*/codec.py))),
from napari_ferry.codecs.$(format) import codec as $(format)
_$(format): Codec = $(format)
)
endef
export CODECS

bench:  ## measure beside other libraries, in an environment with them; ARGS="video gif" picks some
	@$(MAKE) --no-print-directory measure VENV=.venv-bench GROUPS="--group benchmarks --group peers"

measure: $(READY)
	@$(SCREEN) $(BIN)/python -m benchmarks $(ARGS)

docs: $(READY)  ## build the site from docs/ into build/docs; any warning is an error
	@$(BIN)/python docs/kept_table.py
	@$(BIN)/python -m sphinx --quiet --fresh-env --fail-on-warning --keep-going docs build/docs
	@echo "Open build/docs/index.html"

pictures: $(READY)  ## make the pictures of the guides again
	@$(SCREEN) $(BIN)/python docs/make_pictures.py

clean:  ## remove the environments and everything else that was made
	@rm -rf .venv .venv-* build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find src tests benchmarks docs -name __pycache__ -prune -exec rm -rf {} +

# The environment: made once, brought up to date when pyproject.toml changes. uv makes it where it is
# installed; pip cannot choose the lowest versions, so RESOLUTION brings uv into the environment.
$(READY): pyproject.toml | system
	@echo "Installing napari-ferry into $(VENV); the first time takes a few minutes."
	@if command -v uv >/dev/null; then \
		{ test -x $(BIN)/python || uv venv --quiet $(NAMED) $(VENV); } && \
		uv pip install --quiet --python $(BIN)/python $(CHOSEN) --editable '.[all]' $(GROUPS); \
	else \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
			echo "Python 3.11 or newer is needed: name one, as in make PYTHON=python3.12, or install uv."; \
			exit 1; }; \
		$(BIN)/python -m pip --version >/dev/null 2>&1 || \
		$(PYTHON) -m venv --clear $(VENV) >/dev/null || { \
			echo "Python cannot make environments: install its venv module (Debian: apt install python3-venv)."; \
			exit 1; }; \
		$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' $(if $(RESOLUTION),uv) && \
		$(if $(RESOLUTION),$(BIN)/uv pip install --python $(BIN)/python $(CHOSEN),$(BIN)/python -m pip install) \
			--quiet --editable '.[all]' $(GROUPS); \
	fi
	@touch $@

# A Python that was named by whoever calls make, and a resolution.
NAMED = $(if $(filter file,$(origin PYTHON)),,--python $(PYTHON))
CHOSEN = $(if $(RESOLUTION),--resolution $(RESOLUTION) --upgrade)

# Install what is missing on Debian and Ubuntu, or say how; elsewhere there is nothing to do.
system:
	@command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0; \
	have=" $$(dpkg-query -W -f '$${db:Status-Status} $${Package} $${Provides}\n' \
		| sed -n 's/^installed //p' | tr ',\n' '  ') "; \
	missing=; \
	for package in $(SYSTEM); do \
		case "$$have" in *" $$package "*) ;; *) missing="$$missing $$package" ;; esac; \
	done; \
	command -v uv >/dev/null || test -x $(BIN)/pip || $(PYTHON) -c 'import ensurepip' 2>/dev/null || \
		missing="$$missing $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"; \
	test -n "$$missing" || exit 0; \
	if [ "$$(id -u)" = 0 ]; then run=env; elif sudo -n true 2>/dev/null; then run="sudo -n env"; else \
		echo "System packages are missing. Install them, then try again:"; \
		echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends$$missing"; \
		exit 1; \
	fi; \
	echo "Installing system packages:$$missing"; \
	$$run apt-get -qq update && $$run DEBIAN_FRONTEND=noninteractive \
		apt-get -qq install -y --no-install-recommends $$missing >/dev/null
