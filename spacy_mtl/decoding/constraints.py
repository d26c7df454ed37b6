"""Constraints on the roles of one predicate."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .bio import bio_from_spans, spans_from_bio

CORE_ROLE = re.compile(r"ARG[0-9A](-|$)")
NUMBERED_ROLE = re.compile(r"(?:[CR]-)*(ARG[0-9])(?:-|$)")


@dataclass(frozen=True)
class RoleConstraints:
    """What the roles of one predicate must satisfy.

    is_unique (np.ndarray): [labels], bool: at most one argument has the label.
    needs (np.ndarray): [labels], another label that some argument must have, or -1.
    needs_before (np.ndarray): [labels], bool: that argument must begin earlier.
    """

    is_unique: np.ndarray
    needs: np.ndarray
    needs_before: np.ndarray

    @classmethod
    def from_labels(
        cls,
        labels: Sequence[str],
        *,
        unique_core_roles: bool = True,
        continuation_after: bool = True,
        reference_with: bool = True,
    ) -> "RoleConstraints":
        """Read the constraints off the names of PropBank's roles.

        A `C-x` or `R-x` whose `x` is no label (`C-V`, or an `x` never seen) is free.

        labels (Sequence[str]): The labels.
        unique_core_roles (bool): ARG0, ARG1, ..., ARGA and the like of ARG1-DSP at most once.
        continuation_after (bool): C-x only after x.
        reference_with (bool): R-x only together with x.
        RETURNS (RoleConstraints): The constraints.
        """
        index = {label: i for i, label in enumerate(labels)}
        needs = np.full(len(labels), -1, dtype=np.int64)
        for i, label in enumerate(labels):
            if continuation_after and label.startswith("C-"):
                needs[i] = index.get(label[2:], -1)
            elif reference_with and label.startswith("R-"):
                needs[i] = index.get(label[2:], -1)
        return cls(
            np.asarray(
                [unique_core_roles and bool(CORE_ROLE.match(label)) for label in labels], dtype=bool
            ),
            needs,
            np.asarray([label.startswith("C-") for label in labels], dtype=bool),
        )

    def find_violations(
        self, owners: np.ndarray, starts: np.ndarray, label_ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Find one violation of each sequence that has any, and count them.

        owners (np.ndarray): [spans], the sequence of each span, ascending.
        starts (np.ndarray): [spans], first row; ascending in a sequence.
        label_ids (np.ndarray): [spans].
        RETURNS (Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]): [sequences that violate],
            ascending: the sequence, the label that should not be there, the first row of its span,
            and the number of such spans.
        """
        n_labels = len(self.is_unique)
        keys = owners * n_labels + label_ids  # [spans]
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        again = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
        repeated = order[again[self.is_unique[label_ids[order[again]]]]]
        dependent = np.flatnonzero(self.needs[label_ids] >= 0)
        wanted = owners[dependent] * n_labels + self.needs[label_ids[dependent]]
        at = np.minimum(np.searchsorted(ordered, wanted), max(len(ordered) - 1, 0))
        absent = ordered[at] != wanted
        late = self.needs_before[label_ids[dependent]] & (starts[order[at]] > starts[dependent])
        bad = np.concatenate([repeated, dependent[absent | late]])
        sequences, first, counts = np.unique(owners[bad], return_index=True, return_counts=True)
        chosen = bad[first]
        return sequences, label_ids[chosen], starts[chosen], counts


def allowed_labels(labels: Sequence[str], roles: Sequence[str]) -> np.ndarray:
    """Tell which labels a roleset with certain numbered roles can have.

    labels (Sequence[str]): The labels, e.g. "ARG0", "R-ARG1", "ARG1-DSP" or "ARGM-TMP".
    roles (Sequence[str]): The roleset's numbered roles, e.g. "ARG0" and "ARG2".
    RETURNS (np.ndarray): [labels], bool. All labels without a number are allowed.
    """
    numbers = [NUMBERED_ROLE.match(label) for label in labels]
    return np.asarray([match is None or match[1] in roles for match in numbers], dtype=bool)


def drop_violations(tags: np.ndarray, constraints: RoleConstraints) -> np.ndarray:
    """Drop spans until the constraints are satisfied: of a repeated label the later ones.

    tags (np.ndarray): [rows], the valid tags of one sequence.
    constraints (RoleConstraints): The constraints.
    RETURNS (np.ndarray): [rows], the tags of the spans that are left.
    """
    n_labels = len(constraints.needs)
    starts, ends, label_ids = spans_from_bio(tags, [len(tags)], n_labels)
    is_unique, needs = constraints.is_unique.tolist(), constraints.needs.tolist()
    needs_before = constraints.needs_before.tolist()
    spans = list(zip(starts.tolist(), ends.tolist(), label_ids.tolist(), strict=True))
    while True:
        everywhere = {label for _, _, label in spans}
        before: set[int] = set()
        kept = []
        for span in spans:
            label = span[2]
            known = before if needs_before[label] else everywhere
            if (is_unique[label] and label in before) or (
                needs[label] >= 0 and needs[label] not in known
            ):
                continue
            before.add(label)
            kept.append(span)
        if len(kept) == len(spans):
            break
        spans = kept
    starts, ends, label_ids = np.asarray(spans, dtype=np.int64).reshape(-1, 3).T
    return bio_from_spans(starts, ends, label_ids, len(tags), n_labels)
