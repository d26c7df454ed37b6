"""Hypothesis strategies for documents that annotation formats carry."""

from typing import Any

from hypothesis import strategies as st
from spacy.tokens import Doc, Span

from spacy_mtl.srl.alignment import indexed_frames
from tests.srl.strategies import PlainFrame, make_doc, plain_frames

WORDS = ["She", "gave", "up", "(", "*", "|", "#", "Zürich", "`x", "a/b", "3:4", "."]
TAGS = ["NN", "VBD", "IN", "."]


@st.composite
def docs(draw: st.DrawFn, *, extra_roles: bool = True) -> Doc:
    """A document with sentences, trees, tags, lemmas, entities, frames and a name."""
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    offsets = [sum(lengths[:i]) for i in range(len(lengths))]
    n_words = sum(lengths)
    one = st.sampled_from
    frames: list[PlainFrame] = []
    heads: list[int] = []
    for offset, length in zip(offsets, lengths, strict=True):
        for predicate, roleset, arguments in draw(plain_frames(length)):
            moved = [
                (draw(one([label, "C-V"])) if extra_roles else label, s + offset, e + offset)
                for label, s, e in arguments
            ]
            frames.append((predicate + offset, roleset, moved))
        root = draw(st.integers(0, length - 1))
        order = [root, *(i for i in range(length) if i != root)]
        above = {root: root}
        for i, token in enumerate(order[1:], start=1):
            above[token] = draw(one(order[:i]))
        heads += [offset + above[i] for i in range(length)]
    words = draw(st.lists(one(WORDS), min_size=n_words, max_size=n_words))
    plain = make_doc(words, frames)
    doc = Doc(
        plain.vocab,
        words=words,
        spaces=draw(st.lists(st.booleans(), min_size=n_words, max_size=n_words)),
        tags=draw(st.lists(one(TAGS), min_size=n_words, max_size=n_words)),
        pos=draw(st.lists(one(["NOUN", "VERB"]), min_size=n_words, max_size=n_words)),
        morphs=draw(st.lists(one(["", "A=b", "A=b|C=d"]), min_size=n_words, max_size=n_words)),
        lemmas=draw(st.lists(one(["she", "give", "x"]), min_size=n_words, max_size=n_words)),
        heads=heads,
        deps=["ROOT" if head == i else "dep" for i, head in enumerate(heads)],
    )
    doc.spans["srl"] = [
        Span(doc, s.start, s.end, label=s.label_, kb_id=s.kb_id_, span_id=s.id)
        for s in plain.spans["srl"]
    ]
    entities = []
    for offset, length in zip(offsets, lengths, strict=True):
        start = draw(st.integers(0, length))
        if start < length:
            end = draw(st.integers(start + 1, length))
            entities.append(
                Span(doc, offset + start, offset + end, label=draw(one(["PER", "LOC"])))
            )
    doc.set_ents(entities, default="outside")
    doc.spans["coref_clusters_3"] = [doc[offset : offset + 1] for offset in offsets]
    doc.user_data["id"] = draw(one(["a", "b_1", "c/d"]))
    return doc


def layers(doc: Doc) -> list[dict[str, Any]]:
    """What a document says, sentence by sentence, by layer."""
    result = []
    for sent in doc.sents:
        result.append(
            {
                "words": [token.text for token in sent],
                "spaces": [bool(token.whitespace_) for token in sent],
                "tags": [token.tag_ for token in sent],
                "pos": [token.pos_ for token in sent],
                "morphs": [str(token.morph) for token in sent],
                "lemmas": [token.lemma_ for token in sent],
                "heads": [token.head.i - sent.start for token in sent],
                "deps": [token.dep_ for token in sent],
                "entities": [
                    (e.label_, e.start - sent.start, e.end - sent.start) for e in sent.ents
                ],
                "mentions": sorted(
                    (key, span.start - sent.start, span.end - sent.start)
                    for key, spans in doc.spans.items()
                    if key.startswith("coref")
                    for span in spans
                    if span.start in range(sent.start, sent.end)
                ),
                "frames": sorted(
                    (
                        frame.predicate - sent.start,
                        frame.roleset,
                        sorted((x, s - sent.start, e - sent.start) for x, s, e in frame.arguments),
                    )
                    for frame in indexed_frames(doc)
                    if frame.predicate in range(sent.start, sent.end)
                ),
            }
        )
    return result
