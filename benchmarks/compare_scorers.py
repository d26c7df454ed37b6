"""Compare the scores of `spacy_mtl.srl.scoring` with those of the original programs.

    python benchmarks/compare_scorers.py --srl-eval srl-eval.pl --eval09 eval09.pl
        --primesrl PriMeSRL-Eval --primesrl-python env/bin/python
        --model training/ewt/model-best --data corpus/ewt/test.spacy

Without --model and --data only random propositions are compared. The originals are not part of this
package: srl-eval.pl is at https://www.cs.upc.edu/~srlconll/soft.html (and in allennlp-models),
eval09.pl at https://ufal.mff.cuni.cz/conll2009-st/eval-data.html, PriMeSRL-Eval at
https://github.com/UniversalPropositions/PriMeSRL-Eval; the last needs a Python with pandas 1.
The exit code is 1 if any number differs.
"""

import argparse
import csv
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spacy
from spacy.scorer import PRFScore
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.vocab import Vocab

from spacy_mtl.srl import Argument, Frame, IndexedFrame, indexed_frames, read_frames, write_frames
from spacy_mtl.srl.scoring import Conll05Counts, Conll09Counts, PrimeCounts
from spacy_mtl.srl.scoring.frames import PREDICATE_LABELS, character_frames
from spacy_mtl.srl.scoring.primesrl import Outcome
from spacy_mtl.srl.scoring.scorer import new_counts, official_counts

ROLES = [
    *("ARG0", "ARG1", "ARG1", "ARG2", "ARGM-TMP", "ARGM-LOC", "ARGA"),
    *("C-ARG0", "C-ARG1", "C-ARG1", "C-ARGM-TMP", "C-V"),
    *("R-ARG0", "R-ARG1", "R-ARGM-LOC", "C-R-ARG0"),
]
ROLESETS = ["give.01", "give.02", "take.01", "take.1", "be.x", "solo", "a.b.c", ""]
DEPS = ["nsubj", "obj", "obl", "obl:tmod", "case", "case", "punct", "punct", "P", "advmod"]
PRIME_ROWS = {
    "PredicateId": "predicates",
    "Predicate": "senses",
    "ArgumentHead": "",
    "CoreArgHead": "core",
    "ContextArgHead": "context",
}
PRIME_PROGRAM = """
import csv, os, sys
sys.path.insert(0, os.getcwd())
writer = csv.writer  # Python 3.11 does not take the program's quotechar=''
csv.writer = lambda file, **options: writer(
    file, **{name: None if value == "" else value for name, value in options.items()}
)
from src.proposed.comparison import compare_conllu_csv
from src.proposed.conversion import transfer_span_info
from src.proposed.evaluation import summarize_srl_comparisons
gold, predicted, compute_span = sys.argv[1], sys.argv[2], sys.argv[3] == "heads"
for folder in (gold, predicted):
    transfer_span_info(
        os.path.join(gold, "srl.conllu"), os.path.join(folder, "srl.conllu"),
        compute_span=compute_span,
    )
compare_conllu_csv(gold, predicted, predicted)
summarize_srl_comparisons(predicted)
"""


@dataclass(frozen=True)
class Sentence:
    """A sentence with its gold and predicted frames, as tokens of the document."""

    span: Span
    gold: list[IndexedFrame]
    predicted: list[IndexedFrame]


