"""The console's web application; Airflow mounts it as it is, so it has to lock its own doors."""

from __future__ import annotations

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from nightjar.errors import Misconfigured
from nightjar_console.api import api


def console() -> FastAPI:
    """Every route asks for a login that may see Airflow's website; there are no pages of documentation beside."""
    app = FastAPI(
        title="Nightjar",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(requires_access_view(AccessView.WEBSITE))],
    )
    app.include_router(api, prefix="/api")
    app.add_exception_handler(Misconfigured, _explained)
    return app


def _explained(request: Request, reason: Exception) -> JSONResponse:
    """Wrong settings in one sentence, to people who have logged in."""
    del request
    return JSONResponse({"detail": str(reason)}, status_code=503)
