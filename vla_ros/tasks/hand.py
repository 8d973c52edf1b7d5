"""How a parallel gripper handles the objects: finger openings, heights of the tool, gaps and speeds.

Openings are positions of one finger. Heights are of the tool over the table.
"""

from __future__ import annotations

FINGER_OPEN_M, FINGER_CLOSED_M = 0.0395, 0.0005
"""A little inside the range of the finger joint, so that no interpolation leaves it."""
HOLDING_FINGER_M = 0.006
"""Fingers that were told to close and stay wider than this hold something."""
GRIPPING_FINGER_M = 0.016
"""Fingers that rest so wide apart, or up to half an object, hold one, whatever they were told. Pushing fingers are closer."""
RELEASE_CLEARANCE_M = 0.012
"""Fingers that let go open this much wider than half the object."""
FINGER_HALF_DEPTH_M = 0.0095
"""Half of a finger's depth, across the opening."""
FINGERTIP_M = 0.011
"""From the tool point to the finger tips."""
RELEASE_GAP_M = 0.004
"""Between an object and what it is put down on, and between the finger tips and the table."""
LOWEST_TOOL_M = 0.015
"""The finger tips do not touch the table: FINGERTIP_M + RELEASE_GAP_M."""

TRAVEL_HEIGHT_M = 0.20
"""An object in the hand passes over everything that stands on the table."""
READY_HEIGHT_M = 0.11
"""Before the hand goes down to an object."""

PUSH_START_GAP_M = 0.03
"""Between the fingers and the object before a push."""
PUSH_GAP_M = 0.008
"""That a push leaves between an object and the one that it is pushed to."""
PUSH_LENGTH_M = 0.11
"""Of a push to a side: 3 cm more than the judge asks for (`geometry.PUSHED_M`)."""
PUSH_SPEED_M_S = 0.08
TRAVEL_SPEED_M_S = 0.35
APPROACH_SPEED_M_S = 0.12