def main() -> None:
    """Compare as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--srl-eval", type=Path, help="srl-eval.pl of CoNLL-2005")
    parser.add_argument("--eval09", type=Path, help="eval09.pl of CoNLL-2009")
    parser.add_argument("--primesrl", type=Path, help="Folder of PriMeSRL-Eval")
    parser.add_argument("--primesrl-python", default=sys.executable, help="Python with pandas 1")
    parser.add_argument("--model", help="A trained pipeline")
    parser.add_argument("--data", type=Path, help=".spacy file with frames and gold parses")
    parser.add_argument("--limit", type=int, default=0, help="Documents of the data, 0 for all")
    parser.add_argument("--propositions", type=int, default=10_000, help="Random ones, 0 for none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="Print the counts that agree, too")
    args = parser.parse_args()
    sources: list[tuple[str, list[Example]]] = []
    if args.propositions:
        sources.append(("random", random_examples(args.propositions, args.seed)))
    if args.model and args.data:
        sources.append((str(args.model), predicted_examples(args.model, args.data, args.limit)))
    n_wrong = 0
    for name, examples in sources:
        sentences = [sentence for eg in examples for sentence in split_sentences(eg)]
        n_gold = sum(len(sentence.gold) for sentence in sentences)
        n_predicted = sum(len(sentence.predicted) for sentence in sentences)
        print(f"{name}: {len(sentences)} sentences, {n_gold} gold, {n_predicted} predicted frames")
        with tempfile.TemporaryDirectory() as folder:
            n_wrong += compare(examples, sentences, Path(folder), args)
    sys.exit(min(n_wrong, 1))


def compare(
    examples: list[Example], sentences: list[Sentence], folder: Path, args: argparse.Namespace
) -> int:
    """Run the originals that are given.

    RETURNS (int): How many numbers differ.
    """
    n_wrong = 0
    if args.srl_eval:
        theirs = run_srl_eval(args.srl_eval, sentences, folder)
        n_wrong += report("conll05", conll05_numbers(count(examples, "conll05")), theirs, args.show)
    if args.eval09:
        theirs = run_eval09(args.eval09, sentences, folder)
        n_wrong += report("conll09", conll09_numbers(count(examples, "conll09")), theirs, args.show)
    if args.primesrl:
        for name, kind in (("primesrl", "heads"), ("primesrl_spans", "spans")):
            theirs = run_primesrl(args.primesrl, args.primesrl_python, sentences, folder, kind)
            n_wrong += report(name, prime_numbers(count(examples, name)), theirs, args.show)
    return n_wrong


def report(name: str, ours: dict[str, Any], theirs: dict[str, Any], show: bool) -> int:
    """Print what differs.

    RETURNS (int): How many numbers differ.
    """
    wrong = [key for key in sorted(ours.keys() | theirs) if ours.get(key) != theirs.get(key)]
    print(f"  {name}: {len(theirs)} numbers of the original, {len(wrong)} differ")
    for key in sorted(ours.keys() | theirs) if show else wrong:
        print(f"    {key}: ours {ours.get(key)}, original {theirs.get(key)}")
    return len(wrong)


def random_examples(n_propositions: int, seed: int) -> list[Example]:
    """Make sentences with random trees and at least this many random gold propositions, and
    predictions that are right in parts."""
    rng = random.Random(seed)
    vocab = Vocab()
    examples: list[Example] = []
    n_made = 0
    while n_made < n_propositions:
        reference = random_doc(rng, vocab)
        length = len(reference)
        gold = {at: random_frame(rng, length, at) for at in range(length) if rng.random() < 0.3}
        predicted = {at: changed(rng, frame, length) for at, frame in gold.items()}
        predicted = {at: frame for at, frame in predicted.items() if rng.random() < 0.85}
        extra = rng.randrange(length)
        if extra not in gold and rng.random() < 0.5:
            predicted[extra] = random_frame(rng, length, extra)
        copy = Doc(vocab, words=[token.text for token in reference])
        write_indexed(reference, gold.values())
        write_indexed(copy, predicted.values())
        examples.append(Example(copy, reference))
        n_made += len(gold)
    return examples


def random_doc(rng: random.Random, vocab: Vocab) -> Doc:
    """Make a sentence with any tree, projective or not."""
    length = rng.randint(3, 14)
    order = rng.sample(range(length), length)
    heads = list(range(length))
    deps = ["ROOT"] * length
    for index, token in enumerate(order[1:], start=1):
        heads[token] = rng.choice(order[:index])
        deps[token] = rng.choice(DEPS)
    lemmas = ["," if dep in ("punct", "P") and rng.random() < 0.7 else "x" for dep in deps]
    words = [f"w{index}" for index in range(length)]
    sent_starts = [index == 0 for index in range(length)]
    doc = Doc(vocab, words=words, heads=heads, deps=deps, lemmas=lemmas)
    assert [token.is_sent_start for token in doc] == sent_starts
    return doc


def random_frame(rng: random.Random, length: int, predicate: int) -> IndexedFrame:
    """Make a frame with any roles."""
    borders = {predicate, predicate + 1, *rng.sample(range(length + 1), rng.randint(0, length))}
    ordered = sorted(borders)
    arguments = [
        (rng.choice(ROLES), start, end)
        for start, end in zip(ordered, ordered[1:], strict=False)
        if start != predicate and rng.random() < 0.7
    ]
    return IndexedFrame(predicate, rng.choice(ROLESETS), tuple(arguments))


def changed(rng: random.Random, frame: IndexedFrame, length: int) -> IndexedFrame:
    """Change sense, labels and borders here and there."""
    arguments: list[tuple[str, int, int]] = []
    taken = {frame.predicate}
    for label, start, end in frame.arguments:
        change = rng.random()
        if change < 0.12:
            continue
        if change < 0.3:
            label = rng.choice(ROLES)
        elif change < 0.45:
            start, end = start + rng.randint(-1, 1), end + rng.randint(-1, 1)
        if 0 <= start < end <= length and taken.isdisjoint(range(start, end)):
            arguments.append((label, start, end))
            taken.update(range(start, end))
    roleset = frame.roleset if rng.random() < 0.75 else rng.choice(ROLESETS)
    return IndexedFrame(frame.predicate, roleset, tuple(arguments))


def write_indexed(doc: Doc, frames: Iterable[IndexedFrame]) -> None:
    """Write frames given as token indices."""
    write_frames(
        doc,
        [
            Frame(
                doc[frame.predicate : frame.predicate + 1],
                frame.roleset,
                tuple(Argument(label, doc[start:end]) for label, start, end in frame.arguments),
            )
            for frame in frames
        ],
    )


def predicted_examples(model: str, data: Path, limit: int) -> list[Example]:
    """Predict the frames of documents, in gold tokens. Arguments beyond the predicate's sentence
    are left out on both sides: the formats of the originals can't hold them."""
    nlp = spacy.load(model)
    references = list(DocBin().from_disk(data).get_docs(nlp.vocab))[: limit or None]
    blank = [
        Doc(nlp.vocab, [token.text for token in doc], [bool(token.whitespace_) for token in doc])
        for doc in references
    ]
    examples = []
    n_cut = 0
    for predicted, reference in zip(nlp.pipe(blank), references, strict=True):
        for doc in (reference, predicted):
            n_cut += cut_to_sentences(doc, reference)
        examples.append(Example(predicted, reference))
    print(f"{n_cut} arguments reach out of their predicate's sentence and are left out")
    return examples


