"""Who may read the page and who may send actions: host name, origin, token."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from vla_ros.dashboard.dashboard_parameters import LOOPBACK


@dataclass(frozen=True)
class Access:
    """The checks of one server, on the headers of a request.

    Attributes:
        local: the server listens on localhost only.
        token: what a browser must have shown; empty: nothing.
        port: of the server. Browsers keep cookies by host, whatever the port, so the cookie's name carries it.
    """

    local: bool
    token: str
    port: int

    @property
    def cookie(self) -> str:
        """Name of the cookie that holds the token."""
        return f"vla_ros_{self.port}"

    def host_allowed(self, headers: Mapping[str, str]) -> bool:
        """Whether the request was made for a name of this server.

        On localhost only names of localhost count: a foreign name that resolves to localhost is DNS rebinding.
        """
        return not self.local or _hostname(headers.get("Host", "")) in LOOPBACK

    def same_origin(self, headers: Mapping[str, str]) -> bool:
        """Whether the request comes from a page of this server, or from no page at all."""
        origin = headers.get("Origin")
        return origin is None or origin.partition("://")[2] == headers.get("Host")

    def has_token(self, cookies: Mapping[str, str]) -> bool:
        """Whether the browser has shown the token before."""
        return not self.token or self.is_token(cookies.get(self.cookie, ""))

    def is_token(self, text: str) -> bool:
        """Compare with the token in constant time."""
        return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), self.token.encode())


def _hostname(host: str) -> str:
    """Return the name in a Host header without the port; empty where there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # e.g. a bracket that is not closed
        return ""
