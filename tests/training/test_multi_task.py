"""The logger, in training runs as `spacy train` makes them."""

import io
import json
import math

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import registry
from thinc.api import Config

from spacy_mtl.training.step_file import StepFile
from tests.trunk.pipelines import ENCODERS, OURS, STOCK, head_config, make_examples

HEADS = ["tagger", "textcat_multilabel", "ner"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "train.spacy"
    examples = make_examples(spacy.blank("xx"))
    DocBin(docs=[example.reference for example in examples], store_user_data=True).to_disk(path)
    return path


def make_config(corpus, logger, trunk=OURS, **training):
    reader = {"@readers": "spacy.Corpus.v1", "path": str(corpus)}
    components = {"tok2vec": {"factory": trunk, "model": ENCODERS["spacy.HashEmbedCNN.v2"]}}
    for head in HEADS:
        components[head] = {"factory": head, **head_config(head)}
    return Config(
        {
            "nlp": {"lang": "xx", "pipeline": ["tok2vec", *HEADS]},
            "components": components,
            "corpora": {"train": dict(reader), "dev": dict(reader)},
            "training": {
                "seed": 0,
                "gpu_allocator": None,
                "max_steps": 4,
                "eval_frequency": 2,
                "logger": logger,
                "train_corpus": "corpora.train",
                "dev_corpus": "corpora.dev",
                **training,
            },
        }
    )


def run(config):
    """Train, and return what was printed."""
    stdout = io.StringIO()
    nlp = init_nlp(config)
    train(nlp, None, stdout=stdout, stderr=io.StringIO())
    return nlp, stdout.getvalue()


def logger_config(**settings):
    return {"@loggers": "spacy_mtl.MultiTaskLogger.v1", **settings}


def test_every_batch_and_evaluation_is_written(corpus, tmp_path):
    path = tmp_path / "new" / "steps.jsonl"
    logger = logger_config(output_file=str(path), cosines_every=1)
    _, shown = run(make_config(corpus, logger, accumulate_gradient=1))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    batches = [line for line in lines if "tasks" in line]
    evaluations = [line for line in lines if "score" in line]
    assert [line["step"] for line in batches] == [0, 1, 2, 3, 4]
    assert all(list(line["tasks"]) == HEADS for line in batches[1:])
    assert set(batches[1]["tasks"]["ner"]) == {"loss", "units", "norm", "weight"}
    assert all(-1 <= cosine <= 1 for line in batches for cosine in line["cosines"].values())
    assert len(batches[1]["cosines"]) == 3
    assert len(evaluations) >= 2 and "tag_acc" in evaluations[0]["scores"]
    rows = [line for line in shown.splitlines() if "loss x weight: " in line]
    assert len(rows) == len(evaluations)
    assert all(f" {head} " in rows[-1] for head in HEADS)
    assert "- tagger -" in shown  # the wrapped logger's own table


def test_any_other_logger_can_be_wrapped_and_gets_the_figures(corpus):
    seen = []

    @registry.loggers("test_keeper.v1")
    def make_keeper():
        return lambda nlp, stdout, stderr: (seen.append, lambda: seen.append("done"))

    wrapped = {"@loggers": "test_keeper.v1"}
    _, shown = run(make_config(corpus, logger_config(logger=wrapped, show_tasks=False)))
    infos = [info for info in seen if isinstance(info, dict)]
    assert {"ner_per_unit", "ner_weight", "tagger_per_unit"} <= set(infos[-1]["losses"])
    assert seen.count(None) + len(infos) == 5 and seen[-1] == "done"
    assert "loss" not in shown


@pytest.mark.parametrize("outer", ["chain", "multi-task"])
def test_works_with_chain_loggers(corpus, tmp_path, outer):
    pytest.importorskip("spacy_loggers", reason="spacy-loggers is not installed")
    console = {"@loggers": "spacy.ConsoleLogger.v3", "output_file": str(tmp_path / "c.jsonl")}
    path = tmp_path / "steps.jsonl"
    if outer == "chain":
        quiet = {"@loggers": "spacy.ConsoleLogger.v3", "console_output": False}
        inner = logger_config(logger=quiet, output_file=str(path))
        logger = {"@loggers": "spacy.ChainLogger.v1", "logger1": console, "logger2": inner}
    else:
        chain = {"@loggers": "spacy.ChainLogger.v1", "logger1": console}
        logger = logger_config(logger=chain, output_file=str(path))
    _, shown = run(make_config(corpus, logger))
    assert sum("tasks" in line for line in path.read_text().splitlines()) == 5
    assert (tmp_path / "c.jsonl").read_text().strip()
    assert shown.count("LOSS TAGGER") == 1 and "loss x weight: tagger" in shown


def test_a_file_is_not_overwritten(corpus, tmp_path):
    path = tmp_path / "steps.jsonl"
    path.write_text("earlier run")
    with pytest.raises(ValueError, match=r"\[training.logger\] output_file: .* exists already"):
        run(make_config(corpus, logger_config(output_file=str(path))))
    assert path.read_text() == "earlier run"


def test_a_pipeline_without_a_trunk_of_this_package_is_named(corpus):
    with pytest.raises(ValueError, match="the pipeline has none: tok2vec, tagger"):
        run(make_config(corpus, logger_config(), trunk=STOCK))


def test_negative_interval_is_named():
    with pytest.raises(ValueError, match="cosines_every is -1"):
        registry.loggers.get("spacy_mtl.MultiTaskLogger.v1")(cosines_every=-1)


def test_score_that_is_not_finite_is_written_as_none(tmp_path):
    steps = StepFile(tmp_path / "steps.jsonl")
    scores = {"a": math.nan, "b": 1}
    steps.write_evaluation(
        3, {"epoch": 0, "score": 0.5, "other_scores": scores, "losses": {"a": 2}}
    )
    steps.close()
    (line,) = map(json.loads, (tmp_path / "steps.jsonl").read_text().splitlines())
    assert line["scores"] == {"a": None, "b": 1.0} and line["losses"] == {"a": 2.0}
