"""What private answer may be given?

question (text → plan) → bounds (norm, clip, sensitivity) → price (ρ, scales, reply moment) → emitted SQL → engine → noise.
`prepare` reads text, dictionary and policy; `execute` is called once, after a durable reservation.
"""

from enclave.query.answer import Executed, execute
from enclave.query.engine import Engine
from enclave.query.mechanisms import epsilon_of, rho_for, self_test
from enclave.query.plan import Plan
from enclave.query.price import Priced, prepare
from enclave.query.question import parse

__all__ = ["Engine", "Executed", "Plan", "Priced", "epsilon_of", "execute", "parse", "prepare", "rho_for", "self_test"]
