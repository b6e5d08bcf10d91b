#!/usr/bin/env bash
# Runs once before Airflow's services start, and again harmlessly: schema, first login, buckets.
set -euo pipefail
airflow db migrate
airflow users create --username admin --role Admin --firstname Admin --lastname Admin --email admin@localhost \
  --password "${AIRFLOW_ADMIN_PASSWORD}"
python /opt/nightjar/create_buckets.py documents nightjar-state
