"""Whose a seed is: what evaluation draws is never trained on."""

TRAINING = 1_000_000
"""The first of training; smaller ones are evaluation's."""
CLOSED_LOOP = 1_950_000
"""The first of the episodes that decide when training stops: far behind those that data is made of."""
