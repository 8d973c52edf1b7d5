"""Recorded command streams of every kind, read into `vla_ros.oracle.stream.Stream`."""
