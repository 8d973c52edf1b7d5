"""Prompts of the vision-language model. They have a version and stand in config/prompts/."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vla_ros.parameters import ParameterError, from_mapping, parameter, yaml_of
from vla_ros.resources import share

PLACEHOLDERS: Mapping[str, tuple[str, ...]] = {
    "vlm_plan": ("instruction", "skills", "motions", "memory", "cameras", "max_subtasks"),
    "vlm_check": ("instruction", "subtask", "memory", "policy", "cameras"),
}
"""Kind of prompt → what stands in braces in it, each at least once."""


@dataclass(frozen=True)
class VlmPrompt:
    """One template. A changed template is a new file with a new version, so that it stays known what a model was run with."""

    kind: str = parameter(description="what the model is asked", choices=tuple(PLACEHOLDERS))
    template: str = parameter(description="text with the placeholders of its kind")

    def __post_init__(self) -> None:
        if missing := [name for name in PLACEHOLDERS[self.kind] if f"{{{name}}}" not in self.template]:
            raise ParameterError(f"template: must hold {{{missing[0]}}}")

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text that the model reads. values: placeholder → text. Other braces stay as they are."""
        names = "|".join(PLACEHOLDERS[self.kind])
        # All at once: what stands in a value is no placeholder.
        return re.sub(rf"\{{({names})\}}", lambda found: values[found[1]], self.template)


def load_vlm_prompt(name: str, kind: str) -> VlmPrompt:
    """Read a template.

    Args:
        name: config/prompts/<name>.yaml, or the path of a file.
        kind: that it must be of, a key of PLACEHOLDERS.

    Raises:
        ParameterError: there is no such file, or it is not a template of that kind.
    """
    key = f"vlm.{kind.removeprefix('vlm_')}_prompt"
    folder = share() / "config" / "prompts"
    file = Path(name).expanduser() if "/" in name or name.endswith(".yaml") else folder / f"{name}.yaml"
    if not file.exists():
        known = ", ".join(sorted(path.stem for path in folder.glob("vlm_*.yaml")))
        raise ParameterError(f"{key}: {file}: {os.strerror(errno.ENOENT)}; there are {known}")
    tree = yaml_of(file, f"{key}: {file}")
    if not isinstance(tree, Mapping):
        raise ParameterError(f"{key}: {file}: expected `kind: …` and `template: …`")
    prompt = from_mapping(VlmPrompt, tree, f"{key}: {file}: ")
    if prompt.kind != kind:
        raise ParameterError(f"{key}: {file}: it is of kind {prompt.kind}, not {kind}")
    return prompt
