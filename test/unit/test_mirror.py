"""Tests mirror modules: test/unit/<room>/test_<file>.py tests vla_ros/<room>/<file>.py, or a line here says why not."""

from __future__ import annotations

from pathlib import Path

from test.unit.test_rooms import PACKAGE, modules

TESTS = Path(__file__).parents[1]
ELSEWHERE = {"nodes": "graph", "ros": "graph", "sim": "sim"}
"""Rooms whose tests need the running graph or the simulator: they may lie below test/<folder> instead."""

NOT_MIRRORED: dict[str, str] = {
    # Declarations only: a test would repeat them.
    **dict.fromkeys(
        (
            *("arrays.py", "guard/guard_parameters.py", "lab/faults/case.py", "oracle/recordings/selection.py"),
            *("policies/chunk_model.py", "policies/lerobot_parameters.py"),
            *("safety/command/setpoint.py", "safety/verdict.py", "sim/sim_arm_parameters.py", "tasks/seeds.py"),
            "control/task_server_parameters.py",
        ),
        "declarations only",
    ),
    **dict.fromkeys(
        (f"safety/{name}_parameters.py" for name in ("safety", "geometry", "signal")),
        "declarations; test/campaign/test_configurations.py tries bad values of each",
    ),
    "lab/faults/rig.py": "a protocol; test/graph/test_faults.py compares every signature with GraphRig",
    # They need torch and the models' own libraries.
    **dict.fromkeys(
        (
            "policies/split/cache_tensors.py",
            "policies/split/flow_integration.py",
            "policies/split/groot.py",
            "policies/split/groot_policy.py",
            "policies/split/half_weights.py",
            "policies/split/halves.py",
            "policies/split/lerobot_processing.py",
            "policies/split/pi.py",
            "policies/split/pi0_transformers.py",
            "policies/split/pi_policies.py",
            "policies/split/quantized_weights.py",
            "policies/split/remade_buffers.py",
            "policies/split/smolvla.py",
            "policies/split/smolvla_policy.py",
            "policies/split/system1.py",
            "policies/split/system2.py",
        ),
        "needs torch: test/models/test_split.py",
    ),
    **dict.fromkeys(
        ("lab/bench/random_checkpoint.py", "lab/bench/split.py"), "needs LeRobot: test/models/test_bench_split.py"
    ),
    # Tested together with what uses them.
    "cli/__main__.py": "one call; test/unit/cli/test_main.py runs it",
    "data/demonstrations.py": "needs physics and cameras: test/sim/test_demonstrations.py",
    "lab/evaluation/episodes.py": "needs physics and cameras: test/sim/test_episodes.py",
    "lab/evaluation/report_page.py": "test/unit/lab/evaluation/test_report.py writes and reads a page",
    "lab/evaluation/through_graph.py": "needs the running graph: test/graph/test_evaluation.py",
    "lab/faults/graph_rig.py": "needs the running graph: test/graph/test_faults.py",
    "lab/training/closed_loop.py": "simulates for minutes; test/unit/lab/training/test_trainer.py replaces it",
    "nodes/task_server.py": "needs the running graph: test/graph/test_status_trace.py, test_dashboard.py",
    "lab/training/measures.py": "test/unit/lab/training/test_trainer.py measures a tiny model",
    **dict.fromkeys(
        (f"policies/openvla/{name}.py" for name in ("heads", "model", "network", "vision")),
        "needs torch and timm: test/models/test_openvla_parity.py",
    ),
    **dict.fromkeys(
        (f"policies/openvla/{name}.py" for name in ("loading", "quantization")),
        "needs torch and timm: test/models/test_openvla_loading.py",
    ),
    "policies/lerobot/loaded_weights.py": "needs torch: test/models/test_lerobot_bad_input.py spoils weights",
    "policies/lerobot/loading.py": "needs LeRobot: test/models/test_lerobot_bad_input.py",
    "policies/lerobot/model.py": "needs LeRobot: test/models/test_lerobot_model.py",
    "policies/process_child.py": "test/unit/policies/test_process_model.py runs it",
    **dict.fromkeys(
        tuple(f"ros/{name}.py" for name in ("controller_output", "filter_inputs", "filter_services")),
        "test/graph/test_safety_filter.py runs the node with it",
    ),
    "ros/filter_report.py": "test/graph/test_diagnostics.py asks a node for it",
    "ros/simulated_controllers.py": "test/graph/test_sim_arm.py runs the node with it",
    "ros/controller_state.py": "test/graph/test_output_watch.py reads messages with it",
    **dict.fromkeys(
        ("lab/security/__main__.py", "ros/opened.py"), "needs the running graph: test/graph/test_status_trace.py"
    ),
    "lab/security/devices.py": "declarations; test/unit/lab/security/test_policy.py compares them with the policy",
    "safety/arm_motion.py": "test/unit/safety/test_filter.py moves the arm in every state",
    "safety/geometry/obstacle_shape.py": "test/unit/safety/geometry/test_obstacle.py measures every shape",
    "safety/state.py": "test/unit/safety/audit/test_snapshot.py stores and restores every field",
    "policies/vlm/local_child.py": "needs torch and transformers: test/models/test_local_vlm.py runs it",
    "sim/expert.py": "test/sim/test_demonstrations.py lets it do every task",
    "sim/rendering.py": "test/sim/test_perception.py and test_simulation.py render with it",
    "sim/scene_picture.py": "a script that draws docs/scene.png",
}


def mirrored(path: Path) -> bool:
    """Return whether a module has a test file of its own."""
    room, *rest = path.relative_to(PACKAGE).with_suffix("").parts
    where = ["unit/" + "/".join([room, *rest[:-1]]) if rest else "unit"]
    if room in ELSEWHERE:
        where.append("/".join([ELSEWHERE[room], *rest[:-1]]))
    return any((TESTS / folder / f"test_{(rest or [room])[-1]}.py").is_file() for folder in where)


def test_every_module_has_its_test_or_a_reason() -> None:
    files = [path for path in modules().values() if path.name != "__init__.py"]
    missing = {path.relative_to(PACKAGE).as_posix() for path in files if not mirrored(path)}
    assert missing - NOT_MIRRORED.keys() == set()


def test_the_list_names_no_module_that_has_a_test_or_is_gone() -> None:
    files = {path.relative_to(PACKAGE).as_posix(): path for path in modules().values()}
    assert [name for name in NOT_MIRRORED if name not in files or mirrored(files[name])] == []