def cut_to_sentences(doc: Doc, reference: Doc) -> int:
    """RETURNS (int): How many arguments were outside of the predicate's sentence."""
    n_cut = 0
    frames = []
    for frame in read_frames(doc):
        sentence = reference[frame.predicate.start].sent
        arguments = tuple(
            argument
            for argument in frame.arguments
            if sentence.start <= argument.span.start and argument.span.end <= sentence.end
        )
        n_cut += len(frame.arguments) - len(arguments)
        frames.append(Frame(frame.predicate, frame.roleset, arguments))
    write_frames(doc, frames)
    return n_cut


def split_sentences(example: Example) -> Iterator[Sentence]:
    """Distribute frames, in text order, to the sentences of the reference."""
    gold = sorted(indexed_frames(example.reference), key=lambda frame: frame.predicate)
    predicted = sorted(indexed_frames(example.predicted), key=lambda frame: frame.predicate)
    for span in example.reference.sents:
        yield Sentence(
            span,
            [frame for frame in gold if span.start <= frame.predicate < span.end],
            [frame for frame in predicted if span.start <= frame.predicate < span.end],
        )


def count(examples: list[Example], name: str) -> Any:
    """Count as this package does."""
    total: Any = new_counts(name)
    for example in examples:
        gold = character_frames(example.reference, "srl")
        predicted = character_frames(example.predicted, "srl")
        total += official_counts(name, gold, predicted, example.reference)
    return total


