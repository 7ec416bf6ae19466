"""Is this text small enough to be parsed at all?

A parser that finds its way by trying is quick on what people write and may take for ever on what attackers write: the
places where it tries twice at every step are counted here, on the tokens, before it runs.

    1  bytes and tokens, and no character that is not seen
    2  nesting of brackets, and among them of those behind the name of a type or before FROM: each is tried as two things
    3  a JOIN has its ON or USING before the next begins, or the joins are tried in every order
    4  LIMIT is followed by a number: anything else is tried as a type first, once more in every LIMIT within
"""

from __future__ import annotations

import unicodedata
from collections.abc import Set

from sqlglot import Dialect, TokenType
from sqlglot.tokenizer_core import Token

from enclave.errors import BadInput, Refused

LONGEST = 16 * 1024
MOST_TOKENS = 2_000
MOST_NESTED = 12
MOST_TWOFOLD = 4
"""Brackets within brackets that open behind the name of a type, or before FROM: each doubles what the parser tries, and so
may others that nobody has found yet, which is why the first limit is no larger than what people write."""

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Kinds of characters: controls, formats (joiners, marks of direction), halves of pairs, other ends of lines."""

DUCKDB = Dialect.get_or_raise("duckdb")
TYPES = frozenset(DUCKDB.parser_class.TYPE_TOKENS) - {TokenType.VAR}
OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
WATCHED = OPENING | CLOSING | {TokenType.JOIN, TokenType.ON, TokenType.USING, TokenType.LIMIT}


def sized(sql: str) -> list[Token]:
    """The tokens of a text that is small enough; else a refusal."""
    size = len(sql.encode("utf-8", "surrogatepass"))
    if size > LONGEST:
        raise Refused("query.too_long", size=size, limit=LONGEST)
    _check_seen(sql)
    tokens: list[Token] = DUCKDB.tokenize(sql)
    if len(tokens) > MOST_TOKENS:
        over = place(tokens[MOST_TOKENS])
        raise Refused("query.too_many_tokens", place=over, count=len(tokens), limit=MOST_TOKENS)
    _check_nesting(tokens)
    return tokens


def _check_seen(sql: str) -> None:
    """What a reviewer of a notebook reads is what is asked: no character that is not seen, turns the line around, or ends it
    for some and not for others."""
    for at, c in enumerate(sql):
        if (c < " " and c not in "\t\n\r") or (c > "~" and unicodedata.category(c) in UNSEEN):
            raise BadInput("query.control_characters", place=place_of(sql, at), found=f"U+{ord(c):04X}")


def _check_nesting(tokens: list[Token]) -> None:
    """2 to 4."""
    twofold, waiting = [False], [False]
    """For every bracket that is open: is it tried as two things, and does a JOIN in it wait for its condition?"""
    for at, token in enumerate(tokens):
        kind = token.token_type
        if kind not in WATCHED:
            continue
        if kind in OPENING:
            twofold.append(_is(tokens, at - 1, TYPES) or _is(tokens, at + 1, {TokenType.FROM}))
            waiting.append(False)
            if len(twofold) - 1 > MOST_NESTED or sum(twofold) > MOST_TWOFOLD:
                raise Refused("query.too_deep", place=place(token), limit=MOST_NESTED, parts=MOST_TOKENS)
        elif kind in CLOSING:
            if len(twofold) > 1:
                twofold.pop(), waiting.pop()
        elif kind is TokenType.JOIN:
            if waiting[-1]:
                raise Refused("query.join_condition_missing", place=place(token))
            waiting[-1] = True
        elif kind is TokenType.LIMIT:
            if not _is(tokens, at + 1, {TokenType.NUMBER}):
                raise Refused("query.limit", place=place(token))
        else:
            waiting[-1] = False


def _is(tokens: list[Token], at: int, kinds: Set[TokenType]) -> bool:
    return 0 <= at < len(tokens) and tokens[at].token_type in kinds


def place_of(sql: str, start: int) -> str:
    """The same of a character."""
    before = sql[:start]
    return f"line {before.count(chr(10)) + 1}, column {start - (before.rfind(chr(10)) + 1) + 1}"


def place(token: Token) -> str:
    """Where a token stands."""
    return f"line {token.line}, column {token.col}"
