"""Sizes of the tiny network that the tests of training run."""

from vla_ros.policies.compact.model_config import Sizes

TINY = Sizes(image=32, channels=(8, 8, 16), key=8, dim=32, heads=2, language_layers=1, fusion_layers=1, flow_layers=1)
