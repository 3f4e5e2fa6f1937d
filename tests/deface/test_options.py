"""What is asked of defacing: what goes together, and what is refused before anything is read."""

from __future__ import annotations

import pytest

from bidsanon.deface.options import (
    USUAL,
    Also,
    DefaceOptions,
    Faces,
    require_options,
)
from bidsanon.errors import UsageError


def test_nothing_asked_is_the_whole_face_by_the_embedded_engine() -> None:
    assert require_options(USUAL) == DefaceOptions(engine="auto", faces=Faces.WHOLE)


def test_a_reason_is_written_in_one_line() -> None:
    asked = DefaceOptions(engine="none", because="  consent\n for  faces ")
    assert require_options(asked).because == "consent for faces"


@pytest.mark.parametrize(
    "because", ["", "   ", "...", "17", "a bell \x07", "x" * 301], ids=lambda text: text[:3]
)
def test_faces_stay_only_for_a_reason(because: str) -> None:
    with pytest.raises(UsageError) as refused:
        require_options(DefaceOptions(engine="none", because=because))
    assert refused.value.cure


@pytest.mark.parametrize(
    "options",
    [
        DefaceOptions(engine="nonsense"),
        DefaceOptions(because="consent"),
        DefaceOptions(engine="none", because="consent", keep_ears=True),
        DefaceOptions(engine="none", because="consent", masks=True),
        DefaceOptions(engine="none", because="consent", faces=Faces.PYDEFACE),
        DefaceOptions(engine="none", because="consent", also=frozenset({Also.DWI})),
    ],
    ids=["engine", "reason", "ears", "masks", "faces", "also"],
)
def test_what_contradicts_itself_is_refused(options: DefaceOptions) -> None:
    with pytest.raises(UsageError):
        require_options(options)
