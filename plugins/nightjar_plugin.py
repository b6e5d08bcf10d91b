"""Registers Nightjar's console with an Airflow whose plugins folder this is.

An installed package announces the console by its entry point already. Airflow would refuse it a second time and show
that as an import error, so this file registers it only where the packages lie on the path without being installed.
"""

from importlib.metadata import entry_points

if not entry_points(group="airflow.plugins", name="nightjar"):
    from nightjar_console.plugin import NightjarPlugin

    __all__ = ["NightjarPlugin"]
