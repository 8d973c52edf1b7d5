"""vla-ros: start the graph, talk to it, stop it, measure it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vla_ros.bench import command as bench
from vla_ros.oracle import audit
from vla_ros.safety.audit import command as replay

if TYPE_CHECKING:
    from vla_ros.evaluation.report import Outcome

DESCRIPTION = """Put a vision-language-action model on a ROS 2 robot arm, behind a safety filter.

  vla-ros up --arm --say "put the red cube in the bowl"    start the simulated arm and give it a task
  vla-ros say "push the blue cylinder to the left"         the next task, from another terminal
  vla-ros estop                                            stop; then vla-ros reset, vla-ros arm
  vla-ros eval --policy classical --episodes 10 --through-graph
"""
TASKS = "pick,place,push,stack,sequence"


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser("vla-ros", description=DESCRIPTION, formatter_class=argparse.RawTextHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        if name not in ("eval", "demo", "doctor", "audit", "bench", "replay"):
            command.add_argument("--namespace", default="", help="namespace of the arm")
        return command

    up = add("up", "start the graph and stay up until Ctrl-C")
    up.add_argument("--robot", default="sim", help="sim, or the name of a file in config/")
    up.add_argument("--policy", default="classical", help="classical or scripted")
    up.add_argument("--config", default="", help="parameter file laid over the robot's")
    up.add_argument("--use-sim-time", action="store_true", help="follow /clock")
    up.add_argument("--rviz", action="store_true", help="start RViz too")
    up.add_argument("--dashboard", action="store_true", help="start the browser page too")
    up.add_argument("--arm", action="store_true", help="arm the filter as soon as it hears the arm (simulation)")
    up.add_argument("--say", default="", metavar="TEXT", help="the first instruction")

    say = add("say", "give an instruction and follow it to its end; Ctrl-C leaves the arm holding")
    say.add_argument("text", help="what to do; an empty text means hold")
    add("arm", "let commands through to the arm")
    add("disarm", "let nothing through any more; refused while the arm moves")
    add("estop", "stop the arm at once and keep it stopped")
    add("reset", "leave a latched stop; motion needs `arm` after it")

    evaluate = add("eval", "measure success in simulation; exit code 0 when it ran, whatever the success")
    evaluate.add_argument("--policy", default="classical")
    evaluate.add_argument("--config", default="", help="parameter file laid over config/sim.yaml (through the graph)")
    evaluate.add_argument("--tasks", default=TASKS, help=f"task kinds, in turn (default {TASKS})")
    evaluate.add_argument("--episodes", type=int, default=10, metavar="N")
    evaluate.add_argument("--seed", type=int, default=1000, metavar="S", help="episode i has seed S + i")
    evaluate.add_argument("--through-graph", action="store_true", help="real nodes, real DDS, real time")
    evaluate.add_argument("--instruction", default="", help="word the task yourself")
    evaluate.add_argument("--json", default="", metavar="FILE", help="write the results there")

    demo = add("demo", "one task without a screen; exit code 0 when the simulator judges it done")
    demo.add_argument("--say", default="put the red cube in the bowl", metavar="TEXT")
    demo.add_argument("--policy", default="classical")
    demo.add_argument("--seed", type=int, default=3)
    add("doctor", "say what this machine has and lacks")
    audit.arguments(add("audit", audit.TEXT))
    bench.arguments(add("bench", bench.TEXT))
    replay.arguments(add("replay", replay.TEXT))
    return top


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the program vla-ros."""
    from vla_ros.parameters import ParameterError

    chosen = parser().parse_args(arguments)
    try:
        code = COMMANDS[chosen.command](chosen)
    except ParameterError as error:
        code = _refuse(str(error))
    except KeyboardInterrupt:
        code = 130
    except ImportError as error:
        if not (error.name or "").startswith(("rclpy", "vla_ros.msg", "vla_ros.srv")):
            raise
        code = _refuse(f"{error.name} is not installed: make setup, or source a ROS installation")
    sys.exit(code)


def _refuse(why: str) -> int:
    print(f"vla-ros: {why}", file=sys.stderr)
    return 2


def _up(chosen: argparse.Namespace) -> int:
    from vla_ros.graph import bringup
    from vla_ros.up import run

    processes = bringup(
        chosen.robot, chosen.policy, chosen.config, chosen.namespace, chosen.rviz, chosen.dashboard, chosen.use_sim_time
    )
    began_s = time.monotonic()

    def ready() -> None:
        from vla_ros.nodes.client import Unreachable, client

        try:
            with client(chosen.namespace) as talk:
                talk.ready(60.0)
                if chosen.arm or chosen.say:
                    armed, why = talk.arm(30.0)
                    print(f"vla_ros: {'armed' if armed else why}", flush=True)
                if chosen.say:
                    talk.publish(chosen.say)
                print(f"vla_ros: up after {time.monotonic() - began_s:.1f} s. From another terminal:", flush=True)
                if not (chosen.arm or chosen.say):
                    print("  vla-ros arm", flush=True)
                print('  vla-ros say "stack the green cube on the red cube"\n  vla-ros estop', flush=True)
                print("Ctrl-C stops everything.", flush=True)
        except Unreachable as error:
            print(f"vla_ros: {error}", flush=True)

    return run(processes, ready)


