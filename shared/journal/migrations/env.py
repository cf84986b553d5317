"""Runs migrations on the connection that shared/journal/database.py gives."""

from alembic import context

from shared.journal.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
