"""What is an identifier in a text, of which kind and where; and what looks like one and is none."""

from __future__ import annotations

import pytest

from enclave.intake.discover.pack import FINDERS, find, narrow, settled
from enclave.intake.kinds import MARKS, Kind, Span


def _found(text: str) -> list[tuple[str, str]]:
    return [(span.kind.value, text[span.start : span.end]) for span in find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a checksum tells, whatever stands beside it
        ("号11010519491231002X已核", [("resident_id", "11010519491231002X")]),
        ("原件 110105 19491231 002X 存档", [("resident_id", "110105 19491231 002X")]),
        ("卡6222021234567890128退费", [("bank_card", "6222021234567890128")]),
        ("卡6222 0212 3456 7890 128退费", [("bank_card", "6222 0212 3456 7890 128")]),
        ("机构91350100M000100Y43盖章", [("uscc", "91350100M000100Y43")]),
        ("旧证110105491231002作废", [("old_resident_id", "110105491231002")]),
        # one mistyped character leaves it somebody's
        ("号110105194912310021已核", [("resident_id", "110105194912310021")]),
        ("回访13812345678未接", [("phone", "13812345678")]),
        ("回访１３８１２３４５６７８未接", [("phone", "１３８１２３４５６７８")]),
        ("回访+86 138 1234 5678未接", [("phone", "+86 138 1234 5678")]),
        ("总机010-62345678转", [("landline", "010-62345678")]),
        # a cue tells where the form does not
        ("病案号：A0012345，", [("mrn", "A0012345")]),
        ("MRN 0012345.", [("mrn", "0012345")]),
        ("医保卡号 YB20230001", [("insurance_no", "YB20230001")]),
        ("护照号E12345678", [("passport", "E12345678")]),
        ("港澳通行证H12345678", [("permit", "H12345678")]),
        ("微信号：wang_fang88", [("account", "wang_fang88")]),
        ("QQ12345678", [("account", "12345678")]),
        ("电话62345678", [("landline", "62345678")]),
        ("邮箱zhang.lh@mail.example.cn。", [("email", "zhang.lh@mail.example.cn")]),
        ("车牌鲁A·12345", [("plate", "鲁A·12345")]),
        ("由川BD12345送入", [("plate", "川BD12345")]),
        ("家住济南市历下区解放路123号4号楼2单元501室。", [("address", "济南市历下区解放路123号4号楼2单元501室")]),
        ("现住址：某某县城关镇东街村。", [("address", "某某县城关镇东街村")]),
        # dates
        ("于2023年5月6日入院", [("date", "2023年5月6日")]),
        ("2023-05-06出院", [("date", "2023-05-06")]),
        ("2023.5.6复查", [("date", "2023.5.6")]),
        ("3月5日手术", [("date", "3月5日")]),
        ("二〇二三年十二月三十一日", [("date", "二〇二三年十二月三十一日")]),
        ("seen on May 6, 2023 and 7 May", [("date", "May 6, 2023"), ("date", "7 May")]),
    ],
)  # fmt: skip
def test_numbers_places_and_dates(text: str, expected: list[tuple[str, str]]) -> None:
    assert _found(text) == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("患者王芳，女，45岁", ["王芳"]),
        ("今晨王芳诉头痛", ["王芳"]),
        ("嘱张伟按时服药", ["张伟"]),
        ("请欧阳明珠会诊", ["欧阳明珠"]),
        ("主治医师：李建国", ["李建国"]),
        ("王主任查房", ["王"]),
        ("姓名：买买提·艾合买提", ["买买提·艾合买提"]),
        ("姓名：阿依", ["阿依"]),  # no surname of the list: the field itself says what it is
        ("由其子马丽丽代诉", ["马丽丽"]),
        ("Dr. John Smith reviewed", ["John Smith"]),
        ("patient Wang Fang stable", ["Wang Fang"]),
        ("Accompanied by Ouyang Xiuying.", ["Ouyang Xiuying"]),
        ("Xiuying Wang consented", ["Xiuying Wang"]),
    ],
)
def test_names_with_a_cue_and_without(text: str, names: list[str]) -> None:
    assert _found(text) == [("name", name) for name in names]


@pytest.mark.parametrize(
    "text",
    [
        "高血压病史10年，白蛋白35.2g/L，单核细胞0.42×10^9/L，余未见异常",
        "予雷贝拉唑钠20mg qd、马来酸依那普利10mg bid，罗红霉素口服，左氧氟沙星静滴，柴胡、黄连、何首乌",
        "考虑唐氏综合征、霍奇金淋巴瘤、梅尼埃病、马凡综合征；墨菲征阴性",
        "患者安静，方便时复查，何时出现头痛不详，常规护理，于左侧卧位，全麻下行手术",
        "左上肺叶见毛玻璃影，石膏托固定，房颤，窦性心律，V1-V6导联ST段压低0.05mV",
        "诊断I10.x00x002、E11.900；血压140/90mmHg；体温36.5℃；GCS 15分；2023年起病",
        "条码10293847561022，批号20A0815，尿量1500ml/24h，0.1234567",
        "Hodgkin lymphoma, Murphy sign negative, leads V1 to V6, ICD-10 I21.9, dose 500 mg x10, BP 120/80",
    ],
)
def test_what_only_looks_like_an_identifier_is_let_stand(text: str) -> None:
    assert _found(text) == []


def test_a_card_reading_gives_way_to_a_resident_number() -> None:
    """Numbers of Gansu begin with 62 like cards of UnionPay, and one in ten passes Luhn too."""
    assert [s.kind for s in find("620102199003072938 620102195512170010")] and all(
        s.kind is Kind.RESIDENT_ID for s in find("号620102199003070019。")
    )


def test_readings_that_overlap_are_settled_for_the_surer_kind() -> None:
    name, number, date = Span(Kind.NAME, 0, 9), Span(Kind.PHONE, 5, 16), Span(Kind.DATE, 14, 22)
    assert settled([name, date, number]) == [number]
    assert settled([name, date]) == [name, date]


def test_narrowing_keeps_every_place() -> None:
    wide = "电话：１３８ＡＢ＠　ｘ㎡…ﬁ"
    assert len(narrow(wide)) == len(wide) and narrow(wide).startswith("电话：138AB@ x")


def test_every_kind_has_its_mark() -> None:
    assert set(MARKS) == set(Kind)


def test_only_our_recognisers_are_asked() -> None:
    from enclave.intake.discover.pack import analyzer

    asked: list[object] = list(analyzer().registry.recognizers)
    assert {type(r).__name__ for r in asked} == {"Ours"} and len(asked) == len(FINDERS)
