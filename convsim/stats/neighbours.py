"""How near texts lie to one another: by their words and by which words follow each other closely."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from convsim.schema.arrays import BoolArray, FloatArray, IntArray
from convsim.text.folding import typed
from convsim.text.words import WORD

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

PAIR_REACH = 3
"""Two words make a pair up to this many places apart, so that most pairs outlive a word that is exchanged."""
MIN_TOKENS = 6
"""A shorter text ("yes please") is said twice by chance."""
MAX_TOKENS = 4_000
"""Of a text, from its beginning; bounds what a hostile text costs."""
NEAR = 0.8
"""Two texts of this similarity are near-duplicates: one word in ten, at most, is another."""
MAX_NUMBERS = 8_000_000
"""Similarities held at a time; bounds memory at any number of texts."""
COMMON = 32
"""A feature of more texts than this, and of over 2 % of them, is common: faster as a dense column."""
CHUNK = 1_000
"""Dense columns held at a time."""
ROWS_AT_ONCE = 1_024
TINY = 1e-9
"""By how much the sum of squares of a text's features may be off 1."""

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Characters of scripts that put no space between words: Thai, Lao, Burmese, Khmer, Chinese and Japanese."""


def tokens(text: str) -> list[str]:
    """Return the words of a text in lower case; in a script without spaces, its characters."""
    lowered = typed(text).lower()
    if _UNSPACED.search(lowered):
        lowered = _UNSPACED.sub(r" \g<0> ", lowered)
    return WORD.findall(lowered)[:MAX_TOKENS]


def duplicate_groups(texts: Sequence[str]) -> IntArray:
    """Number the texts so that those with the same words share a number, by first occurrence; shape (texts,).

    Case, punctuation and white space do not count. A text of under six words shares its number with nobody.
    """
    return _groups(map(tokens, texts))


def _groups(said: Iterable[Sequence[str]]) -> IntArray:
    numbers: dict[object, int] = {}
    keys = (tuple(words) if len(words) >= MIN_TOKENS else row for row, words in enumerate(said))
    return np.asarray([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


@dataclass(frozen=True)
class Vectors:
    """Texts as rows of length 1 (of length 0 where a text has no word)."""

    matrix: csr_matrix
    n_tokens: IntArray
    """Shape (texts,)."""

    def take(self, rows: IntArray | BoolArray) -> Vectors:
        """Return some of the rows."""
        return Vectors(self.matrix[rows], self.n_tokens[rows])


def vectors(texts: Sequence[str]) -> Vectors:
    """Weigh the words of texts, and their ordered pairs up to three places apart, by TF-IDF.

    How rare a feature is comes from these texts: what is to be compared goes in together.
    """
    return _weighed([tokens(text) for text in texts])


def _weighed(said: Sequence[Sequence[str]]) -> Vectors:
    from scipy.sparse import csr_matrix, diags

    n_tokens = np.asarray([len(each) for each in said], np.int64)
    known = {word: number for number, word in enumerate(sorted({word for each in said for word in each}))}
    flat = np.asarray([known[word] for each in said for word in each], np.int64)
    row_of = np.repeat(np.arange(len(said)), n_tokens)
    keys, rows = [flat], [row_of]
    for reach in range(1, PAIR_REACH + 1):
        same_text = row_of[reach:] == row_of[:-reach]
        keys.append(((flat[:-reach] + 1) * (len(known) + 1) + flat[reach:])[same_text])
        rows.append(row_of[reach:][same_text])
    features, column = np.unique(np.concatenate(keys), return_inverse=True)
    counts = csr_matrix(
        (np.ones(len(column)), (np.concatenate(rows), column)), shape=(len(said), len(features))
    )
    counts.sum_duplicates()
    n_with = np.bincount(counts.indices, minlength=len(features))
    weighted = counts @ diags(np.log((1 + len(said)) / (1 + n_with)) + 1)
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    scale = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
    return Vectors(csr_matrix(diags(scale) @ weighted), n_tokens)


def similarities(of: Vectors, to: Vectors) -> Iterator[tuple[int, FloatArray]]:
    """Yield the first row of a block, and its similarities to all rows of ``to``; 0 (nothing shared) to 1."""
    n_with = np.bincount(to.matrix.indices, minlength=to.matrix.shape[1])
    is_common = n_with > max(COMMON, to.matrix.shape[0] / 50)
    rare, common = np.flatnonzero(~is_common), np.flatnonzero(is_common)
    of_rare, to_rare = of.matrix[:, rare], to.matrix[:, rare].T.tocsr()
    of_common, to_common = of.matrix[:, common].tocsc(), to.matrix[:, common].tocsc()
    size = max(1, min(1_024, MAX_NUMBERS // max(1, to.matrix.shape[0])))
    chunks = [slice(first, first + CHUNK) for first in range(0, len(common), CHUNK)]
    kept = (
        [(c, to_common[:, c].toarray().T) for c in chunks]
        if to_common.shape[0] * len(common) <= MAX_NUMBERS
        else None
    )
    for start in range(0, of.matrix.shape[0], size):
        rows = slice(start, start + size)
        block = (of_rare[rows] @ to_rare).toarray()
        for columns, dense in kept or ((c, to_common[:, c].toarray().T) for c in chunks):
            block += of_common[:, columns][rows].toarray() @ dense
        yield start, block


def near_pairs(of: Vectors, to: Vectors, least: float = NEAR) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the pairs of texts of a similarity of at least ``least``: rows of ``of``, and of ``to``.

    A text's most common features, as many as are no longer than ``least`` together, cannot make such a pair alone: only
    what shares another one is compared.

    Source:
        Bayardo, Ma and Srikant (2007), Scaling up all pairs similarity search, WWW, section 4.
    """
    from scipy.sparse import csr_matrix

    matrix = of.matrix
    n_with = np.bincount(to.matrix.indices, minlength=to.matrix.shape[1])
    row_of = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    common_first = np.lexsort((-n_with[matrix.indices], row_of))
    squares = np.cumsum(matrix.data[common_first] ** 2)
    before = np.concatenate([[0.0], squares])[matrix.indptr[:-1]]
    is_left = squares - before[row_of] < least**2 - TINY
    left = np.zeros(len(row_of), bool)
    left[common_first] = is_left
    by_left = np.sqrt(np.bincount(row_of[left], matrix.data[left] ** 2, minlength=matrix.shape[0]))
    asked, column = np.unique(matrix.indices[~left], return_inverse=True)
    rare = csr_matrix((matrix.data[~left], (row_of[~left], column)), shape=(matrix.shape[0], len(asked)))
    to_rare = to.matrix[:, asked].T.tocsr()
    for start in range(0, matrix.shape[0], ROWS_AT_ONCE):
        shared = (rare[start : start + ROWS_AT_ONCE] @ to_rare).tocoo()
        may = shared.data + by_left[start + shared.row] >= least - TINY
        rows, others = start + shared.row[may], shared.col[may].astype(np.int64)
        alike = np.asarray(matrix[rows].multiply(to.matrix[others]).sum(axis=1)).ravel() >= least
        yield rows[alike], others[alike]


