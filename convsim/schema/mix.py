"""Whether two sides hold the same mix of tasks or arms."""

from collections import Counter

MIX_ALPHA = 0.01


def mix_differs(first: Counter[str], second: Counter[str]) -> bool:
    """Tell whether two sides' counts of a category differ beyond chance.

    H0: both are draws from one distribution; Pearson's chi-squared test at 1 %.
    """
    from scipy.stats import chi2_contingency

    values = sorted(first.keys() | second.keys())
    if len(values) < 2 or not first or not second:
        return False
    table = [[side[value] for value in values] for side in (first, second)]
    return bool(chi2_contingency(table).pvalue <= MIX_ALPHA)
