"""Prompt templates: how an instruction is written for a model. They have a version and stand in config/prompts/."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from vla_ros.parameters import ParameterError, from_mapping, parameter, yaml_of
from vla_ros.resources import share

PLACEHOLDER = "{instruction}"


@dataclass(frozen=True)
class Prompt:
    """One template. A changed template is a new file with a new version, so that it stays known what a model was run with."""

    template: str = parameter(description="text with {instruction} once")
    lower_case: bool = parameter(False, description="write the instruction in lower case")
    full_stop: bool = parameter(True, description="keep a full stop at the end of the instruction")

    def __post_init__(self) -> None:
        if self.template.count(PLACEHOLDER) != 1:
            raise ParameterError(f"template: must hold {PLACEHOLDER} once, got {self.template!r}")

    def render(self, instruction: str) -> str:
        """Return the text that the model reads."""
        words = instruction.lower() if self.lower_case else instruction
        return self.template.replace(PLACEHOLDER, words if self.full_stop else words.rstrip(" ."))


AS_SAID = Prompt(PLACEHOLDER)
"""The instruction as it was said."""


def load_prompt(name: str) -> Prompt:
    """Read a template.

    Args:
        name: config/prompts/<name>.yaml, or the path of a file.

    Raises:
        ParameterError: there is no such file, or it is not a template.
    """
    folder = share() / "config" / "prompts"
    file = Path(name) if "/" in name or name.endswith(".yaml") else folder / f"{name}.yaml"
    if not file.exists():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
        raise ParameterError(f"prompt: {file}: {os.strerror(errno.ENOENT)}; there are {known}")
    tree = yaml_of(file, f"prompt: {file}")
    if not isinstance(tree, dict):
        raise ParameterError(f"prompt: {file}: expected `template: …`")
    return from_mapping(Prompt, tree, f"prompt: {file}: ")
