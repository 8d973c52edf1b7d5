# One command each; every target does the set-up that it needs, once.
#   make run     start the robot: the whole graph with a simulated arm (SAY="..." chooses the first sentence, SAY= none;
#                POLICY=classical another policy)
#   make demo    one task without a screen; exit code 0 when the simulator judges it done
#   make test    all tests        make check   style and types        make builds   prove both ways of building
#   make faults  every fault on the running graph, judged (some minutes); writes docs/faults.md
#   make campaign, make mutants: see docs/testing.md
#   make setup   the environment alone (ROS_DISTRO=kilted for the other wheels, MODELS=1 for torch and transformers)
SHELL := /bin/bash
.DELETE_ON_ERROR:

ROS_DISTRO ?= jazzy
DISTRO := $(ROS_DISTRO)
ifeq ($(wildcard constraints/$(DISTRO).txt),)
$(error vla_ros: ROS_DISTRO=$(DISTRO): there are no wheels of it. \
  With its installation use colcon build (README); for the wheels: ROS_DISTRO=jazzy make $(MAKECMDGOALS))
endif
VENV := .venv$(if $(filter-out jazzy,$(DISTRO)),-$(DISTRO))
BIN := $(VENV)/bin
TORCH ?= torch==2.13.0+cpu
PYTHON ?= python3
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints/$(DISTRO).txt
SAY ?= put the red cube in the bowl
POLICY ?= compact

# A sourced ROS installation would shadow the wheels: the environment made here stands alone.
unexport PYTHONPATH AMENT_PREFIX_PATH CMAKE_PREFIX_PATH LD_LIBRARY_PATH
export ROS_DISTRO := $(DISTRO)
export OMP_NUM_THREADS := 1

.PHONY: setup run demo test faults check campaign mutants builds clean other_distribution

setup: $(VENV)/.ready $(if $(MODELS),$(VENV)/.models)

$(VENV)/.wheels: requirements.txt requirements-dev.txt constraints/$(DISTRO).txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "vla_ros: $(PYTHON) is $$($(PYTHON) -V 2>&1); Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@command -v c++ >/dev/null || { echo "vla_ros: no C++ compiler found; on Debian and Ubuntu: apt-get install g++"; exit 1; }
	@test -f "$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" || \
	  { echo "vla_ros: $(PYTHON) lacks Python.h; on Debian and Ubuntu: apt-get install python3-dev"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "vla_ros: $(PYTHON) lacks ensurepip; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "vla_ros: installing ROS 2 $(DISTRO) and the simulator into $(VENV) (once, some minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) -r constraints/$(DISTRO).txt -r requirements.txt -r requirements-dev.txt
	@touch $@

# The environments of two distributions share the checkout, which holds the messages compiled for one of them.
ifneq ($(file <build/in_place),$(DISTRO))
$(VENV)/.ready: other_distribution
endif

$(VENV)/.ready: $(VENV)/.wheels setup.py setup.cfg build_interfaces.py CMakeLists.txt package.xml \
                $(wildcard msg/*.msg srv/*.srv launch/* config/* config/*/*)
	@echo "vla_ros: compiling the messages (a minute, once) and installing the package"
	@$(PIP) --no-build-isolation --no-deps --editable .
	@echo $(DISTRO) >build/in_place
	@touch $@

# The policies that need torch and transformers are not the default. The CPU build of torch, whose name a CUDA build
# never has: where pip does not find it by itself, TORCH_INDEX is the CPU index that PyTorch's own installation page
# names. TORCH=torch takes the usual one (CUDA, gigabytes); a torch that is there already is kept.
$(VENV)/.models: $(VENV)/.ready
	@$(BIN)/python -c 'import torch' 2>/dev/null || $(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH) || \
	  { echo "vla_ros: no CPU build of torch found; give TORCH_INDEX= (the CPU index of PyTorch's installation page)"; exit 1; }
	@$(PIP) transformers
	@touch $@

run: setup
	@. $(BIN)/activate && exec vla-ros up --policy $(POLICY) --arm --say "$(SAY)"

demo: setup
	@. $(BIN)/activate && exec vla-ros demo --policy $(POLICY)

test: setup
	@. $(BIN)/activate && exec python -m pytest

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
	rm -rf .venv .venv-* build install log vla_ros/msg vla_ros/srv vla_ros/*.so *.egg-info
