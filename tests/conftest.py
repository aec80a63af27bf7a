"""The list of fixture plug-ins; each is a module `fix_*.py` beside this file."""

pytest_plugins = ["fix_processes", "fix_servers", "fix_database", "fix_collector", "fix_api", "fix_pages"]
