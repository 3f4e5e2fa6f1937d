"""Tab-separated tables without quoting."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidsanon.bids.tables import TableError, open_table, read_table, write_table

CELLS = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\t\r\n"), min_size=1
).filter(lambda cell: cell == cell.strip())


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5))
def test_what_is_written_is_read_back(pairs: list[tuple[str, str]]) -> None:
    rows = [{"a": first, "b": second} for first, second in pairs]

    assert list(read_table(write_table(("a", "b"), rows)).rows) == rows


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read_and_lf_is_written(line_end: str) -> None:
    table = read_table(line_end.join(["a\tb", "1\t2", ""]))

    assert write_table(table.columns, table.rows) == "a\tb\n1\t2\n"


def test_quotation_marks_and_odd_separators_are_ordinary_characters() -> None:
    text = 'a\tb\n"x\ty\u2028z\n'

    assert read_table(text).rows == ({"a": '"x', "b": "y\u2028z"},)


def test_empty_and_missing_cells_become_not_available() -> None:
    assert read_table("a\tb\n\t2\n").rows == ({"a": "n/a", "b": "2"},)
    assert write_table(("a", "b"), [{"b": "2"}, {"a": ""}]) == "a\tb\nn/a\t2\nn/a\tn/a\n"


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert read_table("\N{ZERO WIDTH NO-BREAK SPACE}a\n1\n").columns == ("a",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("a\ta\n", "one name twice"),
        ("a\t\n", "without a name"),
        ("a\tb\n1\t2\nsecret\n", "row 2 has 1 cells, the header 2"),
    ],
)
def test_what_is_no_table_is_refused_without_its_content(text: str, said: str) -> None:
    with pytest.raises(TableError, match=said) as refusal:
        read_table(text)
    assert "secret" not in str(refusal.value)


def test_a_cell_that_no_table_can_hold_is_refused() -> None:
    with pytest.raises(TableError, match="row 1"):
        write_table(("a",), [{"a": "one\ttwo"}])


def test_rows_come_one_by_one_so_that_a_wrong_one_is_told_when_it_is_reached() -> None:
    columns, rows = open_table("a\tb\n1\t2\n\n3\t4\n")
    assert columns == ("a", "b")
    assert next(rows) == {"a": "1", "b": "2"}
    with pytest.raises(TableError, match="row 2 has 1 cells"):
        next(rows)


@pytest.mark.parametrize("end", ["", "\n", "\n\n  \n", "\r\n\t\n", "\r"])
def test_empty_lines_at_the_end_are_no_rows(end: str) -> None:
    assert read_table(f"a\tb\n1\t{end}").rows == ({"a": "1", "b": "n/a"},)
