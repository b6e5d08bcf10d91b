"""The clock on the wall: Nightjar DAGs for Airflow."""
