"""The list of fixture plug-ins; each is a module `fix_*.py` beside this file."""

from hypothesis import settings

pytest_plugins = ["fix_processes", "fix_servers", "fix_database", "fix_collector", "fix_api", "fix_pages"]

# No test is about speed: a slow machine takes longer and finds the same.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
