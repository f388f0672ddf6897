"""Registers, journal and read model on SQLite or PostgreSQL."""
