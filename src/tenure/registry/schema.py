"""The schema of a registry: where it stands, and bringing it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from tenure.registry.faults import SchemaError

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Those that come with this Tenure, oldest first. Named here so that a start need not load Alembic (0.3 s)."""

HEAD = REVISIONS[-1]
_MIGRATING = 0x74656E75726532  # the advisory lock of whoever upgrades


def revision(connection: Connection) -> str | None:
    """The revision a database stands at; None: it has no schema yet. Raises SchemaError for one that a newer Tenure made."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if found is not None and found not in REVISIONS:
        raise SchemaError(
            f"the database is at schema {found}, which this Tenure does not know", "use the newer Tenure that made it"
        )
    return found


def upgrade(engine: Engine) -> None:
    """Brings the schema up to date, as a whole or not at all; processes that do it at once wait for each other.

    Raises SchemaError when the database was made by a newer Tenure.
    """
    from alembic import command

    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATING})
        if revision(connection) == HEAD:
            return
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def migrations() -> Config:
    """Alembic's configuration: the scripts that come with the package. No ini file, no logging of its own."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    return config
