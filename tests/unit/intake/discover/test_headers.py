"""What the name of a column announces, in English, Chinese, pinyin and its initials."""

from __future__ import annotations

import pytest

from enclave.intake.discover.headers import Announced, announced_by
from enclave.intake.kinds import Kind


@pytest.mark.parametrize(
    ("column", "kind", "second"),
    [
        ("resident_id", Kind.RESIDENT_ID, False), ("IDCardNo", Kind.RESIDENT_ID, False), ("SFZH", Kind.RESIDENT_ID, False),
        ("身份证号", Kind.RESIDENT_ID, False),
        ("患者身份证号码", Kind.RESIDENT_ID, False), ("shenfenzhenghao", Kind.RESIDENT_ID, False),
        ("name", Kind.NAME, False), ("patientName", Kind.NAME, False), ("xm", Kind.NAME, False), ("姓名", Kind.NAME, False),
        ("phone", Kind.PHONE, False), ("home_phone_number", Kind.PHONE, False), ("lxdh", Kind.PHONE, False),
        ("medical_record_no", Kind.MRN, False), ("zyh", Kind.MRN, False), ("P3", Kind.MRN, False),
        ("P13", Kind.RESIDENT_ID, False),
        ("家庭住址", Kind.ADDRESS, False), ("医保卡号", Kind.INSURANCE_NO, False), ("email", Kind.EMAIL, False),
        ("contact_phone", Kind.PHONE, True), ("联系人电话", Kind.PHONE, True), ("lxrdh", Kind.PHONE, True),
        ("mother_name", Kind.NAME, True), ("母亲姓名", Kind.NAME, True), ("donor_age", None, True),
        # nothing that names somebody
        ("drug_name", None, False), ("phone_type", None, False), ("电话类型", None, False), ("address_code", None, False),
        ("region_code", None, False), ("dept", None, False), ("text", None, False), ("nameplate", None, False),
        ("birth_date", None, False), ("main_dx", None, False), ("insurance", None, False),
    ],
)  # fmt: skip
def test_a_name_announces(column: str, kind: Kind | None, second: bool) -> None:
    assert announced_by(column) == Announced(kind, second)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("written_by", None), ("author", None), ("doctor", None), ("doctor_id", None), ("DoctorName", Kind.NAME),
        ("provider_name", Kind.NAME), ("医生", None), ("医生姓名", Kind.NAME), ("责任护士", Kind.NAME), ("医生工号", None),
        ("记录人", None), ("P431", Kind.NAME), ("zzys", Kind.NAME), ("attending_physician_code", None),
    ],
)  # fmt: skip
def test_a_name_announces_somebody_who_works_there(column: str, kind: Kind | None) -> None:
    assert announced_by(column) == Announced(kind, second=False, staff=True)


@pytest.mark.parametrize(
    "column", ["doctor_type", "医生科室", "nurse_visits", "contact_doctor", "authored_on", "护士站"]
)
def test_what_is_about_staff_names_nobody_of_them(column: str) -> None:
    assert not announced_by(column).staff
