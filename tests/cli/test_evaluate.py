import json
import shutil
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from wasabi import Printer

from spacy_mtl.cli.evaluate import evaluate, overall_rows, print_by_label
from spacy_mtl.cli.evaluate_srl import check_srl_scores
from spacy_mtl.cli.inputs import read_examples
from tests.trained import Trained, make_docs, run, save, without

pytest_plugins = ["tests.trained"]


@pytest.fixture
def unannotated(tmp_path: Path) -> Path:
    """Documents without any annotation."""
    bare = [Doc(doc.vocab, words=[token.text for token in doc]) for doc in make_docs()]
    return save(bare, tmp_path / "bare.spacy")


def test_scores_of_every_component_are_returned(trained: Trained) -> None:
    results = evaluate(trained.model, trained.dev)
    assert list(results["components"]) == [
        "tokenizer", "tagger", "parser", "senter", "ner", "textcat", "srl"
    ]  # fmt: skip
    assert results["documents"] == 16
    assert results["words"] == 168
    assert results["speed"] > 0
    assert set(results["annotated"].values()) == {16}
    assert results["components"]["ner"]["ents_f"] > 0.9
    assert set(results["components"]["srl"]["srl_arguments_per_role"]) == {"ARG0", "ARG1", "ARG2"}


def test_annotation_that_is_missing_everywhere_gives_no_score(
    trained: Trained, unannotated: Path
) -> None:
    results = evaluate(trained.model, unannotated)
    scored = {name for name, count in results["annotated"].items() if count}
    assert not scored & {"tagger", "parser", "senter", "ner", "textcat", "srl"}
    for name in ("tagger", "parser", "senter", "ner", "textcat", "srl"):
        assert set(results["components"][name].values()) == {None}


def test_annotation_that_some_documents_lack_is_scored_on_the_others(
    trained: Trained, tmp_path: Path
) -> None:
    docs = [without(doc, "srl") if i % 4 else doc for i, doc in enumerate(make_docs())]
    results = evaluate(trained.model, save(docs, tmp_path / "partly.spacy"))
    assert results["annotated"]["srl"] == 4
    assert results["annotated"]["ner"] == 16
    assert results["components"]["srl"]["srl_predicates_f"] > 0.9


def test_batch_size_does_not_change_scores(trained: Trained) -> None:
    assert (
        evaluate(trained.model, trained.dev, batch_size=1)["components"]
        == evaluate(trained.model, trained.dev, batch_size=16)["components"]
    )


def test_json_holds_all_scores_in_a_stable_order(trained: Trained, tmp_path: Path) -> None:
    output = tmp_path / "metrics" / "scores.json"
    results = evaluate(trained.model, trained.dev, output=output)
    text = output.read_text(encoding="utf8")
    saved = json.loads(text)
    assert saved["components"] == results["components"]
    assert list(saved) == sorted(saved)
    assert list(saved["components"]["srl"]) == sorted(results["components"]["srl"])


def test_command_prints_tables(trained: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    docs = make_docs()
    save(docs[:8], folder / "a.spacy")
    save([without(doc, "cats") for doc in docs[8:]], folder / "b.spacy")
    result = run("mtl", "evaluate", trained.model, folder, "--batch-size", "4")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines() if line]
    assert ["Documents", "16"] in lines
    rows = {line[0]: line for line in lines}
    assert rows["textcat"][1] == "8"
    assert rows["srl"][1:3] == ["16", "srl_predicates"]
    for label in ("PERSON", "PLACE", "ARG0", "GOOD"):
        assert label in rows


def test_categories_that_the_pipeline_lacks_are_said(trained: Trained, tmp_path: Path) -> None:
    docs = make_docs()[:4]
    for doc in docs[1:]:
        doc.cats = {"ODD": 1.0}
    with pytest.warns(UserWarning, match="'textcat' on 4 .* count as missed: 'ODD' \\(3\\)"):
        result = run("mtl", "evaluate", trained.model, save(docs, tmp_path / "odd.spacy"))
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.output.splitlines() if line.split()]
    assert ["textcat", "4", "cats_score"] in [row[:3] for row in rows]
    assert ["ODD", "0.00", "0.00", "0.00"] in rows


def test_numbers_that_are_no_shares_are_not_shown_in_percent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    scores = {"regression_mae": 0.71234, "regression_r": 0.5, "regression_r2": None}
    rows = {row[0]: row[-1] for row in overall_rows(scores)}
    assert rows == {"regression_mae": "0.7123", "regression_r": "50.00", "regression_r2": "-"}
    print_by_label(Printer(), "x", {"stars": {"mae": 0.71234, "r": 0.5, "r2": None}})
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["Label", "MAE", "R", "R2"] in lines and ["stars", "0.7123", "50.00", "-"] in lines


def test_command_says_what_is_not_annotated(trained: Trained, unannotated: Path) -> None:
    result = run("mtl", "evaluate", trained.model, unannotated)
    assert result.exit_code == 0, result.output
    rows = {line.split()[0]: line for line in result.output.splitlines() if line.split()}
    for name in ("ner", "textcat", "srl", "tagger", "parser", "senter"):
        assert "not annotated" in rows[name]