class Nearest(NamedTuple):
    """For each text: who is nearest, and how much nearer than anybody else; arrays of shape (texts,)."""

    row: IntArray
    """The nearest text, -1 where there is nobody."""
    similarity: FloatArray
    """To the nearest text, 0 where there is nobody."""
    second: FloatArray
    """To the nearest text of another unit than the nearest one's, 0 where there is none."""

    @property
    def gap(self) -> FloatArray:
        """How much nearer the nearest unit is than any other: a copy has one source, a commonplace has many."""
        return self.similarity - self.second


def nearest(
    of: Vectors, to: Vectors, unit_of: IntArray, left_out: Callable[[int, int], BoolArray] | None = None
) -> Nearest:
    """Find the nearest text and the nearest one of another unit.

    Args:
        of: The texts that are asked about.
        to: The texts that they may lie near to.
        unit_of: Shape (to,): whose each text is.
        left_out: For rows ``start`` to ``stop`` of ``of``, shape (stop - start, to): which texts do not count.
    """
    n = of.matrix.shape[0]
    found = Nearest(np.full(n, -1), np.zeros(n), np.zeros(n))
    if not to.matrix.shape[0]:
        return found
    for start, block in similarities(of, to):
        stop = start + len(block)
        if left_out is not None:
            block[left_out(start, stop)] = -1
        row = block.argmax(axis=1)
        best = block[np.arange(len(block)), row]
        block[unit_of[None, :] == unit_of[row][:, None]] = -1
        found.row[start:stop] = np.where(best >= 0, row, -1)
        found.similarity[start:stop] = best.clip(0, 1)
        found.second[start:stop] = block.max(axis=1).clip(0, 1)
    return found


class Repeats(NamedTuple):
    """How many texts say what another unit's text said before."""

    n: int
    exact: int
    near: int
    """Not word for word, but of a similarity of ``NEAR``; counted on every k-th text where there are many."""

    @property
    def share(self) -> float:
        """Of all texts; 0 where there are none."""
        return (self.exact + self.near) / self.n if self.n else 0.0


MAX_COMPARED = 2_000


def repeats(texts: Sequence[str], units: Sequence[str]) -> Repeats:
    """Count the texts that repeat one of another unit, exactly or nearly; of each set of repeats, one is none.

    Args:
        texts: What is compared; those of under six words repeat nobody.
        units: Whose each text is: what one persona says again in another arm is no repeat.
    """
    order = sorted(range(len(texts)), key=lambda row: (texts[row], units[row]))
    said = [tokens(texts[row]) for row in order]
    groups = _groups(said)
    first: dict[int, str] = {}
    exact = sum(
        first.setdefault(int(group), units[row]) != units[row]
        for group, row in zip(groups, order, strict=True)
    )
    kept = np.unique(groups, return_index=True)[1]
    weighed = _weighed([said[place] for place in kept])
    unit_of = np.unique([units[order[place]] for place in kept], return_inverse=True)[1]
    asked = np.arange(0, len(kept), -(-len(kept) // MAX_COMPARED) or 1)
    near: set[int] = set()
    for places, earlier in near_pairs(weighed.take(asked), weighed):
        rows = asked[places]
        repeat = (
            (earlier < rows) & (unit_of[earlier] != unit_of[rows]) & (weighed.n_tokens[rows] >= MIN_TOKENS)
        )
        near.update(rows[repeat].tolist())
    return Repeats(len(texts), exact, round(len(near) * len(kept) / len(asked)) if len(asked) else 0)
