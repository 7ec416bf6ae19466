"""Which places of a notebook must a reader look at first? The same on the laptop (lint) and before the reviewer.

Names are followed through imports and aliases in the syntax tree; secrets and hidden characters are looked for in the text.
A help to whoever reads, and no wall: code can hide from it what it does, and the wall stands whether this saw it or not.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from domicile.rules.findings import fail, review
from domicile.wire.hidden import hides
from domicile.wire.shapes import Finding

MAX_CHARACTERS: Final = 256 * 1024
"""Of all cells together; what lies behind is not looked at, and a finding says so."""

MAX_FINDINGS: Final = 200
"""Of one notebook. Every rule has its share of them, and the last says how many are not listed."""

_DOTTED: Final = {
    "code_process": "subprocess multiprocessing pty os.system os.popen os.fork os.forkpty os.kill os.exec os.spawn "
    "os.posix_spawn concurrent.futures.ProcessPoolExecutor",
    "code_network": "socket socketserver ssl requests urllib urllib3 http httpx aiohttp ftplib smtplib telnetlib xmlrpc "
    "websockets paramiko",
    "code_environment": "os.environ os.environb os.getenv os.getenvb os.putenv os.unsetenv",
    "code_data": "duckdb sqlite3 sqlalchemy psycopg psycopg2 polars fsspec pyarrow.parquet pyarrow.dataset pyarrow.csv "
    "pyarrow.feather pyarrow.orc pyarrow.fs pyarrow.memory_map pyarrow.OSFile",
    "code_file": "open io.open io.FileIO os.open os.fdopen os.read os.write os.listdir os.scandir os.walk os.stat "
    "os.readlink os.remove os.rename os.mkdir os.makedirs shutil tempfile glob fileinput codecs.open",
    "code_dynamic": "eval exec compile __import__ importlib runpy pickle marshal shelve dill cloudpickle codeop",
    "code_inside": "ctypes cffi mmap fcntl gc inspect builtins __builtins__ sys._getframe sys.modules sys.settrace "
    "sys.setprofile globals vars",
    "code_shell": "get_ipython IPython",
}
"""Rule → what it is about: a name, everything under it, or (os.exec…, os.spawn…) everything that begins so."""

_RULES: Final = {name: rule for rule, names in _DOTTED.items() for name in names.split()}
_FAMILIES: Final = ("os.exec", "os.spawn", "os.posix_spawn")

_METHODS: Final = {
    "code_file": "read_text read_bytes write_text write_bytes iterdir rglob tofile fromfile savefig to_csv to_excel "
    "to_parquet to_feather to_pickle to_hdf to_sql",
    "code_data": "read_csv read_parquet read_sql read_sql_query read_sql_table read_excel read_feather read_orc "
    "read_hdf read_pickle read_json read_table read_fwf read_xml read_html",
}
_METHOD_RULES: Final = {name: rule for rule, names in _METHODS.items() for name in names.split()}

_PLAIN: Final = (
    "name doc version init len str repr eq hash iter next enter exit call getitem setitem contains add sub mul truediv "
    "post_init annotations"
)
_EVERYDAY: Final = {f"__{name}__" for name in _PLAIN.split()}
"""Double-underscored names that reach nothing but the thing they stand on."""

_PATH: Final = re.compile(
    r"(/(etc|proc|sys|dev|root|home|var|tmp|mnt|media|srv|run|usr|opt|data)(/|$)|~/|[A-Za-z]:\\|file:)"
)
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}://", re.IGNORECASE)

_SECRETS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----",
        r"\bdom_[A-Za-z0-9_.-]{16,}",
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"\bgh[pousr]_[A-Za-z0-9]{30,}",
        r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
        r"\bsk-[A-Za-z0-9_-]{16,}",
        r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}",
        r"[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"]{1,64}:[^\s/@'\"]{1,128}@",
        r"(?i)(?:password|passwd|pwd|secret|token|api_?key|access_?key|密码|口令|密钥)\w{0,20}[\"']?\s{0,5}[:=]\s{0,5}"
        r"[\"'][^\"'\s]{6,200}[\"']",
    )
)

_SHELL: Final = re.compile(r"^(\s*)(?:[!%?].*|[A-Za-z_][\w, ]{0,80}=\s*[!%].*|[^#\n]*[^\s#]\?{1,2}\s*)$")


def examine_code(cells: Iterable[tuple[str, str]]) -> list[Finding]:
    """What to look at in (kind, source) of a notebook's cells in order; a place is cell (from 0) and line (from 1)."""
    found: dict[tuple[str, int, int], Finding] = {}
    aliases: dict[str, str] = {}
    left = MAX_CHARACTERS
    for number, (kind, source) in enumerate(cells):
        if len(source) > left:
            found["code_long", number, 0] = review("code_long", f"cell {number}", limit=MAX_CHARACTERS)
            break
        left -= len(source)
        seen = [*_in_text(source), *(_in_code(source, aliases) if kind == "code" else ())]
        for rule, line in seen:
            say = fail if rule == "code_secret" else review
            found.setdefault((rule, number, line), say(rule, f"cell {number}, line {line}"))
    return _listed([found[key] for key in sorted(found, key=lambda k: (k[1], k[2], k[0]))])


