"""A draft holds no value of the records, nobody can use it unsettled, and settled it builds."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml
from datasets_synthetic.make import make
from tests.oracle import clinic

from enclave.errors import BadInput
from enclave.intake import descriptor
from enclave.intake.draft import Draft, draft, name_of
from enclave.intake.extract import build

TODAY = date(2026, 3, 1)


def drafted(source: Path | str, lang: str = "en", registers: tuple[str, ...] = ()) -> Draft:
    scratch = Path(os.environ.get("TMPDIR", "/tmp"))
    return draft(source, scratch, name="clinic", demo=False, lang=lang, today=TODAY, registers=registers)


def settled(text: str) -> str:
    """Every guess accepted as it stands."""
    return "\n".join(line for line in text.splitlines() if "SETTLE:" not in line)


def fields(text: str, table: str) -> dict[str, list[str]]:
    """Raw column → the treatments proposed."""
    tree = yaml.safe_load(text)
    found = clinic.resource(tree, table)["schema"]["fields"]
    return {f["name"]: [o["treatment"] for o in f.get("yields", [f])] for f in found}


def write(folder: Path, name: str, rows: list[dict[str, str]], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.csv").open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital")
    make(folder, persons=400, seed=5)
    for other in ("truth_notes.csv", "truth.json", "dirty.json"):
        (folder / other).unlink()
    return folder


def test_the_demo_hospital_settled_the_obvious_way_builds(hospital: Path, tmp_path: Path) -> None:
    found = drafted(hospital)
    d = descriptor.parse(settled(found.text).encode())
    assert [t.name for t in d.tables] == ["patients", "visits", "diagnoses", "labs", "notes"]
    extract = build(d, hospital, tmp_path, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)
    assert extract.rows["patients"] == 400 and extract.rows["visits"] > 400
    visits = {row["dx_chapter"] for row in clinic.stored(extract, "visits")}
    assert {"I", "IX"} <= visits  # what was kept is worth asking about


def test_what_names_somebody_is_dropped_and_what_is_known_is_kept(hospital: Path) -> None:
    text = drafted(hospital).text
    patients = fields(text, "patients")
    assert patients == {
        "patient_id": ["pseudonym"], "name": ["drop"], "resident_id": ["drop"], "phone": ["drop"], "address": ["drop"],
        "region_code": ["prefix"], "sex": ["keep"], "birth_date": ["age", "age_band"], "insurance": ["drop"],
    }  # fmt: skip
    assert fields(text, "notes")["text"] == ["redact"]
    assert fields(text, "visits")["mrn"] == ["drop"] and fields(text, "visits")["visit_id"] == ["pseudonym"]


def _values(folder: Path) -> Iterator[str]:
    for path in folder.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield from row.values()


def test_no_raw_value_stands_in_a_draft(hospital: Path) -> None:
    """Nor part of the notes. (Words of three characters and fewer stand in any text by chance.)"""
    text = drafted(hospital).text
    values = {value for value in _values(hospital) if len(value) > 3}
    assert len(values) > 5_000
    assert [value for value in values if value in text] == []
    pieces = {value[n : n + 12] for value in values if len(value) > 30 for n in range(0, len(value) - 12, 6)}
    assert [piece for piece in pieces if piece in text] == []


def test_planted_identifiers_reach_neither_the_draft_nor_an_error(tmp_path: Path) -> None:
    planted = ["110101199003078515", "13800138000", "欧阳娜娜", "6222021234567890128"]
    rows = [{"patient_id": f"P{n}", "sex": "1", "remark": planted[n % 4], "code": planted[n % 4]} for n in range(60)]
    text = drafted(write(tmp_path / "ok", "patients", rows)).text
    assert not any(value in text for value in planted)
    headless = [{planted[0]: f"P{n}", planted[1]: "1", planted[2]: "x"} for n in range(5)]
    with pytest.raises(BadInput) as refused:
        drafted(write(tmp_path / "headless", "patients", headless))
    assert refused.value.code == "draft.no_header"
    assert not any(value in str(refused.value) for value in planted)


def test_a_first_line_of_words_is_a_row_when_it_stands_again_below(tmp_path: Path) -> None:
    rows = [{"张伟": name, "男": sex, "内科": "内科"} for name, sex in (("李强", "女"), ("王芳", "男"), ("赵敏", "女"))]
    with pytest.raises(BadInput) as refused:
        drafted(write(tmp_path, "patients", rows))
    assert refused.value.code == "draft.no_header" and "张伟" not in str(refused.value)


def test_attack_an_unsettled_draft_is_neither_parsed_nor_signed(hospital: Path, tmp_path: Path) -> None:
    """A steward in a hurry signs the draft as it came: every guess would be policy."""
    text = drafted(hospital).text
    with pytest.raises(BadInput) as refused:
        descriptor.parse(text.encode())
    assert refused.value.code == "policy.unsettled"
    house = clinic.home(tmp_path / "home")
    with pytest.raises(BadInput) as refused:
        house.signed(text.encode())
    assert refused.value.code == "policy.unsettled"
    one_left = settled(text) + "\n#settle : the last one\n"
    with pytest.raises(BadInput):
        house.signed(one_left.encode())
    house.signed(settled(text).encode())  # the control


def test_csv_in_any_encoding_parquet_and_duckdb_give_one_draft(tmp_path: Path) -> None:
    rows = clinic.rows()
    rows["patients"] = [clinic.patient(n, name="张三丰") for n in range(1, 40)]
    rows["visits"] = [clinic.visit(n, n) for n in range(1, 40)]
    rows["diagnoses"] = [clinic.diagnosis(n, n, n) for n in range(1, 40)]
    utf8 = clinic.write_csv(tmp_path / "utf8", rows)
    gbk = clinic.write_csv(tmp_path / "gbk", rows)
    for path in gbk.iterdir():
        path.write_bytes(path.read_text().encode("gbk"))
    tabbed = tmp_path / "tabbed"
    for name, table in rows.items():
        write(tabbed, name, table, delimiter="\t")
    parquet = clinic.write_parquet(tmp_path / "parquet", rows)
    with duckdb.connect(str(tmp_path / "clinic.duckdb")) as con:
        for name in rows:
            con.execute(f"CREATE TABLE {name} AS FROM '{parquet}/{name}.parquet'")
    found = {s: drafted(s).text for s in (utf8, gbk, tabbed, parquet, tmp_path / "clinic.duckdb")}
    plain = {
        s: "\n".join(line for line in t.splitlines() if line.strip().split(":")[0] not in ("encoding", "delimiter"))
        for s, t in found.items()
    }
    assert set(plain.values()) == {found[utf8].rstrip("\n")}
    assert "encoding: gb18030" in found[gbk] and "delimiter" in found[tabbed]
    drafted_and_built = descriptor.parse(settled(found[gbk]).encode())
    draft_folder = tmp_path / "draft"
    draft_folder.mkdir()
    extract = build(drafted_and_built, gbk, draft_folder, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)
    assert extract.rows["visits"] == 39


def test_chinese_headers_and_file_names_are_understood(tmp_path: Path) -> None:
    people = [
        {"患者编号": f"A{n}", "姓名": "欧阳娜", "性别": "男女"[n % 2], "出生日期": f"19{10 + n}/3/7", "身高": "170.5"}
        for n in range(40)
    ]
    stays = [
        {
            "住院流水号": f"Z{n}",
            "患者编号": f"A{n}",
            "联系人电话": "x",
            "主要诊断编码": "I10.x00",
            "入院时间": "2021-03-04 08:00",
        }
        for n in range(40)
    ]
    write(tmp_path, "患者", people, "gb18030")
    write(tmp_path, "住院记录", stays, "gb18030")
    text = drafted(tmp_path, "zh").text
    assert fields(text, "patients") == {
        "患者编号": ["pseudonym"], "姓名": ["drop"], "性别": ["keep"], "出生日期": ["age", "age_band"], "身高": ["clamp"],
    }  # fmt: skip
    assert fields(text, "visits")["联系人电话"] == ["drop"]
    d = descriptor.parse(settled(text).encode())
    assert d.unit.table == "patients" and d.person_table.unit_column == "person_id"
    folder = tmp_path / "draft"
    folder.mkdir()
    extract = build(d, tmp_path, folder, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)
    assert {row["sex"] for row in clinic.stored(extract, "patients")} == {"male", "female"}
    assert set(clinic.stored(extract, "visits")[0]) >= {"visits_id", "person_id", "dx_chapter", "admitted_on"}


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([{"room": f"r{n}", "beds": "2"} for n in range(3)], "draft.no_person"),
        ([{"patient_id": "P1", "sex": "1"}, {"patient_id": "P1", "sex": "1"}], "draft.no_person_table"),
    ],
)
def test_a_source_without_persons_is_refused_with_what_to_do(
    tmp_path: Path, rows: list[dict[str, str]], code: str
) -> None:
    with pytest.raises(BadInput) as refused:
        drafted(write(tmp_path, "people", rows))
    assert refused.value.code == code and refused.value.words("zh")


def test_a_table_without_a_person_or_a_key_is_left_where_it_is(tmp_path: Path) -> None:
    write(tmp_path, "patients", [{"patient_id": f"P{n}", "sex": "2"} for n in range(30)])
    write(tmp_path, "wards", [{"ward_id": f"W{n}", "beds": str(n)} for n in range(30)])
    write(tmp_path, "doses", [{"patient_id": "P1", "mg": "5"} for _ in range(30)])
    tree = yaml.safe_load(drafted(tmp_path).text)
    assert [r.get("treatment") for r in tree["resources"]] == [None, "drop", "drop"]


def test_three_hundred_columns_are_drafted(tmp_path: Path) -> None:
    wide = {"patient_id": "", **{f"item_{n}": str(n % 7) for n in range(299)}}
    text = drafted(write(tmp_path, "patients", [wide | {"patient_id": f"P{n}"} for n in range(50)])).text
    assert len(fields(text, "patients")) == 300
    descriptor.parse(settled(text).encode())


def test_an_empty_folder_and_a_column_without_a_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as refused:
        drafted(tmp_path)
    assert refused.value.code == "draft.no_tables"
    with pytest.raises(BadInput) as refused:
        drafted(write(tmp_path, "patients", [{"patient_id": "P1", 'a"b': "x"}]))
    assert (refused.value.code, refused.value.facts["number"]) == ("draft.column_name", 2)


def test_a_dataset_is_called_after_its_source(tmp_path: Path) -> None:
    (tmp_path / "City-Hospital 2024").mkdir()
    assert name_of(tmp_path / "City-Hospital 2024") == "city_hospital_2024"
    (tmp_path / "数据").mkdir()
    assert name_of(tmp_path / "数据") == "dataset"
    assert name_of("postgresql://his@db/his?sslmode=require") == "his"


def above(text: str, start: str) -> str:
    """The line before the first that begins so."""
    lines = [line.strip() for line in text.splitlines()]
    return lines[next(n for n, line in enumerate(lines) if line.startswith(start)) - 1]


def test_what_somebody_may_know_is_proposed_for_the_risk_and_stops_nothing_by_itself(hospital: Path) -> None:
    text = drafted(hospital).text
    assert "SETTLE:" in above(text, "risk:")
    risk = descriptor.parse(settled(text).encode()).risk
    (known,) = risk.sets
    assert (known.table, known.k) == ("patients", 3) and (int(risk.most), int(known.at_fault)) == (1, 100)
    stored = {output.name for _, output in descriptor.parse(settled(text).encode()).person_table.outputs()}
    assert "sex" in known.columns and len(known.columns) >= 3 and set(known.columns) <= stored


def test_a_resident_number_beside_the_unit_s_own_is_proposed_for_the_identity(tmp_path: Path) -> None:
    numbers = [resident(n) for n in range(40)]
    rows = [{"patient_id": f"P{n}", "id_card": numbers[n], "sex": "1"} for n in range(40)]
    text = drafted(write(tmp_path / "once", "patients", rows)).text
    assert "SETTLE:" in above(text, "identity:")
    d = descriptor.parse(settled(text).encode())
    assert (d.person_table.identity.key, d.person_table.identity.duplicates) == (("id_card",), "refuse")
    field = d.person_table.field("id_card")
    assert field is not None and field.element == "resident_id" and not field.outputs, "held against, and not kept"
    twice = [*rows, {"patient_id": "P99", "id_card": numbers[3], "sex": "1"}]
    again = write(tmp_path / "twice", "patients", twice)
    d = descriptor.parse(settled(drafted(again).text).encode())
    assert d.person_table.identity.duplicates == "merge"
    folder = tmp_path / "draft"
    folder.mkdir()
    extract = build(d, again, folder, pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)
    assert extract.rows["patients"] == 40, "one person, two rows"


def resident(n: int) -> str:
    """A resident number with its check character (GB 11643)."""
    body = f"11010119900307{n:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def test_that_registers_share_nobody_is_asked_and_never_claimed(tmp_path: Path) -> None:
    rows = [{"patient_id": f"P{n}", "id_card": resident(n), "sex": "1"} for n in range(40)]
    source = write(tmp_path, "patients", rows)
    assert "apart" not in drafted(source).text, "no other register, no question"
    text = drafted(source, "zh", ("town", "city")).text
    assert "SETTLE:" in above(text, "# apart:") and "town" in above(text, "# apart:")
    assert "# apart: {by: id_card, from: {city: " in text
    assert descriptor.parse(settled(text).encode()).apart is None


WRITER = "路遥"


def test_who_wrote_a_note_gets_a_domain_of_their_own_and_is_looked_for_in_it(tmp_path: Path) -> None:
    """A5: a second person in the row is dropped, or known by another pseudonym; neither stands in the text."""
    people = [{"patient_id": f"P{n}", "sex": "12"[n % 2]} for n in range(60)]
    said = f"{WRITER}查房，患者一般情况可，与申屠远山谈话告知病情，继续目前治疗方案，择期复查肝肾功能及电解质。"
    told = [
        {
            "note_id": f"N{n}",
            "patient_id": f"P{n % 60}",
            "记录人": WRITER,
            "mother_name": "申屠远山",
            "text": f"{said}{n}",
        }
        for n in range(120)
    ]
    write(tmp_path / "raw", "patients", people, encoding="gb18030")
    write(tmp_path / "raw", "notes", told, encoding="gb18030")
    write(tmp_path / "raw", "doctors", [{"doctor_id": "D1", "doctor_name": "沙明远"}], encoding="gb18030")
    text = drafted(tmp_path / "raw").text
    found = fields(text, "notes")
    assert found["记录人"] == ["pseudonym"] and found["mother_name"] == ["drop"] and found["text"] == ["redact"]
    tree = yaml.safe_load(text)
    by_name = {f["name"]: f for f in clinic.resource(tree, "notes")["schema"]["fields"]}
    assert by_name["记录人"]["yields"][0]["domain"] == "staff" != tree["unit"]["domain"]
    assert by_name["text"]["beside"] == {"记录人": "name", "mother_name": "name"}
    assert tree["staff"] == [{"path": "doctors", "column": "doctor_name"}]
    assert not {WRITER, "申屠远山", "沙明远"} & set(text)
    (tmp_path / "draft").mkdir()
    d = descriptor.parse(settled(text).encode())
    made = build(d, tmp_path / "raw", tmp_path / "draft", pseudonym_key=clinic.KEY, file_key=clinic.FILE_KEY)
    notes = clinic.stored(made, "notes")
    assert len(notes) == 120 and not any(name in row["text"] for row in notes for name in (WRITER, "申屠远山"))
    assert {row["recorded_by"] for row in notes} == {clinic.pseudonym("staff", WRITER)}
