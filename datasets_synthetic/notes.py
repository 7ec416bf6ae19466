"""What did the ward write about the visit, and where in the text does it give somebody away?

Table `notes`, for about one visit in five:

    note_id      N000000001
    visit_id     the visit
    patient_id   as on the visit
    lang         zh or en
    text         short clinical note

Truth `truth_notes`, one row per planted identifier, in order of note and place:

    note_id, kind (name, resident_id, phone, date, mrn), start, end (characters from 0, end exclusive)

Notes are written a template at a time, all notes of the template at once; numbers that identify nobody stand between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datasets_synthetic import codes, names
from datasets_synthetic.columns import (
    Column,
    Ints,
    Stream,
    digits,
    fixed_text,
    joined,
    numbered,
    pick,
    plain_number,
    stream,
)
from datasets_synthetic.dirt import DAY
from datasets_synthetic.people import People
from datasets_synthetic.resident import compact_date
from datasets_synthetic.visits import Visits, visit_ids

NOTED, CHINESE = 0.2, 0.75

ZH = (
    "患者{name}，{sex}，{age}岁，身份证号{resident_id}，因“{dx}”于{admitted}收入{dept}。联系电话：{phone}。血压{high}/{low}mmHg，心肺听诊未见明显异常。",
    "{admitted} 查房记录：{name}今日一般情况可，体温36.{tenth}℃，血压{high}/{low}mmHg，继续目前治疗。主治医师：{doctor}",
    "出院小结：{name}（病案号{mrn}）住院{stay}天，于{discharged}好转出院。嘱低盐低脂饮食，门诊随访，如有不适请拨打{phone}。医师{doctor}。",
    "家属{kin}（电话{kin_phone}）已知情同意。患者{name}既往高血压病史{years}年，否认药物过敏史。证件号码：{resident_id}。",
    "会诊意见：{dept}{doctor}医师会诊，考虑{dx}，建议完善检查。病历号：{mrn}，日期：{iso}。",
    "复查血糖{tenth}.{years}mmol/L，诊断{dx}，治疗有效，予以观察。",
)
EN = (
    "{name}, {age}-year-old {sex}, admitted to {dept} on {iso} with {dx}. ID {resident_id}, phone {phone}. BP {high}/{low}.",
    "Progress note {iso}: patient {name} stable, temp 36.{tenth} C, continue current treatment. Dr. {doctor}",
    "Discharge summary for {name} (MRN {mrn}): stayed {stay} days, discharged on {discharged}. Follow-up by phone {phone}.",
    "Next of kin {kin} ({kin_phone}) informed. No known drug allergy. Hypertension for {years} years. Diagnosis {dx}.",
)
PLANTED = {
    "name": "name", "doctor": "name", "kin": "name", "resident_id": "resident_id", "phone": "phone", "kin_phone": "phone",
    "admitted": "date", "discharged": "date", "iso": "date", "mrn": "mrn",
}  # fmt: skip


def iso_date(days: Ints) -> Column:
    date = compact_date(days)
    return joined(
        plain_number(date // 10_000),
        "-",
        fixed_text(digits(date // 100 % 100, 2)),
        "-",
        fixed_text(digits(date % 100, 2)),
    )


def zh_date(days: Ints) -> Column:
    date = compact_date(days)
    year, month, of_month = (plain_number(part) for part in (date // 10_000, date // 100 % 100, date % 100))
    return joined(year, "年", month, "月", of_month, "日")


@dataclass(frozen=True)
class Piece:
    """The notes of one template: which notes, their texts, and every planted place as (kind, starts, ends)."""

    notes: Ints
    texts: Column
    planted: list[tuple[str, Ints, Ints]]


def _fields(
    rng: np.random.Generator, people: People, visits: Visits, row: Ints, zh: bool
) -> Mapping[str, Callable[[], Column]]:
    """How each field of a template is filled, for the visits in `row`."""
    person, rows = visits.person[row], len(row)
    admitted = visits.admitted[row] // DAY

    def shown(names_of: names.Names) -> Column:
        return names_of.zh() if zh else names_of.latin()

    def column(table: pa.Table, name: str, at: Ints) -> Column:
        return pa.concat_arrays(table.column(name).take(at).chunks)

    def number(low: int, high: int) -> Callable[[], Column]:
        return lambda: plain_number(rng.integers(low, high, rows))

    return {
        "name": lambda: shown(people.names.of(person)),
        "doctor": lambda: shown(names.draw(rng, rng.random(rows) < 0.5)),
        "kin": lambda: shown(names.draw(rng, rng.random(rows) < 0.5)),
        "resident_id": lambda: column(people.table, "resident_id", person),
        "phone": lambda: column(people.table, "phone", person),
        "kin_phone": lambda: column(people.table, "phone", rng.integers(0, people.rows, rows)),
        "mrn": lambda: column(visits.table, "mrn", row),
        "admitted": lambda: zh_date(admitted),
        "discharged": lambda: (zh_date if zh else iso_date)(admitted + visits.stay[row]),
        "iso": lambda: iso_date(admitted),
        "sex": lambda: pick(("女", "男") if zh else ("female", "male"), people.male[person]),
        "age": lambda: plain_number(((admitted - people.birth[person]) / 365.25).astype(np.int64)),
        "dept": lambda: pick([d.zh if zh else d.code for d in codes.DEPTS], visits.dept[row]),
        "dx": lambda: pick(codes.DX, visits.main_dx[row]),
        "stay": lambda: plain_number(visits.stay[row]),
        "high": number(105, 165), "low": number(60, 98), "tenth": number(2, 9), "years": number(1, 30),
    }  # fmt: skip


def _lengths(texts: Column) -> Ints:
    """In characters, not bytes."""
    counted: Column = pc.utf8_length(texts)  # type: ignore[call-overload]  # the stubs want a narrower array
    return np.asarray(counted.to_numpy(), dtype=np.int64)


def _write(template: str, fields: Mapping[str, Callable[[], Column]], notes: Ints) -> Piece:
    texts: list[Column | str] = []
    planted = []
    place = np.zeros(len(notes), dtype=np.int64)
    # re.split with one group: literals at even places, names of fields at odd ones.
    for n, part in enumerate(re.split(r"\{(\w+)\}", template)):
        if n % 2 == 0:
            texts.append(part)
            place = place + len(part)
            continue
        filled = fields[part]()
        after = place + _lengths(filled)
        if part in PLANTED:
            planted.append((PLANTED[part], place, after))
        texts.append(filled)
        place = after
    return Piece(notes, joined(*texts), planted)


def draw(seed: int, chunk: int, people: People, visits: Visits, first_number: int) -> tuple[pa.Table, pa.Table]:
    """The notes of a chunk, and the truth about them."""
    rng = stream(seed, Stream.NOTES, chunk)
    row = np.flatnonzero(rng.random(visits.rows) < NOTED)
    zh = rng.random(len(row)) < CHINESE
    which = np.where(zh, rng.integers(0, len(ZH), len(row)), len(ZH) + rng.integers(0, len(EN), len(row)))
    pieces = []
    for n, template in enumerate((*ZH, *EN)):
        notes = np.flatnonzero(which == n)
        if len(notes):
            pieces.append(_write(template, _fields(rng, people, visits, row[notes], zh=n < len(ZH)), notes))
    number = np.arange(first_number, first_number + len(row), dtype=np.int64)
    table = pa.table(
        {
            "note_id": numbered("N", number, 9),
            "visit_id": visit_ids(visits.number[row]),
            "patient_id": visits.patient_id.take(row),
            "lang": pick(("en", "zh"), zh),
            "text": _in_order([p.texts for p in pieces], [p.notes for p in pieces]),
        }
    )
    return table, _truth(pieces, number)


def _in_order(texts: list[Column], notes: list[Ints]) -> Column:
    if not texts:
        return pa.array([], pa.string())
    return pa.concat_arrays(texts).take(np.argsort(np.concatenate(notes)))


def _truth(pieces: list[Piece], number: Ints) -> pa.Table:
    none = np.empty(0, dtype=np.int64)
    # The empty span in front keeps the columns when nothing was planted.
    spans = [(none, "", none, none), *((piece.notes, *span) for piece in pieces for span in piece.planted)]
    note, start, end = (np.concatenate([span[n] for span in spans]) for n in (0, 2, 3))
    kind = np.repeat(np.arange(len(spans)), [len(notes) for notes, *_ in spans])
    order = np.lexsort((start, note))
    return pa.table(
        {
            "note_id": numbered("N", number[note[order]], 9),
            "kind": pick([name for _, name, *_ in spans], kind[order]),
            "start": pa.array(start[order].astype(np.int32)),
            "end": pa.array(end[order].astype(np.int32)),
        }
    )
