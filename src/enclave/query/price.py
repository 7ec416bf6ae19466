"""What does a question cost?

From text, dictionary and policy alone: no connection can be reached from here (an import contract says so). ε becomes
the largest whole nano-rho that converts to at most ε at the dataset's δ; it is split evenly over the mechanisms; each
takes the smallest whole scale whose OpenDP price fits its share, and the question costs the sum of those prices, never
more than was asked. When its reply leaves, `moment` says.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256

from domicile.wire.shapes import MechanismCard, Quote
from enclave.audit import canonical
from enclave.catalogue.dataset import WEIGHT_ONE, Dataset
from enclave.catalogue.profile import Profile
from enclave.errors import BadInput, Refused
from enclave.query import advised as advice
from enclave.query import mechanisms, scaled
from enclave.query.accuracy import Accuracy, check_promised, is_estimated, scales, wanted
from enclave.query.bounds import tallies
from enclave.query.draw import COARSEST, Draw, at_scale, gaussian, purely, thresholded
from enclave.query.emit import Statement, emitted
from enclave.query.held import check_rows, checked_bytes
from enclave.query.mechanisms import NANO
from enclave.query.moment import reply_class, size_of
from enclave.query.plan import Measure, Plan
from enclave.query.pure import check_pure, nano_epsilon
from enclave.query.question import parse
from enclave.query.sscp import LABELS, matrix_in
from enclave.query.tally import Tally
from enclave.query.threshold import ATTO

EPSILON = re.compile(r"\d{1,4}(\.\d{1,9})?|\.\d{1,9}")
MOST_EPSILON = 1_000
LONGEST_APART_MS = 60_000
"""Nobody waits longer for a sharper answer who did not ask for it."""


@dataclass(frozen=True)
class Priced:
    """A question understood, bounded and priced: all that is needed to answer it, and nothing from the data."""

    sql: str
    dataset: Dataset
    plan: Plan
    draws: tuple[Draw, ...]
    statements: tuple[Statement, ...]
    rho: int
    epsilon: float
    reply_ms: int
    answer_key: str
    """Same key, same extract, same policy, same bytes: what reuse is held against."""
    asked: str | Accuracy
    """The ε or the accuracy it was priced at."""
    held: int
    """Bytes that it may hold in the engine at once, by public sizes."""

    @property
    def clips(self) -> tuple[int, ...]:
        """C of every draw."""
        return tuple(draw.tally.norm.clip for draw in self.draws)

    @property
    def variables(self) -> frozenset[tuple[str, str]]:
        return self.plan.variables

    def _estimated(self, draw: Draw) -> tuple[str, ...]:
        """What the accuracy of a mean or a quantile was estimated for."""
        profile = self.dataset.profile
        if profile is None or not isinstance(self.asked, Accuracy) or not is_estimated(self.plan, draw.tally):
            return ()
        rows = advice.rows_kept(self.plan, draw.tally, profile) or 1
        return (f"accuracy estimated for groups of about {rows:.3g} rows (profile)",)

    def _weighed_away(self, draw: Draw) -> float | None:
        """Which share of everything its clip is thought to take; None where nothing was paid that tells."""
        profile = self.dataset.profile
        return None if profile is None else advice.weighed_away(self.plan, draw.tally, profile)

    @property
    def registers(self) -> tuple[str, ...]:
        """The person registers that its tables draw on: each pays in full."""
        return self.dataset.registers_of(table for table, _ in self.variables)

    @property
    def atto_delta(self) -> int:
        """What finding unlisted keys costs beside ρ, in 10⁻¹⁸."""
        return sum(d.threshold.atto_delta for d in self.draws if d.threshold)

    @property
    def nano_epsilon(self) -> int:
        """What it costs in pure ε, in 10⁻⁹; 0 where it is not counted so."""
        return sum(d.nano_epsilon for d in self.draws)

    @property
    def quote(self) -> Quote:
        return Quote(
            dataset=self.dataset.name,
            version=self.dataset.version,
            epsilon=self.epsilon,
            delta=0.0 if self.plan.pure else float(self.dataset.delta),
            pure=self.plan.pure,
            keys_delta=self.atto_delta / ATTO,
            rho=self.rho,
            reply_ms=self.reply_ms,
            columns=(
                *(k.name for k in self.plan.keys),
                *(LABELS if matrix_in(self.plan) else ()),
                *(o.name for o in self.plan.outputs),
            ),
            mechanisms=tuple(_card(self.plan, d, self._estimated(d), self._weighed_away(d)) for d in self.draws),
        )


def prepare(
    sql: str,
    dataset: Dataset,
    epsilon: str | None,
    accuracy: str | None = None,
    confidence: str | None = None,
    *,
    pure: bool = False,
) -> Priced:
    """The priced question, in pure ε where the project is counted so, or a refusal in words with its place. Touches no data
    and spends nothing."""
    plan = parse(sql, replace(dataset, profile=None) if pure else dataset)
    if pure:
        check_pure(plan)
        plan = replace(plan, pure=True)
    within = wanted(epsilon, accuracy, confidence)
    if within is not None:
        check_promised(plan, dataset.profile)
        return priced(sql, plan, dataset, within)
    return priced(sql, plan, dataset, checked_epsilon(epsilon))


def advisor_of(plan: Plan, dataset: Dataset) -> Profile | None:
    """The paid histograms clips are chosen by; none in pure ε, since they are chosen for normal noise."""
    return None if plan.pure else dataset.profile


def checked_epsilon(epsilon: str | None) -> str:
    if epsilon is None or not str(epsilon).strip():
        raise BadInput("query.no_epsilon")
    written = str(epsilon).strip()
    if not EPSILON.fullmatch(written) or not written.isascii() or not 0 < Fraction(written) <= MOST_EPSILON:
        raise BadInput("query.bad_epsilon", limit=MOST_EPSILON)
    return written


def priced(
    sql: str, plan: Plan, dataset: Dataset, asked: str | Accuracy, clips: tuple[int, ...] | None = None
) -> Priced:
    """At an ε split evenly over the mechanisms, or at an accuracy of each; under `clips` where they are not free to choose,
    else under those of the advisor where a profile was bought. Behind a narrow filter persons are told apart, unless that
    would take too long or too much memory by the public size."""
    paid = advisor_of(plan, dataset)
    if clips is None and isinstance(asked, str) and paid is not None and advice.is_narrow(plan, paid):
        with suppress(Refused):
            made = _priced(sql, replace(plan, apart=True), dataset, asked, None)
            if made.reply_ms <= LONGEST_APART_MS:
                return made
    return _priced(sql, plan, dataset, asked, clips)


def _priced(sql: str, plan: Plan, dataset: Dataset, asked: str | Accuracy, clips: tuple[int, ...] | None) -> Priced:
    size, paid = size_of(plan, dataset), advisor_of(plan, dataset)
    check_rows(plan, size[0])
    moved = tallies(plan)
    if clips is not None:
        moved = advice.kept(plan, moved, paid, clips)
    elif paid is not None:
        moved = _advised(plan, moved, paid, asked, dataset.delta)
    held = checked_bytes(plan, moved, *size)
    statements = emitted(plan, moved)
    draws = (
        _accurate(plan, moved, asked, dataset.profile)
        if isinstance(asked, Accuracy)
        else _shared(plan, moved, asked, dataset.delta)
    )
    draws = tuple(thresholded(d, dataset.keys_delta) for d in draws)
    spent = sum(d.rho for d in draws)
    whole = mechanisms.epsilon_of(spent, dataset.delta) if not plan.pure else sum(d.nano_epsilon for d in draws) / NANO
    return Priced(
        sql=sql,
        dataset=dataset,
        plan=plan,
        draws=draws,
        statements=statements,
        rho=spent,
        epsilon=whole,
        reply_ms=reply_class(plan, moved, statements, *size),
        answer_key=answer_key(plan, dataset, statements, draws),
        asked=asked,
        held=held,
    )


def _advised(
    plan: Plan, moved: tuple[Tally, ...], profile: Profile, asked: str | Accuracy, delta: str
) -> tuple[Tally, ...]:
    """Under the advisor's clips; in two parts where that is estimated to err less and no accuracy of each was asked."""
    if isinstance(asked, Accuracy):
        noise = zip(scales(plan, moved, asked, profile), moved, strict=True)
        in_rows = tuple(advice.in_rows(scale, tally) for scale, tally in noise)
        return advice.advised(plan, moved, profile, advice.Precision(in_rows, priced=False))
    plainly = advice.advised(plan, moved, profile, precision(moved, asked, delta))
    parts = scaled.paired(plan, moved)
    if len(parts) == len(moved):
        return plainly
    apart = advice.advised(plan, parts, profile, precision(parts, asked, delta))
    if advice.is_better(plan, apart, plainly, profile, lambda of: precision(of, asked, delta)):
        return apart
    return plainly


