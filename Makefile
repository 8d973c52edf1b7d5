# One command each; every target does the set-up that it needs, once.
#   make run     start the robot: the whole graph with a simulated arm (SAY="..." chooses the first sentence, SAY= none;
#                POLICY=classical another policy)
#   make demo    one task without a screen; exit code 0 when the simulator judges it done
#   make test    all tests        make check   style and types        make builds   prove both ways of building
#   make test-models   the tests of pretrained models, in an environment of their own (Python 3.12, 7 GB, first run minutes)
#   make browser   Chromium for the tests of the dashboard's page, which are skipped without it (apt-get, as root)
#   make faults  every fault on the running graph, judged (some minutes); writes docs/faults.md
#   make campaign, make mutants: see docs/testing.md
#   make setup   the environment alone (ROS_DISTRO=kilted for the other wheels, MODELS=1 for torch, transformers and onnx,
#                PYTHON=python3.12 MODELS=lerobot for LeRobot: .venv-lerobot, docs/lerobot.md)
SHELL := /bin/bash
.DELETE_ON_ERROR:

ROS_DISTRO ?= jazzy
DISTRO := $(ROS_DISTRO)
ifeq ($(wildcard constraints/$(DISTRO).txt),)
$(error vla_ros: ROS_DISTRO=$(DISTRO): there are no wheels of it. \
  With its installation use colcon build (README); for the wheels: ROS_DISTRO=jazzy make $(MAKECMDGOALS))
endif
LEROBOT := $(filter lerobot,$(MODELS))
VENV := .venv$(if $(filter-out jazzy,$(DISTRO)),-$(DISTRO))$(if $(LEROBOT),-lerobot)
BIN := $(VENV)/bin
TORCH ?= torch==2.13.0+cpu
PYTHON ?= $(if $(LEROBOT),$(MODELS_PYTHON),python3)
MODELS_PYTHON ?= python3.12
ifdef LEROBOT
# The program itself: a shim of pyenv runs only when a version is chosen, so its newest 3.12 is chosen here.
whoami := -c 'import sys; print(sys.executable)' 2>/dev/null
pyenv := $(or $(shell command -v pyenv),$(wildcard $(dir $(shell command -v $(PYTHON)))../bin/pyenv),false)
found_python := $(shell $(PYTHON) $(whoami) || \
  PYENV_VERSION=$$($(pyenv) versions --bare 2>/dev/null | grep -x '3\.12\.[0-9]*' | tail -n 1) $(PYTHON) $(whoami))
override PYTHON := $(or $(found_python),$(PYTHON))
pythons := 3.12 is needed for MODELS=lerobot (LeRobot runs from 3.12 on, ROS wheels are for 3.11 and 3.12): \
  apt-get install python3.12 python3.12-venv python3.12-dev, or pyenv install 3.12; make PYTHON= names another path
fits := sys.version_info[:2] == (3, 12)
requirements := -r requirements-models.txt --constraint constraints/lerobot.txt
locks := requirements-models.txt constraints/lerobot.txt
else
pythons := 3.11 or newer is needed: make PYTHON=python3.11
fits := sys.version_info >= (3, 11)
endif
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints/$(DISTRO).txt
# Progress with the time that is left, by the lines that pip prints. About so many packages come with each environment.
PACKAGES := $(if $(LEROBOT),400,255)
SHOWN := $(BIN)/python -m vla_ros.progress_line
SHOWN_PIP := $(BIN)/pip install --disable-pip-version-check --progress-bar off --constraint constraints/$(DISTRO).txt
SAY ?= put the red cube in the bowl
POLICY ?= compact

# A sourced ROS installation would shadow the wheels: the environment made here stands alone.
unexport PYTHONPATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH LD_LIBRARY_PATH
export ROS_DISTRO := $(DISTRO)
export OMP_NUM_THREADS := 1

.PHONY: setup run demo test test-models browser faults check campaign mutants builds clean other_environment

setup: $(VENV)/.ready $(if $(filter-out lerobot,$(MODELS)),$(VENV)/.models)

