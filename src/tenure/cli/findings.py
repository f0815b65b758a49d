"""``tenure findings``: what audits saw from one to the next, and what people decided about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from tenure.cli.connection import Api, on_registry
from tenure.cli.database import Here, local_actor, on_database
from tenure.cli.parties import Limit, Reason
from tenure.cli.screen import show
from tenure.cli.showing import show_list, show_one
from tenure.lifecycle.findings import FindingState
from tenure.model.vocabulary import Severity

COLUMNS = ("id", "severity", "state", "rule", "title", "age_days", "due", "overdue", "assigned_to", "suppressed")

Finding = Annotated[str, typer.Argument(metavar="FINDING", help="Id of the finding, as reports show it.")]
State = Annotated[FindingState | None, typer.Option(help="Those in this state.")]
OfSeverity = Annotated[Severity | None, typer.Option("--severity", case_sensitive=False, help="Those of this severity.")]
OfRule = Annotated[str | None, typer.Option("--rule", metavar="RULE", help="Those of this rule.")]
OfDevice = Annotated[UUID | None, typer.Option("--device", metavar="ID", help="Those about this device alone.")]
Everything = Annotated[bool, typer.Option("--all", help="Resolved ones too.")]
Overdue = Annotated[bool, typer.Option("--overdue", help="Those past their target and not suppressed.")]
TargetsOption = Annotated[
    str | None, typer.Option("--targets", metavar="S=DAYS,...", help="Days to resolve in by severity, as critical=3,high=14.")
]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]
Until = Annotated[str, typer.Option(metavar="DAY", help="The last day on which it holds (UTC), as in 2026-12-31.")]
Who = Annotated[str | None, typer.Option(metavar="NAME", help="Who answers for it. [default: who runs this]")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help="What audits saw, and what was decided (docs/findings-kept.md).", rich_markup_mode=None, no_args_is_help=True
    )
    group.command("keep", help="Keep an audit: what it opens, sees again, resolves and reopens.")(on_database(keep))
    group.command("list", help="List open findings: overdue first, then the gravest, then the oldest.")(on_registry(listed))
    group.command("show", help="Show one, with what was decided on it.")(on_registry(one))
    group.command("ack", help="It is known, and somebody answers for it until a day; it stays open.")(on_registry(acknowledge))
    group.command("suppress", help="It is lived with until a day; until then it is not overdue.")(on_registry(suppress))
    group.command("assign", help="Somebody is to resolve it.")(on_registry(assign))
    group.command("withdraw", help="End what was decided on it.")(on_registry(withdraw))
    group.command("import", help="Take in a file of decisions (docs/decisions-file.md).")(on_database(import_file))
    group.command("export", help="Print the suppressions in force as that file.")(on_database(export_file))
    app.add_typer(group, name="findings")


def keep(
    here: Here,
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="As `tenure audit --format json` wrote it.")],
    audit: Annotated[str, typer.Option(metavar="NAME", help="What is audited: audits of another name resolve nothing of it.")],
) -> None:
    from hashlib import sha256

    from tenure.errors import TenureError
    from tenure.flows.findings.keep import keep as flow
    from tenure.reports import json_report

    content = _content(report, "name a file that `tenure audit --format json` wrote")
    try:
        result = json_report.read(content.decode())
    except UnicodeDecodeError as error:
        raise TenureError(f"{report}: {error}", "name a file that `tenure audit --format json` wrote") from error
    except TenureError as error:
        raise TenureError(f"{report}: {error.problem}", error.fix) from error
    with here.registry() as registry:
        tally = asdict(flow(registry, local_actor(), result, audit, sha256(content).digest()))
    if here.as_json:
        show(json.dumps(tally, indent=1) + "\n", exact=True)
        return
    why = tally.pop("why")
    show(_counts(tally) + "".join(f"  {number} stay open: {text}\n" for text, number in why.items()))


def _counts(told: dict[str, Any]) -> str:
    width = max(map(len, told))
    return "".join(f"{name.replace('_', ' ').ljust(width)}  {number}\n" for name, number in told.items())


def _content(path: Path, fix: str) -> bytes:
    from tenure.errors import TenureError

    try:
        return path.read_bytes()
    except OSError as error:
        raise TenureError(f"{path}: {error.strerror}", fix) from error


def listed(
    api: Api,
    state: State = None,
    severity: OfSeverity = None,
    rule: OfRule = None,
    device: OfDevice = None,
    everything: Everything = False,
    overdue: Overdue = False,
    targets: TargetsOption = None,
    limit: Limit = None,
) -> None:
    query: dict[str, Any] = {
        "state": None if state is None else state.value,
        "severity": None if severity is None else severity.value,
        "rule": rule,
        "device": None if device is None else str(device),
        "unresolved": None if everything or state is not None else "true",
        "overdue": "true" if overdue else None,
        "targets": targets,
    }
    found = sorted(api.every("/findings", None, **query), key=_order)
    show_list(api, found[:limit], COLUMNS)


def _order(item: dict[str, Any]) -> tuple[bool, bool, int, str, str]:
    """Pages come by id; people read what is overdue first, then the gravest, then the oldest, resolved ones last."""
    late, gone = item["overdue"], item["resolved_at"] is not None
    return (gone, not late, Severity(item["severity"]).rank, item["opened_at"], item["id"])


def one(api: Api, finding: Finding, targets: TargetsOption = None) -> None:
    show_one(api, api.get(f"/findings/{finding}", targets=targets))


def acknowledge(api: Api, finding: Finding, reason: Why, until: Until, who: Who = None) -> None:
    show_one(api, api.post(f"/findings/{finding}/acknowledge", reason=reason, until=until, who=who))


def suppress(api: Api, finding: Finding, reason: Why, until: Until, who: Who = None) -> None:
    show_one(api, api.post(f"/findings/{finding}/suppress", reason=reason, until=until, who=who))


def assign(
    api: Api, finding: Finding, to: Annotated[str, typer.Option(metavar="NAME", help="Who is to resolve it.")], who: Who = None
) -> None:
    show_one(api, api.post(f"/findings/{finding}/assign", to=to, who=who))


def withdraw(
    api: Api,
    finding: Finding,
    decision: Annotated[
        str | None, typer.Option(metavar="KIND", help="Only this: acknowledged, suppressed or assigned. [default: all]")
    ] = None,
    reason: Reason = None,
) -> None:
    show_one(api, api.post(f"/findings/{finding}/withdraw", decision=decision, reason=reason))


def import_file(
    here: Here, file: Annotated[Path, typer.Argument(metavar="FILE", help="TOML, as `tenure audit --decisions` reads it.")]
) -> None:
    from tenure.errors import TenureError
    from tenure.flows.findings.file import import_decisions

    try:
        text = _content(file, "name a file of decisions (docs/decisions-file.md)").decode()
    except UnicodeDecodeError as error:
        raise TenureError(f"{file}: {error}", "write it in UTF-8") from error
    with here.registry() as registry:
        told = asdict(import_decisions(registry, local_actor(), text, str(file)))
    show(json.dumps(told) + "\n" if here.as_json else _counts(told), exact=here.as_json)


def export_file(here: Here) -> None:
    from tenure.flows.findings.file import export_decisions

    with here.registry() as registry:
        text = export_decisions(registry)
    show(json.dumps({"toml": text}) + "\n" if here.as_json else text, exact=True)
