"""Options of the policies `openvla` and `openvla_oft`. This file imports no model."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import parameter
from vla_ros.policies.binding.binding_parameters import ACTION_KINDS, ACTION_SPACES, BindingParameters
from vla_ros.policies.openvla.folder import OftLayout
from vla_ros.policies.policy_parameters import MotionParameters

WEIGHTS = ("bfloat16", "float32", "int8", "nf4")


@dataclass(frozen=True)
class OpenVlaBinding(BindingParameters):
    """What OpenVLA's numbers mean, with the values of BridgeData V2: steps of the tool in the base frame, 5 a second."""

    action_kind: str = parameter(
        "step",
        description="absolute: targets; relative: from the state at the start of the chunk; step: each row from the row "
        "before. The gripper is always absolute",
        choices=ACTION_KINDS,
    )
    action_space: str = parameter(
        "cartesian", description="cartesian: poses of the tool in the base frame", choices=ACTION_SPACES
    )
    gripper_joint: str = parameter(
        "finger_joint", description="joint of the gripper; empty: its value is a joint position"
    )
    rate_hz: float = parameter(
        5.0,
        description="rows per second of a chunk; 0: what the checkpoint says",
        unit="Hz",
        minimum=0.0,
        maximum=1000.0,
    )


@dataclass(frozen=True)
class OpenVlaOftBinding(OpenVlaBinding):
    """What OFT's numbers mean, with the values of LIBERO: inputs of a controller, 1 is 5 cm or 0.5 rad, 20 a second.

    Source: robosuite, controllers/config/osc_pose.json (output_max).
    """

    position_scale: float = parameter(
        0.05, description="meters for a 1 of a tool position in an action, e.g. 0.001 for mm", unit="m", above=0.0
    )
    rotation_scale: float = parameter(
        0.5, description="factor on tool rotations in an action, before angle_unit", above=0.0
    )
    rate_hz: float = parameter(
        20.0,
        description="rows per second of a chunk; 0: what the checkpoint says",
        unit="Hz",
        minimum=0.0,
        maximum=1000.0,
    )


@dataclass(frozen=True)
class OpenVlaParameters:
    """OpenVLA: one step of the tool at a time, as seven words of a language model."""

    motion: MotionParameters
    binding: OpenVlaBinding
    checkpoint: str = parameter("", description="folder of a checkpoint in the published layout, e.g. openvla-7b")
    unnorm_key: str = parameter(
        "", description="data set whose statistics un-normalise actions, e.g. bridge_orig; empty: the only one"
    )
    device: str = parameter(
        "auto", description="auto: the GPU where there is one; else a torch device, e.g. cpu or cuda:1"
    )
    weights: str = parameter(
        "bfloat16",
        description="what the language model's weights are kept in; int8 by torchao, nf4 by bitsandbytes",
        choices=WEIGHTS,
    )
    center_crop: bool = parameter(
        False,
        description="true: see the middle 90 % of the image, as models that were fine-tuned with random crops need",
    )


@dataclass(frozen=True)
class OpenVlaOftParameters:
    """OpenVLA-OFT: a whole chunk in one pass of the language model."""

    motion: MotionParameters
    binding: OpenVlaOftBinding
    checkpoint: str = parameter(
        "", description="folder of a checkpoint in the published layout, e.g. openvla-7b-oft-finetuned-libero-spatial"
    )
    unnorm_key: str = parameter(
        "",
        description="data set whose statistics un-normalise actions, e.g. libero_spatial_no_noops; empty: the only one",
    )
    device: str = parameter(
        "auto", description="auto: the GPU where there is one; else a torch device, e.g. cpu or cuda:1"
    )
    weights: str = parameter(
        "bfloat16",
        description="what the language model's weights are kept in; int8 by torchao, nf4 by bitsandbytes",
        choices=WEIGHTS,
    )
    center_crop: bool = parameter(
        True,
        description="true: see the middle 90 % of the image, as models that were fine-tuned with random crops need",
    )
    head: str = parameter(
        "l1", description="l1: the folder's action head; tokens: action tokens, all at once", choices=("l1", "tokens")
    )
    images: list[str] = parameter(
        [],
        description="names of the images in their order in the prompt; empty: as published for actions of that width",
    )
    chunk_size: int = parameter(
        0,
        description="rows of a chunk; 0: as published for actions of that width (8 for 7 values, 25 for 14)",
        minimum=0,
        maximum=100,
    )
    normalization: str = parameter(
        "auto",
        description="statistics that become -1 and 1; auto: as published for actions of that width",
        choices=("auto", "quantiles", "min_max"),
    )

    def layout(self) -> OftLayout:
        """Return what no file of the folder says."""
        return OftLayout(tuple(self.images), self.chunk_size, self.normalization, self.head)