def _say(chosen: argparse.Namespace) -> int:
    from vla_ros.nodes.client import Unreachable, client

    codes = {"done": 0, "unarmed": 3}
    with client(chosen.namespace) as talk:
        try:
            if not chosen.text.strip():
                talk.publish("")
                talk.spin(0.3)
                return 0
            talk.spin(2.0, lambda: talk.status is not None)
            said, why = talk.follow(chosen.text)
        except Unreachable as error:
            return _refuse(str(error))
        except KeyboardInterrupt:
            talk.publish("")
            talk.spin(0.3)
            print("holding")
            return 130
    print(f"{said}{': ' if why else ''}{why}")
    return codes.get(said, 1)


def _trigger(chosen: argparse.Namespace) -> int:
    from vla_ros.nodes.client import Unreachable, client

    with client(chosen.namespace) as talk:
        try:
            done, message = talk.trigger(chosen.command)
        except Unreachable as error:
            return _refuse(str(error))
    print(message)
    return 0 if done else 1


def _eval(chosen: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.progress import Progress

    from vla_ros.evaluation.report import Report
    from vla_ros.policies.registry import policy
    from vla_ros.sim.tasks import KINDS

    tasks = [task for task in chosen.tasks.split(",") if task]
    unknown = [task for task in tasks if task not in KINDS]
    if unknown or not tasks or chosen.episodes < 1:
        return _refuse(f"--tasks {chosen.tasks} --episodes {chosen.episodes}: task kinds are {', '.join(KINDS)}")
    policy(chosen.policy)
    report = Report(chosen.policy, "nominal", chosen.seed)
    console = Console(stderr=True)
    try:
        with Progress(console=console) as progress:
            bar = progress.add_task(f"{chosen.policy}", total=chosen.episodes)

            def note(outcome: Outcome) -> None:
                report.outcomes.append(outcome)
                good = sum(entry.success for entry in report.outcomes)
                progress.update(bar, advance=1, description=f"{chosen.policy}: {good} of {len(report.outcomes)}")
                if not outcome.success:
                    progress.print(f"seed {outcome.seed} {outcome.task}: {outcome.instruction}: {outcome.said}")

            if chosen.through_graph:
                from vla_ros.nodes.through_graph import Graph

                with Graph(chosen.policy, chosen.config) as graph:
                    for i in range(chosen.episodes):
                        note(
                            graph.episode(chosen.seed + i, tasks[i % len(tasks)], chosen.instruction, lambda line: None)
                        )
                    report.rates = graph.rates()
            else:
                for i in range(chosen.episodes):
                    note(_offline(chosen, tasks[i % len(tasks)], chosen.seed + i))
    except RuntimeError as error:
        return _refuse(str(error))
    Console().print(report.table())
    if chosen.json:
        Path(chosen.json).write_text(json.dumps(report.json(), indent=2, default=str) + "\n")
    return 0


def _offline(chosen: argparse.Namespace, task: str, seed: int) -> Outcome:
    """One episode without ROS, with the filter configured as the graph would."""
    os.environ.setdefault("MUJOCO_GL", "egl")
    from vla_ros.evaluation.offline import run_episode
    from vla_ros.evaluation.report import Outcome
    from vla_ros.graph import bringup
    from vla_ros.parameters import from_mapping, nested
    from vla_ros.safety.parameters import SafetyFilterParameters

    (gate,) = [p for p in bringup(policy=chosen.policy, config=chosen.config) if p.name == "safety_filter"]
    safety = from_mapping(SafetyFilterParameters, nested(gate.parameters))
    end = run_episode(chosen.policy, task, seed, safety, instruction=chosen.instruction)
    said = f"{end.state.name.lower()}: {end.said}"
    return Outcome(task, seed, end.instruction, end.success, said, round(end.seconds, 2), end.measures)


def _demo(chosen: argparse.Namespace) -> int:
    from vla_ros.nodes.client import Unreachable
    from vla_ros.nodes.through_graph import Graph

    print("starting the graph", flush=True)
    try:
        with Graph(chosen.policy) as graph:
            print(f"asking: {chosen.say}", flush=True)
            outcome = graph.episode(chosen.seed, "place", chosen.say, lambda line: print(line, flush=True))
    except Unreachable as error:
        return _refuse(str(error))
    print(f"planner: {outcome.said}, after {outcome.seconds:.1f} s")
    print(f"simulator: {'done' if outcome.success else 'not done'} {outcome.measures}")
    return 0 if outcome.success else 1


def _doctor(chosen: argparse.Namespace) -> int:
    from vla_ros import doctor

    return doctor.main()


COMMANDS = {
    "up": _up,
    "say": _say,
    "arm": _trigger,
    "disarm": _trigger,
    "estop": _trigger,
    "reset": _trigger,
    "eval": _eval,
    "demo": _demo,
    "doctor": _doctor,
    "audit": audit.run,
    "bench": bench.run,
    "replay": replay.run,
}

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