def _listed(found: list[Finding]) -> list[Finding]:
    """`found`, or the first places of each rule: many of one hide no other."""
    if len(found) <= MAX_FINDINGS:
        return found
    met: Counter[str] = Counter()
    ranked = []
    for place, finding in enumerate(found):
        met[finding.rule] += 1
        ranked.append((met[finding.rule], place))
    kept = sorted(place for _, place in sorted(ranked)[: MAX_FINDINGS - 1])
    return [*(found[place] for place in kept), review("code_more", "notebook", count=len(found) - len(kept))]


def _in_text(source: str) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(source.split("\n"), 1):
        if any(secret.search(line) for secret in _SECRETS):
            yield "code_secret", number
        if hides(line, "\t\r"):
            yield "code_hidden", number


def _in_code(source: str, aliases: dict[str, str]) -> Iterator[tuple[str, int]]:
    """`aliases` is what names stand for so far, in this cell and those before it."""
    tree = _parsed(source)
    if tree is None:
        kept = []
        for number, line in enumerate(source.split("\n"), 1):
            shell = _SHELL.match(line)
            if shell:
                yield "code_shell", number
            kept.append(f"{shell[1]}pass" if shell else line)
        tree = None if source.lstrip().startswith("%%") else _parsed("\n".join(kept))
    if tree is None:
        yield "code_unread", 1
        return
    nodes = list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name, stands_for in _imported(node):
                aliases[name] = stands_for
                yield from [("code_dynamic", node.lineno)] if name == "*" else _named(stands_for, node.lineno)
    for node in nodes:
        yield from _looked_at(node, aliases)


def _parsed(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of an escape is not ours to say
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The name in the notebook, and the dotted name it stands for."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, f"{node.module or ''}.{alias.name}"
        elif alias.asname:
            yield alias.asname, alias.name
        else:
            yield alias.name.partition(".")[0], alias.name.partition(".")[0]
            yield alias.name, alias.name


def _looked_at(node: ast.AST, aliases: dict[str, str]) -> Iterator[tuple[str, int]]:
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            yield from _named(aliases.get(name, name), node.lineno)
        case ast.Attribute(attr=attr):
            yield from _named(_dotted(node, aliases), node.lineno)
            if attr in _METHOD_RULES:
                yield _METHOD_RULES[attr], node.lineno
            if attr.startswith("__") and attr.endswith("__") and attr not in _EVERYDAY:
                yield "code_inside", node.lineno
        case ast.Constant(value=str(text)):
            if _PATH.match(text):
                yield "code_file", node.lineno
            elif _ADDRESS.match(text):
                yield "code_network", node.lineno


def _dotted(node: ast.Attribute, aliases: dict[str, str]) -> str:
    """`a.b.c` as text, aliases followed; "" where it does not begin with a name."""
    parts: list[str] = []
    here: ast.expr = node
    while isinstance(here, ast.Attribute) and len(parts) < 8:
        parts.append(here.attr)
        here = here.value
    if not isinstance(here, ast.Name):
        return ""
    return ".".join([aliases.get(here.id, here.id), *reversed(parts)])


def _named(dotted: str, line: int) -> Iterator[tuple[str, int]]:
    """The rule about a dotted name: its own, or that of what it lies under."""
    parts = dotted.split(".")
    for length in range(1, len(parts) + 1):
        rule = _RULES.get(".".join(parts[:length]))
        if rule is not None:
            yield rule, line
            return
    if dotted.startswith(_FAMILIES):
        yield "code_process", line
