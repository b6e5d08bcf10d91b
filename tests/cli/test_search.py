"""`search`: the alias as applications ask it, earlier versions exactly, nothing that steers a terminal."""

from __future__ import annotations

import pytest
from cli.shell import Shell

from nightjar.corpus import Corpus
from nightjar.errors import Misconfigured
from nightjar.flows.checkouts import drop_collection
from nightjar.flows.fence import holding
from nightjar.flows.searching import typed_where
from nightjar.flows.versions import read_version
from nightjar.owner import Owner

LEAVE = "Leave\nEveryone has thirty days of leave a year."


@pytest.fixture
def live(shell: Shell) -> Shell:
    shell.run()
    return shell


def test_hits_have_the_promised_shape(live: Shell) -> None:
    told = live.json("search", "handbook", "thirty days", "--mode", "keyword")
    assert (told["corpus"], told["version"], told["mode"]) == ("handbook", 1, "keyword")
    assert told["hits"][0].keys() == {
        "rank", "score", "chunk_id", "document_id", "source_uri", "title", "heading_path", "page", "text",
    }  # fmt: skip
    assert told["hits"][0]["source_uri"] == "s3://documents/h/2024/hr/leave.txt"


@pytest.mark.parametrize("mode", ["hybrid", "vector", "keyword"])
def test_every_mode_finds_the_passage(live: Shell, mode: str) -> None:
    hits = live.json("search", "handbook", "leave days of a year", "--mode", mode, "-k", "10")["hits"]
    assert "s3://documents/h/2024/hr/leave.txt" in {hit["source_uri"] for hit in hits}


def test_k_limits_the_hits(live: Shell) -> None:
    assert [h["rank"] for h in live.json("search", "handbook", "leave", "-k", "1")["hits"]] == [1]


def test_without_acl_it_says_that_nothing_is_filtered(live: Shell) -> None:
    assert "without --acl nothing is filtered" in live("search", "handbook", "leave").stderr


def test_with_acl_only_what_the_group_may_read(live: Shell) -> None:
    result = live("search", "handbook", "leave", "--acl", "nobody")
    assert ("nothing found" in result.stdout, "nothing is filtered" in result.stderr) == (True, False)


def test_where_keeps_what_equals(live: Shell) -> None:
    hits = live.json("search", "handbook", "anything", "--mode", "vector", "--where", "year=2025")["hits"]
    assert {hit["source_uri"] for hit in hits} == {"s3://documents/h/2025/ops/travel.txt"}


def test_nothing_live_is_said_with_the_remedy(shell: Shell) -> None:
    result = shell("search", "handbook", "leave")
    assert (result.exit_code, "nightjar run handbook" in result.stderr) == (2, True)


def test_another_model_than_the_indexs_is_refused(live: Shell) -> None:
    live.world.model = "other"
    result = live("search", "handbook", "leave")
    assert (result.exit_code, "embedded with memory" in result.stderr) == (2, True)


def test_words_can_be_asked_for_whatever_the_model(live: Shell) -> None:
    live.world.model = "other"
    assert live("search", "handbook", "leave", "--mode", "keyword").exit_code == 0


def _second_version(shell: Shell) -> None:
    shell.world.put("2024/hr/leave.txt", "# Leave\n\nForty days.")
    shell.run()


def test_an_earlier_version_that_stands_is_asked_as_it_was(live: Shell) -> None:
    _second_version(live)
    told = live.json("search", "handbook", "thirty days", "--mode", "keyword", "--version", "1")
    assert (told["version"], told["mode"]) == (1, "keyword")
    assert any("thirty days" in hit["text"] for hit in told["hits"])


def _drop_first_collection(shell: Shell) -> None:
    services = shell.world.services()
    with holding(services, run_id="by-hand", owner=Owner.command()) as (fenced, lease):
        drop_collection(fenced, str(read_version(services.state, 1).collection), lease=lease)


def test_an_earlier_version_without_a_collection_is_searched_exactly(live: Shell) -> None:
    first = live.json("search", "handbook", LEAVE, "--mode", "vector")["hits"]
    _second_version(live)
    _drop_first_collection(live)
    told = live.json("search", "handbook", LEAVE, "--version", "1")
    assert told["mode"] == "vector"
    assert [(h["chunk_id"], round(h["score"], 5)) for h in told["hits"]] == [
        (h["chunk_id"], round(h["score"], 5)) for h in first
    ]


def test_an_exact_search_says_so(live: Shell) -> None:
    _second_version(live)
    _drop_first_collection(live)
    assert "by vector only" in live("search", "handbook", "leave", "--version", "1").stderr


@pytest.mark.parametrize(("words", "count"), [(("--where", "year=2025"), 1), (("--acl", "x"), 0), (("-k", "1"), 1)])
def test_an_exact_search_filters_and_limits_too(live: Shell, words: tuple[str, ...], count: int) -> None:
    _second_version(live)
    _drop_first_collection(live)
    assert len(live.json("search", "handbook", "leave", "--version", "1", *words)["hits"]) == count


def test_a_version_that_never_was_is_refused(live: Shell) -> None:
    assert live("search", "handbook", "leave", "--version", "9").exit_code == 2


def test_a_documents_text_cannot_steer_the_terminal(shell: Shell) -> None:
    shell.world.put("2024/hr/evil.txt", "# Evil\x1b]0;owned\x07\n\nleave\x1b[2J \x9b31m [bold]here[/bold]")
    shell.run()
    told = shell("search", "handbook", "leave", "-k", "10").stdout
    assert not {"\x1b", "\x9b", "\x07"} & set(told)
    assert "[bold]here[/bold]" in told


FIELDS = {
    "name": "handbook",
    "source": {"uri": "s3://documents/h/"},
    "metadata": {"fields": {"team": "text", "tags": "text[]", "year": "int", "rate": "number", "open": "bool"}},
}


@pytest.mark.parametrize(
    ("name", "written", "typed"),
    [
        ("team", "2024", "2024"),
        ("tags", "hr", "hr"),
        ("year", "2024", 2024),
        ("rate", "0.5", 0.5),
        ("open", "yes", True),
        ("page_first", "3", 3),
        ("media_type", "text/plain", "text/plain"),
    ],
)
def test_where_is_typed_by_the_field(name: str, written: str, typed: object) -> None:
    assert typed_where(Corpus.model_validate(FIELDS), [(name, written)]) == {name: typed}


@pytest.mark.parametrize(
    ("name", "written"),
    [("year", "soon"), ("open", "perhaps"), ("modified_at", "today"), ("text", "leave"), ("nosuch", "x")],
)
def test_where_refuses_what_cannot_be_compared(name: str, written: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        typed_where(Corpus.model_validate(FIELDS), [(name, written)])


def test_where_refuses_two_values_for_one_name() -> None:
    with pytest.raises(Misconfigured, match="twice"):
        typed_where(Corpus.model_validate(FIELDS), [("team", "hr"), ("team", "ops")])
