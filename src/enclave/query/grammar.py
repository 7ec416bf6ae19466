"""Is this text small, whole and inside the grammar at all?

A grammar, not a blacklist: text becomes a parse tree only after its size was checked, and of the tree only what
`question` names by exact node class and argument is ever read (`only`). Everything else is refused with its place.

    1  bytes, tokens, and what would keep a parser busy (`size`)    before the parser runs
    2  exactly one statement, and it is a SELECT
    3  every node met carries no argument that its reader did not name
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from sqlglot import exp
from sqlglot.errors import ErrorLevel, ParseError, SqlglotError

from enclave.errors import BadInput, Refused
from enclave.query.size import DUCKDB, MOST_NESTED, MOST_TOKENS, place_of, sized
from enclave.query.terms import Unfit

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it would log the analyst's text


MOST_TRIED = 400_000
"""Codes of public lists that all patterns of one question are held against: so that planning it stays a matter of
milliseconds, however long the lists are."""


def folded(name: str) -> str:
    """A name as it is looked up: capitals do not matter, and no other letter stands for one of A to Z (ſ for s, K for k)."""
    return name.lower() if name.isascii() else name


class Text:
    """The question as written: knows where each node of its tree stands."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tried = 0

    def place(self, node: exp.Expr | None) -> str | None:
        """ "line 2, column 8" of the first thing written inside `node`, or of what stands around it."""
        while node is not None:
            starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
            if starts:
                return self.at(min(starts))
            node = node.parent
        return None

    def at(self, start: int) -> str:
        return place_of(self.sql, start)

    def refuse(self, code: str, node: exp.Expr | None, **facts: object) -> NoReturn:
        """Well-formed, but no private answer is given to it."""
        raise Refused(code, place=self.place(node), **facts)

    def reject(self, code: str, node: exp.Expr | None, **facts: object) -> NoReturn:
        """It does not mean anything here: a wrong name, a wrong kind."""
        raise BadInput(code, place=self.place(node), **facts)

    def trying(self, codes: int, node: exp.Expr) -> None:
        """So many codes are about to be looked through."""
        self.tried += codes
        if self.tried > MOST_TRIED:
            self.refuse("query.many_patterns", node, limit=MOST_TRIED)

    @contextmanager
    def standing_at(self, node: exp.Expr) -> Iterator[None]:
        """What the makers of terms find unfit is said with the place it stands at."""
        try:
            yield
        except Unfit as unfit:
            raise BadInput(unfit.code, place=self.place(node), **unfit.facts) from None

    def written(self, node: exp.Expr) -> str:
        """How to call a refused construct: its kind of node, never a rendering of it."""
        return type(node).__name__

    def only(self, node: exp.Expr, *names: str) -> None:
        """3: refuses the node when it carries anything but the arguments named."""
        for name, value in node.args.items():
            if name in names or value is None or value is False or value == []:
                continue
            inner = value if isinstance(value, exp.Expr) else node
            self.refuse("query.not_in_grammar", inner, found=f"{self.written(node)} {name.strip('_')}".upper())


def parsed(sql: str) -> tuple[Text, exp.Select]:
    """The tree of one SELECT, or a refusal in words."""
    text = Text(sql)
    try:
        parser = DUCKDB.parser(error_level=ErrorLevel.IMMEDIATE)
        trees = [t for t in parser.parse(sized(sql), sql) if t is not None]
    except ParseError as fault:
        first = fault.errors[0] if fault.errors else {}
        line, column = first.get("line"), first.get("col")
        place = f"line {line}, column {column}" if line and column else None
        raise BadInput("query.syntax", place=place) from None
    except RecursionError:
        raise Refused("query.too_deep", limit=MOST_NESTED, parts=MOST_TOKENS) from None
    except (SqlglotError, TypeError, ValueError, AttributeError, IndexError):  # the compiled parser trips over nonsense
        raise BadInput("query.syntax") from None
    if len(trees) != 1:
        raise Refused("query.one_statement", found=len(trees))
    tree = trees[0]
    if isinstance(tree, exp.SetOperation):
        text.refuse("query.set_operation", tree)
    if type(tree) is not exp.Select:
        text.refuse("query.not_select", tree)
    for node in list(tree.find_all(exp.CountIf)):
        text.only(node, "this")
        node.replace(counted_where(node.this))
    return text, tree


def counted_where(condition: exp.Expr) -> exp.Count:
    """COUNT_IF(c) is COUNT(CASE WHEN c THEN 1 END)."""
    when = exp.If(this=condition.copy(), true=exp.Literal.number(1))
    return exp.Count(this=exp.Case(ifs=[when]), big_int=True)
