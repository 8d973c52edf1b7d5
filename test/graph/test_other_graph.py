"""Whatever starts a graph refuses where a filter of its namespace answers."""

from __future__ import annotations

import pytest

from test.unit.cli.fake_client import FakeClient, install
from vla_ros.parameters import ParameterError
from vla_ros.ros.other_graph import refuse_second_filter


def test_a_filter_that_answers_is_named_and_silence_is_no_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(ready=None, filters=["/left/safety_filter (01), another machine"])
    install(monkeypatch, client)
    refuse_second_filter("left", "launch")
    client.status = object()
    told = r"launch: /left/safety_filter \(01\), another machine answers already: end it .* namespace than /left$"
    with pytest.raises(ParameterError, match=told):
        refuse_second_filter("left", "launch")
