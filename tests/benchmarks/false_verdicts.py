"""How often is each kind of verdict false that once was? The numbers that tests/calibration holds to their limits.

    python -m tests.benchmarks.false_verdicts [ROW ...] [--runs 40]

Populations are made up. How often cards of real people differ says ``tests.benchmarks.null_cards``.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

import numpy as np

from convsim.schema import Finding
from convsim.schema.persona import Persona
from convsim_validators import Copies, HumanLikeness, Marginals
from tests.calibration import test_humanlikeness_calibration as talk
from tests.calibration import test_marginals_calibration as columns
from tests.calibration import test_transitions_calibration as chains
from tests.calibration import test_unit_sizes_calibration as sized
from tests.corpora import corpus
from tests.made_up_talk import Messages, one_word, swapped
from tests.made_up_talk import side as talkers
from tests.made_up_talk import talk as said

Rows = Iterator[tuple[str, object]]
ALPHA = 0.05


def rate(found: Sequence[bool]) -> str:
    return f"{sum(found)} of {len(found)} ({np.mean(found):.3f})"


def rejected(findings: Sequence[Finding]) -> str:
    return rate([f.p_value is not None and f.p_value <= ALPHA for f in findings])


def personas(runs: int) -> Rows:
    """Units of one conversation against units of several (intraclass correlation .5): users or personas."""
    n_cards = max(1, runs // 4)
    for sizes in (((240, 1), (60, 4)), *sized.SIZES):
        found = sized.cards(sizes, n_cards)
        single = [f for card in found for f in card if f.metric != "all_metrics"]
        name = " v. ".join(f"{n} x {each}" for n, each in sizes)
        yield f"marginals, {name}: p <= .05", rejected(single)
        covered = [f.interval is not None and f.interval[0] <= 0 <= f.interval[1] for f in single]
        yield "  the interval covers 0", rate(covered)
        yield (
            "  cards with any different",
            rate([any(f.verdict == "different" for f in card) for card in found]),
        )
    words = []
    for seed in range(runs):
        rng = np.random.default_rng([3, seed])
        people, others = talk.own_words(rng, 40, 1), talk.own_words(rng, 20, 2)
        of = [Persona(id=f"p{i}", need=f"n{i}") for i in range(20) for _ in range(2)]
        sides = (
            corpus({}, texts=[t for own in people for t in own], prefix="r"),
            corpus({}, texts=[t for own in others for t in own], prefix="s", personas=of),
        )
        words.append(talk.words_alone(sides, seed))
    yield "words, 40 people v. 20 personas x 2: p <= .05", rate([p <= ALPHA for p, _ in words])
    yield "  mean AUC", f"{np.mean([auc for _, auc in words]):.3f}"


def shared_texts(runs: int) -> Rows:
    """Half of both sides says one of 150 short things, at sizes of 2,000 and 400."""
    common = [f"{thing} number {i}" for i in range(50) for thing in ("boots", "a coat", "jeans")]
    for sizes in ((2000, 400), (400, 2000)):
        found = []
        for seed in range(max(1, runs // 4)):
            rng = np.random.default_rng([22, seed, *sizes])
            sides = []
            for prefix, n in zip("rs", sizes, strict=True):
                texts = [str(rng.choice(common)) if rng.random() < 0.5 else t for t in talk.texts(rng, n)]
                words = {"x": np.asarray([len(t.split()) + rng.normal() for t in texts])}
                sides.append(corpus(words, texts=texts, prefix=prefix))
            found.append(HumanLikeness(n_resamples=99).validate(*sides, seed=seed))
        for place, name in enumerate(("hls", "hls_length_matched", "hls_behaviour")):
            these = [card[place] for card in found]
            aucs = [float(str(f.details["auc"])) for f in these if "auc" in f.details]
            yield (
                f"{name}, {sizes[0]:,} v. {sizes[1]:,}: p <= .05; mean AUC",
                f"{rejected(these)}; {np.mean(aucs):.3f}",
            )


def scenarios(runs: int) -> Rows:
    """A word in 90 % of simulated conversations, where both sides met the same tasks and where they did not."""
    for giveaway in (0.0, 0.9):
        for shared in (True, False):
            found = [
                talk.words_alone(
                    talk.scenario_sides(np.random.default_rng([5, s]), shared=shared, giveaway=giveaway), s
                )
                for s in range(runs)
            ]
            yield (
                f"giveaway {giveaway}, {'shared' if shared else 'other'} tasks: p <= .05; mean AUC",
                f"{rate([p <= ALPHA for p, _ in found])}; {np.mean([auc for _, auc in found]):.3f}",
            )


def lone_difference(runs: int) -> Rows:
    """One of 51 or 301 metrics that differs wholly (KS 1.0), 500 a side."""
    for n_metrics in (51, 301):
        verdicts = []
        for seed in range(max(1, runs // 20)):
            rng = np.random.default_rng([24, seed])
            sides = [rng.standard_normal((500, n_metrics)) for _ in range(2)]
            sides[1][:, 0] += 100
            both = [
                corpus({f"x{i}": values[:, i] for i in range(n_metrics)}, prefix=p)
                for p, values in zip("rs", sides, strict=True)
            ]
            judged = Marginals().validate(*both, seed=seed)
            verdicts.append(next(f for f in judged if f.metric == "x0"))
        yield (
            f"one of {n_metrics} metrics at KS 1.0: different; adjusted p",
            f"{rate([f.verdict == 'different' for f in verdicts])}; {max(f.p_adjusted or 1 for f in verdicts):.3f}",
        )


def transitions(runs: int) -> Rows:
    """Coverage of the 95 % interval of the transition distance."""
    for n in (100, 250):
        for distance, weight in chains.MIXED.items():
            true = chains.truth(weight) if distance else 0.0
            limits = [each.confidence_limits(0.95) for each in chains.runs(weight, n, runs)]
            yield (
                f"act_transitions, {n} a side, at {true:.3f}: covered",
                rate([low <= true <= high for low, high in limits]),
            )


def seeds(runs: int) -> Rows:
    """Verdicts of human-likeness over ten seeds, and over orders of lines."""
    flips = of = moved = 0
    for more in np.linspace(0, 3, max(2, runs // 8)):
        rng = np.random.default_rng([12, int(10 * more)])
        real, simulated = (
            corpus({"x": rng.normal(size=80)}, texts=talk.texts(rng, 80, extra), prefix=prefix)
            for prefix, extra in (("r", 0.0), ("s", more))
        )
        cards = [HumanLikeness(n_resamples=199).validate(real, simulated, seed=seed) for seed in range(10)]
        for view in range(3):
            verdicts = [card[view].verdict for card in cards]
            flips += len(verdicts) - max(map(verdicts.count, verdicts))
            of += len(verdicts)
        turned = simulated.take(rng.permutation(80))
        again = HumanLikeness(n_resamples=199).validate(real, turned, seed=0)
        moved += sum(
            (a.estimate, a.p_value) != (b.estimate, b.p_value) for a, b in zip(cards[0], again, strict=True)
        )
    yield "verdicts that another seed flips", f"{flips} of {of}"
    yield "estimates or p-values that another order of lines moves", f"{moved} of {of * 3 // 30}"


def copies(runs: int) -> Rows:
    """People with one word swapped, other people, and what ``aligned`` is worth where one in ten repeats another."""
    n = max(1, runs // 2)

    def near(rng: np.random.Generator, n: int, n_swapped: int) -> tuple[list[Messages], list[Messages]]:
        texts = said(rng, n)
        return texts, swapped(rng, texts[:n_swapped], one_word(rng))

    cases: dict[str, Callable[[np.random.Generator], tuple[list[Messages], list[Messages]]]] = {
        "other people": lambda rng: (said(rng, 80), said(rng, 80)),
        "copies, one word swapped": lambda rng: near(rng, 80, 80),
        "a tenth repeats another": lambda rng: (said(rng, 80), [*chain.from_iterable(near(rng, 72, 8))]),
    }
    for name, case in cases.items():
        found = []
        for run in range(n):
            real, simulated = case(np.random.default_rng([26, run]))
            sides = talkers(real, "r"), talkers(simulated, "s")
            found.append({f.metric: f.verdict for f in Copies(n_resamples=199).validate(*sides, seed=run)})
        for metric in ("near_copies", "diversity"):
            verdicts = [card[metric] for card in found]
            yield f"{name}: {metric}", {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))}


def n_to_decide(runs: int) -> Rows:
    """What is told at 100 a side where the populations are one, and how often it shows that they are."""
    draws: dict[str, Callable[[np.random.Generator, int, bool], np.ndarray]] = {
        "normal": columns.normal(0), "turns": columns.turns, "binary": columns.binary, "seldom": columns.seldom,
    }  # fmt: skip
    for name, draw in draws.items():
        undecided = [f for f in columns.findings(draw, 100, 100, n_corpora=2) if f.verdict == "undecided"]
        told = [f.details["n_to_decide"]["real"] for f in undecided if f.details.get("n_to_decide")]
        if not told:
            yield f"{name}: told", f"none of {len(undecided)}"
            continue
        n = int(np.median(told))
        found = columns.findings(draw, n, n, n_corpora=max(1, runs // 10))
        yield f"{name}: median told; aligned then", f"{n}; {rate([f.verdict == 'aligned' for f in found])}"


ROWS: dict[str, Callable[[int], Rows]] = {
    "personas": personas, "shared_texts": shared_texts, "scenarios": scenarios, "lone_difference": lone_difference,
    "transitions": transitions, "seeds": seeds, "copies": copies, "n_to_decide": n_to_decide,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS], default=[], help="all by default")
    parser.add_argument("--runs", type=int, default=40)
    asked = parser.parse_args()
    for name in asked.rows or ROWS:
        print(f"{name}: {ROWS[name].__doc__}", flush=True)
        for what, value in ROWS[name](asked.runs):
            print(f"  {what}: {value}", flush=True)


if __name__ == "__main__":
    main()
