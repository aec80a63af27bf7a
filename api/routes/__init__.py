"""JSON, one noun a file. Every route names its permission, and a test walks all of them by every role."""

from fastapi import APIRouter

from api.routes import evidence, instruments, live, results, service, traces

router = APIRouter()
for _noun in (instruments, results, traces, evidence, live, service):
    router.include_router(_noun.router)
