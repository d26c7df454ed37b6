import sys
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import pytest
import spacy
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from spacy_mtl.display.html import render, to_html
from spacy_mtl.srl import Argument, Frame, write_frames

VOID = {"meta", "br", "link", "hr", "img"}


class Outline(HTMLParser):
    """Reads HTML, checks that every element is closed, and collects the text of some classes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(html)
        assert not self.open
        self.texts = {
            css: [" ".join(text.split()) for text in texts] for css, texts in self.texts.items()
        }

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VOID:
            return
        css = next((value or "" for name, value in attrs if name == "class"), "")
        self.open.append((tag, css))
        for name in css.split():
            self.texts.setdefault(name, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        for _, css in self.open:
            for name in css.split():
                self.texts[name][-1] += data


@pytest.fixture
def doc() -> Doc:
    words = ["Ann", "Lee", "gave", "us", "tea", ".", "We", "left", "Leeds", "."]
    doc = Doc(Vocab(), words=words, sent_starts=[i in (0, 6) for i in range(len(words))])
    doc.ents = [Span(doc, 0, 2, "PERSON"), Span(doc, 8, 9, "LOC")]
    doc.cats = {"bad": 0.25, "good": 0.75}
    write_frames(
        doc,
        [
            Frame(doc[7:8], "leave.01", (Argument("ARG0", doc[6:7]), Argument("ARG1", doc[8:9]))),
            Frame(
                doc[2:3],
                "give.01",
                (
                    Argument("ARG1", doc[4:5]),
                    Argument("ARG0", doc[0:2]),
                    Argument("ARG2", doc[3:4]),
                ),
            ),
        ],
    )
    return doc


def test_page_shows_categories_entities_and_frames_by_sentence(doc: Doc) -> None:
    html = to_html(doc)
    texts = Outline(html).texts
    assert html.startswith("<!DOCTYPE html>")
    assert len(texts["mtl-sentence"]) == 2
    assert texts["mtl-cats"] == ["good0.75bad0.25"]
    assert texts["mtl-sense"] == ["give.01", "leave.01"]
    assert texts["mtl-text"] == ["Ann LeePERSON gave us tea .", "We left LeedsLOC ."]
    assert texts["mtl-roles"] == [
        "Ann LeeARG0 gave usARG2 teaARG1 .",
        "WeARG0 left LeedsARG1 .",
    ]
    assert texts["mtl-predicate"] == ["gave", "left"]


@pytest.mark.parametrize(
    ("style", "shown", "hidden"),
    [
        ("ents", "PERSON", ["ARG0", "0.75"]),
        ("srl", "ARG0", ["PERSON", "0.75"]),
        ("cats", "0.75", ["PERSON", "ARG0"]),
    ],
)
def test_styles_show_one_thing(doc: Doc, style: str, shown: str, hidden: list[str]) -> None:
    body = to_html(doc, style=style, page=False).split("</style>")[1]
    assert shown in body
    assert not any(text in body for text in hidden)


def test_unknown_style_is_refused(doc: Doc) -> None:
    with pytest.raises(ValueError, match="'dep'.*'page', 'ents', 'srl', 'cats'"):
        to_html(doc, style="dep")  # type: ignore[arg-type]


def test_text_labels_and_title_are_escaped() -> None:
    words = ["<script>", "&", '"x"', "<b>"]
    doc = Doc(Vocab(), words=words)
    doc.ents = [Span(doc, 1, 2, "<i>")]
    doc.cats = {"<u>": 1.0}
    doc.user_data["title"] = "<title>"
    write_frames(
        doc, [Frame(doc[0:1], "<s>", (Argument('"><p>', doc[1:2]), Argument("A&B", doc[3:4])))]
    )
    html = to_html(doc, colors={"<i>": '"><em>'})
    body = html.split("</style>")[1]
    for tag in ("<script>", "<i>&", "<u>", "<s>", "<p>", "<title>", "<em>"):
        assert tag not in body
    texts = Outline(html).texts
    assert texts["mtl-title"] == ["<title>"]
    assert texts["mtl-roles"] == ['<script> &"><p> "x" <b>A&B']
    assert texts["mtl-sense"] == ["<s>"]
    assert "<title>&lt;title&gt;</title>" in html


def test_document_without_sentence_boundaries_is_one_block() -> None:
    doc = Doc(Vocab(), words=["It", "rained", ".", "We", "left", "."])
    write_frames(doc, [Frame(doc[1:2], "rain.01"), Frame(doc[4:5], "")])
    texts = Outline(to_html(doc)).texts
    assert len(texts["mtl-sentence"]) == 1
    assert texts["mtl-sense"] == ["rain.01", "left"]


def test_rows_of_very_long_sentences_show_the_words_around_the_frame() -> None:
    doc = Doc(Vocab(), words=[f"w{i}" for i in range(1000)])
    write_frames(doc, [Frame(doc[500:501], "", (Argument("ARG0", doc[100:101]),))])
    words = Outline(to_html(doc)).texts["mtl-roles"][0].split()
    assert (words[0], words[-1]) == ("w60", "w540")


def test_nothing_is_lost_at_sentence_borders() -> None:
    doc = Doc(Vocab(), words=["Ann", ".", "Lee", "left"], sent_starts=[True, False, True, False])
    doc.ents = [Span(doc, 0, 3, "PERSON")]
    write_frames(doc, [Frame(doc[3:4], "leave.01", (Argument("ARG0", doc[0:1]),))])
    texts = Outline(to_html(doc)).texts
    assert texts["mtl-text"] == ["Ann .PERSON", "LeePERSON left"]
    assert texts["mtl-roles"] == ["AnnARG0 . Lee left"]


def test_documents_without_annotation_or_words() -> None:
    vocab = Vocab()
    texts = Outline(to_html([Doc(vocab), Doc(vocab, words=["Rain"]), Doc(vocab, ["\n"])])).texts
    assert len(texts["mtl-doc"]) == 3
    assert texts["mtl-empty"] == ["Nothing to show."] * 2
    assert texts["mtl-text"] == ["Rain"]
    assert "mtl-doc" not in Outline(to_html([])).texts


def test_scores_beyond_the_bar_and_unknown_scores() -> None:
    doc = Doc(Vocab(), words=["Rain"])
    doc.cats = {"hot": 1.5, "cold": -0.5, "wet": None}
    html = to_html(doc)
    assert "width:100.0%" in html and "width:0.0%" in html
    assert Outline(html).texts["mtl-cats"] == ["hot1.50cold-0.50"]


def test_colors_can_be_chosen(doc: Doc) -> None:
    html = to_html(doc, colors={"LOC": "#010203", "ARG1": "#040506"})
    assert "background:#010203" in html
    assert html.count("background:#040506") == 2


def test_continuations_and_references_share_the_color_of_their_role() -> None:
    doc = Doc(Vocab(), words=["a", "b", "c", "d"])
    roles = [Argument(role, doc[i : i + 1]) for i, role in enumerate(["ARG9", "R-ARG9", "C-ARG9"])]
    write_frames(doc, [Frame(doc[3:4], "d.01", tuple(roles))])
    marks = [line for line in to_html(doc).split("<mark") if "mtl-role" in line]
    assert len({mark.split("style=")[1].split(" ")[0] for mark in marks[-3:]}) == 1


def test_other_key(doc: Doc) -> None:
    doc.spans["gold"] = doc.spans.pop("srl")
    assert "mtl-frame" not in Outline(to_html(doc)).texts
    assert len(Outline(to_html(doc, key="gold")).texts["mtl-frame"]) == 2


def test_render_makes_html_outside_of_a_notebook(doc: Doc) -> None:
    assert render(doc) == to_html(doc)
    assert render([doc, doc], page=False, style="srl") == to_html(
        [doc, doc], page=False, style="srl"
    )


def test_render_shows_a_part_in_a_notebook(doc: Doc, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    module = ModuleType("IPython.display")
    module.HTML = str  # type: ignore[attr-defined]
    module.display = shown.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    assert render(doc, jupyter=True) is None
    assert shown == [f'<span class="tex2jax_ignore">{to_html(doc, page=False)}</span>']


def make_right_to_left(language: str) -> Doc:
    words = ["הוא", "קרא", "אותו"]
    doc = Doc(spacy.blank(language).vocab, words=words, sent_starts=[True, False, False])
    doc.ents = [Span(doc, 0, 1, "PER")]
    write_frames(doc, [Frame(doc[1:2], "read.01", (Argument("ARG1", doc[2:3]),))])
    return doc


def test_text_runs_in_the_direction_of_its_language() -> None:
    html = to_html(make_right_to_left("he"))
    assert '<html lang="he" dir="rtl">' in html
    assert '<article class="mtl-doc" lang="he" dir="rtl">' in html
    assert "direction: ltr" not in html


def test_text_of_unknown_language_runs_as_its_words_do() -> None:
    html = to_html(make_right_to_left("xx"))
    assert '<section class="mtl-sentence" dir="auto">' in html
    assert "direction: ltr" not in html


def test_each_document_has_its_language(doc: Doc) -> None:
    body = to_html([make_right_to_left("ar"), Doc(spacy.blank("en").vocab, ["Rain"])], page=False)
    assert 'lang="ar" dir="rtl"' in body
    assert 'lang="en" dir="ltr"' in body


@pytest.mark.parametrize(
    ("cats", "shown"), [(1, ["good0.75"]), (0, []), (["bad", "other"], ["bad0.25"])]
)
def test_categories_can_be_chosen(doc: Doc, cats: Any, shown: list[str]) -> None:
    assert Outline(to_html(doc, cats=cats)).texts.get("mtl-cats", []) == shown


def test_entity_labels_can_be_chosen(doc: Doc) -> None:
    texts = Outline(to_html(doc, ents=["LOC"])).texts
    assert texts["mtl-text"] == ["Ann Lee gave us tea .", "We left LeedsLOC ."]


@pytest.mark.parametrize(
    ("sentences", "senses", "more"),
    [
        (1, ["give.01"], ["1 more sentence is not shown."]),
        ([1], ["leave.01"], ["1 more sentence is not shown."]),
        (0, [], ["2 more sentences are not shown."]),
        (5, ["give.01", "leave.01"], []),
    ],
)
def test_sentences_can_be_chosen(
    doc: Doc, sentences: Any, senses: list[str], more: list[str]
) -> None:
    texts = Outline(to_html(doc, sentences=sentences)).texts
    assert texts.get("mtl-sense", []) == senses
    assert texts.get("mtl-more", []) == more


def test_line_breaks_around_sentences_are_left_out() -> None:
    words = ["\n", "It", "rained", "\n\n", "We", "left", "\n"]
    starts = [index in (0, 3) for index in range(len(words))]
    doc = Doc(spacy.blank("en").vocab, words=words, sent_starts=starts)
    write_frames(doc, [Frame(doc[5:6], "leave.01", (Argument("ARG0", doc[4:5]),))])
    html = to_html(doc)
    assert "<br>" not in html
    assert Outline(html).texts["mtl-text"] == ["It rained", "We left"]


def test_two_thousand_words_are_shown_whole() -> None:
    words = [f"w{index}" for index in range(2000)]
    doc = Doc(Vocab(), words=words, sent_starts=[index % 20 == 0 for index in range(2000)])
    frames = [Frame(doc[at : at + 1], "x.01") for at in range(5, 2000, 20)]
    write_frames(doc, frames)
    texts = Outline(to_html(doc)).texts
    assert " ".join(texts["mtl-text"]).split() == words
    assert len(texts["mtl-frame"]) == 100
