"""What people decide on findings: who may, what ends what, files in and out, and what is overdue."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import select

from tenure.errors import DeclarationError
from tenure.flows.findings import look
from tenure.flows.findings.decide import DecidedKind, DecisionRefusedError, FindingChoice, decide, withdraw
from tenure.flows.findings.file import Imported, export_decisions, import_decisions
from tenure.lifecycle.finding_decisions import Acknowledgement, Assignment, Targets
from tenure.model.access import EVERYTHING
from tenure.model.decisions import FindingDecision, RuleDecision, SubjectDecision, format_decisions
from tenure.model.findings import Subject
from tenure.model.vocabulary import Severity
from tenure.registry.faults import NotFoundError
from tenure.registry.finding_places import roll_id
from tenure.registry.findings import Wanted
from tenure.registry.registry import Registry
from tenure.registry.tables.findings import decision
from tenure.registry.tables.ledger import event, event_text
from tests.flows.findings.audits import at, clock, kept, shown, the, verbs
from tests.flows.findings.test_keep import about
from tests.lifecycle.test_findings import RULE, audit, day, finding
from tests.registry.healthy import OPERATOR, a_device, a_root, a_tenant, put

ONE = finding(1).id
LAST = date(2026, 11, 10)


@pytest.fixture
def found(registry: Registry) -> Registry:
    """A registry that knows one finding, noon of the day it was found."""
    kept(registry, audit(1, finding(1)))
    at(registry, 1)
    return registry


def made(registry: Registry, *choices: FindingChoice) -> None:
    for choice in choices:
        decide(registry, OPERATOR, EVERYTHING, choice)


def test_a_finding_is_acknowledged_suppressed_and_assigned_at_once(found: Registry) -> None:
    known = Acknowledgement(ONE, "parts are on order", "plant operations", LAST)
    lived_with = FindingDecision(ONE, "a bench", "security", LAST)
    made(found, known, lived_with, Assignment(ONE, "network team", "security"))
    one = the(found)
    assert (one.acknowledged, one.suppressed, one.assigned_to) == (known, lived_with, "network team")
    assert verbs(found, "decision") == ["acknowledge", "suppress", "assign"]


def test_a_new_decision_ends_the_one_before_it_and_the_same_again_changes_nothing(found: Registry) -> None:
    first, second = (Assignment(ONE, to, "security") for to in ("network team", "plant operations"))
    made(found, first, first, second, second)
    assert the(found).assigned_to == "plant operations"
    assert verbs(found, "decision") == ["assign", "withdraw", "assign"]
    with found.read() as reading:
        rows = reading.rows(select(decision).order_by(decision.c.id))
        told = {e.subject: e for e in reading.rows(select(event).where(event.c.verb == "withdraw"))}
        begun = reading.rows(select(event).where(event.c.subject == str(rows[0].id), event.c.verb == "assign"))
    assert [row.ended_at is None for row in rows] == [False, True]
    assert told[str(rows[0].id)].before == begun[0].after


def test_the_reason_lies_beside_the_ledger(found: Registry) -> None:
    made(found, Acknowledgement(ONE, "waits for the vendor", "plant operations", LAST))
    with found.read() as reading:
        texts = [row.text for row in reading.rows(select(event_text))]
    assert texts == ["waits for the vendor"]


def test_what_was_decided_is_withdrawn(found: Registry) -> None:
    made(found, Acknowledgement(ONE, "known", "ops", LAST), FindingDecision(ONE, "bench", "ops", LAST))
    assert withdraw(found, OPERATOR, EVERYTHING, ONE, DecidedKind.SUPPRESSED, "no bench") == 1
    assert (the(found).suppressed, the(found).acknowledged is None) == (None, False)
    with pytest.raises(NotFoundError):
        withdraw(found, OPERATOR, EVERYTHING, ONE, DecidedKind.SUPPRESSED, "")
    assert withdraw(found, OPERATOR, EVERYTHING, ONE, None, "") == 1
    assert the(found).acknowledged is None


def test_nobody_decides_on_what_they_do_not_see(registry: Registry) -> None:
    ours, theirs = a_tenant(registry, "ours"), a_tenant(registry, "theirs")
    device = a_device(owner=theirs.owner, trust_domain=theirs.domain, serial="SN1", roots=(a_root(),))
    put(registry, device)
    kept(registry, audit(1, about(1, Subject("device", roll_id(device.roots[0].spki), serial="SN1"))))
    at(registry, 1)
    choice = Assignment(ONE, "us", "us")
    with pytest.raises(NotFoundError) as foreign:
        decide(registry, OPERATOR, ours.scope, choice)
    with pytest.raises(NotFoundError) as none:
        decide(registry, OPERATOR, theirs.scope, Assignment("0" * 32, "us", "us"))
    assert str(foreign.value).replace(ONE, "") == str(none.value).replace("0" * 32, "")
    decide(registry, OPERATOR, theirs.scope, choice)
    with pytest.raises(NotFoundError):
        withdraw(registry, OPERATOR, ours.scope, ONE, None, "")
    assert shown(registry, theirs.scope)[0].assigned_to == "us"


def test_a_day_that_is_over_is_refused_and_a_decision_ends_with_its_last_day(found: Registry) -> None:
    with pytest.raises(DecisionRefusedError):
        made(found, FindingDecision(ONE, "bench", "ops", date(2026, 10, 31)))
    made(found, FindingDecision(ONE, "bench", "ops", date(2026, 11, 1)), Assignment(ONE, "network team", "ops"))
    assert the(found).suppressed
    at(found, 2)
    assert the(found).suppressed is None
    assert kept(found, audit(3, finding(1))).lapsed == 1
    assert verbs(found, "decision") == ["suppress", "assign", "lapse"]
    assert kept(found, audit(4, finding(1))).lapsed == 0


def test_two_who_decide_at_once_leave_one_decision(found: Registry) -> None:
    choices = [Assignment(ONE, f"team {n}", "ops") for n in range(4)]
    with ThreadPoolExecutor(4) as all_four:
        list(all_four.map(lambda choice: decide(found, OPERATOR, EVERYTHING, choice), choices))
    with found.read() as reading:
        rows = reading.rows(select(decision))
    assert sum(row.ended_at is None for row in rows) == 1
    assert len(rows) == 4


def test_a_finding_is_overdue_by_its_severity_and_the_list_of_the_overdue_names_it(registry: Registry) -> None:
    grave, light = finding(1, Severity.CRITICAL), finding(2, Severity.LOW)
    kept(registry, audit(1, grave, light, finding(3, Severity.CRITICAL)))
    made(registry, FindingDecision(finding(3).id, "bench", "ops", date(2027, 1, 1)))

    def overdue(on: int, targets: Targets) -> list[str]:
        at(registry, on)
        now = clock(registry)()
        page = look.page(registry, EVERYTHING, Wanted(), targets, now, overdue=True)
        return [s.finding.id for s in page.standings if s.overdue]

    assert overdue(7, Targets()) == []
    assert overdue(8, Targets()) == [grave.id]
    assert overdue(8, Targets.parse("critical=0,low=5")) == [light.id]
    assert look.one(registry, EVERYTHING, grave.id, Targets(), clock(registry)()).overdue
    kept(registry, audit(9))
    assert overdue(9, Targets()) == []


def test_a_list_goes_by_id_page_by_page_and_is_filtered(registry: Registry) -> None:
    kept(registry, audit(1, *(finding(n) for n in range(1, 6)), finding(6, Severity.LOW, "another")))
    seen, after = [], None
    while True:
        page = look.page(registry, EVERYTHING, Wanted(), Targets(), day(2), after=after, limit=2)
        seen += [s.finding.id for s in page.standings]
        if (after := page.last) is None:
            break
    assert seen == [finding(n).id for n in range(1, 7)]
    assert [s.finding.id for s in shown(registry, wanted=Wanted(severity=Severity.LOW))] == [finding(6).id]
    assert [s.finding.id for s in shown(registry, wanted=Wanted(rule="another"))] == [finding(6).id]
    kept(registry, audit(2, *(finding(n) for n in range(1, 6))))
    assert len(shown(registry, wanted=Wanted(only_open=True))) == 5


FILE = (
    RuleDecision("another", 'a "bench"\\', "security", LAST),
    FindingDecision(ONE, "replaced\nsoon", "ops", LAST),
    SubjectDecision(RULE, "d1", "loan", "ops", LAST),
)


def test_the_file_comes_in_holds_and_goes_out_as_it_was(found: Registry) -> None:
    text = format_decisions(FILE)
    assert import_decisions(found, OPERATOR, text, "decisions.toml") == Imported(3, 0, 0, 0, 0)
    assert export_decisions(found) == text
    assert the(found).suppressed in FILE
    before = len(verbs(found, "decision"))
    assert import_decisions(found, OPERATOR, text, "decisions.toml") == Imported(0, 0, 3, 0, 0)
    assert len(verbs(found, "decision")) == before


def test_an_entry_whose_day_is_over_ends_the_decision_and_what_is_not_named_stays(found: Registry) -> None:
    import_decisions(found, OPERATOR, format_decisions(FILE), "a.toml")
    ended = RuleDecision("another", "bench", "security", date(2026, 10, 1))
    longer = SubjectDecision(RULE, "d1", "loan", "ops", date(2026, 12, 1))
    unknown = RuleDecision("never-decided", "bench", "security", date(2026, 10, 1))
    assert import_decisions(found, OPERATOR, format_decisions((ended, longer, unknown)), "b.toml") == Imported(0, 1, 0, 1, 1)
    assert export_decisions(found) == format_decisions((FILE[1], longer))


def test_an_acknowledgement_is_no_suppression_and_is_not_in_the_file(found: Registry) -> None:
    made(found, Acknowledgement(ONE, "known", "ops", LAST))
    assert export_decisions(found) == ""
    import_decisions(found, OPERATOR, format_decisions(FILE), "a.toml")
    assert the(found).acknowledged


def test_a_file_with_one_wrong_entry_changes_nothing(found: Registry) -> None:
    with pytest.raises(DeclarationError, match="decision 4"):
        import_decisions(found, OPERATOR, format_decisions(FILE) + '[[decision]]\nrule = "x"\nreason = "y"\n', "a.toml")
    assert export_decisions(found) == ""
