"""The window: what Nightjar shows in Airflow's own interface."""
