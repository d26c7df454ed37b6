"""The table of a training run."""

import io
import json
import re
import warnings

import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import registry

from spacy_mtl.training.console import Limits, create_console_logger
from spacy_mtl.training.score_labels import format_number, format_score, label_of
from spacy_mtl.training.training_table import fit, make_columns, render_rule
from tests.heads.pipelines import make_nlp
from tests.training.test_multi_task import HEADS, make_config
from tests.training.training import save_corpus
from tests.trunk.pipelines import STOCK

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return save_corpus(tmp_path_factory.mktemp("corpus") / "train.spacy")


@pytest.fixture(autouse=True)
def width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")


def logger(**settings):
    return {"@loggers": "spacy_mtl.ConsoleLogger.v1", **settings}


def run(config, stdout=None, stderr=None):
    """Train; return the printed lines, and what went to the other stream."""
    stdout, stderr = stdout or io.StringIO(), stderr or io.StringIO()
    train(init_nlp(config), None, stdout=stdout, stderr=stderr)
    return stdout.getvalue().splitlines(), stderr.getvalue()


def rows_of(lines):
    """The rows of the table: from the one after the rule to the line after the last one."""
    rule = next(i for i, line in enumerate(lines) if re.fullmatch("[- ]+", line))
    return [line.split() for line in lines[rule + 1 : -1]]


def test_a_log_file_gets_one_table_without_control_characters(corpus):
    lines, bar = run(make_config(corpus, logger()))
    table = lines[next(i for i, line in enumerate(lines) if line.startswith("ℹ loss: ")) :]
    assert all(len(line) <= 100 for line in table)
    assert not CONTROL.search("\n".join(table)) and bar == ""
    groups, labels = table[table.index("") + 1 : table.index("") + 3]
    assert [name.strip("- ") for name in groups.split("  ") if name.strip()] == HEADS
    assert labels.split()[:3] == ["epoch", "step", "done"] and "tok2vec" not in groups
    rows = rows_of(table)
    assert [(row[1], row[2]) for row in rows] == [("0", "0%"), ("2", "50%"), ("4", "100%")]
    assert re.search(r"✔ 4 steps in 00:\d\d. The best score was [\d.]+, at step \d.", table[-1])


def test_the_best_row_so_far_is_marked(corpus):
    lines, _ = run(make_config(corpus, logger(), max_steps=12))
    best = 0.0
    for row in rows_of(lines):
        score = next(cell for cell in row[-3:] if re.fullmatch(r"[\d.]+\*?", cell))
        if score.endswith("*"):
            assert float(score.rstrip("*")) >= best
        best = max(best, float(score.rstrip("*")))
    assert f"The best score was {best:.1f}" in lines[-1]


def test_scores_that_the_dev_set_lacks_are_no_zero(corpus, tmp_path):
    dev = save_corpus(tmp_path / "dev.spacy", keep=["cats"])
    config = make_config(corpus, logger())
    config["corpora"]["dev"]["path"] = str(dev)
    lines, _ = run(config)
    assert all(row.count("-") >= 3 for row in rows_of(lines))  # tags, parts of speech, entities


def test_a_progress_bar_is_shown_on_a_terminal_only(corpus):
    stdout, stderr = Terminal(), Terminal()
    lines, bar = run(make_config(corpus, logger()), stdout, stderr)
    assert "/5 [" in bar and bar.endswith("\r")  # the last one is wiped out
    assert not CONTROL.search("\n".join(lines[lines.index("") :]))
    _, bar = run(make_config(corpus, logger(progress_bar=False)), Terminal(), Terminal())
    assert bar == ""


def test_an_interrupted_training_leaves_nothing_behind(corpus):
    @registry.callbacks("test_interrupt.v1")
    def make_interrupt():
        def interrupt(nlp, step):
            if step["step"] == 3:
                raise KeyboardInterrupt

        return interrupt

    shown = warnings.showwarning
    config = make_config(corpus, logger(), before_update={"@callbacks": "test_interrupt.v1"})
    stdout, stderr = io.StringIO(), Terminal()
    with pytest.raises(KeyboardInterrupt):
        run(config, stdout, stderr)
    assert "✔ 2 steps in" in stdout.getvalue()
    assert stderr.getvalue().endswith("\r")
    assert warnings.showwarning is shown


@pytest.mark.parametrize(
    ("limits", "shares", "header"),
    [
        ({"max_steps": 0, "max_epochs": 2}, ["-", "75%"], "left"),
        ({"max_steps": 0, "max_epochs": 0, "patience": 2}, None, "words"),
    ],
)
def test_trainings_that_end_otherwise_than_by_steps(corpus, limits, shares, header):
    batcher = {"@batchers": "spacy.batch_by_sequence.v1", "size": 2}
    config = make_config(corpus, logger(), batcher=batcher, eval_frequency=2, **limits)
    lines, _ = run(config)
    labels = next(line for line in lines if line.startswith("epoch"))
    assert header in labels.split()
    if shares:
        assert [row[2] for row in rows_of(lines)][:2] == shares