def percent(value: float | None) -> str:
    """Write a share as the perl programs do."""
    return f"{100 * (value or 0.0):.2f}"


def conll05_numbers(total: Conll05Counts) -> dict[str, Any]:
    """Name our numbers as those of srl-eval.pl."""
    scores = total.to_scores("x")
    numbers: dict[str, Any] = {
        "propositions": total.propositions,
        "perfect": percent(scores["x_perfect"]),
    }
    for role, score in {"Overall": total.overall, **total.per_role}.items():
        prf = (percent(score.precision), percent(score.recall), percent(score.fscore))
        numbers[role] = (score.tp, score.fp, score.fn, *prf)
    return numbers


def run_srl_eval(script: Path, sentences: list[Sentence], folder: Path) -> dict[str, Any]:
    """Run srl-eval.pl."""
    files = (folder / "gold.05", folder / "predicted.05")
    files[0].write_text("".join(conll05_rows(s.span, s.gold) for s in sentences))
    files[1].write_text("".join(conll05_rows(s.span, s.predicted) for s in sentences))
    output = run_perl(script, *map(str, files))
    numbers: dict[str, Any] = {}
    for line in output.splitlines():
        parts = line.split()
        if line.startswith("Number of Propositions"):
            numbers["propositions"] = int(parts[-1])
        elif line.startswith("Percentage of perfect"):
            numbers["perfect"] = parts[-1]
        elif len(parts) == 7 and parts[1].isdigit() and parts[0] != "V":
            numbers[parts[0]] = (*map(int, parts[1:4]), *parts[4:])
    return numbers


def conll05_rows(span: Span, frames: list[IndexedFrame]) -> str:
    """Write a sentence in the columns of CoNLL-2005."""
    verbs = {frame.predicate for frame in frames}
    columns = [["v" if token.i in verbs else "-" for token in span]]
    for frame in frames:
        predicate = ("V", frame.predicate, frame.predicate + 1)
        columns.append(bracketed(span, [predicate, *frame.arguments]))
    return rows(columns)


def bracketed(span: Span, arguments: Iterable[tuple[str, int, int]]) -> list[str]:
    """Write labelled spans as a column of brackets."""
    tags = ["*"] * len(span)
    for label, start, end in arguments:
        tags[start - span.start] = f"({label}" + tags[start - span.start]
        tags[end - 1 - span.start] += ")"
    return tags


def rows(columns: list[list[str]]) -> str:
    """Turn columns into lines."""
    return "\n".join("\t".join(row) for row in zip(*columns, strict=True)) + "\n\n"


