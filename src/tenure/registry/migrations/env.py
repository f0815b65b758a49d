"""What Alembic runs to apply the scripts: on the connection, and in the transaction, of whoever upgrades."""

from __future__ import annotations

from alembic import context

from tenure.registry.tables import metadata


def apply() -> None:
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
    context.run_migrations()


apply()
