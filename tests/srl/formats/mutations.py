"""Small valid files of every format, and random damage to them."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from spacy.tokens import Doc, Span

from spacy_mtl.srl.formats.doc_sentences import doc_sentences
from spacy_mtl.srl.formats.registry import write_docs
from spacy_mtl.srl.formats.report import ConversionReport
from spacy_mtl.srl.formats.treebank import Treebank
from tests.srl.strategies import make_doc

INLINE = """\
=== a-1 | sentiment: positive
The cook at [ORG: Bellini's] pours tea at noon and serves us.
> [ARG0: The cook at Bellini's] [V=pour.01: pours] [ARG1: tea] [ARGM-TMP: at noon] and serves us.
> [ARG0: The cook at Bellini's] pours tea at noon and [V=serve.06: serves] [ARG2: us].

Nobody in [LOC: Rome] did\\[sic\\] it.

=== a-2 | layers: entities, frames
[PER: Ann] left her house.
> [ARG0: Ann] [V=leave.01: left] [ARG1: her house].
"""
UP1_ENGLISH = """\
# newdoc id = d
# sent_id = d-1
1\tthey\tthey\tPRON\tPRP\t_\t2\tnsubj\t2:nsubj\t_\t_\t_\tARG0
2\tbroke\tbreak\tVERB\tVBD\t_\t0\troot\t0:root\t_\tbreak_in.01\t_\tV
3-4\tinto\t_\t_\t_\t_\t_\t_\t_\t_\t_\t_\t_
3\tin\tin\tADP\tRP\t_\t2\tcompound\t2:compound\t_\t_\t_\tV
4\tto\tto\tADP\tRP\t_\t2\tcompound\t2:compound\t_\t_\t_\t_
5\tstealing\tsteal\tVERB\tVBG\t_\t2\tadvcl\t2:advcl\tSpaceAfter=No\tsteal.01\tV\t_

# sent_id = d-2
1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t0:root\t_\t_
"""


def sample_docs() -> list[Doc]:
    """Three documents with every layer, and frames with arguments of several words."""
    docs = []
    plain: list[tuple[str, list[Any], list[int]]] = [
        (
            "The cook pours tea and she serves us at noon .",
            [
                (2, "pour.01", [("ARG0", 0, 2), ("ARG1", 3, 4)]),
                (6, "serve.06", [("ARG0", 5, 6), ("ARG2", 7, 8), ("ARGM-TMP", 8, 10)]),
            ],
            [1, 2, 2, 2, 6, 6, 2, 6, 6, 8, 2],
        ),
        ("Yes , tea .", [], [0, 0, 0, 0]),
        (
            "They broke in stealing her old car",
            [
                (1, "break_in.01", [("ARG0", 0, 1), ("C-V", 2, 3), ("ARGM-ADV", 3, 7)]),
                (3, "steal.01", [("ARG0", 0, 1), ("ARG1", 4, 7)]),
            ],
            [1, 1, 1, 1, 6, 6, 3],
        ),
    ]
    for number, (text, frames, heads) in enumerate(plain):
        words = text.split()
        annotated = make_doc(words, frames)
        doc = Doc(
            annotated.vocab,
            words=words,
            tags=["NN"] * len(words),
            pos=["NOUN"] * len(words),
            morphs=["Number=Sing"] * len(words),
            lemmas=[word.lower() for word in words],
            heads=heads,
            deps=["ROOT" if head == i else "dep" for i, head in enumerate(heads)],
        )
        doc.spans["srl"] = [
            Span(doc, s.start, s.end, label=s.label_, kb_id=s.kb_id_, span_id=s.id)
            for s in annotated.spans["srl"]
        ]
        doc.set_ents([Span(doc, 0, 2, label="PER")], default="outside")
        doc.spans["coref_clusters_3"] = [doc[0:2], doc[3:4]]
        doc.user_data["id"] = f"d_{number}"
        docs.append(doc)
    return docs


def samples() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Format, text and options of a small valid file, by name."""
    docs = sample_docs()

    def written(name: str, **options: str) -> str:
        return "".join(write_docs(docs, name, ConversionReport(), **options))

    found: dict[str, tuple[str, str, dict[str, Any]]] = {
        name: (name, written(name), {})
        for name in (
            *("conll05", "conll08", "conll09", "conll12", "propbank", "up1", "up1-misc", "up2"),
            *("bio", "deep_srl", "allennlp"),
        )
    }
    for columns in ("words", "conll05"):
        text = written("conll05", columns=columns)
        found[f"conll05 {columns}"] = ("conll05", text, {"columns": columns})
    text = written("bio", columns="word tag predicate")
    found["bio word tag predicate"] = ("bio", text, {"columns": "word tag predicate"})
    found["bio word"] = ("bio", written("bio", columns="word"), {"columns": "word"})
    found["up2 heads"] = ("up2", written("up2"), {"arguments": "heads"})
    found["up1 project"] = ("up1", written("up1"), {"project": True})
    found["up1 English"] = ("up1", UP1_ENGLISH, {})
    found["allennlp array"] = (
        "allennlp",
        f"[{','.join(written('allennlp').splitlines())}]",
        {},
    )
    found["inline"] = ("inline", INLINE, {})
    carries = frozenset({"documents", "sentence IDs"})
    words = list(doc_sentences(docs, carries, ConversionReport()))
    for name, columns in (("gold_skel", {}), ("conll05", {"columns": "props"})):
        options = {"treebank": Treebank([replace(w, frames=None) for w in words]), **columns}
        found[f"{name} with a treebank"] = (name, written(name, **columns), options)
    return found


CELLS = (
    *("V", "C-V", "_", "-", "*", "O", "Y", "N", "0", "1", "7", "99999", "-1", "1-2", "1.1", "()"),
    *("(V*)", "(A0*", "*)", "(A0(A1*))", "(ARG1*)", "B-V", "I-A0", "B-", "E-A0", "A0|A1", "A0:1-2"),
    *("A0:9-1", "sell.01", "sell", "01", "|||", '"', "{", "}", "[", "]", '"tags"', "null", "#"),
    *(
        "#begin document (a); part 000",
        "#end document",
        "===",
        ">",
        "\\",
        "Roleset=go.01",
        "Args=V",
    ),
    *("# newdoc id = x", "# global.columns = ID FORM UP:PRED", "\ud800", "\\ud800", "9" * 5000),
)
CHARACTERS = "\t \n\r\x00\x0b\x0c\x1c\x85\u00a0\u2028\u3000\ufeff\ufffd\u0301é中😀١²()*[]|_-\"'#"
BYTES = (b"\xff", b"\xc3", b"\x80", b"\x00", b"\xed\xa0\x80", b"\xff\xfe", b"\xef\xbb\xbf")


def mutate(text: str, rng: random.Random) -> bytes:
    """Damage a file in one to four places."""
    for _ in range(rng.randint(1, 4)):
        text = rng.choice(_TEXT_MUTATIONS)(text, rng)
    data = text.encode("utf-8", errors="surrogatepass")
    if rng.random() < 0.15:
        position = rng.randint(0, len(data))
        data = data[:position] + rng.choice(BYTES) + data[position:]
    if rng.random() < 0.05:
        data = b"\xef\xbb\xbf" + data
    if rng.random() < 0.03:
        data = text.encode("utf-16" if rng.random() < 0.5 else "latin-1", errors="replace")
    return data


def _lines(text: str, rng: random.Random) -> str:
    """Delete, repeat, move or swap lines, or put an empty one in."""
    lines = text.split("\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    what = rng.randrange(5)
    if what == 0:
        del lines[i]
    elif what == 1:
        lines.insert(i, lines[i])
    elif what == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif what == 3:
        lines.insert(j, lines[i])
    else:
        lines.insert(i, "")
    return "\n".join(lines)


def _cells(text: str, rng: random.Random) -> str:
    """Delete, repeat, swap or replace cells of a line."""
    lines = text.split("\n")
    i = rng.randrange(len(lines))
    parts = re.split(r"([\t ]+)", lines[i])  # cells at even places
    j = 2 * rng.randrange((len(parts) + 1) // 2)
    k = 2 * rng.randrange((len(parts) + 1) // 2)
    what = rng.randrange(5)
    if what == 0:
        del parts[j : j + 2]
    elif what == 1:
        parts[j:j] = [parts[j], "\t" if "\t" in lines[i] else "  "]
    elif what == 2:
        parts[j], parts[k] = parts[k], parts[j]
    elif what == 3:
        parts[j] = rng.choice(CELLS)
    else:
        parts.append(rng.choice(("\t", " ", "\t_", "\t*", " *", "\tA0")))
    lines[i] = "".join(parts)
    return "\n".join(lines)


def _truncate(text: str, rng: random.Random) -> str:
    return text[: rng.randint(0, len(text))]


def _insert(text: str, rng: random.Random) -> str:
    position = rng.randint(0, len(text))
    return text[:position] + rng.choice(CHARACTERS) + text[position:]


def _delete(text: str, rng: random.Random) -> str:
    position = rng.randint(0, len(text))
    return text[:position] + text[position + rng.randint(1, 3) :]


def _line_ends(text: str, rng: random.Random) -> str:
    end = rng.choice(("\r\n", "\r"))
    share = rng.choice((0.1, 1.0))
    return "".join(end if c == "\n" and rng.random() < share else c for c in text)


def _exchange(pattern: str, values: tuple[str, ...]) -> Callable[[str, random.Random], str]:
    def exchange(text: str, rng: random.Random) -> str:
        matches = list(re.finditer(pattern, text))
        if not matches:
            return text
        match = rng.choice(matches)
        return text[: match.start()] + rng.choice(values) + text[match.end() :]

    return exchange


_TEXT_MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    *(_lines, _lines, _cells, _cells, _cells, _truncate, _insert, _insert, _delete, _line_ends),
    _exchange("[0-9]+", ("0", "1", "2", "5", "99", "-1", "x", "")),
    _exchange(r"[()\[\]{}*]", ("(", ")", "*", "[", "]", "", "((", "))")),
    _exchange(r"\b[BI]-", ("B-", "I-", "", "E-", "O")),
    _exchange(r"ARG[0-9M]|A[0-9M]|\bV\b", ("V", "C-V", "ARG1", "A1", "", "R-A0", "AM-TMP")),
    _exchange(r"\t", (" ", "", "\t\t", "\n")),
    _exchange(r"_|-", ("", "x", "V", "A0", "*")),
)
