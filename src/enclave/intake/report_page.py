"""How does a steward see a report? One HTML page without anything from outside: words, tables, a bar per table."""

from __future__ import annotations

from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined

from domicile.wire.words import say
from enclave.intake.report import SCORED, Category, Check, Report, score

_PAGES = Environment(loader=PackageLoader("enclave.intake", "pages"), autoescape=True, undefined=StrictUndefined)


def page(report: Report, lang: str) -> str:
    """The report in `lang`, as one self-contained page."""
    template = _PAGES.get_template("report.html")
    tables = [(table, rows, report.score(table), _categories(report, table)) for table, rows in report.read.items()]
    words = partial(say, lang=lang)
    return template.render(lang=lang, say=words, report=report, tables=tables, share=share, where=where)


def _categories(report: Report, table: str) -> list[tuple[Category, int | None]]:
    """The score of each scored category of a table."""
    own = [check for check in report.checks if check.table == table]
    return [(kind, score(c for c in own if c.category is kind)) for kind in Category if kind in SCORED]


def share(check: Check) -> str:
    """How much of what was checked failed: "0.0 %" only when nothing did."""
    if not check.of or not check.failed:
        return "0 %"
    return f"{100 * check.failed / check.of:.1f} %" if 1000 * check.failed >= check.of else "< 0.1 %"


def where(check: Check) -> str:
    """The numbers of the first rows at fault."""
    return ", ".join(map(str, check.rows)) + (", …" if 0 < len(check.rows) < check.failed else "")
