"""Groups that nobody simulated: the p-value is that of Fisher's exact test."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from convsim_validators.by_stratum.grouping import Grouping
from convsim_validators.by_stratum.missing import Missing
from tests.corpora import corpus


@pytest.mark.parametrize(("n_missing", "n_people", "n_simulated"), [(8, 40, 40), (12, 60, 240), (9, 240, 60)])
def test_one_missing_task_has_the_p_value_of_fishers_exact_test_times_the_tasks_asked_about(
    n_missing, n_people, n_simulated
):
    real = ["hats"] * n_missing + ["boots"] * (n_people - n_missing)
    sides = [
        corpus({"x": range(len(tasks))}, tasks=tasks, prefix=prefix)
        for tasks, prefix in ((real, "r"), (["boots"] * n_simulated, "s"))
    ]
    found = Missing.of(Grouping.of("task", *sides))
    assert found is not None
    table = np.asarray([[n_missing, n_people - n_missing], [0, n_simulated]])
    assert found.p_value == pytest.approx(min(1, 2 * fisher_exact(table, alternative="greater").pvalue))
