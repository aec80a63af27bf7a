"""The pages: HTML for people, in Chinese and English, that work without scripts and are better with them.

`router` holds every page, `mount_static` adds what they load, `problem_page` is what a person sees of an error.
"""

from fastapi import APIRouter

from api.pages import day, explain, health, login, month, overview, year
from api.pages.assets import mount_static
from api.pages.problem import problem_page

__all__ = ["mount_static", "problem_page", "router"]

router = APIRouter(include_in_schema=False)
# The days come last: their addresses are the shortest, and the first that fits is taken.
for one in (overview, login, health, year, month, explain, day):
    router.include_router(one.router)
