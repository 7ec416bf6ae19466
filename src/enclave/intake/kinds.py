"""What kinds of identifier are there?

One list for columns and for free text. `DIRECT` kinds name a person by themselves; a date or an age does so only beside
other things. `words` are what a redacted text shows in their place.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """A kind of identifier. The words are codes of the catalogue: `discover.kind_NAME`."""

    NAME = "name"
    RESIDENT_ID = "resident_id"  # GB 11643-1999, 18 characters
    OLD_RESIDENT_ID = "old_resident_id"  # the 15 digits issued until 1999
    PHONE = "phone"
    LANDLINE = "landline"
    BANK_CARD = "bank_card"  # ISO/IEC 7812
    USCC = "uscc"  # unified social credit code, GB 32100-2015
    PASSPORT = "passport"
    PERMIT = "permit"  # travel and residence permits, officers' papers
    INSURANCE_NO = "insurance_no"
    MRN = "mrn"  # record, visit, specimen and accession numbers
    ADDRESS = "address"
    EMAIL = "email"
    ACCOUNT = "account"  # WeChat, QQ
    PLATE = "plate"
    DATE = "date"


class Span(NamedTuple):
    """Where an identifier stands in a text: characters from 0, end exclusive."""

    kind: Kind
    start: int
    end: int


MARKS: dict[Kind, tuple[str, str]] = {
    Kind.NAME: ("姓名", "NAME"),
    Kind.RESIDENT_ID: ("身份证号", "RESIDENT-ID"),
    Kind.OLD_RESIDENT_ID: ("身份证号", "RESIDENT-ID"),
    Kind.PHONE: ("手机号", "PHONE"),
    Kind.LANDLINE: ("电话", "PHONE"),
    Kind.BANK_CARD: ("银行卡号", "BANK-CARD"),
    Kind.USCC: ("社会信用代码", "CREDIT-CODE"),
    Kind.PASSPORT: ("护照号", "PASSPORT"),
    Kind.PERMIT: ("证件号", "PERMIT"),
    Kind.INSURANCE_NO: ("医保号", "INSURANCE-NO"),
    Kind.MRN: ("病案号", "RECORD-NO"),
    Kind.ADDRESS: ("地址", "ADDRESS"),
    Kind.EMAIL: ("邮箱", "EMAIL"),
    Kind.ACCOUNT: ("账号", "ACCOUNT"),
    Kind.PLATE: ("车牌", "PLATE"),
    Kind.DATE: ("日期", "DATE"),
}
"""Kind → what stands in its place in a Chinese and in an English text."""
