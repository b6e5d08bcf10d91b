from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nightjar.corpus import Corpus, find_corpus, load_corpora, load_corpus
from nightjar.errors import Misconfigured

MINIMAL = "source: {uri: s3://documents/handbook/}\n"


def written(folder: Path, text: str, *, name: str = "handbook") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str) -> Corpus:
    return load_corpus(written(folder, text), default_state="s3://state/all/")


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        loaded(folder, text)
    return str(caught.value)


def test_only_the_source_is_required(tmp_path: Path) -> None:
    corpus = loaded(tmp_path, MINIMAL)
    assert (corpus.name, corpus.bucket, corpus.prefix) == ("handbook", "documents", "handbook/")


def test_keys_are_attributes_with_their_units(tmp_path: Path) -> None:
    corpus = loaded(tmp_path, MINIMAL + "parse: {timeout: 90s, memory: 1GiB}\nquality: {max_rejected_share: 7%}\n")
    assert corpus.parse.timeout == timedelta(seconds=90)
    assert corpus.parse.memory == 2**30
    assert corpus.quality.max_rejected_share == pytest.approx(0.07)


def test_the_contracts_example_loads(tmp_path: Path) -> None:
    corpus = loaded(tmp_path, EXAMPLE)
    assert corpus.alias == "Handbook"
    assert corpus.metadata.fields == {"department": "text", "year": "int", "team": "text"}
    assert corpus.airflow.stages["embed"].queue == "gpu"


def test_the_alias_is_the_name_in_camel_case(tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL, name="company_handbook")
    assert load_corpus(path, default_state=None).alias == "CompanyHandbook"


def test_state_defaults_to_a_folder_of_its_own(tmp_path: Path) -> None:
    assert loaded(tmp_path, MINIMAL).state_uri == "s3://state/all/handbook/"


def test_no_state_is_refused_only_when_it_is_needed(tmp_path: Path) -> None:
    corpus = load_corpus(written(tmp_path, MINIMAL), default_state=None)
    with pytest.raises(Misconfigured, match="set state: s3://bucket/folder/ in the corpus file, or NIGHTJAR_STATE"):
        _ = corpus.state_uri


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index: {alias: Taken}\n", "index.alias: 'Taken' is also the alias of first.yaml"),
        ("state: s3://state/first/\n", "state: s3://state/first/ overlaps the state of first.yaml"),
    ],
)
def test_a_file_from_elsewhere_takes_nothing_from_a_corpus_of_the_folder(
    tmp_path: Path, text: str, message: str
) -> None:
    folder = tmp_path / "corpora"
    folder.mkdir()
    written(folder, MINIMAL + "state: s3://state/first/\nindex: {alias: Taken}\n", name="first")
    elsewhere = written(tmp_path, MINIMAL + text, name="second")
    with pytest.raises(Misconfigured, match=f"second.yaml: {message}"):
        find_corpus(str(elsewhere), folder=folder, default_state="s3://state/all/")


def test_a_file_from_elsewhere_may_be_another_draft_of_a_corpus_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "corpora"
    folder.mkdir()
    written(folder, MINIMAL, name="handbook")
    draft = written(tmp_path, MINIMAL + "description: draft\n", name="handbook")
    assert find_corpus(str(draft), folder=folder, default_state="s3://state/all/").description == "draft"


def test_a_folder_ends_in_a_slash_so_that_neighbours_stay_out(tmp_path: Path) -> None:
    assert loaded(tmp_path, "source: {uri: s3://documents/hand}\n").prefix == "hand/"


def test_a_resolved_corpus_reads_back(tmp_path: Path) -> None:
    corpus = loaded(tmp_path, EXAMPLE + "\n")
    assert Corpus.from_resolved(corpus.resolved()) == corpus


def test_fixed_values_declare_their_own_type(tmp_path: Path) -> None:
    text = MINIMAL + "metadata: {fixed: {n: 3, ok: yes, since: 2024-05-01, tags: [a, b], share: 0.5, who: me}}\n"
    metadata = loaded(tmp_path, text).metadata
    assert metadata.fields == {
        "n": "int", "ok": "bool", "since": "date", "tags": "text[]", "share": "number", "who": "text",
    }  # fmt: skip
    assert metadata.fixed["since"] == datetime(2024, 5, 1, tzinfo=UTC)
    assert metadata.fixed["tags"] == ("a", "b")


