"""What a seed is for: scenes that evaluation draws are never trained on."""

TRAINING = 1_000_000
"""First seed of training. Smaller ones are for evaluation."""
CLOSED_LOOP = 1_950_000
"""First seed of the episodes that decide when training stops: far beyond those that data are made of."""