$(VENV)/.wheels: requirements.txt requirements-dev.txt constraints/$(DISTRO).txt $(locks)
	@$(PYTHON) -c 'import sys; sys.exit(not ($(fits)))' 2>/dev/null || \
	  { echo "vla_ros: $(PYTHON) is $$($(PYTHON) -V 2>/dev/null || echo not there); Python $(pythons)"; exit 1; }
	@command -v c++ >/dev/null || { echo "vla_ros: no C++ compiler found; on Debian and Ubuntu: apt-get install g++"; exit 1; }
	@test -f "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" || \
	  { echo "vla_ros: $(PYTHON) lacks Python.h; on Debian and Ubuntu: apt-get install python3-dev"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "vla_ros: $(PYTHON) lacks ensurepip; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "vla_ros: installing ROS 2 $(DISTRO) and the simulator into $(VENV) (once, some minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(SHOWN) --total $(PACKAGES) --matching '^(?:Collecting |Processing .*/)([^<>=!~; (]+)' packages -- \
	  $(SHOWN_PIP) -r constraints/$(DISTRO).txt -r requirements.txt -r requirements-dev.txt $(requirements)
	@# openpi-client asks for numpy below 2, where ROS needs 2, and runs with it.
	@$(if $(LEROBOT),$(PIP) --constraint constraints/lerobot.txt --no-deps openpi-client,:)
	@touch $@

# All environments share the checkout, which holds the messages of one distribution, compiled for one or more Pythons.
IN_PLACE := $(file <build/in_place)
ifeq ($(filter $(DISTRO)/$(VENV),$(IN_PLACE)),)
$(VENV)/.ready: other_environment
endif

$(VENV)/.ready: $(VENV)/.wheels setup.py setup.cfg build_interfaces.py CMakeLists.txt package.xml vla_ros/safety/kernels.c \
                $(wildcard msg/*.msg srv/*.srv action/*.action interfaces/* interfaces/*/* interfaces/*/*/* launch/* config/* config/*/*)
	@echo "vla_ros: compiling the messages (a minute, once) and installing the package"
	@$(SHOWN) "messages compiled, %" -- $(SHOWN_PIP) -v --no-build-isolation --no-deps --editable .
	@echo $(DISTRO)/$(VENV) $(filter-out $(DISTRO)/$(VENV),$(filter $(DISTRO)/%,$(IN_PLACE))) >build/in_place
	@touch $@

# The policies that need torch and transformers are not the default. The CPU build of torch, whose name a CUDA build
# never has: where pip does not find it by itself, TORCH_INDEX is the CPU index that PyTorch's own installation page
# names. TORCH=torch takes the usual one (CUDA, gigabytes); a torch that is there already is kept.
$(VENV)/.models: $(VENV)/.ready
	@$(BIN)/python -c 'import torch' 2>/dev/null || $(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH) || \
	  { echo "vla_ros: no CPU build of torch found; give TORCH_INDEX= (the CPU index of PyTorch's installation page)"; exit 1; }
	@$(PIP) transformers onnx
	@touch $@

run: setup
	@. $(BIN)/activate && exec vla-ros up --policy $(POLICY) --arm --say "$(SAY)"

demo: setup
	@. $(BIN)/activate && exec vla-ros demo --policy $(POLICY)

ALL_CORES := --numprocesses=$(shell nproc) --dist=worksteal
# Nodes of a running graph miss real deadlines where a machine stands still: such a test that fails runs once more, and is told.
ONE_BY_ONE := --reruns=1 -r fR --durations=15
# Without TESTS: all. Those without a graph run on all cores at once, those of a running graph one after the other.
test: setup
ifdef TESTS
	@. $(BIN)/activate && exec python -m pytest $(TESTS)
else
	@. $(BIN)/activate && python -m pytest $(ALL_CORES) test/property test/sim test/unit; without_graph=$$?; \
	  python -m pytest $(ONE_BY_ONE) test --ignore=test/property --ignore=test/sim --ignore=test/unit && exit $$without_graph
endif

MODEL_GRAPHS := $(patsubst %,test/models/test_%.py,lerobot_graph openvla_graph split_topics)
# The tests of LeRobot's models and of those that take its environment; the first run installs it.
test-models:
	@$(MAKE) --no-print-directory MODELS=lerobot PYTHON="$(MODELS_PYTHON)" setup
	@$(MAKE) --no-print-directory MODELS=lerobot PYTHON="$(MODELS_PYTHON)" test \
	  TESTS="$(ALL_CORES) test/models $(MODEL_GRAPHS:%=--ignore=%)"
	@$(MAKE) --no-print-directory MODELS=lerobot PYTHON="$(MODELS_PYTHON)" test TESTS="$(ONE_BY_ONE) $(MODEL_GRAPHS)"

# Playwright's own browser is not on the package index; Debian's Chromium is driven just as well.
browser:
	@type -P chromium || type -P chromium-browser || type -P google-chrome || \
	  { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } || \
	  { echo "vla_ros: no Chromium found; on Debian: apt-get install chromium"; exit 1; }

faults: setup
	@. $(BIN)/activate && exec vla-ros faults --docs

check: setup
	@. $(BIN)/activate && python interface_stubs.py && ruff check . && ruff format --check . && mypy

campaign: setup
	@. $(BIN)/activate && exec nice -n 10 python -m test.campaign.campaign $(CAMPAIGN)

mutants: setup
	@. $(BIN)/activate && exec nice -n 10 python -m test.mutation.run $(MUTANTS)

builds: setup
	@. $(BIN)/activate && exec bash test/package/builds.sh

clean:
	rm -rf .venv .venv-* build install log vla_ros/msg vla_ros/srv vla_ros/action vla_ros/*.so vla_ros/safety/*.so *.egg-info
