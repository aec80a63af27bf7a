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
    found = []
    for page in tracked("*.md"):
        for target in LINK.findall(page.read_text("utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                found.append(f"{page.relative_to(ROOT)}: the link {target} leads nowhere")
    for source in tracked("*.py"):
        lines = len(source.read_text("utf-8").splitlines())
        if lines > MAX_LINES:
            found.append(f"{source.relative_to(ROOT)}: {lines} lines, the wall is {MAX_LINES}: split it by its nouns")
    return found


if __name__ == "__main__":
    problems = faults()
    print(*problems, sep="\n") if problems else print("docs and sizes: no faults")
    sys.exit(bool(problems))
