"""Write the pages of ``docs`` that say what the program does, from the data it does it by.

Run ``python docs/generate.py``; a test holds the pages equal to what this script writes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bidsanon.findings import finding_codes
from bidsanon.profile import bundled_profiles, load_profile


def pages() -> dict[str, str]:
    """Return the text of every generated page, by file name."""
    profiles = {f"profile_{name}.md": profile_page(name) for name in bundled_profiles()}
    return {"findings.md": findings_page(), **profiles}


def findings_page() -> str:
    """Return the page of everything that a check can say."""
    lines = [
        "# Findings",
        "",
        "What the checks of bidsanon can say. An error stops the session; a warning is published",
        "and wants a person's look; an info is worth knowing. Words in braces are filled in.",
        "",
        "| code | gate | severity | meaning | what to do |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{c.code}` | {c.gate} | {c.severity} | {_cell(c.meaning)} | {_cell(c.cure)} |"
        for c in finding_codes().values()
    ]
    return "\n".join(lines) + "\n"


def profile_page(name: str) -> str:
    """Return the page of what one profile does to each attribute."""
    profile = load_profile(name)
    lines = [
        f"# The profile `{name}`",
        "",
        profile.description,
        "",
        f"Options of PS3.15 Table E.1-1: {', '.join(sorted(profile.options)) or 'none'}.",
        f"Modalities: {', '.join(sorted(profile.modalities))}.",
        "",
        "An attribute that is not in the table, and that the standard knows, is kept; private",
        "attributes are decided one by one, by their creator.",
        "",
        "| tag | attribute | action | what happens | because of |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.tag} | {_cell(row.name)} | {row.action} | {_cell(row.happens)} "
        f"| {_cell(row.reason or row.option or 'the basic profile')} |"
        for row in profile.describe()
    ]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def main() -> None:
    """Write the pages into a folder, by default this one."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--into", type=Path, default=Path(__file__).parent)
    into = parser.parse_args().into
    for name, text in pages().items():
        (into / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
