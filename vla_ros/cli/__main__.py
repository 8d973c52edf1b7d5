"""`python -m vla_ros.cli`: the program vla-ros without its installed script."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from vla_ros.cli.main import main

main()
