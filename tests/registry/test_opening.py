"""A registry opens at the right schema or says what to do; the migrations make exactly what the tables say."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from tenure.registry.faults import SchemaError, StoreDownError
from tenure.registry.opening import engine_for, open_registry, upgrade_registry
from tenure.registry.registry import Registry
from tenure.registry.schema import REVISIONS, migrations, upgrade
from tenure.registry.tables import metadata
from tenure.registry.work import World
from tests.databases import Cluster


def test_the_migrations_make_what_the_tables_say(registry: Registry) -> None:
    with registry.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []


def test_the_revisions_are_those_of_the_scripts() -> None:
    scripts = ScriptDirectory.from_config(migrations()).walk_revisions()
    assert tuple(sorted(script.revision for script in scripts)) == REVISIONS


def test_a_new_file_gets_its_schema_by_itself_and_keeps_its_rows(tmp_path: Path, world: World) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    first = open_registry(url, world)
    with first.engine.begin() as connection:
        connection.execute(text("INSERT INTO lease VALUES ('kept', 'a', 1)"))
    first.close()
    again = open_registry(url, world)
    with again.read() as reading:
        assert [row.name for row in reading.rows(text("SELECT name FROM lease"))] == ["kept"]
    again.close()


def test_postgresql_is_upgraded_only_when_told_so(postgres: Cluster, world: World) -> None:
    url = postgres.url(postgres.empty_database())
    with pytest.raises(SchemaError) as refused:
        open_registry(url, world)
    assert "no schema yet" in refused.value.problem
    assert "registry upgrade" in refused.value.fix
    upgrade_registry(url)
    upgrade_registry(url)  # the second finds nothing to do
    open_registry(url, world).close()


def test_a_database_of_a_newer_tenure_is_left_alone(database_url: str, world: World) -> None:
    engine = engine_for(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="9999"):
        open_registry(database_url, world)
    with pytest.raises(SchemaError, match="9999"):
        upgrade(engine)
    engine.dispose()


def test_commits_that_may_be_lost_are_refused(postgres: Cluster, world: World) -> None:
    name = postgres.fresh_database()
    with engine_for(postgres.url(name)).begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    with pytest.raises(SchemaError, match="synchronous_commit"):
        open_registry(postgres.url(name), world)


@pytest.mark.parametrize("url", ["nonsense", "mysql://somewhere/db", "sqlite://", "sqlite:///:memory:"])
def test_what_is_no_registry_url_is_refused_with_an_example(url: str, world: World) -> None:
    with pytest.raises(SchemaError) as refused:
        open_registry(url, world)
    assert "sqlite:///" in refused.value.fix


def test_a_database_out_of_reach_is_told_without_its_password(tmp_path: Path, world: World) -> None:
    with pytest.raises(StoreDownError) as refused:
        open_registry(f"postgresql://me:secret@/db?host={tmp_path}", world)
    assert "secret" not in str(refused.value)
    with pytest.raises(StoreDownError):
        open_registry(f"sqlite:///{tmp_path}/nowhere/tenure.db", world)


def test_sqlite_keeps_its_promises(tmp_path: Path, world: World) -> None:
    opened = open_registry(f"sqlite:///{tmp_path / 'new.db'}", world)
    with opened.read() as reading:
        asked = [reading.rows(text(f"PRAGMA {name}"))[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert asked == ["wal", 2, 1]
    opened.close()
