"""The only door to PostgreSQL: schema, statements, and everything that must survive a power cut."""
