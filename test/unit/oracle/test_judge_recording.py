"""A recording is judged by the limits that are given, a log by those in it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from rosbags.rosbag2 import StoragePlugin

from test.unit.oracle.recordings.written import bag, csv, smooth, trajectory
from vla_ros.bringup.safety_configuration import safety_configuration
from vla_ros.lab.bench.filter_rig import FilterRig, full_configuration, sine_motion
from vla_ros.oracle import NothingSent, UnreadableRecording, configuration_of_log, judge_log, judge_recording
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.safety_parameters import AuditParameters
from vla_ros.sim.arm_description import JOINT_NAMES


def log_of(folder: Path, ticks: int) -> None:
    """What a filter sends in so many ticks."""
    parameters, urdf = full_configuration()
    rig = FilterRig(parameters, urdf)
    if not ticks:
        rig.filter.disarm()
    log = AuditLog(AuditParameters(str(folder)), {"parameters": dataclasses.asdict(parameters), "urdf": urdf})
    rig.filter = Recorder(rig.filter, log)  # type: ignore[arg-type]
    for _ in range(ticks or 5):
        for at_s in rig.advance():
            rig.send_setpoint(at_s, sine_motion(at_s))
        rig.send_joint_state()
        rig.send_obstacles()
        rig.tick()
    log.close()


def test_a_recording_is_judged_by_the_parameters_that_are_given(tmp_path: Path) -> None:
    parameters, urdf = safety_configuration()
    path = csv(tmp_path / "q.csv", smooth())
    (report,) = judge_recording(path, parameters, urdf)
    assert not report.broken, report.text()
    slow = dataclasses.replace(parameters, limits=dataclasses.replace(parameters.limits, velocity=[0.01] * 8))
    (report,) = judge_recording(path, slow, urdf)
    assert {each.quantity for each in report.findings if each.broken} == {"velocity"}


def test_the_topic_of_the_controller_is_the_likely_one(tmp_path: Path) -> None:
    parameters, urdf = safety_configuration()
    points = [trajectory(10**15 + i * 4_000_000, [*JOINT_NAMES], [(0, row)]) for i, row in enumerate(smooth())]
    path = bag(tmp_path / "bag", StoragePlugin.MCAP, {"/other": points[:2], "/arm/command": points})
    controller = dataclasses.replace(parameters.controller, topic="/arm/command")
    (report,) = judge_recording(path, dataclasses.replace(parameters, controller=controller), urdf)
    assert report.samples == 200
    (report,) = judge_recording(path, parameters, urdf, topic="/other")
    assert report.samples == 2


def test_a_log_is_judged_by_what_is_in_it(tmp_path: Path) -> None:
    log_of(tmp_path, 100)
    assert configuration_of_log(tmp_path) == full_configuration()
    (report,) = judge_log(tmp_path)
    assert not report.broken, report.text()
    assert report.samples == 99


def test_a_log_of_a_filter_that_sent_nothing_says_so(tmp_path: Path) -> None:
    log_of(tmp_path, 0)
    with pytest.raises(NothingSent):
        judge_log(tmp_path)
    with pytest.raises(UnreadableRecording):
        judge_log(tmp_path / "nowhere.vlalog")
