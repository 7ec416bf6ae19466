"""How is what is known of a dataset said? The same sentences and small pictures for terminal and page."""

from __future__ import annotations

from collections.abc import Iterator

from domicile.wire.known import FreshnessCard, KnownCard, QuantileCard, SummaryCard, UseCard
from domicile.wire.words import say

BLOCKS = "▁▂▃▄▅▆▇█"
WIDEST_SPARK = 16
FEW = 3
"""How many words of a code list stand in one line."""


def lines(known: KnownCard, lang: str) -> Iterator[str]:
    """Freshness, use, and what was bought or would cost: one sentence each."""
    yield from _freshness(known.version, known.freshness, lang)
    yield from _use(known.use, lang)
    yield from _bought(known, lang)
    yield twin(known, lang)


def twin(known: KnownCard, lang: str) -> str:
    """Which twin answers at home: made from the dictionary alone, or drawn from what was bought."""
    of = {"dataset": known.dataset, "version": known.version}
    if known.bought is None:
        return say("twin.from_dictionary", lang, **of)
    return say("twin.from_marginals", lang, **of, epsilon=known.bought.epsilon, delta=f"{known.bought.delta:g}")


def _freshness(version: int, card: FreshnessCard, lang: str) -> Iterator[str]:
    yield say("known.fresh", lang, version=version, day=card.shelved_at.date(), count=card.versions)
    if card.every_days is not None:
        yield say("known.fresh_every", lang, days=f"{card.every_days:.3g}")
    if card.covers_from is not None:
        yield say("known.covers", lang, first=card.covers_from, last=card.covers_to)
    if card.renewed:
        yield say(f"known.renewed_{card.renewed}", lang)
    if card.due_on is not None:
        yield say("known.overdue" if card.overdue else "known.due", lang, day=card.due_on)


def _use(card: UseCard, lang: str) -> Iterator[str]:
    counts = {"projects": card.projects, "active": card.active, "runs": card.runs, "questions": card.questions}
    yield say("known.use", lang, **counts)
    if card.epsilon_spent is not None:
        yield say("known.use_spent", lang, epsilon=f"{card.epsilon_spent:.4g}")


def _bought(known: KnownCard, lang: str) -> Iterator[str]:
    card = known.bought
    if card is None:
        yield say("known.not_bought", lang, dataset=known.dataset, version=known.version)
        yield from (say("known.offer", lang, epsilon=o.epsilon, noise=f"{o.noise:.3g}") for o in known.offers)
        return
    facts = {"day": card.bought_at.date(), "epsilon": card.epsilon, "delta": f"{card.delta:g}"}
    facts |= {"registers": ", ".join(card.registers), "noise": f"{card.noise:.3g}"}
    yield say("known.bought", lang, version=known.version, **facts)


def in_short(card: SummaryCard, lang: str) -> str:
    """A summary in a few words: the commonest words of a list, or the middle and the range of a number."""
    if not card.clear:
        return say("known.unclear", lang)
    if card.quantiles:
        middle, least, most = (_quantile(card, share) for share in (0.5, 0.05, 0.95))
        facts = {"value": shown(middle.value), "low": shown(middle.low), "high": shown(middle.high)}
        return say("known.middle", lang, **facts, least=shown(least.value), most=shown(most.value))
    whole = sum(one.persons.value for one in card.bins) or 1.0
    first = sorted(card.bins, key=lambda one: -one.persons.value)[:FEW]
    half = max(((one.persons.high - one.persons.low) / 2 / whole for one in first), default=0.0)
    said = " · ".join(f"{one.label} {one.persons.value / whole:.1%}" for one in first)
    return f"{said}{' · …' if len(card.bins) > FEW else ''} (±{half:.1%})"


def _quantile(card: SummaryCard, share: float) -> QuantileCard:
    return next(one for one in card.quantiles if one.share == share)


def shown(value: float | str) -> str:
    """A figure of a summary as people read it: a date as it is, a number to four digits."""
    return value if isinstance(value, str) else f"{value:,.4g}"


def missing(card: SummaryCard) -> str:
    """The missing share with its interval."""
    at = card.missing
    return f"{at.value:.1%} ({at.low:.1%} … {at.high:.1%})"


def spark(card: SummaryCard) -> str:
    """Persons by bin as small columns, neighbours together where there are many; a code list longer than that has none."""
    told = [one.persons.value for one in card.bins]
    if not card.clear or len(told) < 2 or (len(told) > WIDEST_SPARK and not card.quantiles):
        return ""
    step = -(-len(told) // WIDEST_SPARK)
    columns = [sum(told[at : at + step]) for at in range(0, len(told), step)]
    top = max(columns) or 1.0
    return "".join(BLOCKS[min(int(len(BLOCKS) * one / top), len(BLOCKS) - 1)] for one in columns)


def sentences(card: SummaryCard, lang: str) -> Iterator[str]:
    """All that is said of one variable beside its picture."""
    persons = {"value": shown(card.persons.value), "low": shown(card.persons.low), "high": shown(card.persons.high)}
    yield say("known.persons", lang, table=card.table, **persons)
    share = card.missing
    yield say("known.missing", lang, value=f"{share.value:.1%}", low=f"{share.low:.1%}", high=f"{share.high:.1%}")
    for one in card.quantiles:
        facts = {"value": shown(one.value), "low": shown(one.low), "high": shown(one.high)}
        yield say("known.quantile", lang, share=f"{one.share:.0%}", **facts)
    if card.mean is not None:
        mean = {"value": shown(card.mean.value), "low": shown(card.mean.low), "high": shown(card.mean.high)}
        yield say("known.mean", lang, **mean)
