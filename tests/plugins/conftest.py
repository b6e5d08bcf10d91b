from __future__ import annotations

import warnings

import airflow_home  # noqa: F401 - first of all

with warnings.catch_warnings():
    # Airflow's api-server imports its test client (by way of svcs), which asks for a package that does not fit it yet.
    warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
    import airflow.api_fastapi.app  # noqa: F401 - for its warning
