"""The policy in sros2's format, as plain values and as XML.

Source: sros2, `sros2/policy/schemas/policy.xsd`: policy / enclaves / enclave / profiles / profile, version 0.2.0.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

VERSION = "0.2.0"
KINDS = (
    ("publish", "topics", "topic"),
    ("subscribe", "topics", "topic"),
    ("reply", "services", "service"),
    ("request", "services", "service"),
    ("execute", "actions", "action"),
    ("call", "actions", "action"),
)
"""Expression, element of the list, element of a name."""
ACTION_PART = "/_action/"
"""In the names of the topics and services that an action is made of, between its name and the part's."""
HEADER = "<!-- Written by `python -m vla_ros.lab.security`: what the nodes really open. Use: docs/security.md. -->"


@dataclass(frozen=True)
class Profile:
    """What one enclave may do. Names begin with / or are relative to the arm's namespace."""

    publish: frozenset[str] = field(default_factory=frozenset)
    subscribe: frozenset[str] = field(default_factory=frozenset)
    reply: frozenset[str] = field(default_factory=frozenset)
    request: frozenset[str] = field(default_factory=frozenset)
    execute: frozenset[str] = field(default_factory=frozenset)
    call: frozenset[str] = field(default_factory=frozenset)

    def with_actions(self) -> Profile:
        """Return the same with the topics and services of each action that it executes or calls as that action.

        Who only reads an action's status keeps that topic.
        """
        execute, call = (
            frozenset(name.partition(ACTION_PART)[0] for name in services if ACTION_PART in name)
            for services in (self.reply, self.request)
        )
        whole = execute | call

        def rest(names: frozenset[str]) -> frozenset[str]:
            return frozenset(name for name in names if name.partition(ACTION_PART)[0] not in whole)

        publish, subscribe, reply, request = map(rest, (self.publish, self.subscribe, self.reply, self.request))
        return Profile(publish, subscribe, reply, request, self.execute | execute, self.call | call)

    def allows(self, other: Profile) -> list[str]:
        """Return what `other` needs and this does not allow, as "publish vla/estop"; empty: it allows all."""
        return [f"{kind} {name}" for kind, _, _ in KINDS for name in sorted(getattr(other, kind) - getattr(self, kind))]


def relative(names: Iterable[str], node: str) -> frozenset[str]:
    """Return the names of a graph without a namespace as a policy holds them: "vla/estop", "~/get_parameters", "/clock"."""
    absolute = ("/clock", "/diagnostics", "/parameter_events", "/rosout", "/tf", "/tf_static")
    return frozenset(
        name if name in absolute else f"~{name.removeprefix(f'/{node}')}" if name.startswith(f"/{node}/") else name[1:]
        for name in names
    )


def to_xml(profiles: Mapping[str, Profile]) -> str:
    """Return the policy; one enclave for each node, of its name."""
    policy = ET.Element("policy", {"version": VERSION, "xmlns:xi": "http://www.w3.org/2001/XInclude"})
    enclaves = ET.SubElement(policy, "enclaves")
    for node, profile in sorted(profiles.items()):
        enclave = ET.SubElement(enclaves, "enclave", {"path": f"/{node}"})
        made = ET.SubElement(ET.SubElement(enclave, "profiles"), "profile", {"ns": "/", "node": node})
        for kind, several, one in KINDS:
            if names := sorted(getattr(profile, kind)):
                group = ET.SubElement(made, several, {kind: "ALLOW"})
                for name in names:
                    ET.SubElement(group, one).text = name
    ET.indent(policy)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{HEADER}\n{ET.tostring(policy, encoding="unicode")}\n'


def from_xml(text: str) -> dict[str, Profile]:
    """Return the profiles of a policy, by node.

    Raises:
        ValueError: it is no policy of this version.
    """
    policy = ET.fromstring(text)
    if policy.tag != "policy" or policy.get("version") != VERSION:
        raise ValueError(f"not an sros2 policy of version {VERSION}")
    return {
        profile.get("node", ""): Profile(
            **{
                kind: frozenset(
                    (element.text or "").strip()
                    for group in profile.findall(several)
                    if group.get(kind) == "ALLOW"
                    for element in group.findall(one)
                )
                for kind, several, one in KINDS
            }
        )
        for profile in policy.iter("profile")
    }
