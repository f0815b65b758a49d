"""``docs/api-access.md``, made from the access table."""

from __future__ import annotations

from collections.abc import Iterator

from tenure.api.access_table import Access, Open, grant_of
from tenure.model.access import Role

_HEAD = """\
# Who may: the API

Made from `src/tenure/api/access_table.py` (`script/catalogue`). A route that stands in no line is refused, and keeps the process
from starting. A test walks every line as every role, as nobody, and as a foreign tenant.

* A role is held **in areas**: an owner, a trust domain, an owner within a trust domain, or everywhere. A route shows and changes
  only what lies in an area where the caller holds a role that the line names. What lies outside is answered as if it were not
  there (404), in a list it does not appear.
* **everywhere** in the last column: the thing belongs to no one owner, so one of the roles must be held everywhere.
* Without a credential, or with one that is wrong, expired or revoked: 401. Without one of the roles: 403.
* Four eyes: what [devices](devices.md) says of a verb holds for every role. Admins are bound by it too.
"""


def page(access: Access) -> str:
    return "\n".join([_HEAD, *_lines(access)]) + "\n"


def _lines(access: Access) -> Iterator[str]:
    yield f"| route | what it permits | {' | '.join(Role)} | where |"
    yield "| --- " * (3 + len(Role)) + "|"
    for (method, path), entry in sorted(access.items(), key=lambda item: (item[0][1], item[0][0])):
        if isinstance(entry, Open):
            yield f"| `{method} {path}` | anybody, without a credential |{' yes |' * len(Role)} |"
            continue
        grant = grant_of(entry)
        held = " | ".join("yes" if role in grant.roles else "no" for role in Role)
        yield f"| `{method} {path}` | {grant.text} | {held} | {'everywhere' if grant.whole else 'in its areas'} |"
