"""What would happen to a session: for ``--dry-run`` and ``inspect``. Nothing is written.

A few instances of each series are de-identified into a temporary folder that only its owner can
enter, since the heuristic must see what it would see in earnest, and that is gone afterwards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bidsanon.convert import (
    ConversionPlan,
    Heuristic,
    Judgement,
    PlannedSeries,
    headers_only,
    judge_names,
    plan_conversion,
    sample_positions,
)
from bidsanon.deidentify import Replacements, deidentify_session
from bidsanon.errors import GateRefusedError, PolicyError
from bidsanon.findings import Finding, errors, weighed
from bidsanon.ocr import text_reader
from bidsanon.pipeline.candidate import foresee_root
from bidsanon.pipeline.events import foresee_events
from bidsanon.pipeline.labels import label_findings
from bidsanon.pipeline.originals import plan_person, withhold_incomplete
from bidsanon.pipeline.provenance import published_before
from bidsanon.pipeline.record import describe_series
from bidsanon.pipeline.request import ConvertRequest, Policy, load_policy, require_replaceable
from bidsanon.pipeline.studies import choose_study
from bidsanon.pipeline.subjects import with_subject
from bidsanon.progress import Progress, Silent
from bidsanon.session import (
    DeidentifiedSeries,
    DeidentifiedSession,
    SourceSeries,
    SourceSession,
)
from bidsanon.source import SeriesFacts, read_source, series_facts
from bidsanon.vault import PersonPlan, Vault


@dataclass(frozen=True, kw_only=True)
class SessionPlan:
    """What would happen to a session.

    Attributes
    ----------
    request, policy
        What was asked for.
    source
        What was read; identified.
    deidentified
        A few instances of each series, for what may be shown of them. Their files are gone.
    conversion
        The proposed BIDS names.
    descriptions
        What each series is called, by its index, as it would be published.
    facts
        What may be shown besides of each series.
    judgements
        How sure what is proposed for each series is.
    findings
        What the gates would say, as far as can be told without converting.
    """

    request: ConvertRequest
    policy: Policy
    source: SourceSession
    deidentified: DeidentifiedSession
    conversion: ConversionPlan
    descriptions: Mapping[int, str]
    facts: tuple[SeriesFacts, ...]
    judgements: tuple[Judgement, ...]
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0, or 4 where a gate would refuse."""
        return GateRefusedError.exit_code if errors(self.findings) else 0


@dataclass(frozen=True, kw_only=True)
class SampledSession:
    """A session of which a few instances of each series are de-identified, for as long as it lasts.

    Attributes
    ----------
    request
        What was asked for, and for whom.
    policy
        The profile and the heuristic that were asked for.
    source
        What was read; identified.
    deidentified
        The samples, under the names that they would have among all of a series' files.
    clean
        Cleans a text as descriptors are cleaned.
    scratch
        A folder that is gone afterwards.
    uid_key
        The vault's key of UID replacement.
    """

    request: ConvertRequest
    policy: Policy
    source: SourceSession
    deidentified: DeidentifiedSession
    clean: Callable[[str], str]
    scratch: Path
    uid_key: bytes = field(repr=False)

    def plan(self) -> SessionPlan:
        """Ask the heuristic for names, and convert nothing."""
        source, deidentified = self.source, self.deidentified
        descriptions = describe_series(deidentified)
        with ThreadPoolExecutor(max_workers=1) as pool:
            asked = pool.submit(self._ask, self.policy.heuristic, "heudiconv")
            by_headers = self._by_headers()
            conversion = asked.result()
        return SessionPlan(
            request=self.request,
            policy=self.policy,
            source=source,
            deidentified=deidentified,
            conversion=conversion,
            descriptions=descriptions,
            facts=tuple(_may_be_shown(series_facts(s), self.clean) for s in source.series),
            judgements=tuple(
                judge_names(
                    one,
                    by_headers.get(one.series_index),
                    description=descriptions.get(one.series_index, ""),
                )
                for one in conversion.series
            ),
            findings=weighed(
                (
                    *source.findings,
                    *published_before(source, self.request, uid_key=self.uid_key),
                    *deidentified.findings,
                    *label_findings(self.request.place, deidentified.identity),
                    *conversion.findings,
                    *foresee_events(self.policy.events, _named(conversion)),
                ),
                self.policy.profile.severities,
            ),
        )

    def _by_headers(self) -> dict[int, PlannedSeries]:
        """Return what the headers alone make of each series; nothing where they cannot be asked."""
        try:
            plan = self._ask(headers_only(), "headers")
        except PolicyError:
            return {}
        return {series.series_index: series for series in plan.series}

    def _ask(self, heuristic: Heuristic, name: str) -> ConversionPlan:
        return plan_conversion(
            self.deidentified,
            heuristic=heuristic,
            subject=self.request.place.subject,
            session=self.request.place.session,
            work=self.scratch / name,
        )


