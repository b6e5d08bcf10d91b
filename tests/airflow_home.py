"""Import this before Airflow: it reads its settings, and writes its files, once and at import."""

from __future__ import annotations

import os
import tempfile

HOME = tempfile.mkdtemp(prefix="nightjar-airflow-")
os.environ |= {
    "AIRFLOW_HOME": HOME,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
}
