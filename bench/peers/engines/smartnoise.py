"""How does SmartNoise SQL ask the questions?

Over a pandas frame, which it copies into SQLite once. ε is per noisy column, Laplace; one bound on the rows of a person is
all it has, sampled anew by every question; keys are those in the data. Joins are switched off in it, so joined tables are
handed over joined; a mean is its AVG, a noisy sum over a noisy count.
"""

from __future__ import annotations

import warnings

import pandas as pd
import snsql
from loop import serve
from snsql import Privacy
from snsql.metadata import Metadata

warnings.filterwarnings("ignore")

COLUMNS = {
    "visits": {
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
    },
    "diagnoses": {"patient_id", "dept"},
}
NUMBERS = {"los_days": ("int", 60), "fee": ("float", 200_000)}


class SmartNoise:
    def load(self, rows: str, scratch: str) -> None:
        self.readers = {}
        for name, kept in COLUMNS.items():
            frame = pd.read_parquet(f"{rows}/{name}.parquet", columns=sorted(kept))
            metadata = Metadata.from_dict(_metadata(name, {}))
            self.readers[name] = snsql.from_df(frame, privacy=Privacy(epsilon=1.0), metadata=metadata).reader

    def ask(self, shape: dict, bounds: dict, budget: dict) -> list:
        metadata = Metadata.from_dict(_metadata(shape["table"], bounds))
        private = snsql.sql.private_reader.PrivateReader(
            self.readers[shape["table"]], metadata, privacy=Privacy(epsilon=budget["epsilon"], delta=budget["delta"])
        )
        found = private.execute(_sql(shape))[1:]
        if shape["measure"] == "per_person":
            return [((), row[0] / max(row[1], 1)) for row in found]
        return [(row[:-1], float(row[-1])) for row in found]


def _metadata(table: str, bounds: dict) -> dict:
    described = {
        "max_ids": int(bounds.get("rows", 1)),
        "sample_max_ids": True,
        "censor_dims": False,
        "row_privacy": False,
        "clamp_counts": False,
    }
    for column in COLUMNS[table]:
        kind, upper = NUMBERS.get(column, ("int" if column in ("on_day", "admit_year", "los_bin") else "string", None))
        described[column] = {"type": kind}
        if upper is not None:
            described[column] |= {"lower": 0, "upper": bounds.get("upper", upper)}
    described["patient_id"] = {"type": "int", "private_id": True}
    return {"": {"hospital": {table: described}}}


def _sql(shape: dict) -> str:
    aggregates = {
        "count": "COUNT(*)",
        "persons": "COUNT(DISTINCT patient_id)",
        "sum": f"SUM({shape['column']})",
        "mean": f"AVG({shape['column']})",
        "per_person": "COUNT(*) AS n, COUNT(DISTINCT patient_id)",
    }
    keys = ", ".join(shape["keys"])
    where = f" WHERE on_day >= {shape['since']} AND on_day < {shape['until']}" if shape["since"] is not None else ""
    group = f" GROUP BY {keys}" if keys else ""
    listed = f"{keys}, " if keys else ""
    return f"SELECT {listed}{aggregates[shape['measure']]} AS v FROM hospital.{shape['table']}{where}{group}"


if __name__ == "__main__":
    serve(SmartNoise())
