"""What happened behind the wall?

A run is handed in (`submit`), leased by a worker (`lease_next`), carried out behind the wall (`perform`) and ended under
its lease (`finish`); declared outputs wait for vet (`outputs`). `prepare` finds or builds what a jail is made of and
`selfcheck` tries the wall from inside. Where no wall can be built, no notebook runs.
"""

from enclave.run.environment import Environment, JailUser, jail_user, prepare
from enclave.run.frames import OwnError, Progress
from enclave.run.jail import JailSpec, Outcome
from enclave.run.job import Job, StoredOutput, Submission, cancel, counted_on, find, listing, outputs, refuse, submit
from enclave.run.lease import finish, lease_next, renew, take_over_expired
from enclave.run.limits import Limits
from enclave.run.notebook import Source
from enclave.run.output import Bundle, collect, executed
from enclave.run.perform import perform
from enclave.run.policy import RunPolicy
from enclave.run.sandbox import SandboxFiles
from enclave.run.selfcheck import Check, require, selfcheck
from enclave.run.states import RunState
from enclave.run.wall import Wall

__all__ = [
    "Bundle",
    "Check",
    "Environment",
    "JailSpec",
    "JailUser",
    "Job",
    "Limits",
    "Outcome",
    "OwnError",
    "Progress",
    "RunPolicy",
    "RunState",
    "SandboxFiles",
    "Source",
    "StoredOutput",
    "Submission",
    "Wall",
    "cancel",
    "collect",
    "counted_on",
    "executed",
    "find",
    "finish",
    "jail_user",
    "lease_next",
    "listing",
    "outputs",
    "perform",
    "prepare",
    "refuse",
    "renew",
    "require",
    "selfcheck",
    "submit",
    "take_over_expired",
]
