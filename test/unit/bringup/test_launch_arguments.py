"""Arguments of the launch file: what counts of a launch's configurations, and what is refused in which words."""

from __future__ import annotations

import pytest

from vla_ros.bringup.launch_arguments import ARGUMENTS, OTHER_NAMES, chosen_arguments, full_namespace
from vla_ros.parameters import ParameterError


def test_only_what_is_passed_counts_and_all_counts_where_that_cannot_be_told() -> None:
    configurations = {"policy": "compact", "dashboard": "No", "vla_config": "mine.yaml", "other": "x"}
    assert chosen_arguments(configurations, ())["policy"] == "classical"
    assert chosen_arguments(configurations, {"policy"})["policy"] == "compact"
    assert chosen_arguments(configurations, {"policy"})["dashboard"] is True
    value = chosen_arguments(configurations)
    assert value["policy"] == "compact" and value["dashboard"] is False and value["config"] == "mine.yaml"
    assert set(value) == set(ARGUMENTS) - {"vla_config"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"polcy": "compact"}, "polcy: bringup.launch.py has no such argument; did you mean policy:=?"),
        ({"params_file": "a.yaml"}, "params_file: bringup.launch.py has no such argument; this goes to config:="),
        ({"instruction": "hi"}, "instruction: .*vla-ros say"),
        ({"zzz": "1"}, "zzz: .*it has robot, policy"),
        ({"rviz": "si"}, "rviz: expected true or false, got 'si'"),
        ({"only": "[planner, camera]"}, "only: expected text, got '.planner, camera.'; .* without brackets"),
        ({"namespace": "9a"}, "namespace '9a': letters"),
        ({"config": "a.yaml", "vla_config": "b.yaml"}, "config, vla_config: they say the same"),
        ({"vlm_url": "http://localhost"}, "vlm_url, vlm_model: .*system2:=vlm"),
    ],
)
def test_what_is_refused(given: dict[str, str], told: str) -> None:
    with pytest.raises(ParameterError, match=f"^{told}"):
        chosen_arguments(given, set(given))


def test_all_faults_are_told_together() -> None:
    given = {"polcy": "x", "rviz": "si", "namespace": "a b"}
    with pytest.raises(ParameterError) as refused:
        chosen_arguments(given, set(given))
    assert [fault.split(":")[0].split()[0] for fault in refused.value.faults] == ["polcy", "rviz", "namespace"]
    assert not set(OTHER_NAMES) & set(ARGUMENTS)


def test_a_namespace_is_below_the_one_that_is_pushed_unless_it_begins_with_a_slash() -> None:
    cases = {("", ""): "", ("left", ""): "left", ("left/", "/cell"): "cell/left", ("", "/cell"): "cell"}
    for given, whole in (cases | {("/left", "cell"): "left", ("/", "cell"): "", ("//left", ""): "left"}).items():
        assert full_namespace(*given) == whole
