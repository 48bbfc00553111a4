# One environment in .venv, one command for each job. `make help` lists them.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
GROUPS := --group dev --group docs --group benchmarks

# What napari and Qt need of Debian or Ubuntu; Xvfb stands in for a screen where there is none.
SYSTEM := libdbus-1-3 libegl1 libfontconfig1 libgl1 libglib2.0-0 libxcb-cursor0 libxcb-icccm4 \
	libxcb-keysyms1 libxcb-shape0 libxkbcommon-x11-0 libxkbcommon0
ifeq ($(shell uname -s)$(DISPLAY),Linux)
SYSTEM += xauth xvfb
SCREEN := env QT_QPA_PLATFORM=xcb xvfb-run -a -s "-screen 0 1600x1000x24"
endif
unexport QT_QPA_PLATFORM

.PHONY: help demo test lint bench docs clean system

help:  ## list these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 14

demo: $(READY)  ## open napari with sample data; without a display, save a picture of its window
	@$(SCREEN) $(BIN)/napari-ferry demo $(if $(SCREEN),--screenshot napari-ferry-demo.png)

test: $(READY)  ## run the tests; ARGS="-k tiff" picks some
	@$(SCREEN) $(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=worksteal $(ARGS)

lint: $(READY)  ## check style, types, the direction of imports and the manifest
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(SCREEN) $(BIN)/npe2 validate --imports napari-ferry

bench: $(READY)  ## measure reading and writing beside other libraries
	@$(BIN)/python -m benchmarks $(ARGS)

docs: $(READY)  ## make the pictures of the guides again
	@$(SCREEN) $(BIN)/python docs/make_pictures.py

clean:  ## remove the environment and everything else that was made
	@rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find src tests benchmarks docs -name __pycache__ -prune -exec rm -rf {} +

# The environment: made once, brought up to date when pyproject.toml changes.
$(READY): pyproject.toml | system
	@echo "Installing napari-ferry into .venv; the first time takes a few minutes."
	@if command -v uv >/dev/null; then \
		{ test -x $(BIN)/python || uv venv --quiet .venv; } && \
		uv pip install --quiet --python $(BIN)/python --editable '.[all]' $(GROUPS); \
	else \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
			echo "Python 3.11 or newer is needed: name one, as in make PYTHON=python3.12, or install uv."; \
			exit 1; }; \
		$(BIN)/python -m pip --version >/dev/null 2>&1 || \
		$(PYTHON) -m venv --clear .venv >/dev/null || { \
			echo "Python cannot make environments: install its venv module (Debian: apt install python3-venv)."; \
			exit 1; }; \
		$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1' && \
		$(BIN)/python -m pip install --quiet --editable '.[all]' $(GROUPS); \
	fi
	@touch $@

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
