"""How does PipelineDP ask the questions?

On its local backend: rows as Python tuples, partitions (keys) public. Groups of a person and rows in each are sampled;
noise is Laplace, or Gaussian where that is better. Its only accountant that works with the engine splits (ε, δ) evenly.
Joined tables are handed over joined; a question about persons' visits is a count over a count of persons.
"""

from __future__ import annotations

import logging
import operator

import pipeline_dp as pdp
import pyarrow.parquet as pq
from loop import serve

logging.disable(logging.WARNING)

COLUMNS = {
    "visits": (
        "patient_id",
        "dept",
        "dx_category",
        "payment",
        "sex",
        "admit_year",
        "los_days",
        "los_bin",
        "fee",
        "on_day",
    ),
    "diagnoses": ("patient_id", "dept"),
}
METRICS = {
    "count": ("count", [pdp.Metrics.COUNT]),
    "persons": ("privacy_id_count", [pdp.Metrics.PRIVACY_ID_COUNT]),
    "sum": ("sum", [pdp.Metrics.SUM]),
    "mean": ("mean", [pdp.Metrics.MEAN]),
    "median": ("percentile_50", [pdp.Metrics.PERCENTILE(50)]),
    "per_person": ("count", [pdp.Metrics.COUNT, pdp.Metrics.PRIVACY_ID_COUNT]),
}


class PipelineDP:
    def load(self, rows: str, scratch: str) -> None:
        self.rows = {}
        for name, columns in COLUMNS.items():
            table = pq.read_table(f"{rows}/{name}.parquet", columns=list(columns))
            self.rows[name] = list(zip(*(table[c].to_pylist() for c in columns), strict=True))

    def ask(self, shape: dict, bounds: dict, budget: dict) -> list:
        at = {name: i for i, name in enumerate(COLUMNS[shape["table"]])}
        named, metrics = METRICS[shape["measure"]]
        rows = self.rows[shape["table"]]
        if shape["since"] is not None:
            day, since, until = at["on_day"], shape["since"], shape["until"]
            rows = [row for row in rows if since <= row[day] < until]
        accountant = pdp.NaiveBudgetAccountant(total_epsilon=budget["epsilon"], total_delta=budget["delta"])
        engine = pdp.DPEngine(accountant, pdp.LocalBackend())
        made = engine.aggregate(rows, _params(shape, bounds, metrics), _extractors(shape, at), _partitions(shape))
        accountant.compute_budgets()
        found = list(made)
        if shape["measure"] == "per_person":
            return [((), numbers.count / max(numbers.privacy_id_count, 1)) for _, numbers in found]
        return [(key if len(shape["keys"]) > 1 else (key,), float(getattr(numbers, named))) for key, numbers in found]


def _partitions(shape: dict) -> list:
    if not shape["keys"]:
        return [0]
    columns = [shape["domain"][key] for key in shape["keys"]]
    return list(zip(*columns, strict=True)) if len(columns) > 1 else columns[0]


def _extractors(shape: dict, at: dict):
    keys = [at[key] for key in shape["keys"]]
    return pdp.DataExtractors(
        privacy_id_extractor=operator.itemgetter(0),
        partition_extractor=operator.itemgetter(*keys) if keys else lambda row: 0,
        value_extractor=operator.itemgetter(at[shape["column"]]) if shape["column"] else lambda row: 0,
    )


def _params(shape: dict, bounds: dict, metrics: list):
    given = {}
    if shape["measure"] == "sum" and "total" in bounds:
        given = {"min_sum_per_partition": 0, "max_sum_per_partition": bounds["total"]}
    elif shape["measure"] in ("sum", "mean", "median"):
        given = {"min_value": 0, "max_value": bounds.get("upper", 60)}
    return pdp.AggregateParams(
        metrics=metrics,
        noise_kind=pdp.NoiseKind.GAUSSIAN if bounds.get("gaussian") else pdp.NoiseKind.LAPLACE,
        max_partitions_contributed=bounds.get("groups", 1),
        max_contributions_per_partition=bounds.get("each", 1),
        **given,
    )


if __name__ == "__main__":
    serve(PipelineDP())
