"""What is seen as an identifier, and what a hospital writes every day and is not."""

from __future__ import annotations

import pytest

from domicile.rules import PATTERNS, scan

SEEN = [
    ("身份证11010519491231002X号", "resident_id"),
    ("诊断后440524188001010014入院", "resident_id"),
    ("编号１１０１０５１９４９１２３１００２Ｘ", "resident_id"),
    ("1101 05 no: 110105-19491231-002X", "resident_id"),
    ("身份证号：123456789012345678", "resident_id"),
    ("电话13800138000", "mobile"),
    ("+86 138-0013-8000", "mobile"),
    ("手机號碼：139 0013 8000。", "mobile"),
    ("家里010-62345678", "landline"),
    ("邮箱zhanglh@example.com", "email"),
    ("卡号6222021234567890128", "bank_card"),
    ("6222 0212 3456 7890 128", "bank_card"),
    ("护照号E12345678", "passport"),
    ("passport no. E12345678", "passport"),
    ("MRN: MR000000123", "mrn"),
    ("住院号123456", "mrn"),
    ("医保卡号：A1234567", "insurance_no"),
    ("微信号：zhang_wei_88", "account"),
    ("姓名：张三", "name"),
    ("姓名: Zhang Wei", "name"),
    ("患者：李小明，男", "name"),
    ("Patient name: Zhang Wei", "name"),
    ("Patient: Li Ming", "name"),
    ("出生日期：1950-03-04", "birth_date"),
]

NOT_SEEN = [
    "I10.x00x002 E11.900 K76.800x006",
    "V1 V4 I21 E11 ECG",
    "糖尿病患者：按地区与年龄",
    "患者：高血压人群比例",
    "mean 12.345, 2023-01-02 to 2023-06-30",
    "CARD NEUR ONCO ICU",
    "2021 2022 2023 2024 13800",
    "住院号段分布",
    "1234567890123456789012345",
    "95% CI 0.12345678901 to 0.98765432109",
    "a@b",
    "总费用 200000.00 元",
]


@pytest.mark.parametrize(("text", "kind"), SEEN)
def test_an_identifier_is_seen(text: str, kind: str) -> None:
    assert kind in {hit.kind for hit in scan(text)}


@pytest.mark.parametrize("text", NOT_SEEN)
def test_everyday_text_is_left_alone(text: str) -> None:
    assert scan(text) == []


def test_every_kind_has_an_example_here() -> None:
    shown = {kind for _, kind in SEEN} | {"old_resident_id", "travel_permit"}
    assert shown == {pattern.kind for pattern in PATTERNS}


def test_of_two_readings_the_graver_stays() -> None:
    hits = scan("身份证号：11010519491231002X")
    assert [(hit.kind, hit.verdict) for hit in hits] == [("resident_id", "fail")]
