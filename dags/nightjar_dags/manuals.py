"""A DAG's page in Airflow: the corpus in a few lines, then the manual that all DAGs of its kind share."""

from __future__ import annotations

from typing import Final

from nightjar.corpus import Assets, Corpus

_COMMANDS: Final = ("versions", "show", "quarantine", "search")


def manual(corpus: Corpus, text: str, *, title: str) -> str:
    """Markdown for `doc_md`; `text` is the docstring of the module that makes the DAG, under the heading `title`."""
    facts = {
        "Documents": f"`{corpus.source.uri}`",
        "People search": f"alias `{corpus.alias}` in Weaviate",
        "Runs": _when(corpus),
        "Model": f"`{corpus.embed.model}`",
        "State": f"`{corpus.state_uri}`",
        "Ask": corpus.owner,
        "By hand": f"`nightjar plan {corpus.name}`; likewise {', '.join(f'`{verb}`' for verb in _COMMANDS)}",
    }
    about = "\n".join(f"- **{name}**: {value}" for name, value in facts.items())
    return f"## {corpus.name}\n\n{corpus.description}\n\n{about}\n\n## {title}\n\n{text.replace('CORPUS', corpus.name)}"


def _when(corpus: Corpus) -> str:
    if corpus.schedule is None:
        return "only by hand"
    if isinstance(corpus.schedule, Assets):
        return f"when {' and '.join(f'`{asset}`' for asset in corpus.schedule.assets)} have been updated"
    return f"`{corpus.schedule}`, {corpus.timezone}"
