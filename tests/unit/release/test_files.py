"""Files are written from the vetted table, and are safe where people open them."""

from __future__ import annotations

import csv
import io
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from domicile.rules import Declared
from enclave.release.files import csv_bytes, files_of, parquet_bytes

TABLE = pa.table({"科室": ["心内", None], "los": [5.25, None], "day": [date(2024, 1, 2), None], "yes": [True, False]})


def test_a_table_reads_back_as_it_was() -> None:
    assert pq.read_table(io.BytesIO(parquet_bytes(TABLE))).equals(TABLE)
    read = pd.read_csv(io.BytesIO(csv_bytes(TABLE)))
    assert list(read.columns) == TABLE.column_names
    assert read["los"].tolist()[0] == 5.25 and read["day"].tolist()[0] == "2024-01-02"


def test_the_same_table_gives_the_same_bytes() -> None:
    assert parquet_bytes(TABLE) == parquet_bytes(TABLE) and csv_bytes(TABLE) == csv_bytes(TABLE)


def test_commas_quotes_and_lines_stay_inside_their_cell() -> None:
    awkward = pa.table({'a,"b"': ['1,"2"', "x;y"]})
    rows = list(csv.reader(io.StringIO(csv_bytes(awkward).decode("utf-8-sig"))))
    assert rows == [['a,"b"'], ['1,"2"'], ["x;y"]]


def test_each_kind_of_output_becomes_its_files() -> None:
    table = Declared("table", "t", "", ("a",), TABLE)
    assert set(files_of(table, 3, None)) == {"03-table.csv", "03-table.parquet"}
    chart = Declared("chart", "t", "", ("a",), TABLE)
    assert files_of(chart, 1, b"PNG")["01-chart.png"] == b"PNG"
    assert files_of(Declared("text", "t", "", (), text="冬季更长"), 2, None) == {"02-text.txt": "冬季更长\n".encode()}
