"""The command `vla-ros serve`: a policy of this project for robots that run something else."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

TEXT = "offer a policy to other robots, on openpi's websocket protocol"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--policy", default="classical", help="as vla-ros up takes it")
    parser.add_argument(
        "--robot", default="sim", help="sim, the name of a file in config/, or a file of your own: whose policy it is"
    )
    parser.add_argument("--config", default="", help="parameter file laid over the robot's")
    parser.add_argument("--checkpoint", default="", metavar="DIR", help="of the policy, where it has one")
    parser.add_argument("--urdf", default="", metavar="FILE", help="robot description; sim has its own")
    parser.add_argument(
        "--camera-info",
        action="append",
        default=[],
        metavar="CAMERA=FILE",
        help="calibration of a camera, a YAML file of camera_calibration; for policies that measure in images",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; another one needs a key")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--api-key-file", default="", metavar="FILE", help="the key that clients must show")
    parser.add_argument("--rate", type=float, default=50.0, metavar="HZ", help="rows of an answer per second")
    parser.add_argument("--clients", type=int, default=1, help="clients at a time; each has a policy of its own")


def run(chosen: argparse.Namespace) -> int:
    """Serve until Ctrl-C; return the exit code."""
    from vla_ros.bringup.policy_server import PolicyServer, ServerOptions
    from vla_ros.bringup.served_robot import ServedRobot, read_camera_info
    from vla_ros.parameters import ParameterError
    from vla_ros.policies.remote.remote_model import read_key

    try:
        key = read_key(chosen.api_key_file)
    except ParameterError as error:
        raise ParameterError(str(error).replace("remote.api_key_file", "--api-key-file")) from None
    options = ServerOptions(chosen.host, chosen.port, key, chosen.rate, chosen.clients)
    robot = ServedRobot(
        chosen.robot, chosen.policy, chosen.config, chosen.urdf, read_camera_info(chosen.camera_info), chosen.checkpoint
    )
    server = PolicyServer(robot, options, _say)
    names = ", ".join(robot.robot.joint_names)

    def ready(port: int) -> None:
        _say(f"{chosen.policy} for {names} on ws://{chosen.host}:{port}; Ctrl-C ends it")

    asyncio.run(_until_asked_to_end(server.serve(ready)))
    return 0


async def _until_asked_to_end(serving: Coroutine[Any, Any, None]) -> None:
    """Await it until SIGINT or SIGTERM. The loop's own handlers wake it up: a plain one may be called just before the
    loop goes to sleep, and is then not heeded before something else happens."""
    task = asyncio.ensure_future(serving)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _say(line: str) -> None:
    print(f"vla_ros: {line}", flush=True)
