"""One file for each step. A new one: Alembic's autogenerate against the metadata of ``registry.tables``, read over by hand."""
