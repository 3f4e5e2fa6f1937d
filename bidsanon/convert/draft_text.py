"""Writes a drafted heuristic: how to change it, its rules one a line, and what makes them work.

The engine below the rules is the text of :mod:`bidsanon.convert.draft_engine`; what has to happen
after conversion is taken out of the heuristic that the draft follows, with all that it refers to.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Iterator, Sequence

from bidsanon.convert import draft_engine
from bidsanon.convert.draft_engine import Seen
from bidsanon.convert.drafting import DraftRule, Observation
from bidsanon.redaction import printable

_END_OF_RULES = "# --- end of the rules"
_TAKEN_OVER = ("custom_callable", "POPULATE_INTENDED_FOR_OPTS")
"""What heudiconv asks of a heuristic besides names and facts."""
_WIDEST = 48
_BECOMES = {
    "PDT2": "PDw and T2w",
    "phase1": "phase1 and phase2, with magnitude1 and magnitude2",
    "fieldmap": "fieldmap and magnitude",
    "magnitude": "magnitude1 and magnitude2",
}
"""What a name's end becomes where a series turns out to hold several images."""

_HEADER = '''"""Name the series of this lab's sessions.

Drafted by bidsanon {version} from one session; it is yours to change, with any text editor.

- To change a name, change the text after "bids": "func/task-rest_bold" stands for
  sub-01/func/sub-01_task-rest_bold.nii.gz (with the labels of the person and the session).
- To leave a series out, write "leave_out": "the reason" in the place of "bids": "the name", and
  the other way round to name what is left out.
- For a series that is called otherwise, copy a line and change what stands after "called"; an
  asterisk stands for any text ("ep2d_bold*"), and capitals are as good as small letters.
- The first rule that matches a series counts. Series of one name are numbered run-1, run-2, ...
  in the order in which they were acquired: leave run- out of the names.

Keep every quotation mark, bracket and comma. Then see what it does, and use it:

    bidsanon heuristic check {file} SOURCE
    bidsanon convert SOURCE -o DATASET -s 01 -f {file}

It needs heudiconv alone: heudiconv -f {file} --bids runs it too.
"""
'''
_BEFORE_RULES = """
# What a rule can ask for besides what a series is called; all that it asks for must hold:
#   "image_type": "M"              words of the image type; "image_type_without" for those it lacks
#   "echo_ms": 30.0                and "repetition_ms": 2000.0, within 5 %
#   "images_at_least": 100         and "images_at_most": how many images it has
#   "phase_encoding": "COL-"       the axis in the image and, on Siemens scanners, the sign
#   "plane": "sagittal"            or "coronal" or "transverse"
#   "size": "64x64"                rows and columns
#   "nth": 2                       the second of those that match
"""


def draft_text(rule_lines: Sequence[str], *, follows: str, version: str, file: str) -> str:
    """Write the heuristic.

    Parameters
    ----------
    rule_lines
        From :func:`rule_lines`: all that is not the same in every draft.
    follows
        The source of the heuristic that gave the names.
    version
        Of bidsanon.
    file
        The name of the file that it is written to.
    """
    engine = inspect.getsource(draft_engine)
    imports = engine[engine.index("import ast") : engine.index("RULES:")].strip().splitlines()
    machinery = engine[engine.index(_END_OF_RULES) :]
    more_imports, taken_over = _taken_over(follows, without="\n".join(imports))
    return "\n".join(
        [
            _HEADER.format(version=version, file=file).rstrip("\n"),
            "",
            "from __future__ import annotations",
            "",
            *sorted([*imports, *more_imports], key=lambda line: (line.startswith("from"), line)),
            _BEFORE_RULES.rstrip("\n"),
            "",
            "RULES = [",
            *(f"    {line}" for line in rule_lines),
            "]",
            "",
            machinery.rstrip("\n"),
            *taken_over,
            "",
        ]
    )


