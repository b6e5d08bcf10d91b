"""Load, call stages, save; the only place that logs and times."""