def test_fixed_dates_and_lists_survive_the_plan(tmp_path: Path) -> None:
    corpus = loaded(tmp_path, MINIMAL + "metadata: {fixed: {since: 2024-05-01, tags: [a, b]}}\n")
    assert Corpus.from_resolved(corpus.resolved()).metadata == corpus.metadata


def test_suites_of_ones_own_count_from_the_corpus_file(tmp_path: Path) -> None:
    corpus = loaded(tmp_path, MINIMAL + "quality: {suites: rules}\n")
    assert corpus.quality.suites == str(tmp_path.resolve() / "rules")


def test_the_shipped_suites_keep_their_word(tmp_path: Path) -> None:
    assert loaded(tmp_path, MINIMAL + "quality: {suites: expectations}\n").quality.suites == "expectations"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chunk:\n  max_token: 3\n", "handbook.yaml:3: chunk.max_token: unknown key; did you mean chunk.max_tokens?"),
        ("max_tokens: 3\n", "handbook.yaml:2: max_tokens: unknown key; did you mean chunk.max_tokens?"),
        ("frobnicate: 3\n", "handbook.yaml:2: frobnicate: unknown key; `nightjar schema` lists all that exist"),
        ("chunk: {max_tokens: 31}\n", "chunk.max_tokens: must be at least 32"),
        ("chunk: {max_tokens: '200'}\n", "chunk.max_tokens: must be a whole number"),
        ("chunk: {max_tokens: 100, overlap_tokens: 50}\n", "chunk.overlap_tokens: 50 is half of max_tokens"),
        ("parse: {timeout: 20}\n", "parse.timeout: 20 is no duration"),
        ("parse: {strategy: quick}\n", "parse.strategy: 'quick' is none of 'auto', 'fast', 'hi_res', 'ocr_only'"),
        ("embed: {backend: openvino, device: cuda}\n", "embed.backend: openvino does not run on cuda"),
        ("embed: {model: ./m, revision: main}\n", "embed.revision: a model in a folder has no revisions"),
        ("metadata: {fields: {Year: int}}\n", "metadata.fields.Year: 'Year' cannot be a Weaviate property"),
        ("metadata: {fields: {title: text}}\n", "'title' is a property of every chunk already"),
        ("metadata: {fields: {id: text}}\n", "'id' is a property of every chunk already"),
        ("metadata: {fields: {a_temp: text}}\n", "'a_temp' ends in _temp"),
        ("metadata: {fields: {year: integer}}\n", "metadata.fields.year: 'integer' is none of 'text', 'text[]', 'int'"),
        ("metadata: {from_path: '{year}/**'}\n", "metadata.from_path: fills 'year', which has no type"),
        ("metadata: {fields: {y: int}, from_path: '{y}/{y}'}\n", "metadata.from_path: fills 'y' twice"),
        ("metadata: {fields: {y: int}, from_path: '{y/**'}\n", "metadata.from_path: has a brace without its partner"),
        ("metadata: {fields: {y: int}, fixed: {y: x}}\n", "metadata.fixed.y: 'x' is not of the type int"),
        ("metadata: {fields: {y: int}, fixed: {y: yes}}\n", "metadata.fixed.y: true is not of the type int"),
        ("metadata: {fixed: {y: {a: 1}}}\n", "metadata.fixed.y: {'a': 1} is no text, number"),
        ("evaluation: {floor: {recall: 0.8}}\n", "evaluation.floor: needs questions"),
        ("deletions: {guard_max: 3}\n", "deletions.guard_max: 3 is below guard_count (10)"),
        ("index: {alias: handbook}\n", "index.alias: 'handbook' cannot name an alias; use an upper-case letter"),
        ("index: {alias: Handbook_b0003}\n", "ends like one of Nightjar's collections"),
        ("timezone: Mars/Olympus\n", "timezone: 'Mars/Olympus' is no time zone"),
        ("schedule: 0 25 * * *\n", "schedule: '25' is no hour"),
        ("schedule: {asset: [a]}\n", "schedule.asset: unknown key; did you mean schedule.assets?"),
        ("tags: hr\n", "tags: must be a list"),
        ("parse: fast\n", "parse: must hold keys and values of its own"),
        ("name: Handbook\n", "name: 'Handbook' must look like"),
        ("state: s3://documents/handbook/state/\n", "/handbook/state/ and source.uri lie in each other"),
        ("parse: {languages: []}\n", "parse.languages: is empty; write at least one entry"),
        ("schedule: {assets: []}\n", "schedule.assets: is empty; write at least one entry"),
        ("embed: {model: ''}\n", "embed.model: is empty; write something, or remove it"),
        ("embed: {query_prompt: null}\n", "embed.query_prompt: must be a text, in quotes where it looks like"),
        ("index: {quantization: null}\n", "index.quantization: null is none of 'none', 'rq', 'sq', 'bq'"),
        (f"description: {'x' * 2001}\n", "description: is too long; write at most 2000 characters"),
        ("chunk: {headings: 1}\n", "chunk.headings: must be true or false"),
        ("parse: {memory: 512KiB}\n", "parse.memory: must be at least 512MiB"),
        ("parse: {timeout: 500ms}\n", "parse.timeout: must be at least 1 second"),
        ("parse: {timeout: 3h}\n", "parse.timeout: must be at most 2 hours"),
        ("parse: {timeout: null}\n", "parse.timeout: null is no duration; write"),
        ("parse: {workers: 300}\n", "parse.workers: must be at most 256"),
        ("no: 3\n", "handbook.yaml:2: no: keys are words"),
        ("tags: &t [a]\nowner: *t\n", "*t: write the value out; aliases are refused"),
        ("tags: [a]\ntags: [b]\n", "handbook.yaml:3: tags: stands on line 2 already"),
        ("index: {weaviate_password: x}\n", "index.weaviate_password: credentials do not belong in a corpus file"),
        ("description: AKIAIOSFODNN7EXAMPLE\n", "holds an AWS access key"),
    ],
)  # fmt: skip
def test_a_wrong_file_names_the_key_and_the_remedy(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, MINIMAL + text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must hold keys and values"),
        ("- a\n", "must hold keys and values"),
        ("source: [\n", "is not YAML"),
        ("a: " + "[" * 200 + "\n", "is nested too deep"),
        ("a: !!python/object/apply:os.system [ls]\n", "is not YAML"),
        ("description: x\n", "source: is required"),
        ("source: {}\n", "source.uri: is required"),
        ("source: {uri: /data}\n", "source.uri: '/data' is no S3 address; write s3://bucket/folder/"),
        ("source: {uri: s3://AB/x}\n", "is no S3 address"),
        ("source: {uri: s3://documents/, include: []}\n", "source.include: is empty; write at least one entry"),
        ("source: {uri: s3://documents/, max_size: 12B}\n", "source.max_size: must be at least 1kB"),
    ],
)
def test_a_file_that_is_no_corpus_says_so(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_a_list_with_a_wrong_entry_is_not_called_empty_as_well(tmp_path: Path) -> None:
    said = refusal(tmp_path, MINIMAL + "parse: {languages: [english]}\n")
    assert "parse.languages.0: 'english' must look like" in said
    assert "more)" not in said


def test_credentials_in_an_address_are_not_repeated(tmp_path: Path) -> None:
    said = refusal(tmp_path, "source: {uri: 's3://AK:hunter2@documents/'}\n")
    assert "source.uri: holds credentials" in said
    assert "hunter2" not in said


def test_a_file_that_is_not_utf8_says_where(tmp_path: Path) -> None:
    path = tmp_path / "handbook.yaml"
    path.write_bytes(b"description: caf\xe9\n")
    with pytest.raises(Misconfigured, match=r"is not UTF-8 \(byte 16\)"):
        load_corpus(path, default_state=None)


def test_several_mistakes_are_counted(tmp_path: Path) -> None:
    assert refusal(tmp_path, MINIMAL + "parse: 3\nchunk: 4\n").endswith("(and 1 more)")


def test_one_wrong_file_harms_no_other(tmp_path: Path) -> None:
    written(tmp_path, MINIMAL, name="good")
    bad = written(tmp_path, "nonsense: 1\n", name="bad")
    corpora = load_corpora(tmp_path, default_state="s3://state/")
    assert [corpus.name for corpus in corpora.valid] == ["good"]
    assert [path for path, _ in corpora.broken] == [bad]


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ("name: a\nsource: {uri: s3://docs/b/}\n", "b.yaml: name: 'a' is also the name in a.yaml"),
        ("source: {uri: s3://docs/b/}\nindex: {alias: a}\n", "index.alias"),
        ("source: {uri: s3://docs/b/}\nindex: {alias: A}\n", "b.yaml: index.alias: 'A' is also the alias of a.yaml"),
        ("source: {uri: s3://docs/b/}\nstate: s3://state/a/\n", "state: s3://state/a/ overlaps the state of a.yaml"),
        ("source: {uri: s3://docs/b/}\nstate: s3://state/\n", "overlaps the state of a.yaml"),
        ("source: {uri: s3://docs/b/}\nstate: s3://docs/a/x/\n", "and the documents lie in each other in a.yaml"),
        ("source: {uri: s3://state/a/x/}\n", "source.uri: s3://state/a/x/ and the state lie in each other in a.yaml"),
    ],
)  # fmt: skip
def test_of_two_that_clash_the_later_is_refused(tmp_path: Path, later: str, said: str) -> None:
    written(tmp_path, "source: {uri: s3://docs/a/}\n", name="a")
    written(tmp_path, later, name="b")
    corpora = load_corpora(tmp_path, default_state="s3://state/")
    assert [corpus.name for corpus in corpora.valid] == ["a"]
    assert said in str(corpora.broken[0][1])


