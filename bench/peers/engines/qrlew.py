"""How does Qrlew ask the questions?

It rewrites SQL to SQL; the engine that runs it is the DuckDB of our own version, on a file of plain columns. Keys are
public (possible values of the columns). A person's vector is scaled to an l2 norm that follows from `max_multiplicity`
and the declared range of the value; noise is Gaussian, drawn by the database.
"""

from __future__ import annotations

import json

import duckdb
import pyqrlew
from loop import serve

HEX = {"dataset": "a" * 32, "transform": "b" * 32, "schema": "c" * 32, "size": "d" * 32}
UNIT = ([("visits", [], "patient_id"), ("patients", [], "patient_id"), ("diagnoses", [], "patient_id")], False)
"""The person by their number as it stands; the flag saves a hash of it for every row."""

WHOLE = 2**60


class Qrlew:
    def load(self, rows: str, scratch: str) -> None:
        self.database = duckdb.connect(f"{rows}/rows.duckdb", read_only=True, config={"threads": 2})
        self.sizes = {
            name: self.database.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]
            for name in ("visits", "patients", "diagnoses_alone")
        }

    def ask(self, shape: dict, bounds: dict, budget: dict) -> list:
        dataset = _dataset(self.sizes, shape, bounds)
        relation = dataset.relation(_sql(shape, bounds.get("upper")))
        private = relation.rewrite_with_differential_privacy(
            dataset, UNIT, {"epsilon": budget["epsilon"], "delta": budget["delta"]}, float(bounds["clip"]), 1.0
        )
        found = self.database.execute(private.relation().to_query()).fetchall()
        return [(row[:-1], None if row[-1] is None else float(row[-1])) for row in found]


def _sql(shape: dict, upper: float | None) -> str:
    tables = {
        ("visits", False): "visits",
        ("visits", True): "visits JOIN patients ON visits.patient_id = patients.patient_id",
        ("diagnoses", False): "diagnoses JOIN visits ON diagnoses.visit_id = visits.visit_id",
    }
    aggregates = {
        "count": "COUNT(*)",
        "persons": "COUNT(DISTINCT visits.patient_id)",
        "sum": f"SUM({shape['column']})",
        "mean": f"AVG({shape['column']})",
    }
    if shape["measure"] == "per_person":
        # without LEAST the range of n is 0 to the size of the table, and so is the noise
        each = "SELECT patient_id, COUNT(*) AS n FROM visits GROUP BY patient_id"
        return f"SELECT AVG(LEAST(n, {upper})) AS v FROM ({each}) AS e"
    keys = ", ".join(shape["keys"])
    where = f" WHERE on_day >= {shape['since']} AND on_day < {shape['until']}" if shape["since"] is not None else ""
    source = tables[shape["table"], "sex" in shape["keys"]]
    return f"SELECT {keys}, {aggregates[shape['measure']]} AS v FROM {source}{where} GROUP BY {keys}"


def _whole(name: str, lower: int, upper: int, values=()) -> dict:
    kind = {"base": "INT64", "min": str(lower), "max": str(upper), "possible_values": [str(v) for v in values]}
    return {"name": name, "type": {"name": "Integer", "integer": kind, "properties": {}}}


def _text(name: str, values) -> dict:
    kind = {"encoding": "UTF-8", "possible_values": list(values)}
    return {"name": name, "type": {"name": "Text UTF-8", "text": kind, "properties": {}}}


def _float(name: str, upper: float) -> dict:
    kind = {"base": "FLOAT64", "min": "0", "max": str(float(upper)), "possible_values": []}
    return {"name": name, "type": {"name": "Float64", "float": kind, "properties": {}}}


def _dataset(sizes: dict, shape: dict, bounds: dict):
    """Only what the question reads: rewriting is the slower the more columns there are."""
    domain = {key: sorted(set(values)) for key, values in shape["domain"].items()}

    def described(key: str) -> dict:
        if shape["whole"][key]:
            return _whole(key, min(domain[key]), max(domain[key]), domain[key])
        return _text(key, domain[key])

    visits = [_whole("patient_id", 0, WHOLE), _whole("visit_id", 0, WHOLE), _whole("on_day", 0, 30_000)]
    visits += [described(key) for key in shape["keys"] if key != "sex"]
    visits += [_whole("los_days", 0, bounds.get("upper", 60)), _float("fee", bounds.get("upper", 200_000))]
    tables = {
        "visits": (visits, sizes["visits"]),
        "patients": ([_whole("patient_id", 0, WHOLE), _text("sex", domain.get("sex", ["male"]))], sizes["patients"]),
        "diagnoses": ([_whole("patient_id", 0, WHOLE), _whole("visit_id", 0, WHOLE)], sizes["diagnoses_alone"]),
    }
    spec = {"transformed": {"transform": HEX["transform"], "arguments": [], "named_arguments": {}}}
    fields = [
        {"name": name, "type": {"name": "Struct", "struct": {"fields": columns}, "properties": {}}}
        for name, (columns, _) in tables.items()
    ]
    counts = [
        {
            "name": name,
            "statistics": {
                "name": "Struct",
                "struct": {"fields": [], "size": str(rows), "multiplicity": 1.0},
                "properties": {},
            },
        }
        for name, (_, rows) in tables.items()
    ]
    kind = "sarus_data_spec/sarus_data_spec."
    return pyqrlew.Dataset.from_str(
        json.dumps(
            {
                "@type": kind + "Dataset",
                "uuid": HEX["dataset"],
                "name": "rows",
                "spec": spec,
                "properties": {},
                "doc": "",
            }
        ),
        json.dumps(
            {
                "@type": kind + "Schema",
                "uuid": HEX["schema"],
                "dataset": HEX["dataset"],
                "name": "hospital",
                "type": {"name": "Union", "union": {"fields": fields}, "properties": {"public_fields": "[]"}},
            }
        ),
        json.dumps(
            {
                "@type": kind + "Size",
                "uuid": HEX["size"],
                "dataset": HEX["dataset"],
                "name": "rows",
                "statistics": {"name": "Union", "union": {"fields": counts}, "properties": {}},
                "properties": {},
            }
        ),
    )


if __name__ == "__main__":
    serve(Qrlew())
