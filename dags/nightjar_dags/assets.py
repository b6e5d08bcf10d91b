"""What Airflow announces: a corpus's new live version, for other DAGs to be scheduled by."""

from __future__ import annotations

from airflow.sdk import Asset

from nightjar.corpus import Corpus


def live_asset(corpus: Corpus) -> Asset:
    """`nightjar://<corpus>/live`; each promotion is an event with version, collection, documents, chunks and model."""
    return Asset(f"nightjar://{corpus.name}/live")