def precision(moved: tuple[Tally, ...], asked: str, delta: str) -> advice.Precision:
    """How exact each tally shall be, before its clip is known."""
    found = scaled.shares(moved, mechanisms.rho_for(asked, delta))
    return advice.Precision(tuple(advice.per_sensitivity(max(share, 1)) for share in found))


def _shared(plan: Plan, moved: tuple[Tally, ...], epsilon: str, delta: str) -> tuple[Draw, ...]:
    if plan.pure:
        parts = scaled.shares(moved, nano_epsilon(epsilon), scaled.PURE_CHOICES)
        return tuple(purely(t, share, epsilon, len(moved)) for t, share in zip(moved, parts, strict=True))
    found = scaled.shares(moved, mechanisms.rho_for(epsilon, delta))
    return tuple(gaussian(t, share, epsilon, delta, len(moved)) for t, share in zip(moved, found, strict=True))


def _accurate(plan: Plan, moved: tuple[Tally, ...], accuracy: Accuracy, profile: Profile | None) -> tuple[Draw, ...]:
    found = scales(plan, moved, accuracy, profile)
    if max(found) > COARSEST:
        raise Refused("query.accuracy_too_coarse", accuracy=str(float(accuracy.within)))
    draws = tuple(at_scale(t, s, pure=plan.pure) for t, s in zip(moved, found, strict=True))
    most = MOST_EPSILON * NANO if plan.pure else mechanisms.DEAREST
    if sum(d.nano_epsilon if plan.pure else d.rho for d in draws) > most:
        raise Refused("query.accuracy_too_fine", accuracy=str(float(accuracy.within)))
    return draws


