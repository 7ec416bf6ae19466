"""What private answer may be given?

question (text → plan) → bounds (norm, clip, sensitivity) → price (ρ, scales, reply moment) → emitted SQL → engine → noise.
`prepare` reads text, dictionary and policy; `execute` is called once, after a durable reservation.
"""

from enclave.query.answer import Executed, execute
from enclave.query.draw import Draw
from enclave.query.engine import Engine
from enclave.query.mechanisms import epsilon_of, rho_for, self_test
from enclave.query.plan import Plan
from enclave.query.price import Priced, checked_epsilon, prepare
from enclave.query.profiling import Portrait, drawn, portrayed
from enclave.query.pure import nano_epsilon
from enclave.query.question import parse
from enclave.query.topup import Held, Part, body_of, covers, execute_more, kept, serves, topic, under, wanting

__all__ = [
    "Draw",
    "Engine",
    "Executed",
    "Held",
    "Part",
    "Plan",
    "Portrait",
    "Priced",
    "body_of",
    "checked_epsilon",
    "covers",
    "drawn",
    "epsilon_of",
    "execute",
    "execute_more",
    "kept",
    "nano_epsilon",
    "parse",
    "portrayed",
    "prepare",
    "rho_for",
    "self_test",
    "serves",
    "topic",
    "under",
    "wanting",
]
