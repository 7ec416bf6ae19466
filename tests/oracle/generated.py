"""Questions nobody wrote: drawn from a seed over the dictionary, most of them answerable, some in shapes still refused.

What a question may be today is for `question.parse` to say; what is drawn here goes a little further on purpose, so that
a shape is met by every audit on the day it is first answered.
"""

from __future__ import annotations

import random

from enclave.catalogue.dataset import Column, Dataset, Kind, Table
from enclave.query.lookup import table_of

NUMBERS = (Kind.INTEGER, Kind.DECIMAL)
JOINED_AT_MOST = 2


class Drawn:
    """One question in the making: its tables under aliases, and a source of chance."""

    def __init__(self, draw: random.Random, dataset: Dataset) -> None:
        self.draw = draw
        self.tables: list[tuple[str, Table]] = []
        root = draw.choice([t for t in dataset.tables if t.unit])
        self.tables.append(("t", root))
        self.joins = ""
        while len(self.tables) <= JOINED_AT_MOST and draw.random() < 0.3:
            self._join(dataset)
        if dataset.references and draw.random() < 0.15:
            self._look_up(dataset)

    def _look_up(self, dataset: Dataset) -> None:
        """A public list, joined to a column of its codes."""
        one = self.draw.choice(dataset.references)
        near = [
            f"{alias}.{c.name}" for alias, table in self.tables for c in table.columns if set(one.codes) & set(c.codes)
        ]
        if near:
            kind = "LEFT JOIN" if self.draw.random() < 0.4 else "JOIN"
            self.joins += f" {kind} {one.name} r ON {self.draw.choice(near)} = r.{one.key}"
            self.tables.append(("r", table_of(one)))

    def _join(self, dataset: Dataset) -> None:
        names = [table.name for _, table in self.tables]
        ways = [(a, j) for a, table in self.tables for j in table.joins if j.table not in names]
        if ways:
            near, join = self.draw.choice(ways)
            alias = f"j{len(self.tables)}"
            kind = "LEFT JOIN" if self.draw.random() < 0.3 else "JOIN"
            self.joins += f" {kind} {join.table} {alias} ON {near}.{join.column} = {alias}.{join.to}"
            self.tables.append((alias, next(t for t in dataset.tables if t.name == join.table)))

    @property
    def rows(self) -> str:
        return f"{self.tables[0][1].name} t{self.joins}"

    @property
    def unit(self) -> str:
        return f"t.{self.tables[0][1].unit}"

    def column(self, *kinds: Kind) -> tuple[str, Column] | None:
        found = [
            (f"{alias}.{c.name}", c)
            for alias, table in self.tables
            for c in table.columns
            if c.kind in kinds and c.name != table.unit
        ]
        return self.draw.choice(found) if found else None

    # --- terms ------------------------------------------------------------------------------------------------------

    def number(self, depth: int = 0) -> str:
        found = self.column(*NUMBERS)
        if found is None or self.draw.random() < 0.1:
            return self.draw.choice(("0", "1", "7", "2.5", "-3", "1000"))
        name, column = found
        if depth > 2 or self.draw.random() < 0.55:
            return name
        one, other = self.number(depth + 1), self.number(depth + 1)
        lower, upper = column.lower or 0, column.upper or 100
        return self.draw.choice(
            (
                f"({one} + {other})",
                f"({one} - {other})",
                f"{one} * {self.draw.choice(('2', '0.5', '-1', other))}",
                f"-{name}",
                f"ABS({one})",
                f"COALESCE({name}, {self.draw.choice(('0', '5', other))})",
                f"LEAST(GREATEST({name}, {lower // 2}), {upper // 2})",
                f"CASE WHEN {self.truth(depth + 1)} THEN {one} ELSE {self.draw.choice(('0', 'NULL', other))} END",
                f"CASE WHEN {self.truth(depth + 1)} THEN {name} END",
                f"ROUND({one})",
                f"({one} / 7)",
                f"FLOOR({one} / 3)",
                f"NULLIF({name}, 1)",
                f"{name} % 5",
                f"ROUND({name} / 3, 1)",
            )
        )

    def truth(self, depth: int = 0) -> str:
        if depth < 2 and self.draw.random() < 0.3:
            joined = self.draw.choice((" AND ", " OR "))
            return f"({self.truth(depth + 1)}{joined}{self.truth(depth + 1)})"
        if self.draw.random() < 0.1:
            return f"NOT {self.truth(depth + 1)}"
        found = self.column(*NUMBERS, Kind.CODE, Kind.KEY, Kind.BOOLEAN, Kind.DATE)
        if found is None:
            return "TRUE"
        name, column = found
        if column.kind is Kind.KEY:
            return f"{name} {self.draw.choice(('=', '<>'))} 'E11.200'"
        if self.draw.random() < 0.15:
            return f"{name} IS {self.draw.choice(('', 'NOT '))}NULL"
        if column.kind is Kind.CODE:
            some = self.draw.sample(column.codes, min(len(column.codes), self.draw.randint(1, 3)))
            listed = ", ".join(f"'{c}'" for c in some)
            return self.draw.choice((f"{name} IN ({listed})", f"{name} <> '{some[0]}'", f"{name} = '{some[0]}'"))
        if column.kind is Kind.BOOLEAN:
            return self.draw.choice((name, f"{name} IS TRUE", f"{name} = FALSE"))
        if column.kind is Kind.DATE:
            return f"{name} {self.draw.choice(('<', '>='))} DATE '2023-0{self.draw.randint(1, 9)}-15'"
        relation = self.draw.choice(("<", "<=", ">", ">=", "=", "<>"))
        return f"{self.number(depth + 1)} {relation} {self.draw.choice(('0', '1', '5', '59', '1.5'))}"

    def key(self) -> str:
        found = self.column(Kind.CODE, Kind.KEY, Kind.BOOLEAN, Kind.DATE, Kind.INTEGER)
        if found is None:
            return "TRUE"
        name, column = found
        if column.kind is Kind.KEY:
            ways: tuple[str, ...] = (name, f"{name} = 'I10.100'", f"{name} IS NULL")
        elif column.kind is Kind.CODE:
            first = column.codes[0]
            ways = (f"{name} = '{first}'", f"COALESCE({name}, '{first}')", f"{name} IN ('{first}')", *[name] * 6)
        elif column.kind is Kind.DATE:
            ways = (
                f"YEAR({name})",
                f"MONTH({name})",
                f"EXTRACT(YEAR FROM {name})",
                f"{name} IS NULL",
                f"QUARTER({name})",
            )
        elif column.kind is Kind.INTEGER and column.lower is None:
            ways = (f"{name} IS NULL", f"{name} > 0")
        elif column.kind is Kind.INTEGER:
            ways = (name, f"CASE WHEN {name} < 3 THEN 'low' WHEN {name} < 30 THEN 'mid' ELSE 'high' END", f"{name} > 5")
        else:
            ways = (name,)
        return self.draw.choice(ways)

    def aggregate(self) -> str:
        plain = (
            "COUNT(*)",
            f"COUNT(DISTINCT {self.unit})",
            f"COUNT({(self.column(*Kind) or ('*',))[0]})",
            f"SUM({self.number()})",
            f"AVG({self.number()})",
        )
        newer = (
            f"VAR_SAMP({self.number()})",
            f"STDDEV({self.number()})",
            f"MEDIAN({self.number(2)})",
            f"QUANTILE_CONT({self.number(2)}, 0.9)",
            f"COUNT(DISTINCT {(self.column(Kind.CODE) or ('1',))[0]})",
            f"SUM({self.number(2)}) / COUNT(*)",
            f"CORR({self.number(2)}, {self.number(2)})",
            f"COVAR_POP({self.number(2)}, {self.number(2)})",
        )
        made = self.draw.choice(plain if self.draw.random() < 0.85 else newer)
        return f"{made} FILTER (WHERE {self.truth(1)})" if self.draw.random() < 0.08 else made

    # --- whole questions --------------------------------------------------------------------------------------------

    def plain(self) -> str:
        keys = list(dict.fromkeys(self.key() for _ in range(self.draw.choice((0, 1, 1, 1, 2)))))
        items = [f"{k} AS k{i}" for i, k in enumerate(keys)]
        items += [f"{self.aggregate()} AS a{i}" for i in range(self.draw.choice((1, 1, 2, 3)))]
        text = f"SELECT {', '.join(items)} FROM {self.rows}"
        if self.draw.random() < 0.4:
            text += f" WHERE {self.truth()}"
        if keys:
            text += " GROUP BY " + ", ".join(f"k{i}" for i in range(len(keys)))
        if self.draw.random() < 0.15:
            text += f" ORDER BY a0{self.draw.choice((' DESC', ''))}"
            text += f" LIMIT {self.draw.randint(1, 5)}" if self.draw.random() < 0.5 else ""
        return text

    def per_person(self) -> str:
        """Per-person aggregates first, in the ways people write them."""
        person = self.unit.split(".")[1]
        if self.draw.random() < 0.3:
            return self._windowed(person)
        inner = self.draw.choice(("COUNT(*)", f"SUM({self.number(2)})", "MAX(1)", f"AVG({self.number(2)})"))
        where = f" WHERE {self.truth()}" if self.draw.random() < 0.4 else ""
        each = f"SELECT {self.unit}, {inner} AS n FROM {self.rows}{where} GROUP BY {self.unit}"
        outer = self.draw.choice(("AVG(n)", "COUNT(*)", "SUM(n)", f"COUNT(DISTINCT {person})", "MEDIAN(n)"))
        if self.draw.random() < 0.5:
            return f"WITH each AS ({each}) SELECT {outer} AS a0 FROM each"
        return f"SELECT {outer} AS a0 FROM ({each}) AS each"

    def _windowed(self, person: str) -> str:
        """Over the ordered rows of a person, and over those of others."""
        by = self.draw.choice((self.unit, self.unit, self.unit, self.key()))
        order, frame = self.number(2), "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW"
        call = self.draw.choice(
            (
                f"ROW_NUMBER() OVER (PARTITION BY {by} ORDER BY {order})",
                f"LAG({self.number(2)}) OVER (PARTITION BY {by} ORDER BY {order} DESC)",
                f"SUM({self.number(2)}) OVER (PARTITION BY {by} ORDER BY {order} {frame})",
                f"COUNT(*) OVER (PARTITION BY {by})",
                f"LEAST(RANK() OVER (PARTITION BY {by} ORDER BY {order}), 5)",
            )
        )
        each = f"SELECT {self.unit}, {call} AS n FROM {self.rows}"
        outer = self.draw.choice(("SUM(n)", "AVG(n)", "COUNT(n)", f"COUNT(DISTINCT {person})"))
        return f"SELECT {outer} AS a0 FROM ({each})"

    def joined_text(self) -> str:
        """UNION ALL of one table with itself under two filters."""
        name = (self.column(*NUMBERS) or ("t.x",))[0].split(".")[1]
        part = f"SELECT {self.unit}, {name} FROM {self.tables[0][1].name} t"
        both = f"{part} WHERE {self.truth(2)} UNION ALL {part}"
        return f"SELECT SUM({name}) AS a0 FROM ({both}) AS u"

    def matrix(self) -> str:
        """Products of a few columns, by a key or none."""
        columns = dict.fromkeys(
            self.draw.choice((self.number(1), (self.column(Kind.CODE, Kind.BOOLEAN) or ("1",))[0], self.truth(2)))
            for _ in range(self.draw.choice((2, 3, 4)))
        )
        key = self.key() if self.draw.random() < 0.3 else ""
        text = f"SELECT {f'{key} AS k0, ' if key else ''}SSCP({', '.join(columns)}) AS a0 FROM {self.rows}"
        text += f" WHERE {self.truth()}" if self.draw.random() < 0.3 else ""
        return text + (" GROUP BY k0" if key else "")


def question(draw: random.Random, dataset: Dataset) -> str:
    drawn = Drawn(draw, dataset)
    kind = draw.random()
    if kind < 0.87:
        return drawn.plain()
    if kind < 0.9:
        return drawn.matrix()
    return drawn.per_person() if kind < 0.97 else drawn.joined_text()


def questions(count: int, seed: int, dataset: Dataset) -> list[str]:
    draw = random.Random(seed)
    return [question(draw, dataset) for _ in range(count)]
