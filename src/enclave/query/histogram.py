"""Which public bins does HISTOGRAM(x, width) or HISTOGRAM(x, [edges]) group by?

It is a key like any other: a bounded number becomes the label of its bin, "[0, 5)", from a list known by text and
dictionary alone, so bins that nobody falls into come back too. What lies outside the edges has bins of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

from sqlglot import exp

from enclave.query import terms
from enclave.query.grammar import Text
from enclave.query.plan import Op, Term

MOST_BINS = 200


def is_histogram(node: exp.Expr) -> bool:
    return type(node) is exp.Anonymous and node.name.upper() == "HISTOGRAM"


def labelled(text: Text, term: Callable[[exp.Expr], Term], node: exp.Anonymous) -> Term:
    """The label of the bin that x falls into; NULL where x is."""
    if len(node.expressions) != 2:
        text.reject("query.histogram", node, limit=MOST_BINS)
    column, wanted = node.expressions
    x = term(column)
    terms.needs_number(x)
    if x.type.lower is None or x.type.upper is None:
        return text.refuse("query.no_bounds", column, column=x.ref.column.name if x.ref else "?")
    low, high = Fraction(x.type.lower, x.type.scale), Fraction(x.type.upper, x.type.scale)
    edges = _edges(wanted, low, high)
    if edges is None or not edges or len(edges) > MOST_BINS or any(a >= b for a, b in pairwise(edges)):
        return text.reject("query.histogram", wanted, limit=MOST_BINS)
    labels = [f"[{_plain(a)}, {_plain(b)})" for a, b in pairwise(edges)]
    bounds = [terms.compared(Op.LESS, x, terms.number(edge)) for edge in edges[1:]]
    if low < edges[0]:
        labels.insert(0, f"< {_plain(edges[0])}")
        bounds.insert(0, terms.compared(Op.LESS, x, terms.number(edges[0])))
    if high >= edges[-1]:
        labels.append(f">= {_plain(edges[-1])}")
    bounds = bounds[: len(labels) - 1]
    outcomes = [terms.text(label) for label in labels]
    if x.type.nullable:
        bounds.insert(0, terms.missing(x))
        outcomes.insert(0, terms.null())
    return terms.chosen(Op.CASE, tuple(bounds), tuple(outcomes))


def _edges(wanted: exp.Expr, low: Fraction, high: Fraction) -> list[Fraction] | None:
    """The edges as written, or at a width from the lower bound to past the upper."""
    if isinstance(wanted, exp.Array):
        made = [_number(edge) for edge in wanted.expressions]
        return None if None in made else [e for e in made if e is not None]
    width = _number(wanted)
    if width is None or width <= 0 or (high - low) / width >= MOST_BINS - 1:
        return None
    return [low + at * width for at in range(int((high - low) / width) + 2)]


def _number(node: exp.Expr) -> Fraction | None:
    """A literal, perhaps with a sign."""
    sign = -1 if type(node) is exp.Neg else 1
    literal = node.this if type(node) is exp.Neg else node
    if type(literal) is not exp.Literal or literal.is_string or not literal.name.replace(".", "", 1).isdigit():
        return None
    return sign * Fraction(literal.name) if literal.name.isascii() and len(literal.name) < 20 else None


def _plain(number: Fraction) -> str:
    """As a decimal without an exponent; edges have at most six places."""
    written = f"{float(number):.6f}".rstrip("0").rstrip(".")
    return written or "0"
