"""Who may read and who may send, by the headers of the request alone."""

from __future__ import annotations

import pytest

from vla_ros.dashboard.access import Access

LOCAL = Access(local=True, token="", port=8080)
NETWORK = Access(local=False, token="abc123", port=8080)


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_a_local_server_answers_to_names_of_localhost(host: str) -> None:
    assert LOCAL.host_allowed({"Host": host})


@pytest.mark.parametrize("host", ["example.org", "localhost.example.org:8080", "[::1", ""])
def test_a_local_server_answers_to_no_other_name(host: str) -> None:
    assert not LOCAL.host_allowed({"Host": host})
    assert not LOCAL.host_allowed({})
    assert NETWORK.host_allowed({"Host": host})  # where the token protects


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        (None, True),
        ("http://127.0.0.1:8080", True),
        ("http://127.0.0.1:8081", False),
        ("http://example.org", False),
        ("null", False),
    ],
)
def test_an_origin_is_the_same_by_name_and_port(origin: str | None, same: bool) -> None:
    headers = {"Host": "127.0.0.1:8080"} | ({} if origin is None else {"Origin": origin})
    assert LOCAL.same_origin(headers) is same


@pytest.mark.parametrize(
    ("cookies", "shown"),
    [
        ({"vla_ros_8080": "abc123"}, True),
        ({"vla_ros_8080": "abc12"}, False),
        ({"vla_ros_8080": "abc12\udce9"}, False),
        ({"vla_ros_8081": "abc123"}, False),
        ({}, False),
    ],
)
def test_the_token_is_that_of_this_port(cookies: dict[str, str], shown: bool) -> None:
    assert NETWORK.has_token(cookies) is shown
    assert LOCAL.has_token(cookies)
