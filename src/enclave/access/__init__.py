"""Who may use what, for what, until when?

A researcher asks (`draft`, `submit`), stewards and officers decide (`approve`, `return_`, `refuse`), the last approval
opens a project and makes its grant, and `grant.check` says for every single use whether it still stands.
"""

from enclave.access import grant
from enclave.access.approval import Statement, Verdict
from enclave.access.asking import draft, edit, submit, withdraw
from enclave.access.content import Asked, Content
from enclave.access.decision import approve, refuse, return_
from enclave.access.grant import Grant, Standing, check, find_grant, held_on
from enclave.access.increase import (
    Increase,
    account_facts,
    ask,
    check_grantable,
    granted_increase,
    listing_increases,
    refuse_increase,
    withdraw_increase,
)
from enclave.access.policy import AccessPolicy
from enclave.access.project import Project, all_projects, find_project, project_of, projects_of
from enclave.access.request import Request, State, find, listing
from enclave.access.standing import expire_due, resume, revoke, suspend

__all__ = [
    "AccessPolicy",
    "Asked",
    "Content",
    "Grant",
    "Increase",
    "Project",
    "Request",
    "Standing",
    "State",
    "Statement",
    "Verdict",
    "account_facts",
    "all_projects",
    "approve",
    "ask",
    "check",
    "check_grantable",
    "draft",
    "edit",
    "expire_due",
    "find",
    "find_grant",
    "find_project",
    "grant",
    "granted_increase",
    "held_on",
    "listing",
    "listing_increases",
    "project_of",
    "projects_of",
    "refuse",
    "refuse_increase",
    "resume",
    "return_",
    "revoke",
    "submit",
    "suspend",
    "withdraw",
    "withdraw_increase",
]
