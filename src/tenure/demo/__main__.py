"""``python -m tenure.demo``: makes the example fleet's exports, audits them as ``tenure audit`` does, shows the report."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from tenure import clock
from tenure.cli.places import places
from tenure.cli.progress import Bar
from tenure.demo import exports, truth
from tenure.demo.life import World
from tenure.demo.roster import fewest
from tenure.errors import TenureError
from tenure.evidence.digests import digest_key
from tenure.flows import audit as flow
from tenure.flows.declare import read_declarations
from tenure.flows.observe import Bench
from tenure.model.findings import AuditResult
from tenure.reports.terminal import TerminalReport
from tenure.roll.link import Limits
from tenure.roll.rules import builtin_controls_folder, builtin_folder, load_controls, load_rules
from tenure.wiring import report, sources

MARK = "planted.json"
"""What a folder made by an earlier run holds; only such a folder is emptied."""


def main(arguments: Sequence[str]) -> int:
    """Exit code 0: the audit found what was planted, and nothing else; 1 where it did not."""
    now = clock.now()
    wanted = _parser().parse_args(arguments)
    as_of = clock.instant(wanted.as_of) if wanted.as_of else now.replace(hour=0, minute=0, second=0)
    fleet = exports.example(wanted.seed, wanted.devices, as_of)
    folder = _emptied(wanted.out)
    planted = [asdict(e) for e in truth.expected(fleet)]
    (wanted.out / MARK).write_text(json.dumps(planted, indent=1) + "\n", "utf-8")
    count = exports.write(fleet, folder)
    print(f"An example fleet of {wanted.devices} devices: {count} export files in {folder}\n")
    result = _audited(folder, wanted.out / "store", as_of, now)
    width = max(60, min(shutil.get_terminal_size((100, 24)).columns, 140))
    print(TerminalReport(width=width, colour=sys.stdout.isatty(), rules=6, per_rule=2).render(result))
    for name in ("html", "json"):
        (wanted.out / f"report.{name}").write_text(report(name).render(result), "utf-8")
    wrong = truth.differences(fleet, result.findings)
    print(_next_steps(wanted.out, fleet, len(result.findings), wrong))
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tenure.demo", description="Make an example fleet and audit it.")
    out, size = Path("build") / "demo", f"registered devices, {fewest(exports.CASES)} or more [default: 300]"
    parser.add_argument("--out", type=Path, default=out, metavar="DIR", help=f"where exports and reports go [default: {out}]")
    parser.add_argument("--devices", type=int, default=300, metavar="N", help=size)
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="another seed is another fleet [default: 7]")
    parser.add_argument("--as-of", metavar="RFC3339", help="the moment the exports were made [default: this midnight, UTC]")
    return parser


def _emptied(out: Path) -> Path:
    """The folder for exports, empty. Raises TenureError where something lies that no earlier run made."""
    if out.exists() and any(out.iterdir()):
        if not (out / MARK).is_file():
            raise TenureError(f"{out} is not empty, and no earlier demo made it", "name another folder with --out")
        for made in ("exports", "store"):
            if (out / made).exists():
                shutil.rmtree(out / made)
    folder = out / "exports"
    folder.mkdir(parents=True)
    return folder


def _audited(folder: Path, store: Path, as_of: datetime, now: datetime) -> AuditResult:
    """The audit, with a store of its own so that the user's is not touched."""
    own = places(store)
    bench = Bench(own.evidence, digest_key(own.digest_key), folder, (), now)
    place = flow.Workplace(bench, own.roll(folder), own.edges, Limits())
    questions = flow.Questions(load_rules(builtin_folder()), load_controls(builtin_controls_folder()), ())
    with Bar() as bar:
        return flow.audit(folder, sources(), read_declarations(folder), place, questions, as_of, bar)


def _next_steps(out: Path, fleet: World, findings: int, wrong: Sequence[str]) -> str:
    """Where everything lies, and commands that work as they stand."""
    tenure = Path(sys.executable).with_name("tenure")
    command = os.path.relpath(tenure) if tenure.is_relative_to(Path.cwd()) else str(tenure)
    device = next(d for d in fleet.devices if d.case == "expired-gateway").name
    held = "\n            ".join(wrong) or f"all {findings} findings were planted, and all that was planted was found"
    return f"""\
To read     {out / "report.html"}
To process  {out / "report.json"}
Planted     {out / MARK}
            {held}

Next
  one device, and why its records are one   {command} explain device {device} {out / "exports"} --store {out / "store"}
  your own exports (docs/quick-start.md)    {command} audit DIR
  what only you know, to be confirmed       {command} audit DIR --init
"""


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except TenureError as error:
        print(f"tenure.demo: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:  # whoever read the report has seen enough
        sys.stderr.close()
        sys.exit(2)
