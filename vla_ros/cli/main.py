"""vla-ros: start the graph, talk to it, stop it, measure it."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import threading
import time

from vla_ros.cli import bench, check_recording, data, faults, replay, status, trace, train
from vla_ros.cli import eval as evaluate

DESCRIPTION = """Put a vision-language-action model on a ROS 2 robot arm, behind a safety filter.

  vla-ros up --arm --say "put the red cube in the bowl"    start the simulated arm and give it a task
  vla-ros say "push the blue cylinder to the left"         the next task, from another terminal
  vla-ros estop                                            stop; then vla-ros reset, vla-ros arm
  vla-ros eval --policy classical --episodes 10 --through-graph
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser("vla-ros", description=DESCRIPTION, formatter_class=argparse.RawTextHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        if name not in ("eval", "demo", "doctor", "audit", "bench", "data", "faults", "replay", "train"):
            command.add_argument("--namespace", default="", help="namespace of the arm")
        return command

    up = add("up", "start the graph and stay up until Ctrl-C")
    up.add_argument(
        "--robot", default="sim", help="sim, the name of a file in config/, or a file of your own: my_arm.yaml"
    )
    up.add_argument("--policy", default="classical", help="compact, classical or scripted")
    up.add_argument("--config", default="", help="parameter file laid over the robot's")
    up.add_argument("--use-sim-time", action="store_true", help="follow /clock")
    up.add_argument("--rviz", action="store_true", help="start RViz too")
    up.add_argument("--dashboard", action=argparse.BooleanOptionalAction, default=True, help="the browser page")
    up.add_argument("--arm", action="store_true", help="arm the filter as soon as it hears the arm (simulation)")
    up.add_argument("--say", default="", metavar="TEXT", help="the first instruction")

    say = add("say", "give an instruction and follow it to its end; Ctrl-C leaves the arm holding")
    say.add_argument("text", help="what to do; an empty text means hold")
    add("arm", "let commands through to the arm")
    add("disarm", "bring the arm to rest, then let nothing through")
    add("estop", "stop the arm at once and keep it stopped")
    add("reset", "leave a latched stop; motion needs `arm` after it")

    evaluate.arguments(add("eval", evaluate.TEXT))

    demo = add("demo", "one task without a screen; exit code 0 when the simulator judges it done")
    demo.add_argument("--policy", default="classical")
    demo.add_argument("--seed", type=int, default=3, help="of the scene, whose task is said")
    add("doctor", "say what this machine has and lacks")
    check_recording.arguments(add("audit", check_recording.TEXT))
    bench.arguments(add("bench", bench.TEXT))
    data.arguments(add("data", data.TEXT))
    train.arguments(add("train", train.TEXT))
    status.arguments(add("status", status.TEXT))
    trace.arguments(add("trace", trace.TEXT))
    replay.arguments(add("replay", replay.TEXT))
    faults.arguments(add("faults", faults.TEXT))
    return top


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the program vla-ros."""
    from vla_ros.bringup.graph import check_namespace
    from vla_ros.parameters import ParameterError

    try:
        chosen = parser().parse_args(arguments)
        check_namespace(getattr(chosen, "namespace", ""))
        code = COMMANDS[chosen.command](chosen)
    except ParameterError as error:
        code = _refuse(str(error))
    except BrokenPipeError:  # who read this has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        code = _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))
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
    from vla_ros.bringup.graph import bringup
    from vla_ros.bringup.supervisor import run

    processes = bringup(
        chosen.robot, chosen.policy, chosen.config, chosen.namespace, chosen.rviz, chosen.dashboard, chosen.use_sim_time
    )
    began_s = time.monotonic()

    def ready(over: threading.Event) -> None:
        from vla_ros.ros.client import Unreachable, client

        try:
            with client(chosen.namespace, over) as talk:
                talk.ready(180.0)
                if chosen.arm:
                    armed, why = talk.arm(30.0)
                    print(f"vla_ros: {'armed' if armed else why}", flush=True)
                if chosen.say:
                    talk.publish(chosen.say)
                print(f"vla_ros: up after {time.monotonic() - began_s:.1f} s. From another terminal:", flush=True)
                if not chosen.arm:
                    print("  vla-ros arm", flush=True)
                print('  vla-ros say "put the orange ball on the plate"\n  vla-ros estop', flush=True)
                print("Ctrl-C stops everything.", flush=True)
        except Unreachable as error:
            if not over.is_set():
                print(f"vla_ros: {error}", flush=True)

    return run(processes, ready)


def _say(chosen: argparse.Namespace) -> int:
    from vla_ros.ros.client import Unreachable, client

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
            with contextlib.suppress(Unreachable):  # nobody listens yet: nobody has heard the sentence
                talk.publish("")
                talk.spin(0.3)
                print("holding")
            return 130
    print(f"{said}{': ' if why else ''}{why}")
    return codes.get(said, 1)


def _trigger(chosen: argparse.Namespace) -> int:
    from vla_ros.ros.client import Unreachable, client

    with client(chosen.namespace) as talk:
        try:
            done, message = talk.trigger(chosen.command)
        except Unreachable as error:
            return _refuse(str(error))
    print(message)
    return 0 if done else 1


def _demo(chosen: argparse.Namespace) -> int:
    from vla_ros.lab.evaluation.through_graph import GraphEvaluation
    from vla_ros.ros.client import Unreachable
    from vla_ros.tasks.seeds import TRAINING

    if not 0 <= chosen.seed < TRAINING:
        return _refuse(f"demo --seed {chosen.seed}: scenes are numbered from 0 to 999999")
    print("starting the graph", flush=True)
    try:
        with GraphEvaluation(chosen.policy) as graph:
            outcome = graph.episode(chosen.seed, "place", "", lambda line: print(line, flush=True))
    except Unreachable as error:
        return _refuse(str(error))
    print(f"planner: {outcome.said}, after {outcome.seconds:.1f} s")
    print(f"simulator: {'done' if outcome.success else 'not done'} {outcome.measures}")
    return 0 if outcome.success else 1


def _doctor(chosen: argparse.Namespace) -> int:
    from vla_ros.cli import doctor

    return doctor.main()


COMMANDS = {
    "up": _up,
    "say": _say,
    "arm": _trigger,
    "disarm": _trigger,
    "estop": _trigger,
    "reset": _trigger,
    "eval": evaluate.run,
    "demo": _demo,
    "doctor": _doctor,
    "audit": check_recording.run,
    "bench": bench.run,
    "data": data.run,
    "train": train.run,
    "status": status.run,
    "trace": trace.run,
    "replay": replay.run,
    "faults": faults.run,
}

if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