def check_failure(message: str, *arguments: str | Path) -> None:
    """Check that `mtl evaluate` ends with exit code 1 and a message, not with a traceback."""
    result = run("mtl", "evaluate", *arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert message in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_missing_pipeline_is_reported(trained: Trained, tmp_path: Path) -> None:
    check_failure("not found: it is neither", tmp_path / "nothing", trained.dev)
    check_failure("it holds no config.cfg", tmp_path, trained.dev)


def test_broken_pipeline_is_reported(trained: Trained, tmp_path: Path) -> None:
    shutil.copytree(trained.model, tmp_path / "model")
    file = tmp_path / "model" / "ner" / "model"
    file.write_bytes(file.read_bytes()[:-50])
    check_failure("Component 'ner' can't be loaded", tmp_path / "model", trained.dev)
    (tmp_path / "model" / "config.cfg").write_text("[nlp]\nlang = ", encoding="utf8")
    check_failure("can't be loaded.", tmp_path / "model", trained.dev)


def test_bad_data_is_reported(trained: Trained, tmp_path: Path) -> None:
    check_failure("not found", trained.model, tmp_path / "nothing.spacy")
    check_failure("holds no .spacy file", trained.model, tmp_path)
    empty = tmp_path / "empty.spacy"
    DocBin().to_disk(empty)
    check_failure("holds no document with tokens", trained.model, empty)
    empty.write_bytes(trained.dev.read_bytes()[:100])
    check_failure("is truncated or no .spacy file", trained.model, empty)
    check_failure("is no .spacy file", trained.model, trained.config)


def test_missing_gpu_is_reported(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_gpu(gpu_id: int) -> None:
        raise ValueError("No GPU devices detected")

    monkeypatch.setattr("spacy.cli._util.require_gpu", no_gpu)
    check_failure("No GPU devices", trained.model, trained.dev, "--gpu-id", "0")


def test_official_scores_of_semantic_roles_can_be_chosen(trained: Trained) -> None:
    results = evaluate(
        trained.model, trained.dev, srl_scores=["conll05", "conll09", "primesrl", "primesrl_spans"]
    )
    scores = results["components"]["srl"]
    for name in ("conll05_f", "conll09_f", "primesrl_f", "primesrl_spans_f"):
        assert scores[f"srl_{name}"] > 0.8
    only = evaluate(trained.model, trained.dev, srl_scores=[])["components"]["srl"]
    assert "srl_arguments_f" in only
    assert not any("conll" in name or "prime" in name for name in only)


def test_gold_predicates_can_be_given(trained: Trained) -> None:
    nlp = spacy.load(trained.model)
    nlp.get_pipe("srl").cfg["threshold"] = 2.0  # finds nothing by itself
    model = trained.model.parent / "deaf"
    nlp.to_disk(model)
    assert evaluate(model, trained.dev)["components"]["srl"]["srl_predicates_f"] == 0.0
    scores = evaluate(model, trained.dev, gold_predicates=True)["components"]["srl"]
    assert scores["srl_predicates_f"] == pytest.approx(1.0)
    assert scores["srl_arguments_f"] > 0.8


def test_command_takes_official_scores(trained: Trained) -> None:
    options = ["--srl-scores", "conll09, primesrl", "--gold-predicates"]
    result = run("mtl", "evaluate", trained.model, trained.dev, *options)
    assert result.exit_code == 0, result.output
    assert "srl_conll09_senses" in result.output
    assert "srl_primesrl_core" in result.output


def test_unknown_official_scores_are_reported(trained: Trained) -> None:
    result = run("mtl", "evaluate", trained.model, trained.dev, "--srl-scores", "conll12")
    assert result.exit_code == 1
    assert "'conll12'" in result.output


@pytest.mark.parametrize("options", [["--srl-scores", "conll05"], ["--gold-predicates"]])
def test_options_for_semantic_roles_need_the_component(
    trained: Trained, tmp_path: Path, options: list[str]
) -> None:
    spacy.load(trained.model, exclude=["srl"]).to_disk(tmp_path / "without")
    result = run("mtl", "evaluate", tmp_path / "without", trained.dev, *options)
    assert result.exit_code == 1
    assert "needs a component 'mtl_srl'" in " ".join(result.output.split())


def relabelled(doc: Doc, names: dict[str, str]) -> Doc:
    """A copy with other names of entities, categories and roles."""
    copy = doc.copy()
    copy.set_ents(
        [Span(copy, e.start, e.end, names.get(e.label_, e.label_)) for e in doc.ents],
        default="outside",
    )
    copy.cats = {names.get(label, label): value for label, value in doc.cats.items()}
    copy.spans["srl"] = [
        Span(
            copy,
            span.start,
            span.end,
            names.get(span.label_, span.label_),
            kb_id=names.get(span.kb_id_, span.kb_id_),
            span_id=span.id,
        )
        for span in doc.spans["srl"]
    ]
    return copy


def test_labels_that_the_pipeline_does_not_have_are_counted(
    trained: Trained, tmp_path: Path
) -> None:
    known = evaluate(trained.model, trained.dev)["unknown_labels"]
    assert set(known) <= {"parser"}  # spaCy's parser drops rare labels
    names = {"PLACE": "GPE", "ARG2": "ARG4", "GOOD": "FINE", "give.01": "hand.01"}
    path = save([relabelled(doc, names) for doc in make_docs()], tmp_path / "other.spacy")
    unknown = evaluate(trained.model, path)["unknown_labels"]
    assert {name: found["unknown"] for name, found in unknown.items() if name != "parser"} == {
        "ner": {"GPE": 16},
        "textcat": {"FINE": 8},
        "srl": {"ARG4": 16},
        "srl (rolesets)": {"hand.01": 16},
    }
    assert unknown["ner"]["gold"] == 32
    assert unknown["ner"]["known"] == ["PERSON", "PLACE"]
    result = run("mtl", "evaluate", trained.model, path)
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "'ner' does not know 16 of 32 gold labels, and can't find them: 'GPE' (16)." in text
    assert "'srl' does not know 16 of 80 gold labels" in text


def test_labels_of_which_the_pipeline_has_none_are_told_loudly(
    trained: Trained, tmp_path: Path
) -> None:
    names = {"PLACE": "LOC", "PERSON": "PER"}
    path = save([relabelled(doc, names) for doc in make_docs()], tmp_path / "other.spacy")
    result = run("mtl", "evaluate", trained.model, path)
    assert result.exit_code == 0, result.output
    assert (
        "'ner' has none of the labels of the data, and can't score above 0. The data has "
        "'PER' (16), 'LOC' (16). It has 'PERSON', 'PLACE'."
    ) in " ".join(result.output.split())


def test_labels_of_taggers_and_parsers_are_counted_too(trained: Trained, tmp_path: Path) -> None:
    docs = make_docs()
    for doc in docs:
        doc[-1].tag_, doc[0].dep_ = "XX", "odd"
    unknown = evaluate(trained.model, save(docs, tmp_path / "other.spacy"))["unknown_labels"]
    assert unknown["tagger"]["unknown"] == {"XX": 16}
    assert unknown["parser"]["unknown"]["odd"] == 16


@pytest.fixture
def no_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise AssertionError("something was predicted before everything was checked")

    monkeypatch.setattr("spacy.language.Language.evaluate", fail)


@pytest.mark.usefixtures("no_prediction")
def test_what_the_scores_need_is_checked_before_predicting(
    trained: Trained, tmp_path: Path
) -> None:
    unparsed = []
    for doc in make_docs():
        bare = Doc(
            doc.vocab, words=[t.text for t in doc], spaces=[bool(t.whitespace_) for t in doc]
        )
        bare._.srl = [frame.to_json() for frame in doc._.srl]
        unparsed.append(bare)
    path = save([*unparsed, *make_docs()], tmp_path / "unparsed.spacy")
    for score in ("primesrl", "conll09"):
        message = f"The score '{score}' of 'srl' needs a dependency parse in the references"
        check_failure(message, trained.model, path, "--srl-scores", score)
    bare = save([without(doc, "srl") for doc in make_docs()], tmp_path / "bare.spacy")
    check_failure("none of 16 documents is annotated", trained.model, bare, "--gold-predicates")
    with pytest.raises(ValueError, match="is a folder. Give the name"):
        evaluate(trained.model, trained.dev, output=tmp_path)
    nlp = spacy.load(trained.model)
    nlp.get_pipe("srl").cfg["argument_kind"] = "heads"
    with pytest.raises(ValueError, match="no dependency parse to tell its head"):
        check_srl_scores(nlp, read_examples(nlp, path))


@pytest.mark.usefixtures("no_prediction")
def test_options_are_checked_before_anything_is_loaded(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("spacy_mtl.cli.evaluate.load_pipeline")
    check_failure("Unknown scores", trained.model, trained.dev, "--srl-scores", "conll12")
    check_failure("not found", trained.model, tmp_path / "no.spacy")


def test_faulty_annotation_is_refused_or_left_out(trained: Trained, tmp_path: Path) -> None:
    docs = make_docs()
    verb = docs[0].spans["srl"][0]
    docs[0].spans["srl"] = [verb, Span(docs[0], verb.start, verb.end + 1, "ARG1", span_id=verb.id)]
    path = save(docs, tmp_path / "faulty.spacy")
    check_failure("faulty.spacy, document 1: component 'srl': Bad frame", trained.model, path)
    check_failure("with --skip-malformed", trained.model, path)
    with pytest.warns(UserWarning, match="document 1: component 'srl': Bad frame"):
        results = evaluate(trained.model, path, skip_malformed=True)
    assert results["documents"] == 16
    assert results["components"]["srl"]["srl_predicates_f"] > 0.9
