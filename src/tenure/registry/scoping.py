"""What a caller may see, as a condition: every query on devices has one."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, false, or_, true

from tenure.model.access import Scope


def visible(scope: Scope, table: Table) -> ColumnElement[bool]:
    """Rows of a table with ``owner`` and ``trust_domain`` that lie in one of the scope's areas; none for the empty scope."""
    if scope.whole:
        return true()
    owners: defaultdict[UUID | None, set[UUID]] = defaultdict(set)  # by trust domain; None: in every one
    domains: set[UUID] = set()
    for area in scope.areas:
        if area.owner is not None:
            owners[area.trust_domain].add(area.owner)
        elif area.trust_domain is not None:
            domains.add(area.trust_domain)
    terms = [_owned(table, domain, held) for domain, held in owners.items()]
    if domains:
        terms.append(table.c.trust_domain.in_(sorted(domains)))
    return or_(*terms) if terms else false()


def _owned(table: Table, domain: UUID | None, owners: set[UUID]) -> ColumnElement[bool]:
    of_owner = table.c.owner.in_(sorted(owners))
    return of_owner if domain is None else and_(of_owner, table.c.trust_domain == domain)
