"""What is to run, in which order, and can it be paid for?

A plan (a batch file) is expanded by the rules the laptop has, priced from what it declares before anything of it starts, and
handed in as a whole: its runs, what each follows and what each may spend are one transaction with its events.
"""

from enclave.batch.batch import Batch, cancel, find, listing, prepared, submit
from enclave.batch.price import Price, price
from enclave.batch.recurring import hand_in_due
from enclave.batch.schedule import Schedule
from enclave.batch.standing import card, plan_card
from enclave.batch.states import BatchState

__all__ = [
    "Batch",
    "BatchState",
    "Price",
    "Schedule",
    "cancel",
    "card",
    "find",
    "hand_in_due",
    "listing",
    "plan_card",
    "prepared",
    "price",
    "submit",
]
