"""Retrieval measures as the field computes them: ir-measures over trec_eval's own code, loaded when first asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence


class IrScorer:
    """`ports.Scorer`: recall@k, mean reciprocal rank and nDCG@10 with binary judgments."""

    def score(
        self, wanted: Sequence[frozenset[str]], rankings: Sequence[Sequence[str]], *, k: int
    ) -> list[Mapping[str, float]]:
        """As the port says; trec_eval sorts by score, so that a ranking is handed over as falling whole numbers."""
        import ir_measures  # noqa: PLC0415 - half a second that only an evaluation need wait

        measures = {
            ir_measures.R @ k: "recall",
            ir_measures.RR: "mrr",
            ir_measures.nDCG @ 10: "ndcg",
        }
        judged = {str(place): dict.fromkeys(each, 1) for place, each in enumerate(wanted)}
        run = {
            str(place): {unit: float(len(ranking) - rank) for rank, unit in enumerate(ranking)}
            for place, ranking in enumerate(rankings)
        }
        found: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(measures.values(), 0.0))
        for each in ir_measures.iter_calc(list(measures), judged, run):
            found[each.query_id][measures[each.measure]] = float(each.value)
        return [found[str(place)] for place in range(len(wanted))]
