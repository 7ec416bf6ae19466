"""How is a plan told to the steward?"""

from __future__ import annotations

from collections.abc import Iterator

from domicile.wire.words import say
from enclave.intake.planned import Plan


def lines(plan: Plan, lang: str | None = None) -> tuple[str, ...]:
    """The plan in sentences: where each column comes from, what stays behind, which rows, what would be refused."""
    return tuple(_lines(plan, lang))


def _lines(plan: Plan, lang: str | None) -> Iterator[str]:
    for table, columns in plan.lineage.items():
        for column, source in columns.items():
            yield say("intake.plan_column", lang, table=table, column=column, source=source)
    for table, left in plan.left_behind.items():
        if table not in plan.lineage:
            yield say("intake.plan_left_whole", lang, table=table)
        elif left:
            yield say("intake.plan_left", lang, table=table, columns=", ".join(left))
    for table, read in plan.read.items():
        yield say("intake.plan_rows", lang, table=table, read=read)
        for rule, count in plan.dropped[table].items():
            if count:
                yield say("intake.plan_dropped", lang, table=table, count=count, rule=rule)
    for refused in plan.refusals:
        yield say("intake.plan_refused", lang, why=refused.words(lang or "en"))
    if not plan.refusals:
        yield say("intake.plan_fine", lang)
