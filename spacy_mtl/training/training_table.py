"""The table of a training run: which columns it has, and how they fit the width of a terminal."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spacy import ty
from spacy.language import Language

from ..heads.score_names import own_weights
from .score_labels import label_of

GAP = 2  # spaces between groups; within a group it is one
# What is left out first where there is no room: the highest rank. Rank 0 stays in any case.
KEEP, SCORE, LOSS, DONE, MINOR_LOSS, ONLY_SHOWN, ALSO_SHOWN = range(7)


@dataclass(frozen=True)
class Column:
    """A column.

    key (str): What its cells are called.
    group (str): What stands above the label of this column and its neighbours: the task.
    label (str): The label.
    width (int): Its width without the space before it.
    rank (int): See `KEEP`.
    """

    key: str
    group: str
    label: str
    width: int
    rank: int = KEEP


def loss_key(task: str) -> str:
    """RETURNS (str): The key of the column of a task's loss."""
    return f"loss {task}"


def find_scores(nlp: Language) -> dict[str, float]:
    """RETURNS (Dict[str, float]): The scores that `[training.score_weights]` has a number for."""
    weights = nlp.config["training"]["score_weights"]
    return {score: weight for score, weight in weights.items() if weight is not None}


def find_losses(nlp: Language) -> list[str]:
    """List the components whose loss is shown.

    nlp (Language): The pipeline.
    RETURNS (List[str]): The trainable components but for trunks. What a trunk reports as its loss
        is the squared norm of a gradient.
    """
    return [
        name
        for name, pipe in nlp.pipeline
        if getattr(pipe, "is_trainable", False) and not isinstance(pipe, ty.ListenedToComponent)
    ]


def make_columns(
    nlp: Language, scores: Mapping[str, Any], last_step: int, can_tell_end: bool
) -> list[Column]:
    """List the columns for a pipeline, as if there were room for all.

    nlp (Language): The pipeline.
    scores (Mapping[str, Any]): The scores of an evaluation, some of which describe others.
    last_step (int): The number of the last step, 0 if it is not known.
    can_tell_end (bool): Whether there is a limit to steps or epochs.
    RETURNS (List[Column]): The columns, from left to right.
    """
    weights = find_scores(nlp)
    if sum(map(bool, weights.values())) == 1:
        weights.pop("mtl_score", None)  # the score of the last column
    owners = {
        score: name for name in nlp.component_names for score in own_weights(nlp, name)
    }  # of equal names the last component's score counts
    losses = find_losses(nlp)
    columns = [
        Column("epoch", "", "epoch", 5, LOSS),
        Column("step", "", "step", max(5, len(str(last_step)))),
        *([Column("done", "", "done", 4, DONE)] if can_tell_end else []),
        *([] if can_tell_end else [Column("words", "", "words", 6, DONE)]),
    ]
    for task in nlp.component_names:
        own = {score: weight for score, weight in weights.items() if owners.get(score) == task}
        if task in losses:
            rank = LOSS if any(own.values()) else MINOR_LOSS
            columns.append(Column(loss_key(task), task, "loss", 5, rank))
        columns += _score_columns(task, own, scores)
    others = {score: weight for score, weight in weights.items() if score not in owners}
    columns += _score_columns("", others, scores)
    columns.append(Column("score", "", "score ", 6))  # there may be a mark behind the number
    columns.append(Column("time", "", "time", 7, SCORE))
    if can_tell_end:
        columns.append(Column("left", "", "left", 7, SCORE))
    return columns


def _score_columns(
    task: str, weights: Mapping[str, float], scores: Mapping[str, Any]
) -> list[Column]:
    labels = {score: label_of(score, scores) for score in weights}
    columns = []
    for score, weight in weights.items():
        label = labels[score]
        if list(labels.values()).count(label) > 1:
            label = score
        rank = SCORE if weight else ALSO_SHOWN if len(weights) > 1 else ONLY_SHOWN
        columns.append(Column(score, task, label, max(5, len(label)), rank))
    return columns


def fit(columns: Sequence[Column], width: int) -> tuple[list[Column], list[Column]]:
    """Leave out columns until the others fit.

    columns (Sequence[Column]): The columns.
    width (int): The width to fit.
    RETURNS (Tuple[List[Column], List[Column]]): The columns that are shown, and those that are not.
    """
    shown = list(columns)
    while len(render_rule(shown)) > width:
        rank, position = max((column.rank, i) for i, column in enumerate(shown))
        if rank == KEEP:
            break
        del shown[position]
    return shown, [column for column in columns if column not in shown]


def render_header(columns: Sequence[Column]) -> str:
    """RETURNS (str): Three lines: the groups, the labels, and a rule."""
    groups = []
    for group in _groups(columns):
        name, width = group[0].group, len(_join(group, {}))
        groups.append(f" {name} ".center(width, "-") if name else " " * width)
    lines = [(" " * GAP).join(groups).rstrip()] if any(column.group for column in columns) else []
    labels = {column.key: column.label for column in columns}
    return "\n".join([*lines, render_row(columns, labels), render_rule(columns)])


def render_rule(columns: Sequence[Column]) -> str:
    """RETURNS (str): A line under the labels, as wide as the table."""
    widths = {column.key: column.width for group in _groups(columns) for column in group}
    return render_row(columns, {key: "-" * width for key, width in widths.items()})


def render_row(columns: Sequence[Column], cells: Mapping[str, str]) -> str:
    """RETURNS (str): A line of the table, with the cells by their columns' keys."""
    return (" " * GAP).join(_join(group, cells) for group in _groups(columns)).rstrip()


def render_legend(hidden: Sequence[Column], width: int) -> str:
    """Explain the table.

    hidden (Sequence[Column]): The columns that were left out.
    width (int): The width to fit.
    RETURNS (str): Some lines.
    """
    text = (
        "loss: mean since the row before. Scores in percent. -: nothing to learn from, or no "
        "annotation in the dev set. *: the best score so far."
    )
    names = [f"{column.group} {column.label}".strip() for column in hidden]
    if names:
        text += f" There is no room for {', '.join(names)}."
    return textwrap.fill(text, max(width, 20), subsequent_indent="  ")


def _groups(columns: Sequence[Column]) -> list[list[Column]]:
    """Neighbours of the same group. The first column is widened where the group's name is wider."""
    groups: list[list[Column]] = []
    for column in columns:
        if groups and groups[-1][0].group == column.group:
            groups[-1].append(column)
        else:
            groups.append([column])
    for group in groups:
        name = group[0].group
        missing = len(f" {name} ") - len(_join(group, {})) if name else 0
        if missing > 0:
            group[0] = replace(group[0], width=group[0].width + missing)
    return groups


def _join(group: Sequence[Column], cells: Mapping[str, str]) -> str:
    return " ".join(cells.get(column.key, "").rjust(column.width) for column in group)
