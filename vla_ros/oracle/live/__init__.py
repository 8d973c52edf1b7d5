"""The oracle on a running arm: what is sent and what is measured, judged as it comes.

judge = LiveJudge(urdf, parameters)
judge.sent("arm", message), judge.measured(...), judge.obstacles(...)   # as they arrive
violation = judge.judge(now_ns, ros_ns)                                 # 50 times a second; empty: nothing is broken
"""

from vla_ros.oracle.live.live_judge import LiveJudge
from vla_ros.oracle.live.sent_stream import SentMessage

__all__ = ["LiveJudge", "SentMessage"]
