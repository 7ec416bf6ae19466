"""List every refusal and message in docs/reference/messages.md, from the catalogue itself.

python docs/list_words.py           write the page
python docs/list_words.py --check   exit 1 when the page is not what the catalogue says
"""

from __future__ import annotations

import sys
from pathlib import Path

from domicile.wire.words import catalogue

PAGE = Path(__file__).parent / "reference" / "messages.md"
HEAD = """# Messages

Every sentence people are shown, from the one catalogue (`src/domicile/wire/words/`). Written by `docs/list_words.py`;
`make check` compares. Exit codes: 2 malformed input, 3 refused, 4 not found, 5 tampered, 6 our own failure, 78 no wall.

| code | English | 中文 |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    lines = []
    for code, words in sorted(catalogue().items()):
        cells = [words[lang].replace("|", "\\|").replace("\n", " ") for lang in ("en", "zh")]
        lines.append(f"| `{code}` | {cells[0]} | {cells[1]} |")
    return HEAD + "\n".join(lines) + "\n"


def main() -> None:
    if "--check" in sys.argv:
        sys.exit(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
