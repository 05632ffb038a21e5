"""What the hashed, streamed discriminator loses against the exact one, where both can be run: AUC, HLS, time.

    python tests/benchmarks/hashed_discriminator.py [--sizes 2500 5000 10000]

Texts of 31 words a conversation from a vocabulary of 4,000 with Zipf's weights; on the simulated side the weight of
each word is moved by a normal draw of the given strength, so that AUCs from .5 to nearly 1 are compared. Both
classifiers have the same rows, folds and seeds. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from convsim.stats.discriminator import Rows, cross_fit
from convsim.stats.scores import Scores, score
from convsim_validators.humanlikeness.features import words

VOCABULARY = 4_000
WORDS = 31


def texts(n: int, weights: np.ndarray, rng: np.random.Generator) -> list[str]:
    drawn = rng.choice(VOCABULARY, size=(n, WORDS), p=weights / weights.sum())
    return [" ".join(f"w{word}" for word in row) for row in drawn.tolist()]


def fitted(both: list[str], n: int, *, max_exact: int) -> tuple[Scores, float]:
    started = time.process_time()
    rows = np.arange(2 * n)
    view = words(both, n, rows, max_exact=max_exact)
    is_human = rows < n
    found = cross_fit(Rows(view.features, is_human, rows, is_human.astype(np.int64)), view.make, seed=1)
    return score([found], n_resamples=199, seed=1), time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2_500, 5_000, 10_000])
    parser.add_argument("--strengths", type=float, nargs="+", default=[0.0, 0.1, 0.2, 0.4])
    asked = parser.parse_args()
    zipf = 1 / np.arange(1, VOCABULARY + 1)
    found = []
    for n in asked.sizes:
        for strength in asked.strengths:
            rng = np.random.default_rng(n)
            moved = zipf * np.exp(strength * rng.standard_normal(VOCABULARY))
            both = [*texts(n, zipf, rng), *texts(n, moved, rng)]
            (exact, slow), (hashed, fast) = (fitted(both, n, max_exact=most) for most in (n, n - 1))
            row = {
                "a_side": n, "strength": strength, "auc_exact": exact.auc, "auc_hashed": hashed.auc,
                "hls_exact": exact.hls, "hls_hashed": hashed.hls, "cpu_s_exact": slow, "cpu_s_hashed": fast,
            }  # fmt: skip
            found.append(row)
            print(
                f"{n} a side, strength {strength}: AUC {exact.auc:.4f} exact, {hashed.auc:.4f} hashed "
                f"({hashed.auc - exact.auc:+.4f}); HLS {exact.hls:.4f}, {hashed.hls:.4f} "
                f"({hashed.hls - exact.hls:+.4f}); {slow:.1f} s, {fast:.1f} s of processor",
                flush=True,
            )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
