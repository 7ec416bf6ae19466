"""Who is this, and what is their standing?

`authenticate` turns a token into a `Member`; `Permissions` (Cedar) is the only answer to "who may"; `refusals_recorded`
makes a refused attempt an event. A member signs with a key that only their token opens; the home certifies it.
"""

from enclave.people.certificate import (
    Certificate,
    certificates_in,
    certificates_of,
    certified,
    had_role,
    papers_of,
    signature_holds,
)
from enclave.people.enrol import Entry, add, first_operator, listing, reissue_operator
from enclave.people.member import Member
from enclave.people.permissions import Action, Allowed, Permissions
from enclave.people.refusal import refusals_recorded
from enclave.people.roles import Role, RoleCard, load_roles
from enclave.people.token import Holder, authenticate, holder_of, renew, revoke

__all__ = [
    "Action",
    "Allowed",
    "Certificate",
    "Entry",
    "Holder",
    "Member",
    "Permissions",
    "Role",
    "RoleCard",
    "add",
    "authenticate",
    "certificates_in",
    "certificates_of",
    "certified",
    "first_operator",
    "had_role",
    "holder_of",
    "listing",
    "load_roles",
    "papers_of",
    "refusals_recorded",
    "reissue_operator",
    "renew",
    "revoke",
    "signature_holds",
]
