"""Mutants in which a rule, or one of the filter's calls of it, is switched off.

Each is one replacement in the source text, which must be there exactly once: where the code moves on, the mutant says so.
"""

from __future__ import annotations

from test.mutation.command_mutants import COMMAND_MUTANTS
from test.mutation.filter_mutants import FILTER_MUTANTS
from test.mutation.geometry_mutants import GEOMETRY_MUTANTS
from test.mutation.joint_mutants import JOINT_MUTANTS
from test.mutation.measured_mutants import MEASURED_MUTANTS

RULES = (*COMMAND_MUTANTS, *JOINT_MUTANTS, *MEASURED_MUTANTS, *GEOMETRY_MUTANTS, *FILTER_MUTANTS)
