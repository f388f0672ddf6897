"""Alembic's entry point: it runs on the connection that `storage.migrate` hands it, and never reads a file."""

from alembic import context

from storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can undo DDL too, as long as we begin the transaction ourselves.
    transactional_ddl=True,
    transaction_per_migration=False,
)
context.run_migrations()
