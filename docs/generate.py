"""Write the pages of ``docs`` that say what the program does, from the data it does it by.

Run ``python docs/generate.py``; a test holds the pages equal to what this script writes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from command_page import command_page
from conformance import conformance_page
from schema_page import schema_page

from bidsanon.findings import FindingCode, finding_codes
from bidsanon.profile import AttributeRow, Profile, bundled_profiles, load_profile

ROOT = Path(__file__).parents[1]

_BEGIN = "<!-- profiles: written by docs/generate.py -->\n"
_END = "<!-- profiles: end -->\n"
_ACTIONS = ("X", "Z", "D", "U", "C", "K")


def pages() -> dict[str, str]:
    """Return the text of every generated page, by its path below the project's root."""
    profiles = {f"docs/profile_{name}.md": profile_page(name) for name in bundled_profiles()}
    return {
        "README.md": with_block("README.md", profile_table()),
        "docs/commands.md": command_page(),
        "docs/conformance.md": conformance_page(),
        "docs/findings.md": findings_page(),
        "docs/private_attributes.md": private_page(),
        "docs/profiles.md": with_block("docs/profiles.md", counts_table()),
        "docs/schemas.md": schema_page(),
        **profiles,
    }


def with_block(page: str, lines: Iterable[str]) -> str:
    """Return a page of ``docs`` or the README with its generated block as the program has it."""
    before, _, rest = (ROOT / page).read_text("utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{chr(10).join(lines)}\n{_END}{after}"


def profile_table() -> Iterator[str]:
    """Yield the README's table of the profiles."""
    yield "| profile | what it is for | options |"
    yield "|---|---|---|"
    for profile in map(load_profile, bundled_profiles()):
        options = ", ".join(f"`{option}`" for option in sorted(profile.options)) or "none"
        page = f"[{profile.name}](docs/profile_{profile.name}.md)"
        yield f"| {page} | {profile.description} | {options} |"


def counts_table() -> Iterator[str]:
    """Yield the table of how many attributes each profile treats in which way."""
    yield f"| profile | {' | '.join(_ACTIONS)} | by Type | private kept | private cleaned |"
    yield "|---|" + "---|" * (len(_ACTIONS) + 3)
    for profile in map(load_profile, bundled_profiles()):
        standard, private = _counts(profile.describe()), _counts(profile.describe_private())
        by_type = sum(count for action, count in standard.items() if "/" in action)
        numbers = [*(standard[action] for action in _ACTIONS), by_type, private["K"], private["C"]]
        page = f"[{profile.name}](profile_{profile.name}.md)"
        yield f"| {page} | {' | '.join(map(str, numbers))} |"


def _counts(rows: Iterable[AttributeRow]) -> Counter[str]:
    return Counter(str(row.action) for row in rows if not row.happens.startswith("is written: "))


def findings_page() -> str:
    """Return the page of everything that a check can say."""
    lines = [
        "# Findings",
        "",
        "What the checks of bidsanon can say. An error stops the session; a warning is published",
        "and wants a person's look; an info is worth knowing. Words in braces are filled in. A lab",
        "may give a code another severity in [its own file](lab_file.md); what is fixed stays an",
        "error.",
        "",
        "| code | gate | severity | meaning | what to do |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{c.code}` | {c.gate} | {_severity(c)} | {_cell(c.meaning)} | {_cell(c.cure)} |"
        for c in finding_codes().values()
    ]
    return "\n".join(lines) + "\n"


def _severity(code: FindingCode) -> str:
    return f"{code.severity}, fixed" if code.fixed else str(code.severity)


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
        *_variations(profile),
        _unlisted(profile),
        "",
        "| tag | attribute | action | what happens | because of |",
        "|---|---|---|---|---|",
        *map(_attribute_line, profile.describe()),
        "",
        "## Private attributes",
        "",
        *_private(profile),
    ]
    return "\n".join(lines) + "\n"


def _variations(profile: Profile) -> Iterator[str]:
    if profile.variations:
        yield "What the other program calls a switch, and how it is given here:"
        yield ""
        yield "| switch | option of the command | what it does |"
        yield "|---|---|---|"
        for v in profile.variations:
            given = f"`{v.give}`" if v.give else "none"
            yield f"| {_cell(v.name)} | {given} | {_cell(v.reason)} |"
        yield ""


def _unlisted(profile: Profile) -> str:
    if profile.allow_list:
        return "An attribute that is not in the table is removed."
    return (
        "An attribute that is not in the table, and that the standard knows, is kept as far as it\n"
        "reads as its VR says and repeats nothing that the headers say elsewhere about person,\n"
        "staff, place and time. A date among these is treated as the table treats the dates of an\n"
        "acquisition."
    )


def _private(profile: Profile) -> Iterator[str]:
    if profile.retains_private:
        yield "They are decided one by one, by their creator: [the table](private_attributes.md)"
        yield "lists them. Every other one is removed, unless the file's own (0008,0300) says that"
        yield "it identifies nobody and its value bears that out."
        return
    rows = profile.describe_private()
    if not rows:
        yield "All are removed."
        return
    yield "These stay, in whatever block their creator has; all others are removed."
    yield ""
    yield "| attribute | action | what happens | because of |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {row.tag} | {row.action} | {_cell(row.happens)} | {_cell(row.reason)} |"


def private_page() -> str:
    """Return the page of the table of private attributes."""
    lines = [
        "# Private attributes",
        "",
        "What becomes of each private attribute that is known, where a profile retains safe",
        "private attributes: by its group, its creator and the last two digits of its element, in",
        "whatever block its creator has.",
        "",
        "| attribute | name | action | what happens | why |",
        "|---|---|---|---|---|",
        *(
            f"| {row.tag} | {_cell(row.name)} | {row.action} | {_cell(row.happens)} "
            f"| {_cell(row.reason)} |"
            for row in load_profile("bids").describe_private()
        ),
    ]
    return "\n".join(lines) + "\n"


def _attribute_line(row: AttributeRow) -> str:
    return (
        f"| {row.tag} | {_cell(row.name)} | {row.action} | {_cell(row.happens)} "
        f"| {_cell(row.reason or row.option or 'the basic profile')} |"
    )


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")


def main() -> None:
    """Write the pages below a folder, by default the project's root."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--into", type=Path, default=ROOT)
    into = parser.parse_args().into
    for name, text in pages().items():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
