"""How the registry refuses. What a caller may not see is never named in one of these."""

from __future__ import annotations

from uuid import UUID

from tenure.errors import TenureError


class RegistryError(TenureError):
    """The registry refuses."""


class SchemaError(RegistryError):
    """The database is not one this Tenure can work on."""


class StoreBusyError(RegistryError):
    """Another process holds what this change needs; nothing was changed, trying again is safe."""


class StoreDownError(RegistryError):
    """The database does not answer. Whether the change was made is not known: ask, or repeat under the same idempotency key."""


class UnsettledError(RegistryError):
    """The database is older than what was shipped, or tells another past: nothing is issued or changed until that is settled."""

    def __init__(self) -> None:
        super().__init__(
            "this database is not the latest one: what was shipped from it is ahead, so nothing is issued or changed",
            "`tenure registry restore check` says what is missing, `tenure registry restore settle` makes it good",
        )


class NotFoundError(RegistryError):
    """Nothing of that id is there, for this caller: a foreign tenant's is the same as none."""

    def __init__(self, kind: str, name: object) -> None:
        super().__init__(f"no {kind} {name}", "check the id; what belongs to others is not shown")


class ConflictError(RegistryError):
    """Somebody else changed it since it was read."""

    def __init__(self, kind: str, name: object, version: int) -> None:
        super().__init__(f"{kind} {name} is not at version {version} any more", "read it again and decide anew")


class RootTakenError(RegistryError):
    """A hardware root belongs to another device. ``spki`` is what the caller sent; whose it is stands nowhere here."""

    def __init__(self, spki: bytes) -> None:
        super().__init__(
            f"hardware root {spki.hex()} belongs to another device",
            "one hardware root is one device for ever; a device that came back is taken in by `return`",
        )
        self.spki = spki


class NameTakenError(RegistryError):
    """A name that is one of a kind is in use."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"a {kind} named {name!r} is there already", "use that one, or choose another name")


class UnknownReferenceError(RegistryError):
    """A row names an owner, site, class or other thing that is not there."""

    def __init__(self, kind: str, id: UUID | None = None) -> None:
        super().__init__(f"{kind} names something that is not there{f': {id}' if id else ''}", "create that first")


class TombstonedError(RegistryError):
    """Hardware, or a key, that ended here and has not come back by a return."""

    def __init__(self, spki: bytes) -> None:
        super().__init__(
            f"{spki.hex()} is of retired or lost hardware", "hardware comes back by `return` alone; a key never does"
        )
        self.spki = spki
