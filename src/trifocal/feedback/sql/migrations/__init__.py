"""The history of the tables, oldest first; Alembic reads it from this folder, without a file of its own settings."""
