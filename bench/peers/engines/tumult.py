"""How does Tumult Analytics ask the questions?

zCDP on Spark with two local cores, tables cached before the first question; private joins on the person; keys are public
key sets. Persons are bounded by rows, or by groups and rows in each; the number of visits of a person by `flat_map_by_id`.
"""

from __future__ import annotations

import datetime
import os
import sys

from loop import serve

os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable

from pyspark.sql import SparkSession
from tmlt.analytics import (
    AddRowsWithID,
    BinningSpec,
    ColumnType,
    KeySet,
    MaxGroupsPerID,
    MaxRowsPerGroupPerID,
    MaxRowsPerID,
    QueryBuilder,
    RhoZCDPBudget,
    Session,
)

PERSON = "patient_id"
TABLES = {
    "visits": (
        "patient_id", "visit_id", "dept", "dx_category", "payment", "admitted_on",
        "cast(admit_year as int) admit_year", "cast(los_days as int) los_days", "fee",
    ),
    "patients": ("patient_id", "sex"),
    "diagnoses": ("patient_id", "visit_id", "diagnosis_id"),
}  # fmt: skip
EPOCH = datetime.date(1970, 1, 1)


class Tumult:
    def load(self, rows: str, scratch: str) -> None:
        os.chdir(scratch)  # it writes a warehouse where it stands
        spark = (
            SparkSession.builder.master("local[2]")
            .config("spark.driver.memory", "6g")
            .config("spark.sql.shuffle.partitions", "4")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.warehouse.dir", f"{scratch}/warehouse")
            .config("spark.driver.extraJavaOptions", "-Dio.netty.tryReflectionSetAccessible=true")
            .getOrCreate()
        )
        spark.sparkContext.setLogLevel("ERROR")
        builder = Session.Builder().with_privacy_budget(RhoZCDPBudget(float("inf"))).with_id_space("person")
        for name, columns in TABLES.items():
            stored = "diagnoses_alone" if name == "diagnoses" else name
            frame = spark.read.parquet(f"{rows}/{stored}.parquet").selectExpr(*columns).cache()
            frame.count()
            builder = builder.with_private_dataframe(name, frame, AddRowsWithID(PERSON, id_space="person"))
        self.session = builder.build()

    def ask(self, shape: dict, bounds: dict, budget: dict) -> list:
        found = self.session.evaluate(_query(shape, bounds), RhoZCDPBudget(budget["rho"])).collect()
        return [([row[key] for key in shape["keys"]], float(row["value"])) for row in found]


def _query(shape: dict, bounds: dict):
    query = QueryBuilder(shape["table"])
    if shape["table"] == "diagnoses":
        query = query.join_private("visits", join_columns=[PERSON, "visit_id"])
    if "sex" in shape["keys"]:
        query = query.join_private("patients", join_columns=[PERSON])
    if shape["since"] is not None:
        since, until = (EPOCH + datetime.timedelta(days=shape[end]) for end in ("since", "until"))
        query = query.filter(f"admitted_on >= DATE '{since}' AND admitted_on < DATE '{until}'")
    if shape["measure"] == "per_person":
        query = query.select([PERSON]).flat_map_by_id(
            lambda rows: [{"n": len(rows)}], new_column_types={"n": ColumnType.INTEGER}
        )
        return query.enforce(MaxRowsPerID(1)).average("n", 0, bounds["upper"], name="value")
    if "los_bin" in shape["keys"]:
        bins = BinningSpec(list(range(0, 70, 5)), names=list(range(13)), right=False, include_both_endpoints=False)
        query = query.bin_column("los_days", bins, name="los_bin")
    query = _bounded(query, shape, bounds)
    grouped = query.groupby(KeySet.from_tuples(list(zip(*shape["domain"].values(), strict=True)), shape["keys"]))
    match shape["measure"]:
        case "count" | "persons":
            return grouped.count(name="value")
        case "sum":
            return grouped.sum(shape["column"], 0, bounds["upper"], name="value")
        case "mean":
            return grouped.average(shape["column"], 0, bounds["upper"], name="value")
        case "median":
            return grouped.median(shape["column"], 0, 60, name="value")
    raise ValueError(shape["measure"])


def _bounded(query, shape: dict, bounds: dict):
    if "rows" in bounds:
        return query.enforce(MaxRowsPerID(bounds["rows"]))
    key = shape["keys"][0]
    each = 1 if shape["measure"] == "persons" else bounds["each"]
    return query.enforce(MaxGroupsPerID(key, bounds["groups"])).enforce(MaxRowsPerGroupPerID(key, each))


if __name__ == "__main__":
    serve(Tumult())