def conll09_numbers(total: Conll09Counts) -> dict[str, Any]:
    """Name our numbers as those of eval09.pl."""
    scores = total.to_scores("x")
    numbers: dict[str, Any] = {}
    for title, stem, pair in (
        ("Labeled", "x", (total.arguments, total.senses)),
        ("Unlabeled", "x_unlabelled", (total.unlabelled, total.predicates)),
    ):
        right = tuple(score.tp for score in pair)
        predicted = tuple(score.tp + score.fp for score in pair)
        gold = tuple(score.tp + score.fn for score in pair)
        numbers[f"{title} precision"] = (*right, *predicted, percent(scores[f"{stem}_p"]))
        numbers[f"{title} recall"] = (*right, *gold, percent(scores[f"{stem}_r"]))
        numbers[f"{title} F1"] = (percent(scores[f"{stem}_f"]),)
    whole = total.propositions
    precision, recall = (scores[f"x_propositions_{part}"] for part in "pr")
    numbers["Proposition precision"] = (whole.tp, whole.tp + whole.fp, percent(precision))
    numbers["Proposition recall"] = (whole.tp, whole.tp + whole.fn, percent(recall))
    numbers["Proposition F1"] = (percent(scores["x_propositions_f"]),)
    numbers["Exact semantic match"] = (total.exact, total.sentences, percent(scores["x_exact"]))
    for role, score in total.per_role.items():
        numbers[role] = (score.tp + score.fn, score.tp, score.tp + score.fp)
    return numbers


def run_eval09(script: Path, sentences: list[Sentence], folder: Path) -> dict[str, Any]:
    """Run eval09.pl."""
    files = (folder / "gold.09", folder / "predicted.09")
    files[0].write_text("".join(conll09_rows(s.span, s.gold) for s in sentences), "utf8")
    files[1].write_text("".join(conll09_rows(s.span, s.predicted) for s in sentences), "utf8")
    output = run_perl(script, "-g", str(files[0]), "-s", str(files[1]))
    numbers: dict[str, Any] = {}
    semantic = output.partition("SEMANTIC SCORES:")[2].partition("OVERALL MACRO")[0]
    for line in semantic.splitlines():
        title, _, rest = line.strip().partition(":")
        if rest:
            values = re.findall(r"\d+\.\d+|\d+", rest.replace("* 100", ""))
            numbers[title] = (*map(int, values[:-1]), values[-1])
    for line in output.splitlines():
        match = re.match(r"  X \+ (\S+) +\| +(\d+) \| +(\d+) \| +(\d+) \|", line)
        if match:
            numbers[match[1]] = tuple(map(int, match.groups()[1:]))
    return numbers


def conll09_rows(span: Span, frames: list[IndexedFrame]) -> str:
    """Write a sentence in the columns of CoNLL-2009, each argument at its head."""
    senses = {frame.predicate: frame.roleset or "?" for frame in frames}
    heads = [str(head_of(token)) for token in span]
    columns = [
        [str(token.i - span.start + 1) for token in span],
        [token.text for token in span],
        *[["_"] * len(span)] * 2,
        *[["X"] * len(span)] * 2,
        *[["_"] * len(span)] * 2,
        *[heads] * 2,
        *[["x"] * len(span)] * 2,
        ["Y" if token.i in senses else "_" for token in span],
        [senses.get(token.i, "_") for token in span],
        *[head_column(span, frame) for frame in frames],
    ]
    return rows(columns)


def head_of(token: Any) -> int:
    """RETURNS (int): The number of a token's head in its sentence, 0 for the root."""
    return 0 if token.head == token else token.head.i - token.sent.start + 1


def head_column(span: Span, frame: IndexedFrame) -> list[str]:
    """Write the arguments of a frame at their heads."""
    column = ["_"] * len(span)
    for label, start, end in frame.arguments:
        if label not in PREDICATE_LABELS:
            column[span.doc[start:end].root.i - span.start] = label
    return column


def prime_numbers(total: PrimeCounts) -> dict[str, Any]:
    """Name our numbers as those of PriMeSRL-Eval."""
    scores = total.to_scores("x")
    numbers: dict[str, Any] = {}
    for title, stem in PRIME_ROWS.items():
        name = f"x_{stem}_" if stem else "x_"
        numbers[title] = tuple(round(scores[f"{name}{part}"] or 0.0, 12) for part in "prf")
    predicates: PRFScore = total.predicates
    numbers["PredicateId counts"] = {
        "Correct": predicates.tp,
        "Spurious": predicates.fp,
        "Missing": predicates.fn,
    }
    for title, outcomes in (("CoreArgHead", total.core), ("ContextArgHead", total.context)):
        numbers[f"{title} counts"] = {
            outcome.value: outcomes[outcome] for outcome in Outcome if outcomes[outcome]
        }
    return numbers


