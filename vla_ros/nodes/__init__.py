"""The executables: each module is one node and has `main`. They are started, not imported."""

import sys

from vla_ros.parameters import ParameterError

try:
    import vla_ros.ros  # noqa: F401  # before a node imports rclpy, which ends the process where its middleware is not there
except ParameterError as error:
    print(f"vla_ros: {error}", file=sys.stderr)
    sys.exit(2)
