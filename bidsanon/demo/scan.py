"""The protocol of a made-up scan: what was set at the scanner, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass

from bidsanon.demo.geometry import Grid


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The protocol of one series.

    Attributes
    ----------
    number
        Series number.
    protocol
        The name that the operator sees: protocol name and series description.
    image_type
        (0008,0008).
    grid
        Where the slices lie.
    start_s, duration_s
        When it starts, in seconds after the visit's start, and how long it takes.
    repetition_ms, echo_ms, inversion_ms, flip_degrees
        Its timing; no inversion where it is None.
    echo_number
        Which echo these images are.
    scanning_sequence, sequence_variant, sequence_name
        (0018,0020), (0018,0021), (0018,0024).
    sequence_file
        The sequence's program, as the scanner's own protocol names it.
    three_dimensional
        Whether a volume is excited as a whole.
    bandwidth_hz
        For each pixel along the readout.
    phase_along_rows
        Whether phase is encoded along the rows.
    phase_positive
        Whether phase is encoded towards higher rows or columns.
    echo_spacing_s
        Between the lines of an echo-planar readout; None for other sequences.
    acceleration
        In-plane acceleration factor.
    rescale
        Slope and intercept of the modality LUT, where there is one.
    """

    number: int
    protocol: str
    image_type: tuple[str, ...]
    grid: Grid
    start_s: float
    duration_s: float
    repetition_ms: float
    echo_ms: float
    flip_degrees: float
    scanning_sequence: tuple[str, ...]
    sequence_variant: tuple[str, ...]
    sequence_name: str
    sequence_file: str
    inversion_ms: float | None = None
    echo_number: int = 1
    three_dimensional: bool = False
    bandwidth_hz: float = 260.0
    phase_along_rows: bool = False
    phase_positive: bool = True
    echo_spacing_s: float | None = None
    acceleration: int = 1
    rescale: tuple[float, float] | None = None

    @property
    def phase_steps(self) -> int:
        """How many voxels lie along the phase-encoding direction."""
        return self.grid.shape[2 if self.phase_along_rows else 1]


@dataclass(frozen=True, kw_only=True)
class Diffusion:
    """The diffusion weighting of one volume.

    Attributes
    ----------
    b_value
        In s/mm²; 0 for none.
    direction
        The gradient's unit vector in patient coordinates (LPS+).
    """

    b_value: int
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def b_matrix(self) -> list[float]:
        """The six different elements of b times the direction's outer product."""
        x, y, z = self.direction
        return [self.b_value * part for part in (x * x, x * y, x * z, y * y, y * z, z * z)]


def phase_bandwidth_hz(scan: Scan) -> float:
    """Return the bandwidth of each pixel along the phase-encoding direction."""
    if scan.echo_spacing_s is None:
        raise ValueError(f"{scan.protocol} is not echo-planar")
    return round(scan.acceleration / (scan.echo_spacing_s * scan.phase_steps), 3)


def slice_times_ms(scan: Scan) -> list[float]:
    """Return when each slice of a volume is taken: interleaved, the odd places first.

    A scanner begins with the second slice where their number is even.
    """
    count = scan.grid.shape[0]
    first = 0 if count % 2 else 1
    order = [*range(first, count, 2), *range(1 - first, count, 2)]
    step = scan.repetition_ms / count
    times = [0.0] * count
    for turn, index in enumerate(order):
        times[index] = round(turn * step / 2.5) * 2.5
    return times
