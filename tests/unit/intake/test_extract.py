"""Same content, same digest; nothing in the clear; a rehearsal leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from tests.oracle import clinic

from enclave.errors import Refused
from enclave.intake.extract import build, check_home
from enclave.intake.package import Descriptor
from enclave.intake.planned import plan
from enclave.intake.rehearsal import lines
from enclave.intake.workshop import Room, workshop


def test_the_digest_is_of_the_content_whatever_the_file_and_the_order_it_came_in(tmp_path: Path) -> None:
    first = clinic.built(tmp_path / "a", clinic.rows())
    turned = clinic.built(tmp_path / "b", {t: rows[::-1] for t, rows in clinic.rows().items()})
    source, draft = clinic.write_parquet(tmp_path / "c" / "source", clinic.rows()), tmp_path / "c" / "draft"
    draft.mkdir()
    parquet = build(clinic.parsed(), source, draft, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)
    assert first.digest == turned.digest == parquet.digest
    assert first.file_digest != turned.file_digest  # an encrypted file differs in every build


def test_the_digest_changes_with_a_value_a_null_a_key_or_a_norms_facet(tmp_path: Path) -> None:
    changed, empty = clinic.rows(), clinic.rows()
    changed["visits"][0]["los_days"] = "5"
    empty["visits"][0]["los_days"] = ""
    zero = clinic.rows()
    zero["visits"][0]["los_days"] = "0"
    made = [clinic.built(tmp_path / str(n), raw) for n, raw in enumerate((clinic.rows(), changed, empty, zero))]
    made.append(clinic.built(tmp_path / "key", clinic.rows(), key=b"q" * 32))
    assert len({e.digest for e in made}) == len(made)


def test_norms_are_bound_to_bounds_lists_and_facets(tmp_path: Path) -> None:
    d = clinic.parsed(lambda t: clinic.field(t, "visits", "los_days").update(upper=59))
    made = clinic.built(tmp_path / "a", clinic.rows()), clinic.built(tmp_path / "b", clinic.rows(), d)
    assert made[0].norm_digest != made[1].norm_digest


def test_rows_rest_in_the_order_of_what_their_person_exceeds_most(tmp_path: Path) -> None:
    d = clinic.parsed()
    table = d.table("visits")
    assert table is not None
    clips = {"unit_rows": table.row_clip, "total_los_days": 100, "total_fee": 200_000}
    for facet in table.facets:
        clips |= {f"norm_{facet.column}": facet.clip, f"distinct_{facet.column}": facet.distinct_clip}
    visits = clinic.stored(clinic.built(tmp_path, clinic.rows(), d), "visits")
    excess = [max(row[norm] // clip for norm, clip in clips.items()) for row in visits]
    assert excess == sorted(excess) and len(set(excess)) == 2


def test_the_file_is_encrypted_and_nothing_else_is_left(tmp_path: Path) -> None:
    made = clinic.built(tmp_path, clinic.rows())
    assert [p.name for p in made.path.parent.iterdir()] == ["extract.duckdb"]
    plain = tmp_path / "plain.duckdb"
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{made.path}' AS kept (READ_ONLY, ENCRYPTION_KEY '{clinic.FILE_KEY}')")
        con.execute(f"ATTACH '{plain}' AS plain")
        con.execute("COPY FROM DATABASE kept TO plain")
    # Long enough that a cipher does not write them by chance.
    words = (b"dx_category", b"norm_dx_category", b"discharged_on")
    assert all(word in plain.read_bytes() for word in words)
    assert not any(word in made.path.read_bytes() for word in words)
    with pytest.raises(duckdb.Error), duckdb.connect() as con:
        con.execute(f"ATTACH '{made.path}' AS x (READ_ONLY)")
    with pytest.raises(duckdb.Error), clinic.opened(made.path, "00" * 32):
        pass


def test_what_spills_is_unreadable_and_removed(tmp_path: Path) -> None:
    """Control: without the setting the same rows lie in the spill files as they are."""
    sql = "CREATE TABLE t AS SELECT 'SECRET-' || i AS s, sha256(i::VARCHAR) AS h FROM range(1500000) t(i)"
    with workshop(tmp_path, (), Room(memory="70MB", threads=1)) as con:
        con.execute(sql)
        (spill,) = tmp_path.glob(".spill-*")
        assert spill.stat().st_mode & 0o777 == 0o700
        seen = [p.read_bytes() for p in spill.iterdir()]
        assert seen and not any(b"SECRET-" in block for block in seen)
    assert list(tmp_path.iterdir()) == []
    bare = tmp_path / "bare"
    with duckdb.connect(config={"memory_limit": "70MB", "temp_directory": str(bare), "threads": 1}) as con:
        con.execute(sql)
        assert any(b"SECRET-" in p.read_bytes() for p in bare.iterdir())


def test_the_workshop_sees_no_other_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_text("a\n1\n")
    (tmp_path / "scratch").mkdir()
    with workshop(tmp_path / "scratch", (), Room()) as con, pytest.raises(duckdb.PermissionException):
        con.execute(f"SELECT * FROM read_csv('{outside}')")


def test_a_rehearsal_says_what_would_happen_and_leaves_nothing(tmp_path: Path) -> None:
    raw = clinic.rows()
    raw["visits"].append(clinic.visit(9, 1, los_days="999"))
    source, scratch = clinic.write_csv(tmp_path / "source", raw), tmp_path / "scratch"
    scratch.mkdir()
    found = plan(clinic.parsed(), source, scratch, pseudonym_key=clinic.KEY)
    assert list(scratch.iterdir()) == []
    assert found.read["visits"] == 5
    assert found.dropped["visits"]["los_days <= 365"] == 1
    assert found.lineage["visits"]["dx_category"] == "main_dx: prefix"
    assert found.left_behind["patients"] == ("name",)
    for lang in ("en", "zh"):
        told = "\n".join(lines(found, lang))
        assert "los_days <= 365" in told and "main_dx: prefix" in told


def test_a_rehearsal_lists_what_would_be_refused_in_every_table(tmp_path: Path) -> None:
    raw = clinic.rows()
    raw["patients"].append(clinic.patient(1))
    source = clinic.write_csv(tmp_path / "source", raw)
    found = plan(clinic.parsed(), source, tmp_path, pseudonym_key=clinic.KEY)
    assert [r.code for r in found.refusals] == ["intake.duplicate_person"]
    raw["patients"].pop()
    raw["diagnoses"][0]["diagnosis_id"] = "D2"
    (clinic.write_csv(source, raw) / "visits.csv").unlink()
    found = plan(clinic.parsed(), source, tmp_path, pseudonym_key=clinic.KEY)
    assert [r.code for r in found.refusals] == ["intake.no_file"]


def test_more_rows_than_the_size_class_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="size_class"):
        clinic.built(tmp_path, clinic.rows(), clinic.parsed(lambda t: t.update(size_class=3)))


def test_more_rows_than_a_table_says_of_itself_are_refused_by_its_name(tmp_path: Path) -> None:
    def stated(rows: int) -> Descriptor:
        return clinic.parsed(lambda t: next(r for r in t["resources"] if r["name"] == "visits").update(size_class=rows))

    with pytest.raises(Refused, match="Table visits"):
        clinic.built(tmp_path, clinic.rows(), stated(1))
    enough = len(clinic.rows()["visits"])
    assert clinic.built(tmp_path / "enough", clinic.rows(), stated(enough))


def test_a_demo_home_and_a_real_home_take_nothing_from_each_other(tmp_path: Path) -> None:
    real, demo = clinic.parsed(), clinic.parsed(lambda t: t.update(demo=True))
    source = clinic.write_csv(tmp_path, clinic.rows())
    check_home(real, source, demo_home=False)
    for d, home, code in (
        (real, True, "real_in_demo_home"),
        (demo, False, "demo_in_real_home"),
        (demo, True, "not_generated"),
    ):
        with pytest.raises(Refused) as refused:
            check_home(d, source, demo_home=home)
        assert refused.value.code == f"intake.{code}"