def run_primesrl(
    program: Path, python: str, sentences: list[Sentence], folder: Path, kind: str
) -> dict[str, Any]:
    """Run PriMeSRL-Eval on arguments given by head ("heads") or in brackets ("spans").

    Joined spans are compared by their text, which the program cuts at its first comma, so that
    different spans can look the same. In brackets, commas are therefore written as semicolons.
    """
    writer = head_column if kind == "heads" else bracket_column
    first = next(s for s in sentences if s.gold and s.predicted)  # it tells which kind they are
    ordered = [first, *(sentence for sentence in sentences if sentence is not first)]
    folders = (folder / f"gold-{kind}", folder / f"predicted-{kind}")
    for side, target in enumerate(folders):
        target.mkdir()
        blocks = []
        for sentence in ordered:
            frames = sentence.predicted if side else sentence.gold
            columns = [
                [prime_label(label) for label in writer(sentence.span, frame)] for frame in frames
            ]
            block = conllu_rows(sentence.span, frames, columns)
            blocks.append(block.replace(",", ";") if kind == "spans" else block)
        (target / "srl.conllu").write_text("".join(blocks), "utf8")
    command = [python, "-c", PRIME_PROGRAM, *map(str, folders), kind]
    done = subprocess.run(command, cwd=program, capture_output=True, encoding="utf8")
    if done.returncode:
        raise RuntimeError(f"PriMeSRL-Eval failed:\n{done.stderr}")
    numbers: dict[str, Any] = {}
    with (folders[1] / "comparison-results-proposed.csv").open() as file:
        for row in csv.DictReader(file):
            title = row["Type"]
            prf = (row["Precision"], row["Recall"], row["F1"])
            numbers[title] = tuple(round(float(value), 12) for value in prf)
            if title not in ("Predicate", "ArgumentHead"):
                names = ["Correct", "Spurious", "Missing", *(outcome.value for outcome in Outcome)]
                found = Counter({name: int(row[name]) for name in names})
                numbers[f"{title} counts"] = {name: n for name, n in found.items() if n}
    return numbers


def bracket_column(span: Span, frame: IndexedFrame) -> list[str]:
    """Write the arguments of a frame as brackets."""
    return bracketed(span, [part for part in frame.arguments if part[0] not in PREDICATE_LABELS])


def prime_label(label: str) -> str:
    """Write a label as CoNLL-2009 does, which PriMeSRL-Eval expects."""
    return label.replace("ARGM", "AM").replace("ARG", "A")


def conllu_rows(span: Span, frames: list[IndexedFrame], columns: list[list[str]]) -> str:
    """Write a sentence in PriMeSRL-Eval's extension of CoNLL-U."""
    senses = {frame.predicate: frame.roleset or "_" for frame in frames}
    texts = [token.text for token in span]
    return f"# text = {' '.join(texts)}\n" + rows(
        [
            [str(index) for index in range(1, len(span) + 1)],
            texts,
            [token.lemma_ or "_" for token in span],
            *[["X"] * len(span)] * 2,
            ["_"] * len(span),
            [str(head_of(token)) for token in span],
            [token.dep_ for token in span],
            ["Y" if token.i in senses else "_" for token in span],
            [senses.get(token.i, "_") for token in span],
            *columns,
        ]
    )


def run_perl(script: Path, *arguments: str) -> str:
    """RETURNS (str): What a perl program prints."""
    command = ["perl", str(script), *arguments]
    return subprocess.run(command, check=True, capture_output=True, encoding="utf8").stdout


if __name__ == "__main__":
    main()
