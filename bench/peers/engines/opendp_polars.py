"""How does OpenDP's Polars interface ask the questions?

zCDP with discrete Gaussian noise; keys are public, joined from a frame. Rows per person are sampled (`truncate_per_group`);
groups per person are kept in the order of the alphabet, since sampling them fails with the polars it pins, and one fewer
than asked is kept while the noise is for all (both seen at this version). Joined tables are handed over joined; dates as
days, since a date in a filter is not known to it.
"""

from __future__ import annotations

import warnings

import opendp.prelude as dp
import polars as pl
from loop import serve

dp.enable_features("contrib")
warnings.filterwarnings("ignore")

PERSON = "patient_id"
MOST_ROWS = 100_000_000


class OpenDP:
    def load(self, rows: str, scratch: str) -> None:
        """Files are scanned anew by every question: a plan over a frame in memory is slower to work out."""
        self.tables = {}
        for name in ("visits", "diagnoses"):
            narrow = pl.read_parquet(f"{rows}/{name}.parquet").with_columns(pl.col(pl.Int8, pl.Int16).cast(pl.Int32))
            kept = [c for c in narrow.columns if c != "admitted_on"]
            narrow.select(kept).write_parquet(f"{scratch}/{name}.parquet")
            self.tables[name] = f"{scratch}/{name}.parquet"

    def ask(self, shape: dict, bounds: dict, budget: dict) -> list:
        keys = shape["keys"]
        query = self._context(shape, keys, budget).query()
        if shape["since"] is not None:
            query = query.filter((pl.col("on_day") >= shape["since"]) & (pl.col("on_day") < shape["until"]))
        if shape["measure"] == "per_person":
            return self._per_person(query, bounds)
        query = _bounded(query, keys, shape, bounds)
        made = MEASURES[shape["measure"]](shape, bounds)
        if keys:
            query = query.group_by(*keys).agg(made).with_keys(pl.DataFrame(shape["domain"], schema=_schema(shape)))
        else:
            query = query.select(made)
        found = query.release().collect()
        return [(row[:-1], row[-1]) for row in found.select(*keys, "value").iter_rows()]

    def _context(self, shape: dict, keys: list, budget: dict):
        margins = [dp.polars.Margin(by=[], max_length=MOST_ROWS)]
        if keys:
            margins.append(dp.polars.Margin(by=keys, max_length=MOST_ROWS, max_groups=len(shape["domain"][keys[0]])))
        return dp.Context.compositor(
            data=pl.scan_parquet(self.tables[shape["table"]]),
            privacy_unit=dp.unit_of(contributions=1, identifier=pl.col(PERSON)),
            privacy_loss=dp.loss_of(rho=budget["rho"]),
            split_evenly_over=1,
            margins=margins,
        )

    def _per_person(self, query, bounds: dict) -> list:
        each = query.group_by(PERSON).agg(n=pl.len())
        made = each.select(value=pl.col("n").cast(int).fill_null(0).dp.mean((0, bounds["upper"])))
        return [((), made.release().collect()["value"][0])]


def _schema(shape: dict) -> dict:
    return {key: pl.Int32 if shape["whole"][key] else pl.String for key in shape["keys"]}


def _bounded(query, keys: list, shape: dict, bounds: dict):
    if shape["measure"] == "persons":
        query = query.truncate_per_group(1, keys)
    elif "each" in bounds:
        query = query.truncate_per_group(bounds["each"], keys)
    if "rows" in bounds:
        query = query.truncate_per_group(bounds["rows"])
    if "groups" in bounds:
        query = query.truncate_num_groups(bounds["groups"], keys, keep="first")
    return query


def _count(shape: dict, bounds: dict):
    return dp.len(signed=True).alias("value")


def _value(shape: dict):
    return pl.col(shape["column"]).cast(pl.Int64).fill_null(0)


MEASURES = {
    "count": _count,
    "persons": _count,
    "sum": lambda shape, bounds: _value(shape).dp.sum((0, bounds["upper"])).alias("value"),
    "mean": lambda shape, bounds: _value(shape).dp.mean((0, bounds["upper"])).alias("value"),
    "median": lambda shape, bounds: _value(shape).dp.median(list(range(61))).alias("value"),
    "per_person": None,
}

if __name__ == "__main__":
    serve(OpenDP())
