"""The command `vla-ros faults`: provoke every fault on the running graph and judge the reaction."""

from __future__ import annotations

import argparse
import sys

from vla_ros.lab import outputs
from vla_ros.lab.json_output import add_json_option, write_json

TEXT = "provoke faults on the running graph; exit code 0: every reaction as expected, 1: not, 2: no such fault"


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    command.add_argument("names", nargs="*", metavar="NAME", help="faults to provoke; default: all")
    command.add_argument("--list", action="store_true", help="only say which there are")
    add_json_option(command, "the results, or the list,")
    command.add_argument("--docs", action="store_true", help="write docs/faults.md; needs all of them")


def run(chosen: argparse.Namespace) -> int:
    """Provoke faults and judge the reactions; return the exit code."""
    import time

    from vla_ros.lab.faults import campaign, report
    from vla_ros.lab.faults.cases import all_cases
    from vla_ros.lab.faults.graphs import bounds
    from vla_ros.progress_line import ProgressLine

    cases = all_cases(bounds())
    unknown = sorted(set(chosen.names) - {case.name for case in cases})
    if unknown or (chosen.docs and chosen.names):
        what = f"no fault {unknown[0]!r}; see --list" if unknown else "--docs needs all faults: give no names"
        print(f"vla-ros faults: {what}", file=sys.stderr)
        return 2
    cases = tuple(case for case in cases if not chosen.names or case.name in chosen.names)
    if chosen.list:
        for case in cases:
            print(f"{case.name:<32} {case.fault}: {case.expected.text()}")
        write_json(chosen.json, [{"name": case.name, "fault": case.fault} for case in cases])
        return 0
    page = outputs.page("faults.md") if chosen.docs else None
    began_s = time.monotonic()
    with ProgressLine("faults", len(cases)) as progress:
        results, sent = campaign.run(cases, lambda line: progress.print(line, sys.stdout), progress.advance)
    seconds = time.monotonic() - began_s
    print(report.summary(results, sent, seconds))
    write_json(chosen.json, report.values(results, sent, seconds))
    if page is not None:
        page.write_text(report.document(results, sent, seconds))
    return int(any(result.wrong for result in results) or any(each.broken for each in sent))
