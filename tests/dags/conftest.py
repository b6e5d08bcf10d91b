from __future__ import annotations

import airflow_home  # noqa: F401 - first of all