def test_two_corpora_may_read_the_same_documents(tmp_path: Path) -> None:
    written(tmp_path, MINIMAL, name="a")
    written(tmp_path, MINIMAL, name="b")
    assert len(load_corpora(tmp_path, default_state="s3://state/").valid) == 2


def test_a_corpus_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    path = written(tmp_path, MINIMAL)
    by_name = find_corpus("handbook", folder=tmp_path, default_state=None)
    assert by_name == find_corpus(str(path), folder=Path("elsewhere"), default_state=None)


def test_a_misspelt_corpus_is_guessed(tmp_path: Path) -> None:
    written(tmp_path, MINIMAL)
    with pytest.raises(Misconfigured, match=r"handbok: no such corpus; did you mean handbook\?"):
        find_corpus("handbok", folder=tmp_path, default_state=None)


def test_a_broken_corpus_is_found_with_its_reason(tmp_path: Path) -> None:
    written(tmp_path, "x: 1\n")
    with pytest.raises(Misconfigured, match=r"handbook.yaml:1: x: unknown key"):
        find_corpus("handbook", folder=tmp_path, default_state=None)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no such folder of corpus files; set NIGHTJAR_CORPORA"):
        load_corpora(tmp_path / "none", default_state=None)


EXAMPLE = """\
description: Company handbook
owner: data-platform
tags: [hr]
schedule: "0 2 * * *"
timezone: Europe/Berlin
connections: {source: aws_default, state: aws_default, index: weaviate_default}
source: {uri: s3://documents/handbook/, include: ["**"], exclude: ["drafts/**"], max_size: 200MB}
state: s3://nightjar-state/handbook/
parse: {strategy: auto, languages: [eng], timeout: 120s, memory: 2GiB, workers: 2}
chunk: {max_tokens: 200, overlap_tokens: 0, headings: true}
embed: {model: sentence-transformers/all-MiniLM-L6-v2, revision: null, backend: auto, device: auto,
  document_prompt: "", query_prompt: "", switch: approve}
metadata:
  fields: {department: text, year: int, team: text}
  fixed: {department: hr}
  from_path: "{year}/{team}/**"
  sidecar: true
  acl: [everyone]
quality: {suites: expectations, max_rejected_share: 5%, max_failed_documents: 5%}
deletions: {guard_share: 10%, guard_count: 10, guard_max: 1000}
limits: {tokens: null, minutes: null, rebuild_share: 20%}
evaluation: {questions: handbook.jsonl, k: 10, floor: {recall: 0.8}, max_regression: 5%}
index: {alias: Handbook, strategy: auto, blue_green_below: 100000, keep_versions: 30, keep_collections: 2,
  quantization: none, replicas: 1, shards: 1}
airflow: {queue: default, pool: default_pool, access_control: {}, default_args: {}, stages: {embed: {queue: gpu}}}
"""
