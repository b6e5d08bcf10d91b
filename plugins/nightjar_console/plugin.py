"""What Airflow loads: the console's name and its web application."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin


class NightjarPlugin(AirflowPlugin):  # type: ignore[misc]  # Airflow's types are not followed, see pyproject
    """The window in Airflow's own interface, under /nightjar."""

    name = "nightjar"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:
        """Built where it is asked for, in the api-server: every worker and scheduler loads plugins, too."""
        from nightjar_console.app import console  # noqa: PLC0415 - as the line above says

        return [{"app": console(), "url_prefix": "/nightjar", "name": "Nightjar"}]