@pytest.mark.parametrize(
    ("limits", "step", "epoch", "share"),
    [
        (Limits(100, 0), 25, 3, 0.25),
        (Limits(0, 10), 25, 0, None),
        (Limits(0, 10), 25, 4, 0.45),
        (Limits(100, 10), 25, 4, 0.45),
        (Limits(100, -1), 100, 4, 1.0),
        (Limits(0, 0), 25, 4, None),
    ],
)
def test_the_share_that_is_done(limits, step, epoch, share):
    assert limits.share_done(step, epoch) == share


def test_a_pipeline_of_spacy_without_scores(corpus):
    config = make_config(corpus, logger(), trunk=STOCK)
    weights = init_nlp(config).config["training"]["score_weights"]
    config["training"]["score_weights"] = dict.fromkeys(weights)
    lines, _ = run(config)
    assert all(row[-3] == "-" for row in rows_of(lines))
    assert lines[-1].startswith("✔ 4 steps") and "best" not in lines[-1]


def test_losses_are_means_of_the_batches_in_which_a_task_took_part(corpus):
    nlp = init_nlp(make_config(corpus, logger()))
    log, finalize = create_console_logger()(nlp, stdout := io.StringIO(), io.StringIO())
    losses = {name: 6.0 for name in nlp.pipe_names}
    info = {"epoch": 0, "score": 0.5, "other_scores": {}, "words": 9, "seconds": 1}
    log({**info, "step": 0, "losses": losses, "checkpoints": [(0.5, 0)]})
    log(None)
    losses = {**losses, "ner_per_unit": 0.25}
    log({**info, "step": 2, "losses": losses, "checkpoints": [(0.5, 0), (0.5, 2)]})
    finalize()
    first, second = rows_of(stdout.getvalue().splitlines())
    assert "0.250" in second and "0.250" not in first
    assert "6.00" not in first  # a sum of spaCy's, of which the trunk has recorded no mean


def test_evaluations_are_written_to_a_file(corpus, tmp_path):
    path = tmp_path / "log.jsonl"
    run(make_config(corpus, logger(output_file=str(path))))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 2, 4]
    assert set(lines[0]) == {"step", "epoch", "score", "scores", "losses"}
    assert set(lines[0]["losses"]) == {"tok2vec", *HEADS}
    with pytest.raises(ValueError, match="exists already"):
        run(make_config(corpus, logger(output_file=str(path))))


def test_warnings_make_room_beside_the_bar(corpus):
    nlp = init_nlp(make_config(corpus, logger()))
    stderr = Terminal()
    _, finalize = create_console_logger()(nlp, io.StringIO(), stderr)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", stderr)
        warnings.showwarning(UserWarning("look"), UserWarning, "file.py", 1)
    finalize()
    before = stderr.getvalue().partition("file.py")[0]
    assert before.endswith("\r")  # the line of the bar is empty


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 150])
def test_columns_that_do_not_fit_are_left_out_the_least_important_first(columns):
    nlp = make_nlp("mtl_ner", "mtl_textcat", "mtl_srl")
    all_columns = make_columns(nlp, {"cats_score_desc": "macro F"}, 10000, True)
    shown, hidden = fit(all_columns, columns)
    assert len(render_rule(shown)) <= columns
    assert len(shown) + len(hidden) == len(all_columns)
    assert {"step", "score "} <= {column.label for column in shown}
    if columns >= 80:  # all that decides
        keys = {column.key for column in shown}
        assert {"ents_f", "cats_score", "srl_arguments_f", "time", "left"} <= keys
        assert {"loss mtl_ner", "loss mtl_textcat", "loss mtl_srl"} <= keys


def test_two_scores_of_a_task_never_have_the_same_head():
    nlp = spacy.blank("en")
    nlp.add_pipe("morphologizer")
    nlp.config["training"]["score_weights"].update({"my_a_f": 0.1, "my_b_f": 0.1, "speed": 0.0})
    columns = make_columns(nlp, {}, 10, True)
    names = [(column.group, column.label) for column in columns]
    assert len(set(names)) == len(names)
    assert {("morphologizer", "pos"), ("", "my_a_f"), ("", "my_b_f"), ("", "speed")} <= set(names)


@pytest.mark.parametrize(
    ("score", "label"),
    [
        ("ents_f", "F"),
        ("ents_r", "R"),
        ("people_ents_f", "F"),
        ("srl_arguments_f", "arg"),
        ("nouns_arguments_f", "arg"),
        ("spans_sc_p", "P"),
        ("dep_las", "LAS"),
        ("something_new", "something_new"),
    ],
)
def test_scores_have_readable_names(score, label):
    assert label_of(score) == label


def test_numbers_are_short():
    numbers = [0.0, 1.5e-7, 0.0123, 0.5, 3.14159, 42.0, 12345.6, float("nan")]
    assert [format_number(number) for number in numbers] == [
        "0.000", "1e-07", "0.012", "0.500", "3.14", "42.0", "12346", "nan"
    ]  # fmt: skip
    assert format_score("ents_f", 0.1234) == "12.3" and format_score("ents_f", None) == "-"
    assert format_score("regression_mae", 0.1234) == "0.123"


def test_the_logger_is_an_entry_point():
    assert registry.loggers.get("spacy_mtl.ConsoleLogger.v1") is create_console_logger
