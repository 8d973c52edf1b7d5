#!/usr/bin/env bash
# Proves the other ways to build: colcon, colcon --symlink-install, and pip install . into an empty environment.
# Runs in an activated environment (make builds); everything is made in a scratch folder.
set -euo pipefail
root=$(pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ROS_DOMAIN_ID=$((RANDOM % 100 + 1))
export AMENT_PREFIX_PATH=$VIRTUAL_ENV CMAKE_PREFIX_PATH=$VIRTUAL_ENV
show='import vla_ros, vla_ros.msg, vla_ros.srv; from rclpy.serialization import serialize_message as s; print(vla_ros.__file__, len(s(vla_ros.msg.LatentPlan(instruction="x"))))'

source_tree() { # a clean copy of the checkout: what git has, as it stands now
  mkdir -p "$1" && (cd "$root" && git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$1" 2>/dev/null || true)
}

for flags in "" "--symlink-install"; do
  echo "== colcon build $flags"
  workspace=$scratch/ws${flags//-/_}
  source_tree "$workspace/src/vla_ros"
  (
    cd "$workspace"
    colcon --log-level error build $flags --event-handlers console_cohesion- >colcon.log 2>&1 || { tail -40 colcon.log; exit 1; }
    set +u; . install/setup.bash; set -u
    test -x install/vla_ros/lib/vla_ros/safety_filter
    test -e install/vla_ros/share/vla_ros/launch/bringup.launch.py
    cd / && python -c "$show" | grep -E "$workspace"
    # A node from the installed space, with its interfaces over DDS.
    timeout -s INT 20 "$workspace"/install/vla_ros/lib/vla_ros/sim_arm --ros-args -p cameras:=none >"$workspace/node.log" 2>&1 &
    node=$!
    python "$root/test/package/hears_joint_states.py" || { cat "$workspace/node.log"; exit 1; }
    kill -INT $node && wait $node
  )
done

echo "== pip install . into an empty environment"
source_tree "$scratch/pip/vla_ros"
(
  unset AMENT_PREFIX_PATH CMAKE_PREFIX_PATH LD_LIBRARY_PATH
  python -m venv "$scratch/pip/env"
  cd "$scratch/pip"
  env/bin/pip install --quiet --disable-pip-version-check -c "$root/constraints/$ROS_DISTRO.txt" "ros-rclpy[fastrtps]" ros-common-interfaces numpy pyyaml
  env/bin/pip install --quiet --disable-pip-version-check --no-deps -c "$root/constraints/$ROS_DISTRO.txt" ./vla_ros
  env/bin/python -c "$show" | grep -E "$scratch/pip/env"
  test -x env/lib/vla_ros/safety_filter
)
echo "both builds work"
