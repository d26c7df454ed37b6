"""The learning rate in trainings with and without an end, and outside of any."""

from itertools import islice

import pytest
from thinc.api import warmup_linear

from spacy_mtl.training.schedules import create_warmup_linear


def test_rate_is_that_of_thinc_where_the_end_is_known() -> None:
    assert [*islice(create_warmup_linear(0.1, 4, 12), 20)] == [
        *islice(warmup_linear(0.1, 4, 12), 20)
    ]


def test_rate_stays_up_in_a_training_without_an_end() -> None:
    rates = [*islice(create_warmup_linear(0.1, 4, 0), 10)]
    assert rates == pytest.approx([0.0, 0.025, 0.05, 0.075] + 6 * [0.1])


def test_rate_is_there_at_once_where_nobody_advances_it() -> None:
    assert next(iter(create_warmup_linear(0.1, 4, "${training.max_steps}"))) == 0.1


@pytest.mark.parametrize("total_steps", ["600", "training.max_steps", -1])
def test_other_ends_are_named(total_steps: int | str) -> None:
    with pytest.raises(ValueError, match=r"\[training.optimizer.learn_rate\].*total_steps"):
        create_warmup_linear(0.1, 4, total_steps)
