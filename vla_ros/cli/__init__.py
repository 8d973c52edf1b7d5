"""The program vla-ros: one module for each command, `main` for the command line. Also `python -m vla_ros.cli`."""
