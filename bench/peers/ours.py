"""How are we asked, when the whole suite is to be answered under one total?

A profile is bought first, from the same total; what is left is shared equally among all forms. From then on the advisor
chooses every clip. Tables that are of the same rows are brought to agree (`domicile.models.agreeing`), as a researcher does
who has asked them all: that is free. Nothing here knows a true number.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pandas as pd
from bench.hospital import Hospital
from bench.peers.budget import EPSILON
from bench.peers.shapes import Shape
from bench.questions import Form
from bench.suite import Cells, answered, cells, epsilon_within

from domicile.client import Answer
from domicile.models.agreeing import agree, agree_means, each, resembling
from domicile.models.result import Given
from domicile.wire.shapes import AnswerHead
from enclave.broker.garbage import looked_for_seldom
from enclave.catalogue.dataset import Dataset
from enclave.profile.summary import summaries
from enclave.query import Engine, Priced, execute, mechanisms, prepare
from enclave.query.profiling import drawn, portrayed

FOR_PROFILE = Fraction(1, 10)
"""Of ρ."""

PATIENT = 4
"""How often a question is asked that comes to nothing."""


VISITS = ("count.one_key", "count.two_keys", "join_person", "histogram", "filter.100_percent")
BY_DEPT = tuple(name for name in VISITS if name != "histogram")
FEES = ("sum.one_key", "sum.two_keys")
MEANS, MEDIANS = ("mean.one_key", "mean.two_keys"), "median"
RESEMBLING = {"filter.1_percent": ("filter.10_percent",), "filter.10_percent": BY_DEPT, "join_visit": BY_DEPT}
"""What a researcher sees at once of the questions: which are of the same visits (every visit has a day of admission, which
the dictionary says, and the third filter is all the days there are), which of some of them (the days of the first filter
lie within those of the second), and which of what belongs to them."""

PERSONS, PER_PERSON = "distinct_persons", "per_person"


class Ours:
    """The product, as behind a durable reservation."""

    def __init__(self, hospital: Hospital, shapes: Sequence[Shape]) -> None:
        looked_for_seldom()  # as the broker does; `engines/loop.py` does for a peer
        self.shapes = tuple(shapes)
        """All that are asked under one total."""
        self.engine = Engine(hospital.path, hospital.key)
        self.hospital = hospital
        self.buy()

    def buy(self) -> None:
        """A profile, anew: another one would have other clips."""
        delta = self.hospital.dataset.delta
        total = mechanisms.rho_for(EPSILON, delta)
        self.dataset = profiled(self.hospital.dataset, self.engine, int(total * FOR_PROFILE))
        spent = self.dataset.profile.rho if self.dataset.profile else 0
        self.persons = next(s.persons for s in summaries(self.dataset) if s.table == "visits")
        """With a visit, as the profile tells everybody."""
        self.epsilon = epsilon_within((total - spent) // len(self.shapes), delta)

    def ask(self, shape: Shape) -> tuple[float, Cells]:
        """Seconds, and the answer."""
        seconds, _, body = self._asked(shape)
        return seconds, answered(shape.form, body)

    def _asked(self, shape: Shape) -> tuple[float, Priced, bytes]:
        """What was interrupted on a machine that stood still is asked again: a bench is no notebook."""
        for _ in range(PATIENT):
            begun = time.perf_counter()
            priced = prepare(shape.form.sql, self.dataset, self.epsilon)
            executed = execute(priced, self.engine)
            seconds = time.perf_counter() - begun
            self.engine.settle()
            if not executed.incident:
                return seconds, priced, executed.body
        raise RuntimeError(f"the engine failed: {shape.form.sql}")

    def suite(self) -> dict[str, Cells]:
        """Every form answered once, and what is made of the answers together, for nothing."""
        told = {shape.form.name: self._given(shape) for shape in self.shapes}
        made = {name: answer.frame() for name, answer in told.items()}
        made |= dict(zip(VISITS, agree(*(told[form] for form in VISITS), column="n"), strict=True))
        fees = agree(*(told[form] for form in FEES), column="fee", counts=told[VISITS[0]])
        made |= dict(zip(FEES, fees, strict=True))
        stays = agree_means(*(told[form] for form in MEANS), column="los", medians=told[MEDIANS])
        made |= dict(zip(MEANS, stays, strict=True))
        (made[PERSONS],) = agree(told[PERSONS], column="n")
        of_visits = (told[form] for form in VISITS)
        made[PER_PERSON] = each(told[PER_PERSON], *of_visits, column="n", rows="n", persons=self.persons)
        for form, like in RESEMBLING.items():
            made[form] = resembling(told[form], *(told[name] for name in like), column="n")
        return {shape.form.name: of_frame(shape.form, made[shape.form.name]) for shape in self.shapes}

    def _given(self, shape: Shape) -> Given:
        _, priced, body = self._asked(shape)
        head = AnswerHead(
            answer=priced.answer_key,
            sql=priced.sql,
            quote=priced.quote,
            epsilon_spent=priced.epsilon,
            rho_spent=priced.rho,
            ledger_head="",
        )
        return Answer.read(head, body)

    def close(self) -> None:
        self.engine.close()


def of_frame(form: Form, frame: pd.DataFrame) -> Cells:
    """A table as the suite writes it."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return cells(form, [{str(name): value for name, value in row.items()} for row in rows])


def profiled(dataset: Dataset, engine: Engine, rho: int) -> Dataset:
    """With the profile that so much buys."""
    portrait = portrayed(dataset, epsilon_within(rho, dataset.delta))
    totals = engine.totals(portrait.statements, (), portrait.cap_ms)
    return replace(dataset, profile=drawn(portrait, totals))
