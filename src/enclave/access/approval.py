"""What did whom sign about a request, and does it hold?

A statement (submitted, approved, returned, refused) is signed with the member's own key over the digest of the content,
the round and the step. It counts only if its signature holds under a key the home certified for that member *in that
role* at that moment. The database is believed in nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from enclave.access.content import Content
from enclave.access.tables import request_statements
from enclave.audit import Transaction, canonical
from enclave.errors import Tampered
from enclave.people import Certificate, Member, Role, had_role, signature_holds
from enclave.store import Signature

FEWEST = 2
"""One approver alone would be the only judge: no policy may say so (`AccessPolicy`), nor may a stored request."""


class Verdict(StrEnum):
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    REFUSED = "refused"


@dataclass(frozen=True)
class Statement:
    """One signed word about a request. Position 0 is the author's, position n the n-th step of the round."""

    request: str
    round: int
    position: int
    step: Role
    verdict: Verdict
    member: str
    at: str
    reason: str
    digest: str
    public_key: str = ""
    signature: str = ""

    def message(self) -> bytes:
        """The bytes that are signed."""
        body = {"kind": "domicile.statement/1", **self.__dict__}
        del body["public_key"], body["signature"]
        return canonical(body)

    def holds(self, papers: Collection[Certificate]) -> bool:
        """Is it the member's word, given in a role that was theirs then?"""
        key, role, at = self.public_key, self.step, self.at
        if not had_role(papers, member=self.member, public_key=key, role=role, at=at):
            return False
        return signature_holds(self.message(), Signature(self.public_key, self.signature))


def sign(
    member: Member,
    token: str,
    content: Content,
    round_: int,
    position: int,
    step: Role,
    verdict: Verdict,
    at: str,
    reason: str,
) -> Statement:
    """The member's signed statement about `content`."""
    words = (content.request, round_, position, step, verdict, member.id, at, reason, content.digest)
    signature = member.sign(Statement(*words).message(), token)
    return Statement(*words, signature.public_key, signature.value)


def keep(tx: Transaction, statement: Statement) -> None:
    """Store a statement."""
    tx.execute(insert(request_statements), {**statement.__dict__})


def _statement_of(row: Any) -> Statement:
    fields = dict(row._mapping)
    return Statement(**{**fields, "step": Role(fields["step"]), "verdict": Verdict(fields["verdict"])})


_OF_ROUND = (
    select(request_statements)
    .where(request_statements.c.request == bindparam("request"), request_statements.c.round == bindparam("round"))
    .order_by(request_statements.c.position)
)


def said_in(connection: Connection, request_id: str, round_: int) -> Sequence[Row[Any]]:
    """What was signed in a round, in order, as it is stored."""
    return connection.execute(_OF_ROUND, {"request": request_id, "round": round_}).all()


def statements_in(rows: Iterable[Row[Any]]) -> tuple[Statement, ...]:
    """The statements that rows hold; ValueError when one is none."""
    return tuple(map(_statement_of, rows))


def statements_of(connection: Connection, request_id: str, round_: int) -> tuple[Statement, ...]:
    """What was signed in a round, in order; Tampered when a row is no statement."""
    try:
        return statements_in(said_in(connection, request_id, round_))
    except ValueError as altered:
        raise Tampered("access.request_altered", request=request_id) from altered


def check_submission(papers: Collection[Certificate], content: Content, statements: Sequence[Statement]) -> None:
    """Tampered unless the author signed this very content and every approval so far holds over it."""
    due = content.steps[: len(statements[1:])]
    expected = [(0, Role.RESEARCHER, Verdict.SUBMITTED)]
    expected += [(position, step, Verdict.APPROVED) for position, step in enumerate(due, start=1)]
    found = [(s.position, s.step, s.verdict) for s in statements]
    people = [s.member for s in statements]
    sound = (
        found == expected
        and people[0] == content.author
        and len(set(people)) == len(people)
        and not content.members & set(people[1:])
        and all(s.request == content.request and s.digest == content.digest for s in statements)
        and all(s.holds(papers) for s in statements)
    )
    if not sound:
        raise Tampered("access.request_altered", request=content.request)


def check_granted(papers: Collection[Certificate], content: Content, statements: Sequence[Statement]) -> None:
    """Tampered unless the author's and *every* approval the content asks for are there and hold, and they are `FEWEST`."""
    check_submission(papers, content, statements)
    if len(content.steps) < FEWEST or len(statements) != 1 + len(content.steps):
        raise Tampered("access.request_altered", request=content.request)
