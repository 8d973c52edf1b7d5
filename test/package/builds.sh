#!/usr/bin/env bash
# Proves the other ways to build: colcon, colcon --symlink-install, and pip install . into an empty environment.
# Runs in an activated environment (make builds); everything is made in a scratch folder.
set -euo pipefail
root=$(pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ROS_DOMAIN_ID=$((RANDOM % 100 + 1))

source_tree() { # a clean copy of the checkout, as it stands now
  mkdir -p "$1"
  git -C "$root" ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    if [ -f "$root/$file" ]; then (cd "$root" && cp --parents "$file" "$1"); fi
  done
}

prove() { # prove PREFIX: modules, messages, libraries, launch file and a running node come from PREFIX
  (cd / && python "$root/test/package/installed.py" "$1" "$1/lib/vla_ros/sim_arm")
}

for flags in "" "--symlink-install"; do
  echo "== colcon build $flags"
  workspace=$scratch/ws$flags
  source_tree "$workspace/src/vla_ros"
  (
    cd "$workspace"
    export AMENT_PREFIX_PATH=$VIRTUAL_ENV CMAKE_PREFIX_PATH=$VIRTUAL_ENV
    # shellcheck disable=SC2086
    colcon build $flags --event-handlers console_direct+ >colcon.log 2>&1 || { tail -40 colcon.log; exit 1; }
    set +u
    . install/setup.bash
    set -u
    # This environment has the package too. The wheels of ROS put the library folders in any order unless told that
    # it is done: the workspace comes first, as with an installation of ROS.
    LD_LIBRARY_PATH=$PWD/install/vla_ros/lib:$(python -c 'import os; print(os.environ["LD_LIBRARY_PATH"])')
    export LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
    [ "$(command -v vla-ros)" = "$workspace/install/vla_ros/bin/vla-ros" ] && vla-ros --version
    complete -p vla-ros # of the hooks that colcon.pkg names
    prove "$workspace/install/vla_ros"
  )
done

echo "== pip install . into an empty environment"
source_tree "$scratch/pip/vla_ros"
python -m venv "$scratch/pip/env"
"$scratch/pip/env/bin/pip" install --quiet --disable-pip-version-check "$scratch/pip/vla_ros"
(. "$scratch/pip/env/bin/activate" && prove "$scratch/pip/env")

echo "all builds work"
