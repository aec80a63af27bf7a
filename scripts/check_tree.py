"""What no linter checks: links in the docs lead somewhere, and no Python file is over 350 lines."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
MAX_LINES = 350


def tracked(pattern: str) -> list[Path]:
    """Files git knows or would add, matching a glob such as `*.md`."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern]
    found = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - a fixed command
    return [ROOT / line for line in found.stdout.splitlines() if (ROOT / line).exists()]


def faults() -> list[str]:
    """One sentence for each broken link and each file that is too long."""
    links = [(page, target) for page in tracked("*.md") for target in LINK.findall(page.read_text("utf-8"))]
    broken = [
        f"{page.relative_to(ROOT)}: the link {target} leads nowhere"
        for page, target in links
        if "://" not in target and not (page.parent / target).exists()
    ]
    sizes = [(source, len(source.read_text("utf-8").splitlines())) for source in tracked("*.py")]
    return broken + [
        f"{source.relative_to(ROOT)}: {lines} lines, the wall is {MAX_LINES}: split it by its nouns"
        for source, lines in sizes
        if lines > MAX_LINES
    ]


if __name__ == "__main__":
    problems = faults()
    print(*problems, sep="\n") if problems else print("docs and sizes: no faults")
    sys.exit(bool(problems))
