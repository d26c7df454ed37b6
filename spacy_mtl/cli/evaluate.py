"""`python -m spacy mtl evaluate`: every score of every component."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import srsly
from spacy.cli._util import Arg, Opt, import_code, setup_gpu
from spacy.language import Language
from thinc.api import fix_random_seed
from wasabi import Printer

from ..srl.scoring.scorer import check_scores
from ..training.hooks import merge_scores
from ..training.score_labels import is_share
from ..training.task_scores import average_present, configured_task_scores, score_weights
from ..util.annotation import count_annotated, drop_unannotated
from ..util.finite import without_infinity
from ..util.settings import TARGET_SCORE
from .evaluate_srl import check_srl_scores, give_predicates_to_heads, set_srl_scores
from .inputs import check_data, cli_errors, load_pipeline, read_examples
from .unknown_labels import find_unknown_labels, report_unknown_labels

PARTS = ("p", "r", "f")


def evaluate_cli(
    model: Annotated[str, Arg(help="Name or folder of the pipeline")],
    data_path: Annotated[Path, Arg(help=".spacy file with annotated documents, or folder of them")],
    output: Annotated[
        Path | None, Opt("--output", "-o", help="JSON file for all scores", dir_okay=False)
    ] = None,
    code_path: Annotated[
        Path | None, Opt("--code", "-c", help="Python file with registered functions to import")
    ] = None,
    use_gpu: Annotated[int, Opt("--gpu-id", "-g", help="GPU ID or -1 for CPU")] = -1,
    batch_size: Annotated[
        int | None, Opt("--batch-size", "-b", min=1, help="Documents in a batch of the pipeline")
    ] = None,
    srl_scores: Annotated[
        str | None,
        Opt(
            "--srl-scores",
            help="Official scores of semantic roles, comma-separated: conll05, conll09, primesrl, "
            "primesrl_spans",
        ),
    ] = None,
    gold_predicates: Annotated[
        bool,
        Opt("--gold-predicates", help="Give the gold predicates to the semantic role components"),
    ] = False,
    skip_malformed: Annotated[
        bool,
        Opt(
            "--skip-malformed",
            help="Leave out annotation that can't be scored, such as frames "
            "whose arguments overlap",
        ),
    ] = False,
) -> None:
    """
    Evaluate a pipeline on annotated documents. Prints every score of every component, and says so
    where the data lacks a component's annotation, or has labels that the component does not know.
    --output saves all scores as JSON.
    """
    import_code(code_path)
    with cli_errors():
        evaluate(
            model,
            data_path,
            output=output,
            use_gpu=use_gpu,
            batch_size=batch_size,
            srl_scores=srl_scores.split(",") if srl_scores is not None else None,
            gold_predicates=gold_predicates,
            skip_malformed=skip_malformed,
            silent=False,
        )


def evaluate(
    model: str | Path,
    data_path: str | Path,
    *,
    output: str | Path | None = None,
    use_gpu: int = -1,
    batch_size: int | None = None,
    srl_scores: Sequence[str] | None = None,
    gold_predicates: bool = False,
    skip_malformed: bool = False,
    silent: bool = True,
) -> dict[str, Any]:
    """Evaluate a pipeline on annotated documents.

    model (Union[str, Path]): Name or folder of the pipeline.
    data_path (Union[str, Path]): A `.spacy` file, or a folder of such files.
    output (Optional[Union[str, Path]]): JSON file for what is returned, with sorted keys.
    use_gpu (int): Number of the GPU, or -1 for CPU.
    batch_size (Optional[int]): Documents in a batch; the pipeline's own where None.
    srl_scores (Optional[Sequence[str]]): The official scores that semantic role components get
        beside this package's own, see `score_srl`; those of their config where None.
    gold_predicates (bool): Whether semantic role components are given the gold predicates, so that
        rolesets and arguments are scored by themselves.
    skip_malformed (bool): Leave out annotation that can't be scored, with a warning, instead of an
        error.
    silent (bool): Whether to print nothing.
    RETURNS (Dict[str, Any]): "documents" and "words" of the data, "speed" in words per second,
        "annotated": by component, the number of documents that it can be scored on,
        "unknown_labels": see `find_unknown_labels`, "components": by component, all its scores by
        name, None where the data lacks the annotation, and "average": the average of the scores by
        `[training.score_weights]`, or by the target of the training's `spacy_mtl.TaskSelection.v1`,
        over those that are not None.
    RAISES (ValueError): If the pipeline or the data is missing, empty or broken, if there is no
        semantic role component for `srl_scores` or `gold_predicates`, or if the data lacks what the
        scores need. All before anything is predicted.
    """
    msg = Printer(no_print=silent, pretty=not silent)
    fix_random_seed()
    check_scores([score.strip() for score in srl_scores or [] if score.strip()])
    check_data(data_path)
    if output is not None:
        check_output(output)
    setup_gpu(use_gpu, silent=silent)
    nlp = load_pipeline(model)
    examples = read_examples(nlp, data_path, check=True, skip_malformed=skip_malformed)
    if srl_scores is not None:
        set_srl_scores(nlp, srl_scores)
    check_srl_scores(nlp, examples)
    if gold_predicates:
        give_predicates_to_heads(nlp, examples, msg)
    unknown_labels = find_unknown_labels(nlp, examples)
    report_unknown_labels(msg, unknown_labels)
    scores = nlp.evaluate(examples, batch_size=batch_size, per_component=True)
    speed = scores.pop("speed")
    components = {"tokenizer": nlp.tokenizer, **dict(nlp.pipeline)}
    results = {
        "documents": len(examples),
        "words": sum(len(example.predicted) for example in examples),
        "speed": speed,
        "annotated": {
            name: count_annotated(components[name], list(own), examples)
            for name, own in scores.items()
            if own
        },
        "unknown_labels": unknown_labels,
        "components": {
            name: drop_unannotated(own, components[name], examples)
            for name, own in scores.items()
            if own
        },
    }
    results["average"] = average_score(nlp, results["components"])
    print_results(msg, results)
    if output is not None:
        Path(output).write_text(
            srsly.json_dumps(without_infinity(results), indent=2, sort_keys=True) + "\n",
            encoding="utf8",
        )
        msg.good(f"Saved all scores to {output}")
    return results


def check_output(path: str | Path) -> None:
    """Make the folder of a file that is to be written later.

    path (Union[str, Path]): The file.
    RAISES (ValueError): If it is a folder itself.
    RAISES (OSError): If the folder can't be made.
    """
    if Path(path).is_dir():
        raise ValueError(f"'{path}' is a folder. Give the name of a file for the scores.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)


def average_score(nlp: Language, components: dict[str, dict[str, Any]]) -> float | None:
    """Average the scores that the training went by, without those that the data lacks the
    annotation for.

    nlp (Language): The pipeline.
    components (Dict[str, Dict[str, Any]]): By component, its scores.
    RETURNS (Optional[float]): The average; None if no such score is there.
    """
    weights = {name: weight or 0.0 for name, weight in score_weights(nlp).items()}
    if weights.get(TARGET_SCORE):
        tasks = configured_task_scores(nlp)
        return average_present(tasks.of_tasks(components), tasks.target)
    return average_present(merge_scores(components.values()), weights)


def print_results(msg: Printer, results: dict[str, Any]) -> None:
    """Print tables: the overall scores of each component, then those by label.

    msg (Printer): Prints.
    results (Dict[str, Any]): What `evaluate` returns.
    """
    msg.table(
        [
            ("Documents", results["documents"]),
            ("Words", results["words"]),
            ("Words per second", f"{results['speed']:.0f}"),
        ],
        aligns=("l", "r"),
        title="Data",
    )
    rows: list[tuple[str, ...]] = []
    for component, scores in results["components"].items():
        n_annotated = results["annotated"][component]
        own = overall_rows(scores) if n_annotated else [("not annotated", "", "", "", "")]
        names = [component] + [""] * (len(own) - 1)
        counts = [str(n_annotated)] + [""] * (len(own) - 1)
        rows += [(name, n, *row) for name, n, row in zip(names, counts, own, strict=True)]
    msg.table(
        rows,
        header=("Component", "Docs", "Score", "P", "R", "F", "Value"),
        aligns=("l", "r", "l", "r", "r", "r", "r"),
        title="Scores",
    )
    msg.text(
        f"Weighted average of the scores that the data has the annotation for: "
        f"{percent(results['average'])}"
    )
    for component, scores in results["components"].items():
        for name, by_label in scores.items():
            if isinstance(by_label, dict) and by_label:
                print_by_label(msg, f"{component}: {name}", by_label)


def overall_rows(scores: dict[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """Lay out a component's scores, leaving out those by label.

    Scores whose names end in `_p`, `_r` and `_f` share a row.

    scores (Dict[str, Any]): By name.
    RETURNS (List[Tuple[str, str, str, str, str]]): The name, then P, R, F and any other value.
    """
    rows: dict[str, dict[str, str]] = {}
    for name, value in scores.items():
        stem, _, part = name.rpartition("_")
        if isinstance(value, dict) or name.endswith(("_per_type", "_per_role", "_per_feat")):
            continue
        if part in PARTS and f"{stem}_f" in scores:
            rows.setdefault(stem, {})[part] = percent(value)
        elif not name.endswith("_desc"):
            description = scores.get(f"{name}_desc")
            title = f"{name} ({description})" if description else name
            rows.setdefault(title, {})["value"] = percent(value) if is_share(name) else plain(value)
    return [
        (title, row.get("p", ""), row.get("r", ""), row.get("f", ""), row.get("value", ""))
        for title, row in rows.items()
    ]


def print_by_label(msg: Printer, title: str, by_label: dict[str, Any]) -> None:
    """Print a table of the scores of each label.

    msg (Printer): Prints.
    title (str): The table's title.
    by_label (Dict[str, Any]): For each label a score, or a dict of the same scores, such as p, r
        and f.
    """
    if all(isinstance(value, dict) for value in by_label.values()):
        parts = list(next(iter(by_label.values())))
        header: tuple[str, ...] = ("Label", *(part.upper() for part in parts))
        writers = [percent if is_share(f"_{part}") else plain for part in parts]
        rows = [
            (label, *(write(value.get(part)) for part, write in zip(parts, writers, strict=True)))
            for label, value in by_label.items()
        ]
    else:
        header = ("Label", "Value")
        rows = [(label, percent(value)) for label, value in by_label.items()]
    msg.table(rows, header=header, aligns=("l",) + ("r",) * (len(header) - 1), title=title)


def percent(value: Any) -> str:
    """Write a score.

    value (Any): A share between 0 and 1, None, or anything else.
    RETURNS (str): Percent with two decimals; "-" for None.
    """
    if value is None:
        return "-"
    return f"{value * 100:.2f}" if isinstance(value, int | float) else str(value)


def plain(value: Any) -> str:
    """Write a score that is no share of 1.

    value (Any): A number in its own unit, None, or anything else.
    RETURNS (str): The number with four digits; "-" for None.
    """
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)
