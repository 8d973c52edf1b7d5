"""Options of a vision-language model (VLM) that plans in words. This file imports no model."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import ParameterError, parameter


@dataclass(frozen=True)
class VlmParameters:
    """Where the model is, what it is shown, how often it is asked and when it is given up."""

    url: str = parameter(
        "", description="OpenAI-compatible endpoint, e.g. http://localhost:8000/v1; empty: the model in `folder`"
    )
    model: str = parameter("", description="name of the model at the endpoint")
    api_key_file: str = parameter("", description="file with the endpoint's key; empty: none")
    api_key_env: str = parameter("", description="environment variable with the endpoint's key; empty: none")
    folder: str = parameter("", description="folder of a transformers image-text model; empty: the endpoint at `url`")
    python: str = parameter(
        "", description="Python that has torch and transformers, for `folder`; empty: the planner's own"
    )
    device: str = parameter("cpu", description="device of the model in `folder`, as torch names it")
    load_timeout_s: float = parameter(
        600.0, description="longest time to load the model in `folder`", unit="s", above=0.0
    )
    cameras: list[str] = parameter([], description="cameras whose images the model is shown; empty: every camera")
    image_size: int = parameter(
        512, description="longer side of an image as the model gets it", unit="pixel", minimum=32, maximum=4096
    )
    max_tokens: int = parameter(1024, description="longest answer", unit="tokens", minimum=16, maximum=32768)
    seed: int = parameter(0, description="seed of the model's sampling; the temperature is 0", minimum=0)
    timeout_s: float = parameter(30.0, description="longest wait for one answer", unit="s", above=0.0)
    retries: int = parameter(
        2, description="further tries of a request that failed, with growing waits", minimum=0, maximum=10
    )
    patience_s: float = parameter(
        60.0, description="without a usable answer for this long the instruction has failed", unit="s", above=0.0
    )
    max_bad_answers: int = parameter(
        3, description="unusable answers in a row after which the instruction has failed", minimum=1
    )
    rate_hz: float = parameter(
        0.5, description="looks per second at most at whether a subtask is done", unit="Hz", above=0.0, maximum=10.0
    )
    max_subtasks: int = parameter(12, description="longest list of subtasks", minimum=1, maximum=100)
    max_plans: int = parameter(
        3, description="lists of subtasks for one instruction: the first, and new ones after failures", minimum=1
    )
    attempts: int = parameter(
        2, description="tries of a subtask that the policy ended and the model sees undone", minimum=1
    )
    subtask_timeout_s: float = parameter(
        90.0, description="a subtask that takes longer has failed", unit="s", above=0.0
    )
    skills: list[str] = parameter(
        [], description="sentences that the policy understands, as examples; empty: those that the policy names"
    )
    plan_prompt: str = parameter("vlm_plan.v1", description="template for the list of subtasks (config/prompts/)")
    check_prompt: str = parameter("vlm_check.v1", description="template for the look at a subtask (config/prompts/)")
    table_height_m: float = parameter(
        0.0, description="height in the base frame of what is pointed at where there is no depth", unit="m"
    )
    reach_m: float = parameter(1.5, description="a point farther from the base is not believed", unit="m", above=0.0)
    max_move_m: float = parameter(0.5, description="longest Cartesian motion in words", unit="m", above=0.0)
    max_turn_deg: float = parameter(180.0, description="largest turn in words", unit="degree", above=0.0, maximum=180.0)
    speed_m_s: float = parameter(0.2, description="tool speed of a Cartesian motion", unit="m/s", above=0.0)
    turn_speed_rad_s: float = parameter(0.8, description="turning speed of the tool", unit="rad/s", above=0.0)
    gripper_joint: str = parameter("finger_joint", description="joint that the words 'open' and 'close' move")
    gripper_open: float = parameter(0.0395, description="position of that joint when open", unit="rad or m")
    gripper_closed: float = parameter(0.0005, description="position of that joint when closed", unit="rad or m")

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.folder):
            raise ParameterError(
                "url: give the URL of an endpoint (http://localhost:8000/v1), or the folder of a model in `folder`"
                + ("; not both" if self.url else "")
            )
        if self.url and not self.model:
            raise ParameterError("model: give the name of the model, as the endpoint at `url` knows it")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ParameterError(f"url: must begin with http:// or https://, got {self.url!r}")
        if self.api_key_file and self.api_key_env:
            raise ParameterError("api_key_file: the key comes from a file or from api_key_env, not both")