def rule_lines(
    rules: Sequence[DraftRule], *, notes: Sequence[str], clean: Callable[[str], str]
) -> list[str]:
    """Write each rule as one line, below a comment of what was seen.

    Parameters
    ----------
    rules
        From :func:`bidsanon.convert.drafting.draft_rules`.
    notes
        What else there is to say of the session, a line each.
    clean
        Takes what identifies out of a text.
    """
    firsts = [_pairs(rule)[0] for rule in rules]
    width = min(_WIDEST, max(map(len, firsts), default=0))
    lines = []
    for rule, first in zip(rules, firsts, strict=True):
        lines.append(f"# {_one_line(_comment(rule.observations, clean))}")
        lines.append("{" + " ".join([f"{first},".ljust(width + 1), *_rest(rule)]) + "},")
    return [*lines, *(f"# {_one_line(note)}" for note in notes)]


def _rest(rule: DraftRule) -> list[str]:
    *others, last = _pairs(rule)[1:]
    return [*(f"{pair}," for pair in others), last]


def _pairs(rule: DraftRule) -> list[str]:
    return [f'"{key}": {_literal(value)}' for key, value in rule.asked.items()]


def _literal(value: object) -> str:
    if not isinstance(value, str):
        return repr(value)
    return json.dumps(value, ensure_ascii=not value.isprintable())


def _comment(observations: Sequence[Observation], clean: Callable[[str], str]) -> str:
    indices = [index for one in observations for index in one.series[:1]]
    seen = dict.fromkeys(_what_was_seen(one.seen, clean) for one in observations)
    ending = observations[0].name.rpartition("/")[2].rpartition("_")[2]
    becomes = f"; {ending} becomes {_BECOMES[ending]}" if ending in _BECOMES else ""
    return f"series {', '.join(map(str, indices))}: {'; or '.join(seen)}{becomes}"


def _what_was_seen(seen: Seen, clean: Callable[[str], str]) -> str:
    words = [word for word in map(clean, seen.image_type) if word]
    parts = [
        seen.size,
        f"{seen.images} image{'s' if seen.images > 1 else ''}",
        f"TE {seen.echo_ms:g} ms" if seen.echo_ms else "",
        f"TR {seen.repetition_ms:g} ms" if seen.repetition_ms else "",
        seen.plane,
        f"phase {seen.phase_encoding}" if seen.phase_encoding else "",
        " ".join(words),
    ]
    return ", ".join(part for part in parts if part)


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())


def _taken_over(source: str, *, without: str) -> tuple[list[str], list[str]]:
    """Take definitions out of a module's source, with all that they refer to.

    Returns
    -------
    The imports that `without` lacks, and the definitions, as lines.
    """
    tree, source_lines = ast.parse(source), source.splitlines()
    places: dict[str, int] = {}
    for place, statement in enumerate(tree.body):
        places |= dict.fromkeys(_defined(statement), place)
    wanted: set[int] = set()
    names = [name for name in _TAKEN_OVER if name in places]
    while names:
        place = places[names.pop()]
        if place not in wanted:
            wanted.add(place)
            nodes = ast.walk(tree.body[place])
            names += [n.id for n in nodes if isinstance(n, ast.Name) and n.id in places]
    taken = [tree.body[place] for place in sorted(wanted)]
    used = {n.id for s in taken for n in ast.walk(s) if isinstance(n, ast.Name)}
    used -= {name for statement in ast.parse(without).body for name in _defined(statement)}
    imports, lines = [], []
    for statement in taken:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            statement.names = [a for a in statement.names if (a.asname or a.name) in used]
            imports += [ast.unparse(statement)] if statement.names else []
        else:
            decorators = getattr(statement, "decorator_list", [])
            begin = min(node.lineno for node in (statement, *decorators))
            lines += ["", "", *source_lines[begin - 1 : statement.end_lineno]]
    return imports, lines


def _defined(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name for alias in names)
        case ast.Assign() | ast.AnnAssign():
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
