"""What each task of `reindex_<corpus>` does: open the doors, call one flow, leave references behind.

Loaded by running tasks only, for the flows bring Arrow, boto3 and Weaviate's client with them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, TypedDict

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException

from nightjar import flows
from nightjar.corpus import Corpus
from nightjar.errors import HeldBack, Superseded
from nightjar.flows import gates, night, planning, promotion
from nightjar.flows import index as checkout
from nightjar.flows import settle as settling
from nightjar.flows.chunking import chunk_shard
from nightjar.flows.embedding import embed_shard
from nightjar.flows.parsing import parse_shard
from nightjar.flows.runs import Options, Run, find_run, read_json
from nightjar.flows.services import Services
from nightjar.lease import Lease
from nightjar_dags.assets import live_asset
from nightjar_dags.session import acquired, opened, owner_of, skipped_when_over, taking_part

log = logging.getLogger(__name__)


class ShardReference(TypedDict):
    """What XCom carries of a shard; its documents stand in the run's plan."""

    number: int
    label: str
