import math

import numpy as np
import pytest
import srsly

from spacy_mtl.util.finite import finite_rows, without_infinity


def test_rows_are_told_apart_only_where_one_is_not_finite():
    scores = np.zeros((4, 3), dtype="f")
    assert finite_rows(scores) is None
    assert finite_rows(scores[:0]) is None
    scores[1, 2], scores[3, 0] = np.nan, -np.inf
    assert finite_rows(scores).tolist() == [True, False, True, False]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_has_none_in_place_of_what_is_not_finite(value):
    found = without_infinity({"a": [value, 1.5, "x"], "b": {"c": value, "d": None}, "e": 3})
    assert found == {"a": [None, 1.5, "x"], "b": {"c": None, "d": None}, "e": 3}
    assert srsly.json_loads(srsly.json_dumps(found)) == found
