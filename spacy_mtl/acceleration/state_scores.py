"""The scores of a transition model's actions, for many states at once."""

from typing import Any, cast

import numpy as np
from thinc.api import Model


def is_finite(model: Model[Any, Any], vectors: np.ndarray) -> bool:
    """Tell whether the scores of a transition model can be compared. Only spaCy's own search comes
    to an end with NaN among them.

    model (Model): The transition model.
    vectors (np.ndarray): [tokens, width].
    RETURNS (bool): Whether the vectors and the parameters above them are finite.
    """
    layers = [model.get_ref(name) for name in ("lower", "upper") if model.has_ref(name)]
    parameters = [
        cast(np.ndarray, layer.get_param(name)) for layer in layers for name in layer.param_names
    ]
    return all(bool(np.isfinite(values).all()) for values in [vectors, *parameters])


class StateScorer:
    """The layers of a `spacy.TransitionBasedParser.v2` above its token vectors.

    A state is a few tokens. Each gives a vector that depends on its role in the state; a hidden
    layer is the largest piece of their sum, a linear layer on it scores the actions.
    """

    def __init__(self, model: Model[Any, Any]) -> None:
        """Lay the weights out so that a piece is contiguous.

        model (Model): The transition model.
        """
        lower = model.get_ref("lower")
        self.ops: Any = lower.ops
        weight = cast(np.ndarray, lower.get_param("W"))  # [roles, hidden, pieces, width]
        self.n_roles, self.n_hidden, self.n_pieces, width = weight.shape
        weight = weight.transpose(0, 2, 1, 3)
        self.weight = np.ascontiguousarray(weight).reshape(self.n_roles, -1, width)
        padding = cast(np.ndarray, lower.get_param("pad"))[0].transpose(0, 2, 1)
        self.padding = np.ascontiguousarray(padding).reshape(self.n_roles, -1)
        self.bias = np.ascontiguousarray(cast(np.ndarray, lower.get_param("b")).T).reshape(-1)
        self.upper = model.get_ref("upper") if model.attrs["has_upper"] else None

    def features(self, vectors: np.ndarray, role: int) -> np.ndarray:
        """Compute what tokens contribute in a role.

        vectors (np.ndarray): [tokens, width].
        role (int): The number of the role.
        RETURNS (np.ndarray): [tokens, pieces * hidden].
        """
        return cast(np.ndarray, self.ops.gemm(vectors, self.weight[role], trans2=True))

    def table(self, vectors: np.ndarray, memory: np.ndarray | None = None) -> np.ndarray:
        """Compute what tokens contribute in all roles.

        vectors (np.ndarray): [tokens, width].
        memory (Optional[np.ndarray]): [at least tokens + 1, roles * pieces * hidden], written to.
        RETURNS (np.ndarray): [(tokens + 1) * roles, pieces * hidden], by token and role, where the
            last token stands for none.
        """
        n_tokens, width = vectors.shape
        if memory is None:
            memory = np.empty((n_tokens + 1, self.padding.size), dtype=vectors.dtype)
        table = memory[: n_tokens + 1]
        weight = self.weight.reshape(-1, width)
        self.ops.gemm(vectors, weight, trans2=True, out=table[:n_tokens])
        table[n_tokens] = self.padding.reshape(-1)
        return table.reshape(-1, self.padding.shape[1])

    def scores(self, sums: np.ndarray) -> np.ndarray:
        """Score the actions.

        sums (np.ndarray): [states, pieces * hidden], sums of what the states' tokens contribute.
            Changed in place.
        RETURNS (np.ndarray): [states, actions].
        """
        sums += self.bias
        pieces = sums.reshape(-1, self.n_pieces, self.n_hidden)
        hidden = pieces[:, 0]
        for number in range(1, self.n_pieces):
            hidden = np.maximum(hidden, pieces[:, number])
        if self.upper is None:
            return np.array(hidden)
        scores = self.ops.gemm(np.ascontiguousarray(hidden), self.upper.get_param("W"), trans2=True)
        scores += self.upper.get_param("b")
        return cast(np.ndarray, scores)
