"""The moments between which a run may die: a list, so that tests can end a process at every one of them."""

from __future__ import annotations

from enum import StrEnum


class Point(StrEnum):
    """Passed right after what it names was done, and before the next step."""

    LEASED = "the lease is held"
    WRITINGS_ENDED = "what crashed runs left in collections is finished or undone"
    SETTLED = "the run is open"
    PLANNED = "the plan is kept"
    PARSED = "a shard is parsed"
    CHUNKED = "a shard is chunked"
    EMBEDDED = "a shard is embedded"
    ACCESS_RECORDED = "the access table says who may read what"
    ACCESS_SPREAD = "standing collections say the same"
    NUMBERED = "the candidate has a number"
    GATED = "the candidate is judged"
    CLAIMED = "a collection is recorded before it is made"
    CREATED = "a collection is made"
    FILLED = "a collection is filled"
    CHECKED_OUT = "a filled collection's record names its checkout"
    WRITING = "what is about to be written to the live collection is recorded"
    DOCUMENTS_WRITTEN = "some documents' new chunks are written, their old ones still stand"
    DOCUMENTS_REPLACED = "some documents are replaced in the live collection"
    DELTA_WRITTEN = "the live collection is the candidate's checkout"
    VERIFIED = "the candidate's collection is verified"
    HELD = "a rollback has put the corpus on hold"
    COMMITTED = "live.json names the version"
    RECORDED = "the collection's record names the live version"
    ALIASED = "the alias names the live collection"
    ENTERED = "version records say who is live and who is not"
    RETIRED = "old collections are dropped"
    ERASURE_RECORDED = "what is to be erased is recorded"
    ERASED_FROM_INDEX = "no collection has the erased documents"
    ERASED_FROM_REPORTS = "no report and no sample names or quotes them"
    ERASED_FROM_VERSIONS = "no version's manifest has them"
    ERASED_FROM_RUNS = "nothing that runs left has them"
    ERASED_FROM_STORE = "their content and their old manifests are deleted"
    ERASED = "the erasure is over"
