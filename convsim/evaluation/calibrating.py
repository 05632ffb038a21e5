"""Tries the validators out: other people, whom they must let pass, and adversaries, whom they must catch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from convsim._async import in_a_thread, outside_loops, stop_if_left
from convsim._progress import step
from convsim.errors import InputError
from convsim.evaluation.adversaries import Adversary, find_adversaries
from convsim.evaluation.calibration import Calibration, Trial
from convsim.evaluation.on_ray import on_engine
from convsim.evaluation.scorecard import MadeBy, Scorecard, SideSummary
from convsim.evaluation.side_warnings import refuse_simulated_people
from convsim.evaluation.sides import Selection, Side
from convsim.evaluation.validation import default_validators, find_validators, judge
from convsim.io import Source
from convsim.io.provenance import own_version
from convsim.lifting import AnnotatorLike, ValidatorLike
from convsim.metrics import MetricLike, Metrics, find_metrics
from convsim.plugins import installed, make
from convsim.schema import FAILING, Validator
from convsim.schema.conversation import Conversation
from convsim.schema.units import independent_unit
from convsim.seeds import child_seed, generator

SIZES = (100, 200, 400)
FEWEST = 8
"""People a side, below which no validator says anything."""
MOST_RUNS = 1_000


@outside_loops
def calibrate(
    real: Source,
    *,
    seed: int,
    sizes: Iterable[int] = SIZES,
    n_runs: int = 2,
    n_null_runs: int = 10,
    adversaries: Iterable[str] | None = None,
    validators: str | ValidatorLike | Iterable[str | ValidatorLike] | None = None,
    metrics: MetricLike | Iterable[MetricLike] | Metrics | None = None,
    annotator: str | AnnotatorLike | None = None,
    on_trial: Callable[[Trial], None] = lambda trial: None,
    engine: str = "local",
    address: str | None = None,
) -> Calibration:
    """Draw disjoint groups of people, make adversaries of one group, and hold them against another.

    In each run ``n`` people are judged against, and of ``n`` others all adversaries are made; one conversation of each
    person takes part. What is drawn depends on the seed, the number and the run alone, and on no other adversary.

    Args:
        real: The people's conversations.
        seed: Random seed.
        sizes: Numbers of people a side; one that would need more people than there are is left out with a warning.
        n_runs: How often each adversary is tried with each number.
        n_null_runs: How often other people are, whom nothing may catch: a rate of errors needs more runs than a catch.
        adversaries: Their names; all by default. Other people are always tried.
        validators: As ``validate`` has them; by default those of the default card, and those that must catch one of
            the adversaries where they are installed.
        metrics: As ``validate`` has them.
        annotator: Labels all conversations first, so that acts and experience are judged too.
        on_trial: Told of each trial when it is over.
        engine: "local", or "ray": each validator, and what is long within it, is a task of a Ray cluster. What is found
            is the same.
        address: ``HOST:PORT`` of a Ray cluster that this machine has joined; without one, one is started here, and
            stopped in the end.

    Raises:
        InputError: The people cannot be read, are simulated or are too few for every size; or there is no such
            adversary, size or number of runs; or an event loop is running already: there it is
            ``await convsim.acalibrate(…)``.
        PluginError: No such validator.
        MissingExtraError: Ray is wanted, and is not installed.
        ConvsimError: The Ray cluster cannot be used, or lost a part of the work time and again.
    """
    asked = find_adversaries(adversaries)
    chosen = find_validators(validators if validators is not None else needed_validators(asked))
    measured = find_metrics(metrics)
    wanted = _checked(sizes, n_runs, n_null_runs)
    side = Side.of(real, "real", Selection())
    refuse_simulated_people(side.conversations, [])
    people = _by_person(side.labelled_by(annotator, "real").conversations)
    fitting = [n for n in wanted if 2 * n <= len(people)]
    warnings = [*side.warnings, *_left_out(wanted, len(people))]
    if not fitting:
        raise InputError(
            f"too few people, {len(people):,}: {wanted[0]} a side need {2 * wanted[0]:,}, half of them to be judged "
            f"against, half to make adversaries of; name a smaller number with --sizes"
        )
    bench = _Bench(people, chosen, seed, measured, annotator)
    trials = []
    with on_engine(engine, address), step("trying adversaries", len(fitting) * len(asked)) as at:
        for n in fitting:
            for adversary in asked:
                at.at(now=f"{adversary.name}, {n} a side")
                trials.append(bench.trial(adversary, n, n_runs if adversary.caught_by else n_null_runs))
                at.advance()
                on_trial(trials[-1])
    return Calibration(
        real=SideSummary.of(side.conversations, path=side.summary.path, sha256=side.summary.sha256),
        n_people=len(people),
        seed=seed,
        n_runs=n_runs,
        validators=tuple(validator.name for validator in chosen),
        sizes=tuple(fitting),
        made_by=MadeBy(convsim=own_version()),
        warnings=tuple(warnings),
        trials=tuple(trials),
        failed=tuple(bench.failed),
    )


acalibrate = in_a_thread(calibrate)


class _Bench:
    """Holds simulators against people, and keeps what validators raised."""

    def __init__(
        self,
        people: Sequence[Sequence[Conversation]],
        validators: Sequence[Validator],
        seed: int,
        metrics: Metrics | None,
        annotator: str | AnnotatorLike | None,
    ) -> None:
        self.people, self.validators, self.seed, self.metrics = people, validators, seed, metrics
        self.annotator = make("annotators", annotator) if isinstance(annotator, str) else annotator
        self.failed: dict[str, None] = {}

    def trial(self, adversary: Adversary, n: int, n_runs: int) -> Trial:
        """Try one adversary so many times."""
        caught: Counter[str] = Counter()
        by_any = failing = 0
        with step("runs", n_runs, unit="runs") as at:
            for run in range(n_runs):
                judged, others = self._drawn(n, run)
                source = judged if adversary.made_of == "judged" else others
                made = adversary.simulate(source, seed=child_seed(self.seed, "made", n, run))
                if reason := adversary.unfit(source, made):
                    return _trial(adversary, n, 0, left_out=reason)
                card = self._card(judged, made, child_seed(self.seed, "card", n, run))
                names = {f.validator for f in card.failing("different")}
                caught.update(names)
                by_any += bool(names)
                failing += any(h.name == "all" and h.verdict in FAILING for h in card.headlines)
                at.advance()
        return _trial(
            adversary, n, n_runs, caught=dict(sorted(caught.items())), by_any=by_any, failing=failing
        )

    def _drawn(self, n: int, run: int) -> tuple[list[Conversation], list[Conversation]]:
        """Draw the people who are judged against and the others, and one conversation of each."""
        rng = generator(self.seed, "people", n, run)
        order = rng.permutation(len(self.people))[: 2 * n]
        drawn = [self.people[int(at)][int(rng.integers(len(self.people[int(at)])))] for at in order]
        return drawn[:n], drawn[n:]

    def _card(self, judged: Sequence[Conversation], made: Sequence[Conversation], seed: int) -> Scorecard:
        stop_if_left()
        real, simulated = (Side(c, SideSummary.of(c, path=None, sha256=None), ()) for c in (judged, made))
        simulated = simulated.labelled_by(self.annotator, "simulated")
        card = judge(real, simulated, self.validators, seed=seed, metrics=self.metrics)
        self.failed.update(dict.fromkeys(f"{f.validator}: {f.reason}" for f in card.failed))
        return card


def _trial(
    adversary: Adversary, n: int, n_runs: int, *, caught: dict[str, int] | None = None, by_any: int = 0,
    failing: int = 0, left_out: str = "",
) -> Trial:  # fmt: skip
    return Trial(
        adversary=adversary.name,
        line=adversary.line,
        n=n,
        n_runs=n_runs,
        must_catch=adversary.caught_by,
        caught=caught or {},
        caught_by_any=by_any,
        failing_headline=failing,
        left_out=left_out,
    )


def needed_validators(adversaries: Sequence[Adversary]) -> list[str]:
    """Name the validators of the default card, and those that must catch one of the adversaries."""
    default = default_validators()
    needed = {name for adversary in adversaries for name in adversary.caught_by}
    return [*default, *(name for name in installed("validators") if name in needed and name not in default)]


def _checked(sizes: Iterable[int], *runs: int) -> list[int]:
    wanted = sorted(set(sizes))
    if not wanted or wanted[0] < FEWEST:
        few = f"{wanted[0]} is too small" if wanted else "there is none"
        raise InputError(f"sizes are numbers of people a side, {FEWEST} or more, but {few}")
    for n in runs:
        if not 1 <= n <= MOST_RUNS:
            raise InputError(f"the number of runs must be between 1 and {MOST_RUNS:,}, but is {n}")
    return wanted


def _by_person(conversations: Sequence[Conversation]) -> list[list[Conversation]]:
    """Put conversations of one user together; who is who does not depend on their order in the file."""
    units: dict[str, list[Conversation]] = defaultdict(list)
    for conversation in conversations:
        units[independent_unit(conversation)].append(conversation)
    together = (sorted(each, key=lambda c: (c.fingerprint, c.id)) for each in units.values())
    return sorted(together, key=lambda each: (each[0].fingerprint, each[0].id))


def _left_out(wanted: Sequence[int], n_people: int) -> Iterator[str]:
    for n in wanted:
        if 2 * n > n_people:
            yield f"{n} a side is left out: it needs {2 * n:,} people, and there are {n_people:,}"
