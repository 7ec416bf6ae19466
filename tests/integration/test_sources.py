"""The same records give the same extract, whether they come as UTF-8 or GBK, as Parquet, from DuckDB or from PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from tests.oracle import clinic, servers

from enclave.errors import BadInput, Refused
from enclave.intake.draft import draft
from enclave.intake.extract import Extract, build
from enclave.intake.planned import plan
from enclave.intake.raw import Where

NAME = "欧阳—Zhang，𠀀"  # the last is beyond the basic plane: GB18030 spells it with four bytes, GBK not at all


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with servers.postgres() as url:
        yield url


def _rows() -> clinic.Rows:
    raw = clinic.rows()
    raw["patients"][0]["name"] = NAME
    raw["visits"][0]["dept"] = "NEUR"
    return raw


def _take(where: Where, folder: Path, edit: Callable[[dict[str, Any]], object] | None = None) -> Extract:
    draft = folder / "draft"
    draft.mkdir(parents=True)
    return build(clinic.parsed(edit), where, draft, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)


def _everywhere(**changes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda tree: [r.update(changes) for r in tree["resources"] if r["name"] != "notes"]


def _encoded(folder: Path, encoding: str, mark: bytes = b"") -> Path:
    source = clinic.write_csv(folder, _rows())
    for path in source.iterdir():
        text = path.read_text().replace("𠀀", "" if encoding == "gbk" else "𠀀")
        path.write_bytes(mark + text.encode(encoding))
    return source


def _database(path: Path) -> Path:
    source = clinic.write_parquet(path.parent / "parquet", _rows())
    with duckdb.connect(str(path)) as con:
        for name in _rows():
            con.execute(f"CREATE TABLE {name} AS FROM '{source}/{name}.parquet'")
    return path


def test_every_form_of_the_same_records_gives_the_same_content(tmp_path: Path, server: str) -> None:
    servers.fill(server, _rows())
    servers.fill(server, _rows(), "his", {"patients.sex": "char(4)", "visits.fee": "double precision"})
    mark_utf8, mark_gb = "\ufeff".encode(), "\ufeff".encode("gb18030")
    made = {
        "utf-8": _take(_encoded(tmp_path / "u", "utf-8"), tmp_path / "0"),
        "utf-8 with mark": _take(_encoded(tmp_path / "m", "utf-8", mark_utf8), tmp_path / "1"),
        "gbk": _take(_encoded(tmp_path / "g", "gbk"), tmp_path / "2", _everywhere(encoding="gbk")),
        "gb18030": _take(_encoded(tmp_path / "b", "gb18030"), tmp_path / "3", _everywhere(encoding="gb18030")),
        "gb18030 with mark": _take(
            _encoded(tmp_path / "n", "gb18030", mark_gb), tmp_path / "4", _everywhere(encoding="gb18030")
        ),
        "parquet": _take(clinic.write_parquet(tmp_path / "p", _rows()), tmp_path / "5"),
        "duckdb": _take(_database(tmp_path / "clinic.duckdb"), tmp_path / "6"),
        "postgresql": _take(server, tmp_path / "7"),
        "postgresql, another schema": _take(
            server, tmp_path / "8", lambda t: [r.update(path=f"his.{r['name']}") for r in t["resources"][:3]]
        ),
    }
    assert {name: e.digest for name, e in made.items()} == dict.fromkeys(made, made["utf-8"].digest)
    assert made["postgresql"].read == made["utf-8"].read == {"patients": 3, "visits": 4, "diagnoses": 3}


def test_a_server_is_drafted_as_its_files_are(tmp_path: Path, server: str) -> None:
    """And tables of other schemas by their full name."""
    raw = clinic.rows()
    servers.fill(server, raw, "drafted")
    found = draft(server, tmp_path, name="his", demo=False, lang="en", today=date(2026, 3, 1)).text
    plain = "\n".join(line for line in found.splitlines() if "SETTLE:" not in line)
    tree = yaml.safe_load(plain)
    paths = {r["path"] for r in tree["resources"] if r.get("path", "").startswith("drafted.")}
    assert paths == {"drafted.patients", "drafted.visits", "drafted.diagnoses"}
    assert "Secret" not in found and "370102" not in found
    tree["resources"] = [r for r in tree["resources"] if r.get("path", "").startswith("drafted.")]
    tree["unit"]["table"] = tree["resources"][0]["name"]
    assert clinic.resource(tree, tree["unit"]["table"])["unit"] == "patient_id"


def test_whole_numbers_are_read_as_text_where_they_are_codes_or_keys(tmp_path: Path, server: str) -> None:
    raw = _rows()
    for name in raw:
        for row in raw[name]:
            row["patient_id"] = row["patient_id"].removeprefix("P")
    servers.fill(server, raw, "numbers", {f"{t}.patient_id": "bigint" for t in raw} | {"patients.sex": "smallint"})
    by_number = lambda t: [r.update(path=f"numbers.{r['name']}") for r in t["resources"][:3]]  # noqa: E731
    files = _take(clinic.write_csv(tmp_path / "source", raw), tmp_path / "0")
    assert _take(server, tmp_path / "1", by_number).digest == files.digest


def test_moments_with_a_zone_are_read_in_the_stated_one_or_refused(tmp_path: Path, server: str) -> None:
    raw = clinic.rows()
    for row in raw["visits"]:
        row["admitted_at"] += "+08"
    servers.fill(server, raw, "zoned", {"visits.admitted_at": "timestamptz"})

    def zoned(tree: dict[str, Any]) -> None:
        for resource in tree["resources"][:3]:
            resource["path"] = f"zoned.{resource['name']}"

    def stated(tree: dict[str, Any]) -> None:
        zoned(tree)
        tree["timezone"] = "Asia/Shanghai"

    with pytest.raises(BadInput) as refused:
        _take(server, tmp_path / "0", zoned)
    assert refused.value.code == "intake.no_time_zone"
    read = _take(server, tmp_path / "1", stated)
    assert read.digest == _take(clinic.write_csv(tmp_path / "s", clinic.rows()), tmp_path / "2").digest


def test_a_server_is_read_and_never_written(server: str, tmp_path: Path) -> None:
    import psycopg

    servers.fill(server, _rows(), "kept")
    with psycopg.connect(server) as before:
        stamp = before.execute(
            "SELECT count(*), sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
        ).fetchone()
    plan(
        clinic.parsed(lambda t: [r.update(path=f"kept.{r['name']}") for r in t["resources"][:3]]),
        server, tmp_path, pseudonym_key=clinic.KEY,
    )  # fmt: skip
    with psycopg.connect(server) as after:
        assert (
            after.execute("SELECT count(*), sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables").fetchone()
            == stamp
        )


def test_a_table_that_is_not_there_is_named(server: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        _take(server, tmp_path, lambda t: clinic.resource(t, "visits").update(path="nowhere.visits"))
    assert (refused.value.code, refused.value.facts["expected"]) == ("intake.no_table", "nowhere.visits")


def test_a_password_in_the_address_is_refused_and_not_repeated(tmp_path: Path) -> None:
    for url in ("postgresql://his:hunter2@db/his", "postgresql://his@db/his?password=hunter2"):
        with pytest.raises(Refused) as refused:
            _take(url, tmp_path / str(len(url)))
        assert refused.value.code == "intake.password_in_address"
        assert "hunter2" not in str(refused.value)


def test_a_server_that_does_not_answer_is_named_without_its_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        _take(f"postgresql://his@/his?host={tmp_path}", tmp_path)
    assert refused.value.code == "intake.unreadable_source"
    assert refused.value.__cause__ is None and "socket" not in str(refused.value)


def test_somebody_elses_view_in_a_database_file_is_not_run(tmp_path: Path) -> None:
    path = _database(tmp_path / "clinic.duckdb")
    _take(path, tmp_path / "control")
    with duckdb.connect(str(path)) as con:
        con.execute("ALTER TABLE visits RENAME TO kept")
        con.execute("CREATE VIEW visits AS FROM kept")
    with pytest.raises(BadInput) as refused:
        _take(path, tmp_path / "attacked")
    assert refused.value.code == "intake.no_table"


@pytest.mark.parametrize("name", ["nothing", "text.txt", "broken.duckdb"])
def test_what_is_no_source_is_named(tmp_path: Path, name: str) -> None:
    if name != "nothing":
        (tmp_path / name).write_bytes(b"not a database" * 1000)
    with pytest.raises(BadInput) as refused:
        _take(tmp_path / name, tmp_path / "draft")
    assert refused.value.code in ("intake.no_source", "intake.unreadable_source")
