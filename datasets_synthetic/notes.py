"""What did the ward write about the visit, and where in the text does it give somebody away?

Table `notes`, for about one visit in five:

    note_id      N000000001
    visit_id     the visit
    patient_id   as on the visit
    lang         zh or en
    text         short clinical note

Truth `truth_notes`, one row per planted identifier, in order of note and place:

    note_id, kind (the values of PLANTED), start, end (characters from 0, end exclusive)

Some identifiers stand behind a word that announces them, some in the open; relatives, doctors and neighbours bear names
that no table holds. Between them stand drugs, signs and numbers that identify nobody and look as if. Notes are written a
template at a time, all notes of the template at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datasets_synthetic import codes, identifiers, names
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
    "患者{name}，{sex}，{age}岁，身份证号{resident_id}，因“{dx}”于{admitted}收入{dept}。联系电话：{phone}。{exam}",
    "{admitted} 查房记录：{name}今日一般情况可，体温36.{tenth}℃，血压{high}/{low}mmHg，继续目前治疗。主治医师：{doctor}",
    "出院小结：{name}（病案号{mrn}）住院{stay}天，于{discharged}好转出院。嘱低盐低脂饮食，门诊随访，如有不适请拨打{phone}。医师{doctor}。",
    "家属{kin}（电话{kin_phone}）已知情同意。患者{name}既往高血压病史{years}年，否认药物过敏史。证件号码：{resident_id}。",
    "会诊意见：{dept}{doctor}医师会诊，考虑{dx}，建议完善检查。病历号：{mrn}，日期：{iso}。{exam}",
    "复查血糖{tenth}.{years}mmol/L，诊断{dx}，治疗有效，予以观察。{exam}",
    "今晨{name}诉头痛较前减轻，夜间睡眠可。{exam}请{doctor}会诊后调整方案，并与{kin}沟通病情，其表示理解。",
    "由其子{kin}陪同来诊，家住{address}，座机{landline}，微信号：{account}，QQ：{qq}。{exam}",
    "{doctor}主任查房：{name}病情平稳，{exam}嘱{kin}协助翻身。{slash}",
    "费用说明：医保卡号{insurance_no}，退费至银行卡{bank_card}，联系人{kin}，手机{spaced}。",
    "外籍患者登记：护照号{passport}，港澳通行证{permit}，邮箱{email}。{name}于{dot}办理手续。",
    "于停车场被车撞伤，由{plate}送入急诊。伤者{name}，旧身份证{old_resident_id}。{exam}",
    "单位：统一社会信用代码{uscc}，经办人{kin}，传真{landline}。患者{resident_id}，{md}复诊。",
    "同病室{kin}昨夜咳嗽，影响{name}休息，已告知值班医生{doctor}。{exam}",
    "手术记录：术者{doctor}，一助{kin}，全麻下行手术，术中出血{high}ml。{numeral}。标本送检，{name}安返病房。",
    "{exam}随访电话{wide}，{name}本人接听，诉恢复良好，现住址：{address}。",
    "{exam}余无特殊。",
)
EN = (
    "{name}, {age}-year-old {sex}, admitted to {dept} on {iso} with {dx}. ID {resident_id}, phone {phone}. BP {high}/{low}.",
    "Progress note {iso}: patient {name} stable, temp 36.{tenth} C, continue current treatment. Dr. {doctor}",
    "Discharge summary for {name} (MRN {mrn}): stayed {stay} days, discharged on {discharged}. Follow-up by phone {phone}.",
    "Next of kin {kin} ({kin_phone}) informed. No known drug allergy. Hypertension for {years} years. Diagnosis {dx}.",
    "{exam_en} Seen with {kin} on {long}; email {email}, passport {passport}. Dr. {doctor} will review.",
    "Accompanied by {kin}. Bank card {bank_card}, insurance no. {insurance_no}. {exam_en}",
    "{exam_en} No change since last visit.",
)
EXAM = (
    "查体：神志清，精神可，双肺呼吸音清，未闻及干湿性啰音，心律齐，各瓣膜听诊区未闻及病理性杂音，腹软，无压痛及反跳痛，双下肢无水肿。",
    "实验室检查：白蛋白35.2g/L，高密度脂蛋白1.02mmol/L，白细胞6.5×10^9/L，单核细胞0.42×10^9/L，甘油三酯1.7mmol/L。",
    "予雷贝拉唑钠20mg qd，阿托伐他汀20mg qn，马来酸依那普利10mg bid，左氧氟沙星0.5g静滴，罗红霉素口服。",
    "心电图：窦性心律，V1-V6导联ST段压低0.05mV，QTc 0.42s。墨菲征阴性，巴氏征阴性，克氏征阴性。",
    "既往史：高血压病史10年，否认糖尿病、冠心病史，曾因阑尾炎行手术治疗，青霉素皮试阴性，预防接种史不详。",
    "影像：左上肺叶见毛玻璃影，边界清楚，双侧胸腔少量积液，右侧股骨粗隆间骨折，石膏托固定，余未见异常。",
    "考虑唐氏综合征可能，必要时行羊水穿刺；梅毒螺旋体抗体阴性，幽门螺杆菌阳性，HbA1c 7.2%，CA19-9 12.5U/ml。",
    "嘱常规护理，成人二级护理，严密观察生命体征，低盐低脂饮食，夏季避免受凉，方便时复查，单独活动须有人陪同。",
    "条码10293847561022，批号20A0815，剂量0.25g×12片，输液速度40滴/分，尿量1500ml/24h，体重62.5kg，GCS 15分。",
    "",
    "",
)
EXAM_EN = (
    "Chest clear, no murmurs, abdomen soft, Murphy sign negative, Babinski sign negative.",
    "Hodgkin lymphoma was excluded; Parkinson disease unlikely. WBC 6.5 x10^9/L, HbA1c 7.2%, SpO2 98%.",
    "Atorvastatin 20 mg nightly, Enalapril 10 mg twice daily. Foley catheter removed. Glasgow Coma Scale 15.",
    "ECG leads V1 to V6 unremarkable. Lot 20A0815, barcode 10293847561022. Sodium 140 mmol/L.",
)
_KINDS = {
    "name": "name doctor kin",
    "phone": "phone kin_phone spaced wide",
    "date": "admitted discharged iso slash dot md numeral long",
    "account": "account qq",
}
_OWN_KINDS = "resident_id old_resident_id mrn address landline insurance_no bank_card passport permit email plate uscc"
PLANTED = {field: kind for kind, fields in _KINDS.items() for field in fields.split()}
PLANTED |= {kind: kind for kind in _OWN_KINDS.split()}
"""Field of a template → kind of identifier."""
OWN = ("landline", "account", "qq", "insurance_no", "bank_card", "passport", "permit", "email", "plate", "uscc")
"""Fields filled by a drawer of `identifiers` of the same name."""
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_NUMERALS = "〇一二三四五六七八九"
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


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


def _parts(days: Ints) -> tuple[Ints, Ints, Ints]:
    date = compact_date(days)
    return date // 10_000, date // 100 % 100, date % 100


def separated(days: Ints, mark: str) -> Column:
    """2023/05/06 or 2023.5.6: padded only where the mark is a stroke."""
    year, month, of_month = _parts(days)
    width = 2 if mark == "/" else 1
    two = [fixed_text(digits(part, 2)) if width == 2 else plain_number(part) for part in (month, of_month)]
    return joined(plain_number(year), mark, two[0], mark, two[1])


def month_day(days: Ints) -> Column:
    _, month, of_month = _parts(days)
    return joined(plain_number(month), "月", plain_number(of_month), "日")


def _numeral(number: int) -> str:
    ten, one = divmod(number, 10)
    return ("" if ten == 0 else "十" if ten == 1 else _NUMERALS[ten] + "十") + (_NUMERALS[one] if one else "")


def in_numerals(days: Ints) -> Column:
    """二〇二三年五月六日."""
    told = [
        "".join(_NUMERALS[int(d)] for d in str(y)) + f"年{_numeral(m)}月{_numeral(d)}日"
        for y, m, d in zip(*(part.tolist() for part in _parts(days)), strict=True)
    ]
    return pa.array(told, pa.string())


def in_words(days: Ints) -> Column:
    """May 6, 2023."""
    year, month, of_month = _parts(days)
    return joined(pick(_MONTHS, month - 1), " ", plain_number(of_month), ", ", plain_number(year))


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
        "doctor": lambda: shown(names.strangers(rng, rows)),
        "kin": lambda: shown(names.strangers(rng, rows)),
        "resident_id": lambda: column(people.table, "resident_id", person),
        "phone": lambda: column(people.table, "phone", person),
        "kin_phone": lambda: column(people.table, "phone", rng.integers(0, people.rows, rows)),
        "spaced": lambda: identifiers.spaced(column(people.table, "phone", person)),
        "wide": lambda: identifiers.wide(column(people.table, "phone", person)),
        "old_resident_id": lambda: identifiers.old_resident_id(column(people.table, "resident_id", person)),
        "address": lambda: column(people.table, "address", person),
        "mrn": lambda: column(visits.table, "mrn", row),
        **{kind: partial(getattr(identifiers, kind), rng, rows) for kind in OWN},
        "admitted": lambda: zh_date(admitted),
        "discharged": lambda: (zh_date if zh else iso_date)(admitted + visits.stay[row]),
        "iso": lambda: iso_date(admitted),
        "slash": lambda: separated(admitted, "/"),
        "dot": lambda: separated(admitted, "."),
        "md": lambda: month_day(admitted),
        "numeral": lambda: in_numerals(admitted),
        "long": lambda: in_words(admitted),
        "exam": lambda: pick(EXAM, rng.integers(0, len(EXAM), rows)),
        "exam_en": lambda: pick(EXAM_EN, rng.integers(0, len(EXAM_EN), rows)),
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