def answer_key(plan: Plan, dataset: Dataset, statements: tuple[Statement, ...], draws: tuple[Draw, ...]) -> str:
    """Sound, not complete: same key ⇒ same emitted SQL, extract, policy, mechanisms and column names, byte for byte."""
    canon = {
        "extract": dataset.digest,
        "policy": dataset.policy_digest,
        "sql": [s.sql for s in statements],
        "draws": [
            [d.tally.aggregate, d.tally.part, d.tally.norm.column, d.tally.norm.clip, d.tally.factor, d.scale, d.rho]
            for d in draws
        ],
        "keys": [[k.name, list(k.domain)] for k in plan.keys],
        "columns": [[a.name, a.measure.value, [t.type.scale for t in a.terms], str(a.point)] for a in plan.aggregates],
        "order": [[o.column, o.descending] for o in plan.order],
        "limit": plan.limit,
        "reckoned": [[o.name, repr(o.post)] for o in plan.reckoned],
        "having": repr(plan.having),
    }
    matrix = matrix_in(plan)
    if matrix is not None:
        canon["matrix"] = repr(matrix.labels())
    if plan.pure:
        canon["pure"] = str([d.nano_epsilon for d in draws])
    paid = advisor_of(plan, dataset)
    if paid is not None:
        canon["profile"] = paid.digest
    if plan.unlisted is not None:
        canon["unlisted"] = [[repr(k.unlisted) for k in plan.keys], [repr(d.threshold) for d in draws]]
    return sha256(canonical(canon)).hexdigest()


PARTS = {
    "n": " (count)",
    "x": " (centred sum)",
    "y": " (centred sum of the second)",
    "xx": " (centred squares)",
    "yy": " (centred squares of the second)",
    "xy": " (centred products)",
    "histogram": " (histogram)",
    "low": " (lower end)",
    "point": " (choice)",
    "high": " (upper end)",
    scaled.SHARES: " (groups)",
    scaled.WHOLE: " (all groups)",
}
"""How the tallies of a moment or a quantile are called in a quote."""


def _told_from(draw: Draw) -> tuple[str, ...]:
    return (
        (f"values of {draw.threshold.least / WEIGHT_ONE:.1f} noisy persons or more are told",) if draw.threshold else ()
    )


def _card(plan: Plan, draw: Draw, estimated: tuple[str, ...], about: float | None) -> MechanismCard:
    aggregate = plan.aggregates[draw.tally.aggregate]
    unit = draw.tally.unit
    part = PARTS.get(draw.tally.part, "")
    if aggregate.measure is Measure.MEAN:
        part = " (count)" if draw.tally.counts else " (centred sum)"
    return MechanismCard(
        column=aggregate.name + part,
        mechanism=draw.mechanism,
        sensitivity=float(draw.tally.sensitivity / unit),
        scale=float(Fraction(draw.deviation) / unit),
        rho=draw.rho,
        epsilon=draw.nano_epsilon / NANO if draw.nano_epsilon else None,
        one_per_person=draw.tally.norm.column is None and not draw.tally.votes,
        bound="; ".join(
            [draw.tally.bound, *estimated, *_told_from(draw), *(w for s in plan.sources if s.made for w in s.made.said)]
        ),
        clip=draw.tally.norm.clip if draw.tally.norm.column else None,
        clip_by=None if draw.tally.norm.column is None else "advisor" if draw.tally.norm.advised else "policy",
        clipped=_clipped(draw.tally),
        clipped_about=about,
    )


def _clipped(tally: Tally) -> float | None:
    """What clipping took of one group at most, in units of the column."""
    return None if tally.clipping is None else float(tally.clipping.most * tally.factor * WEIGHT_ONE / tally.unit)
