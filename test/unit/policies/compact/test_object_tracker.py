"""Tracks of objects from noisy detections."""

import numpy as np

from vla_ros.policies.compact.object_tracker import MIN_STD_M, Detection, ObjectTracker


def test_many_detections_are_better_than_one_and_a_single_jump_is_not_accepted():
    rng = np.random.default_rng(0)
    truth, tracker = np.array([0.5, 0.1, 0.02]), ObjectTracker()
    for _ in range(30):
        tracker.update(Detection(truth + rng.normal(0, 0.004, 3), 0.004, np.array([1.0, 0.0]), 0.9), 0.1, False)
    assert np.linalg.norm(tracker.p - truth) < 0.004
    elsewhere = Detection(truth + 0.1, 0.004, np.array([1.0, 0.0]), 0.9)
    tracker.update(elsewhere, 0.1, False)
    assert np.linalg.norm(tracker.p - truth) < 0.004
    tracker.update(elsewhere, 0.1, False)
    np.testing.assert_allclose(tracker.p, truth + 0.1)


def test_an_object_that_is_not_detected_is_kept_with_a_growing_standard_deviation():
    tracker = ObjectTracker()
    tracker.update(Detection(np.zeros(3), 0.003, np.zeros(2), 0.9), 0.1, False)
    std_m = tracker.std_m
    tracker.update(Detection(np.ones(3), 0.003, np.zeros(2), 0.1), 1.0, False)
    assert tracker.known and np.all(tracker.p == 0) and tracker.std_m > std_m and tracker.presence < 0.9


def test_a_carried_object_may_jump_and_no_track_gets_too_sure():
    tracker, yaw = ObjectTracker(), np.array([1.0, 0.0])
    for _ in range(100):
        tracker.update(Detection(np.zeros(3), 0.002, yaw, 0.9), 0.1, False)
    assert tracker.std_m >= MIN_STD_M
    tracker.update(Detection(np.array([0.0, 0.1, 0.1]), 0.002, yaw, 0.9), 0.1, True)
    assert tracker.p[1] > 0.09
    assert tracker.initial_height_m == 0.0
