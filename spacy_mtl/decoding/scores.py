"""Scores of BIO tags: one number for each, or one for each label and one for where spans begin."""

from typing import NamedTuple, Protocol

import numpy as np


class TagTable(NamedTuple):
    """Scores of tags as they lie in memory. B-x scores `begin` plus `begin_offset`, I-x `inside`
    plus `inside_offset`.

    none (np.ndarray): [tokens], of O.
    begin (np.ndarray): [tokens, K].
    inside (np.ndarray): [tokens, K].
    begin_offset (Optional[np.ndarray]): [tokens]; None for zeros.
    inside_offset (Optional[np.ndarray]): [tokens]; None for zeros.
    """

    none: np.ndarray
    begin: np.ndarray
    inside: np.ndarray
    begin_offset: np.ndarray | None = None
    inside_offset: np.ndarray | None = None


class TagScores(Protocol):
    """The scores of the tags of some tokens, see `spacy_mtl.decoding.bio` for their numbers."""

    @property
    def n_labels(self) -> int:
        """RETURNS (int): The number of labels, K."""
        ...

    def __len__(self) -> int:
        """RETURNS (int): The number of tokens."""
        ...

    def best(self) -> np.ndarray:
        """RETURNS (np.ndarray): [tokens], the tag with the highest score at each. Among equals, O
        comes before B before I.
        """
        ...

    def rows(self, chosen: slice | np.ndarray) -> np.ndarray:
        """Write out the scores of some tokens.

        chosen (Union[slice, np.ndarray]): The tokens.
        RETURNS (np.ndarray): [tokens chosen, 1 + 2K]. Not to be changed.
        """
        ...

    def table(self) -> TagTable:
        """RETURNS (TagTable): The scores of all tokens, without copying them. Not to be changed."""
        ...


class PlainScores:
    """One score for each tag.

    scores (np.ndarray): [tokens, 1 + 2K], any scores that add up, such as logits or log
        probabilities. -inf forbids a tag; O must be possible.
    """

    def __init__(self, scores: np.ndarray) -> None:
        """RAISES (ValueError): If the scores don't have the shape described."""
        if scores.ndim != 2 or scores.shape[1] % 2 == 0:
            raise ValueError(
                f"Scores of tags must be of the shape [tokens, 1 + 2 * labels]; got {scores.shape}."
            )
        self._scores = scores

    @property
    def n_labels(self) -> int:
        """See `TagScores`."""
        return self._scores.shape[1] // 2

    def __len__(self) -> int:
        return len(self._scores)

    def best(self) -> np.ndarray:
        """See `TagScores`."""
        return np.asarray(self._scores.argmax(axis=1))

    def rows(self, chosen: slice | np.ndarray) -> np.ndarray:
        """See `TagScores`."""
        return self._scores[chosen]

    def table(self) -> TagTable:
        """See `TagScores`."""
        first_inside = 1 + self.n_labels
        scores = self._scores
        return TagTable(scores[:, 0], scores[:, 1:first_inside], scores[:, first_inside:])


class FactoredScores:
    """A score for O and each label, and one for whether a span begins here, whatever its label.

    The probability of B-x is that of x times that of a beginning, of I-x that of x times that of no
    beginning; what is added up are their logarithms, up to a constant of each token.

    labels (np.ndarray): [tokens, 1 + K], logits of a softmax. -inf forbids a label; O must be
        possible.
    begins (np.ndarray): [tokens], logits of a sigmoid. inf forbids that a span goes on.
    n_labels (Optional[int]): K, where `labels` has more columns, which are -inf.
    """

    def __init__(self, labels: np.ndarray, begins: np.ndarray, n_labels: int | None = None) -> None:
        # The likelier of B-x and I-x scores as much as x, the other less by |begins|, and O more by
        # the logarithm of the likelier one's probability: one number a token more than factored.
        self._labels = labels
        self._none = labels[:, 0] + np.log1p(np.exp(-np.abs(begins)))
        self._begins = begins
        self._n_labels = labels.shape[1] - 1 if n_labels is None else n_labels

    @property
    def n_labels(self) -> int:
        """See `TagScores`."""
        return self._n_labels

    def __len__(self) -> int:
        return len(self._labels)

    def best(self) -> np.ndarray:
        """See `TagScores`."""
        label = self._labels.argmax(axis=1)  # 0 for O
        top = self._labels.ravel().take(np.arange(len(self)) * self._labels.shape[1] + label)
        return np.where(self._none >= top, 0, label + self._n_labels * (self._begins < 0))

    def rows(self, chosen: slice | np.ndarray) -> np.ndarray:
        """See `TagScores`."""
        labels, begins = self._labels[chosen, 1 : 1 + self._n_labels], self._begins[chosen, None]
        begin = labels + np.minimum(begins, 0)
        inside = labels - np.maximum(begins, 0)
        return np.concatenate([self._none[chosen, None], begin, inside], axis=1)

    def table(self) -> TagTable:
        """See `TagScores`."""
        labels = self._labels[:, 1 : 1 + self._n_labels]
        begin_offset, inside_offset = np.minimum(self._begins, 0), -np.maximum(self._begins, 0)
        return TagTable(self._none, labels, labels, begin_offset, inside_offset)