def plan_session(request: ConvertRequest, *, progress: Progress) -> SessionPlan:
    """Find out what :func:`bidsanon.pipeline.convert.convert` would do, and write nothing.

    Raises
    ------
    BidsanonError
        Where ``convert`` would raise it before its first gate.
    """
    with sampled_session(request, progress=progress) as sampled:
        plan = sampled.plan()
    profile = plan.policy.profile
    foreseen = foresee_root(plan.request.place.dataset, profile.dataset)
    return replace(plan, findings=(*plan.findings, *weighed(foreseen, profile.severities)))


@contextmanager
def sampled_session(request: ConvertRequest, *, progress: Progress) -> Iterator[SampledSession]:
    """De-identify a few instances of each series into a folder that is gone afterwards.

    Raises
    ------
    BidsanonError
        Where ``convert`` would raise it before its first gate.
    """
    policy = load_policy(request)
    if request.place.subject:
        require_replaceable(request)
    with _scratch() as scratch:
        source = read_source(
            request.sources,
            unpack_into=scratch / "source",
            modalities=policy.profile.modalities,
            progress=progress,
            reader=text_reader(threads=request.options.jobs),
        )
        request = with_subject(request, source, preview=True)
        source = choose_study(source, request.study)
        require_replaceable(request)
        if request.options.withhold:
            source = withhold_incomplete(source)
        person = _person(request, source)
        deidentified = _samples(request, policy, source, scratch, person)
        yield SampledSession(
            request=request,
            policy=policy,
            source=source,
            deidentified=deidentified,
            clean=Replacements(person, known=deidentified.identity).descriptor,
            scratch=scratch,
            uid_key=person.uid_key,
        )


def _person(request: ConvertRequest, source: SourceSession) -> PersonPlan:
    with Vault.preview(request.private, passphrase_file=request.options.passphrase_file) as vault:
        return plan_person(source, vault, subject=request.place.subject)


def _named(conversion: ConversionPlan) -> Iterator[str]:
    for series in conversion.series:
        yield from series.names


def _may_be_shown(facts: SeriesFacts, clean: Callable[[str], str]) -> SeriesFacts:
    """Clean the image type: a scanner lets a site write into it what it likes."""
    return replace(facts, image_type=tuple(map(clean, facts.image_type)))


def _samples(
    request: ConvertRequest,
    policy: Policy,
    source: SourceSession,
    scratch: Path,
    plan: PersonPlan,
) -> DeidentifiedSession:
    sampled = replace(source, series=tuple(_sampled(s) for s in source.series))
    staged = deidentify_session(
        sampled,
        profile=policy.profile,
        plan=plan,
        folder=scratch / "dicom",
        jobs=request.options.jobs,
        progress=Silent(),
    )
    whole = tuple(map(_in_whole_series, staged.series, source.series))
    return replace(staged, source=source, series=whole)


def _sampled(series: SourceSeries) -> SourceSeries:
    positions = sample_positions(len(series.instances))
    return replace(series, instances=tuple(series.instances[p] for p in positions))


def _in_whole_series(staged: DeidentifiedSeries, whole: SourceSeries) -> DeidentifiedSeries:
    """Give the samples the names that they would have among all of the series' files."""
    count = len(whole.instances)
    files = [staged.folder / f"whole-{number:06d}.dcm" for number in range(1, count + 1)]
    for sample, position in zip(staged.files, sample_positions(count), strict=True):
        sample.rename(files[position])
    return replace(staged, source=whole, files=tuple(files))


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bidsanon-") as name:
        yield Path(name)
