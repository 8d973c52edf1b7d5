"""Options of the policies whose models run in two halves. This file imports no model.

Most options decide what the halves compute and must be the same for both; `checkpoint` of a plan covers them. `device`,
`weights` and `wire_dtype` may differ: planner and action expert each have their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import ParameterError, parameter
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.policy_parameters import MotionParameters
from vla_ros.policies.split.plan_tensors import WIRE_DTYPES
from vla_ros.policies.split.real_time_chunking import FORMS, SCHEDULES

WEIGHTS = ("auto", "float32", "bfloat16", "int8", "int4")
LIBRARIES = ("auto", "lerobot", "transformers")


@dataclass(frozen=True)
class RealTimeChunkingParameters:
    """How a new chunk agrees with the one that plays while it is computed."""

    form: str = parameter(
        "guidance",
        description="guidance: for checkpoints trained without prefixes, costs a backward pass; trained: for checkpoints "
        "trained with clean prefixes; off: the transition alone joins the chunks",
        choices=FORMS,
    )
    execution_horizon: int = parameter(
        10,
        description="rows that are played before the next chunk replaces them; so many at the end stay free",
        minimum=1,
    )
    max_guidance_weight: float = parameter(5.0, description="largest gain of the guidance", above=0.0)
    schedule: str = parameter(
        "exponential", description="how the weight of the previous chunk falls behind the prefix", choices=SCHEDULES
    )


@dataclass(frozen=True)
class SplitParameters:
    """What the split families have in common."""

    binding: BindingParameters
    motion: MotionParameters
    real_time_chunking: RealTimeChunkingParameters
    checkpoint: str = parameter("", description="folder of the checkpoint")
    device: str = parameter("cpu", description="torch device of this half, e.g. cpu or cuda:0")
    threads: int = parameter(
        0, description="threads of torch in this process; 0: one on the CPU, torch's choice elsewhere", minimum=0
    )
    weights: str = parameter(
        "auto",
        description="type of this half's weights; auto: as the checkpoint says; int8 and int4 need torchao",
        choices=WEIGHTS,
    )
    wire_dtype: str = parameter(
        "auto", description="type of the numbers of a plan; auto: as they were computed", choices=WIRE_DTYPES
    )
    euler_steps: int = parameter(
        0, description="steps from noise to actions; 0: as the checkpoint says", minimum=0, maximum=100
    )
    seed: int = parameter(0, description="seed of the noise that every chunk begins with", minimum=0)


@dataclass(frozen=True)
class SmolVLAParameters(SplitParameters):
    """SmolVLA of LeRobot."""

    vlm: str = parameter(
        "", description="folder with the language model's config.json and tokenizer; empty: as the checkpoint says"
    )
    fresh_state: bool = parameter(
        False,
        description="true: System 1 reads the newest joint state, and loads the text layers for it; false: the state is "
        "part of the plan, as in the whole model",
    )


@dataclass(frozen=True)
class Pi0Parameters(SplitParameters):
    """pi0 of LeRobot or of transformers."""

    tokenizer: str = parameter(
        "", description="folder of PaliGemma's tokenizer; empty: the checkpoint's own folder, or as it says"
    )
    library: str = parameter(
        "auto",
        description="whose class: lerobot, transformers (needs no LeRobot); auto: what the checkpoint is of",
        choices=LIBRARIES,
    )
    cameras: list[str] = parameter(
        [], description="image slots of a checkpoint of transformers, in its order; it does not name them"
    )


@dataclass(frozen=True)
class Pi05Parameters(SplitParameters):
    """pi0.5 of LeRobot. Its state is in the prompt, so System 2 reads it."""

    tokenizer: str = parameter(
        "", description="folder of PaliGemma's tokenizer; empty: the checkpoint's own folder, or as it says"
    )

    def __post_init__(self) -> None:
        if self.real_time_chunking.form == "trained":
            raise ParameterError(
                "real_time_chunking.form: trained is not offered for pi05, whose class takes one flow time for all rows; "
                "write guidance or off"
            )


@dataclass(frozen=True)
class GrootParameters(SplitParameters):
    """GR00T N1.7 of LeRobot."""

    backbone: str = parameter(
        "", description="folder with the language model's config.json, tokenizer and image processor; empty: as the "
        "checkpoint says"
    )  # fmt: skip
    embodiment: str = parameter("", description="embodiment tag; empty: as the checkpoint says")
    embodiment_id: int = parameter(-1, description="index of the embodiment's layers; -1: that of the tag", minimum=-1)
    horizon: int = parameter(0, description="rows of a chunk that are used; 0: all", minimum=0)
