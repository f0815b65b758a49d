"""An example fleet, its exports written and audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tenure.demo import exports
from tenure.demo.cases import Case
from tenure.demo.life import World
from tenure.evidence.digests import digest_key
from tenure.flows import audit as flow
from tenure.flows.declare import read_declarations
from tenure.flows.observe import Bench
from tenure.model.findings import AuditResult
from tenure.roll.link import Limits
from tenure.roll.rules import builtin_controls_folder, builtin_folder, load_controls, load_rules
from tenure.wiring import sources


@dataclass(frozen=True)
class Audited:
    fleet: World
    result: AuditResult

    def devices_found(self, rule: str) -> set[str]:
        """Names of the devices in the findings of a rule."""
        return {str(s.name) for f in self.result.findings if f.rule == rule for s in f.subjects if s.kind == "device"}


def audited(
    base: Path, seed: int, size: int, as_of: datetime, cases: Sequence[Case] = exports.CASES, *, declared: bool = True
) -> Audited:
    """Without ``declared`` the exports come without audit.toml, as a newcomer's do."""
    fleet = exports.example(seed, size, as_of, cases)
    folder, store = base / "exports", base / "store"
    exports.write(fleet, folder)
    if not declared:
        (folder / "audit.toml").unlink()
    bench = Bench(store / "evidence", digest_key(store / "digest.key"), folder, (), as_of)
    place = flow.Workplace(bench, store / "roll.duckdb", None, Limits())
    questions = flow.Questions(load_rules(builtin_folder()), load_controls(builtin_controls_folder()), ())
    return Audited(fleet, flow.audit(folder, sources(), read_declarations(folder), place, questions, as_of))
