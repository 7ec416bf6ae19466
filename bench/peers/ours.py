"""How are we asked, when the whole suite is to be answered under one total?

A profile is bought first, from the same total; what is left is shared equally among all forms. From then on the advisor
chooses every clip. Nothing here knows a true number.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from bench.hospital import Hospital
from bench.peers.budget import EPSILON
from bench.peers.shapes import Shape
from bench.suite import Cells, answered, epsilon_within

from enclave.catalogue.dataset import Dataset
from enclave.query import Engine, execute, mechanisms, prepare
from enclave.query.profiling import drawn, portrayed

FOR_PROFILE = Fraction(1, 20)
"""Of ρ."""


class Ours:
    """The product, as behind a durable reservation."""

    def __init__(self, hospital: Hospital, shapes: Sequence[Shape]) -> None:
        self.shapes = tuple(shapes)
        """All that are asked under one total."""
        self.engine = Engine(hospital.path, hospital.key)
        delta = hospital.dataset.delta
        total = mechanisms.rho_for(EPSILON, delta)
        self.dataset = profiled(hospital.dataset, self.engine, int(total * FOR_PROFILE))
        spent = self.dataset.profile.rho if self.dataset.profile else 0
        self.epsilon = epsilon_within((total - spent) // len(shapes), delta)

    def ask(self, shape: Shape) -> tuple[float, Cells]:
        """Seconds, and the answer."""
        begun = time.perf_counter()
        executed = execute(prepare(shape.form.sql, self.dataset, self.epsilon), self.engine)
        seconds = time.perf_counter() - begun
        self.engine.settle()
        if executed.incident:
            raise RuntimeError(f"the engine failed: {shape.form.sql}")
        return seconds, answered(shape.form, executed.body)

    def close(self) -> None:
        self.engine.close()


def profiled(dataset: Dataset, engine: Engine, rho: int) -> Dataset:
    """With the profile that so much buys."""
    portrait = portrayed(dataset, epsilon_within(rho, dataset.delta))
    totals = engine.totals(portrait.statements, (), portrait.cap_ms)
    return replace(dataset, profile=drawn(portrait, totals))
