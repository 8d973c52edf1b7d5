"""The executables: each module is one node and has `main`. They are started, not imported."""
