"""What may be known of an extract, bought once?

Pure and blind: which public bins are paid for, what most likely stands behind their noisy numbers, which clip C serves a
question best, how much a clip may have taken. Reads the dictionary, text and what was paid for; an import contract keeps
every way to the rows away from it. `query.profiling` prices and draws a profile, `broker.purchase` buys one.
"""

from enclave.profile.advisor import (
    Aim,
    Curve,
    Goal,
    chosen,
    curve_of,
    curve_of_some,
    hardly_exceeded,
    sufficient,
)
from enclave.profile.bins import stretches
from enclave.profile.clipped import Clipping, clipping
from enclave.profile.marginals import Marginal, Marginals, RowsEach, marginals
from enclave.profile.shape import is_faint, is_hardly_known, quantile
from enclave.profile.summary import summaries
from enclave.profile.things import Thing, things

__all__ = [
    "Aim",
    "Clipping",
    "Curve",
    "Goal",
    "Marginal",
    "Marginals",
    "RowsEach",
    "Thing",
    "chosen",
    "clipping",
    "curve_of",
    "curve_of_some",
    "hardly_exceeded",
    "is_faint",
    "is_hardly_known",
    "marginals",
    "quantile",
    "stretches",
    "sufficient",
    "summaries",
    "things",
]
