"""Options of the policy `lerobot`. This file imports neither torch nor LeRobot."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import ParameterError, parameter
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.policy_parameters import MotionParameters

PRECISIONS = ("as_saved", "bfloat16", "float16")


@dataclass(frozen=True)
class LeRobotParameters:
    """Any policy of LeRobot, from its folder."""

    binding: BindingParameters
    motion: MotionParameters
    checkpoint: str = parameter("", description="folder of a LeRobot 0.6 policy, or the output folder of lerobot-train")
    tokenizer: str = parameter(
        "",
        description="folder with tokenizer and configuration of the language model, where the checkpoint names the hub's",
    )
    config: list[str] = parameter([], description="field=value each, laid over the checkpoint's config.json")
    device: str = parameter("auto", description="auto (a GPU where there is one), cpu, cuda, cuda:1, ...")
    precision: str = parameter("as_saved", description="of the computation, by torch's autocast", choices=PRECISIONS)
    seed: int = parameter(
        0, description="of the noise that a chunk begins with, the same for each; -1: another each time", minimum=-1
    )
    threads: int = parameter(1, description="of torch on the CPU", minimum=1)
    real_time_chunking: bool = parameter(
        True, description="guide a chunk by the one being played, where the policy has it; otherwise only splice them"
    )
    execution_horizon: int = parameter(
        10, description="rows of the present chunk that guide the next one, the last ones less", minimum=1
    )
    policy_python: str = parameter(
        "",
        description="another Python that has LeRobot, which then runs the model in a process of its own; empty: this one",
    )
    load_timeout_s: float = parameter(
        600.0, description="longest time to load, with policy_python", unit="s", above=0.0
    )
    timeout_s: float = parameter(30.0, description="longest inference, with policy_python", unit="s", above=0.0)

    def __post_init__(self) -> None:
        if wrong := [entry for entry in self.config if not entry.partition("=")[0].isidentifier() or "=" not in entry]:
            raise ParameterError(f"config: expected field=value, got {wrong[0]!r}")
