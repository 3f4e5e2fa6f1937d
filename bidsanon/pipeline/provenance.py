"""Which series each published image came from, and whether a scan is published already.

Told in UIDs that replace those of the scanner: whoever has the vault finds the original series, and
nobody else does.
"""

from __future__ import annotations

from bidsanon.audit import ImageOrigin
from bidsanon.dicom.uids import replace_uid
from bidsanon.findings import Finding, finding
from bidsanon.pipeline.request import ConvertRequest
from bidsanon.pipeline.run import Run
from bidsanon.publish import Ledger, published_elsewhere
from bidsanon.session import SourceSession


def image_origins(run: Run) -> dict[str, ImageOrigin]:
    """Say of each image that is published, by its path in the dataset, where it came from."""
    series = {one.index: one for one in run.source.series}
    withheld = set(run.defaced.withheld) if run.defaced else set()
    origins = {}
    for image in run.converted.images if run.converted else ():
        if image.path in withheld:
            continue
        ours = [series[index] for index in image.joined or (image.series_index,)]
        origins[image.path] = ImageOrigin(
            series=tuple(one.index for one in ours),
            numbers=tuple(one.series_number for one in ours),
            uids=tuple(replace_uid(one.series_instance_uid, key=run.uid_key) for one in ours),
        )
    return origins


def published_series(run: Run) -> tuple[str, ...]:
    """Return the UIDs that replace those of the series of which an image is published."""
    return tuple(sorted({uid for origin in image_origins(run).values() for uid in origin.uids}))


def published_before(
    source: SourceSession, request: ConvertRequest, *, uid_key: bytes
) -> tuple[Finding, ...]:
    """Say which other sessions of the dataset hold images of this source's series.

    Parameters
    ----------
    source
        What was read.
    request
        Where it is to go.
    uid_key
        The vault's key of UID replacement.
    """
    ledger = Ledger.read(request.private, request.place.dataset)
    if not ledger.additions:
        return ()
    uids = tuple(replace_uid(one.series_instance_uid, key=uid_key) for one in source.series)
    return tuple(
        finding("SCANS_PUBLISHED", location=name, count=count, session=name)
        for name, count in published_elsewhere(request.place, ledger, uids).items()
    )
