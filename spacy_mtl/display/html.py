"""Entities, categories and semantic roles of documents as HTML, drawn with displaCy's marks."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal, get_args
from zlib import crc32

from spacy.displacy.render import EntityRenderer
from spacy.tokens import Doc, Span
from spacy.util import is_in_jupyter

from ..srl.frames import Frame, read_frames

Style = Literal["page", "ents", "srl", "cats"]

ENTITY_COLORS = {"PER": "#aa9cfc", "MISC": "#bfeeb7"}
ROLE_COLORS = {
    "ARG0": "#ffd5a8",
    "ARG1": "#bfdcff",
    "ARG2": "#c9efc4",
    "ARG3": "#e3d3fb",
    "ARG4": "#fbd0e0",
    "ARG5": "#f3e6b3",
    "ARGM-TMP": "#ebdfe9",
    "ARGM-LOC": "#d8ebe6",
    "ARGM-MNR": "#e9e2d5",
    "ARGM-MOD": "#dfe0f2",
    "ARGM-NEG": "#f5cfcb",
    "ARGM-ADV": "#dde5ea",
}
OTHER_ROLE_COLORS = ("#e2e6cf", "#d5e3e8", "#efe0d3", "#e4dcea")
ROLE_MEANINGS = {
    "ARG0": "agent: who or what acts",
    "ARG1": "patient or theme: who or what it happens to",
    "ARGM-ADV": "circumstance",
    "ARGM-CAU": "cause: why",
    "ARGM-DIR": "direction",
    "ARGM-DIS": "discourse",
    "ARGM-EXT": "extent: how much",
    "ARGM-GOL": "goal: for whom or where to",
    "ARGM-LOC": "location: where",
    "ARGM-MNR": "manner: how",
    "ARGM-MOD": "modal verb",
    "ARGM-NEG": "negation",
    "ARGM-PRD": "secondary predication",
    "ARGM-PRP": "purpose: what for",
    "ARGM-TMP": "time: when",
}
ENTITY_TEMPLATE = '<mark class="mtl-mark" style="background:{bg}">{text}<b>{label}</b></mark>'
ROLE_TEMPLATE = (
    '<mark class="mtl-mark {css}" style="background:{color}" title="{meaning}">'
    "{text}<b>{label}</b></mark>"
)
STYLESHEET = """
.mtl { background: #fff; color: #1f2430; font: 16px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; max-width: 64rem; margin: 0 auto; padding: 1rem; }
.mtl-doc { border: 1px solid #dfe3ea; border-radius: 10px; margin: 0 0 1.5rem; overflow: hidden; }
.mtl-title { font-size: 1.1rem; margin: 0; padding: 0.8rem 1.25rem 0; }
.mtl-cats { display: grid; grid-template-columns: max-content minmax(6rem, 14rem) max-content;
  gap: 0.2rem 0.75rem; align-items: center; padding: 0.9rem 1.25rem; font-size: 0.85rem; }
.mtl-bar { background: #eceff4; border-radius: 4px; height: 0.55rem; overflow: hidden; }
.mtl-bar > i { background: #5b7fd0; display: block; height: 100%; }
.mtl-score { color: #5d6778; font-variant-numeric: tabular-nums; }
.mtl-sentence { padding: 0.9rem 1.25rem; }
.mtl-doc > * + * { border-top: 1px solid #eceff4; }
.mtl-title + * { border-top: 0 !important; }
.mtl .entities { line-height: 2 !important; overflow-wrap: anywhere; }
.mtl-text { font-size: 1.1rem; }
.mtl-frame { display: flex; gap: 1rem; margin-top: 0.45rem; }
.mtl-sense { flex: 0 0 7.5rem; font: 600 0.8rem/2.35 ui-monospace, Menlo, Consolas, monospace;
  color: #4a5468; text-align: end; overflow-wrap: anywhere; }
.mtl-roles { flex: 1; min-width: 0; border-inline-start: 3px solid #dfe3ea;
  padding-inline-start: 1rem; font-size: 0.95rem; color: #6b7484; }
.mtl-mark { color: #1f2430; unicode-bidi: isolate; padding: 0.2em 0.4em;
  border-radius: 0.35em; line-height: 1;
  -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.mtl-mark > b { unicode-bidi: isolate; font-size: 0.65em; letter-spacing: 0.02em;
  margin-inline-start: 0.5em; opacity: 0.75; white-space: nowrap; }
.mtl-predicate { color: #fff; font-weight: 700; }
.mtl-predicate > b { display: none; }
.mtl-empty, .mtl-more { color: #6b7484; padding: 0.9rem 1.25rem; }
@media (max-width: 40rem) { .mtl-frame { flex-direction: column; gap: 0; }
  .mtl-sense { flex-basis: auto; text-align: start; } }
"""
PREDICATE_COLOR = "#3b4660"
MAX_WORDS_AROUND = 40
UNKNOWN_LANGUAGE = "xx"
PAGE = (
    '<!DOCTYPE html>\n<html lang="{lang}" dir="{direction}">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    "<title>{title}</title>\n</head>\n"
    '<body style="margin: 0; background: #fff">\n{content}\n</body>\n</html>\n'
)


@dataclass(frozen=True)
class _Options:
    """What `to_html` takes, for all documents."""

    style: Style = "page"
    key: str = "srl"
    colors: Mapping[str, str] = field(default_factory=dict)
    cats: int | Collection[str] | None = None
    ents: Collection[str] | None = None
    sentences: int | Collection[int] | None = None


def render(
    docs: Doc | Iterable[Doc],
    *,
    style: Style = "page",
    jupyter: bool | None = None,
    page: bool = True,
    key: str = "srl",
    colors: Mapping[str, str] | None = None,
    cats: int | Collection[str] | None = None,
    ents: Collection[str] | None = None,
    sentences: int | Collection[int] | None = None,
) -> str | None:
    """Show documents in a notebook, or make HTML of them anywhere else, as `displacy.render` does.

    docs (Union[Doc, Iterable[Doc]]): The documents.
    style (str): What is drawn, see `to_html`.
    jupyter (Optional[bool]): Whether to show in a notebook; None finds out where it runs.
    page (bool): Whether the HTML is a whole page; a notebook always gets a part.
    key (str): The span group that holds the frames.
    colors (Optional[Mapping[str, str]]): CSS colours by entity label or role.
    cats (Optional[Union[int, Collection[str]]]): Which categories are shown, see `to_html`.
    ents (Optional[Collection[str]]): Which entity labels are shown, see `to_html`.
    sentences (Optional[Union[int, Collection[int]]]): Which sentences are shown, see `to_html`.
    RETURNS (Optional[str]): The HTML; None if it was shown in a notebook.
    RAISES (ValueError): If the style is unknown.
    """
    in_notebook = is_in_jupyter() if jupyter is None else jupyter
    html = to_html(
        docs,
        style=style,
        page=page and not in_notebook,
        key=key,
        colors=colors,
        cats=cats,
        ents=ents,
        sentences=sentences,
    )
    if not in_notebook:
        return html
    from IPython.display import HTML, display

    display(HTML(f'<span class="tex2jax_ignore">{html}</span>'))
    return None


def to_html(
    docs: Doc | Iterable[Doc],
    *,
    style: Style = "page",
    page: bool = True,
    key: str = "srl",
    colors: Mapping[str, str] | None = None,
    cats: int | Collection[str] | None = None,
    ents: Collection[str] | None = None,
    sentences: int | Collection[int] | None = None,
) -> str:
    """Make HTML of documents: the categories of each as bars, then sentence by sentence the text
    with its entities and one row for each predicate with its arguments. A document without
    sentence boundaries is one block; rows of very long sentences show the words around the frame.
    Text runs in the direction of its language; that of the language "xx" as its words tell. The
    HTML refers to nothing outside of it.

    docs (Union[Doc, Iterable[Doc]]): The documents; `doc.user_data["title"]`, if set, heads one.
    style (str): What is drawn: "page" for everything, or "ents", "srl" or "cats" alone.
    page (bool): Whether to make a whole page; otherwise a part to put into one.
    key (str): The span group that holds the frames.
    colors (Optional[Mapping[str, str]]): CSS colours by entity label or role, beside displaCy's.
    cats (Optional[Union[int, Collection[str]]]): How many categories are shown, the most probable
        first, or which; None for all.
    ents (Optional[Collection[str]]): Which entity labels are shown; None for all.
    sentences (Optional[Union[int, Collection[int]]]): How many sentences of each document are
        shown, from its beginning, or the numbers of those, from 0; None for all. How many are left
        out is said at the end.
    RETURNS (str): The HTML.
    RAISES (ValueError): If the style is unknown.
    """
    if style not in get_args(Style):
        raise ValueError(
            f"Unknown style {style!r}: expected one of {', '.join(map(repr, get_args(Style)))}."
        )
    docs = [docs] if isinstance(docs, Doc) else list(docs)
    options = _Options(style, key, colors or {}, cats, ents, sentences)
    articles = "\n".join(_render_doc(doc, options) for doc in docs)
    content = f'<div class="mtl">\n<style>{STYLESHEET}</style>\n{articles}\n</div>'
    if not page:
        return content
    title = next((doc.user_data["title"] for doc in docs if "title" in doc.user_data), "Documents")
    return to_page(content, str(title), docs[0] if docs else None)


def to_page(content: str, title: str, doc: Doc | None = None) -> str:
    """Make a whole page.

    content (str): HTML of its body.
    title (str): Its title, plain text.
    doc (Optional[Doc]): A document in its language.
    RETURNS (str): The HTML.
    """
    return PAGE.format(
        lang=escape(doc.lang_) if doc else "",
        direction=_direction(doc) if doc else "ltr",
        title=escape(title),
        content=content,
    )


def _direction(doc: Doc) -> str:
    return doc.vocab.writing_system.get("direction", "ltr")


def _render_doc(doc: Doc, options: _Options) -> str:
    parts: list[str] = []
    style = options.style
    if "title" in doc.user_data:
        parts.append(f'<h2 class="mtl-title">{escape(str(doc.user_data["title"]))}</h2>')
    if style in ("page", "cats") and doc.cats:
        parts.append(_render_cats(doc.cats, options.cats))
    if style != "cats":
        parts += _render_sentences(doc, options)
    if not any(parts):
        parts.append('<div class="mtl-empty">Nothing to show.</div>')
    body = "\n".join(filter(None, parts))
    language = f' lang="{escape(doc.lang_)}"' if doc.lang_ not in ("", UNKNOWN_LANGUAGE) else ""
    return f'<article class="mtl-doc"{language} dir="{_direction(doc)}">\n{body}\n</article>'


def _render_cats(cats: Mapping[str, Any], chosen: int | Collection[str] | None) -> str:
    """RETURNS (str): A row for each category; empty if there is none to show."""
    scores = [(label, float(score)) for label, score in cats.items() if score is not None]
    scores.sort(key=lambda pair: -pair[1])
    if isinstance(chosen, int):
        scores = scores[:chosen]
    elif chosen is not None:
        scores = [(label, score) for label, score in scores if label in chosen]
    rows = [
        f'<span>{escape(label)}</span><span class="mtl-bar">'
        f'<i style="width:{100 * min(max(score, 0.0), 1.0):.1f}%"></i></span>'
        f'<span class="mtl-score">{score:.2f}</span>'
        for label, score in scores
    ]
    return f'<div class="mtl-cats">{"".join(rows)}</div>' if rows else ""


def _render_sentences(doc: Doc, options: _Options) -> Iterator[str]:
    frames = read_frames(doc, options.key) if options.style in ("page", "srl") else []
    entity_renderer = _entity_renderer(options.colors)
    role_renderer = _renderer({"template": ROLE_TEMPLATE})
    sentences = _sentences(doc)
    starts = [sentence.start for sentence in sentences]
    frames_of: defaultdict[int, list[Frame]] = defaultdict(list)
    for frame in sorted(frames, key=lambda frame: frame.predicate.start):
        frames_of[max(bisect_right(starts, frame.predicate.start) - 1, 0)].append(frame)
    entities = [
        entity
        for entity in (doc.ents if options.style != "srl" else ())
        if options.ents is None or entity.label_ in options.ents
    ]
    direction = ' dir="auto"' if doc.lang_ == UNKNOWN_LANGUAGE else ""
    chosen = _chosen(len(sentences), options.sentences)
    for index in chosen:
        text = _render_entities(sentences[index], entities, entity_renderer)
        rows = [_render_frame(frame, role_renderer, options.colors) for frame in frames_of[index]]
        body = "\n".join([text, *rows])
        yield f'<section class="mtl-sentence"{direction}>\n{body}\n</section>'
    n_hidden = len(sentences) - len(chosen)
    if n_hidden:
        noun = "sentence is" if n_hidden == 1 else "sentences are"
        yield f'<div class="mtl-more" dir="ltr">{n_hidden} more {noun} not shown.</div>'


def _sentences(doc: Doc) -> list[Span]:
    sentences = doc.sents if doc.has_annotation("SENT_START") else [doc[:]]
    return [_without_outer_space(sentence) for sentence in sentences if sentence.text.strip()]


def _without_outer_space(span: Span) -> Span:
    """RETURNS (Span): The span without whitespace tokens at its ends, at least one token."""
    start, end = span.start, span.end
    while start < end - 1 and span.doc[start].is_space:
        start += 1
    while start < end - 1 and span.doc[end - 1].is_space:
        end -= 1
    return span.doc[start:end]


def _chosen(n_sentences: int, chosen: int | Collection[int] | None) -> Sequence[int]:
    """RETURNS (Sequence[int]): The numbers of the sentences to show."""
    if chosen is None:
        return range(n_sentences)
    if isinstance(chosen, int):
        return range(min(n_sentences, max(chosen, 0)))
    return [index for index in range(n_sentences) if index in chosen]


def _entity_renderer(colors: Mapping[str, str]) -> EntityRenderer:
    escaped_colors = {
        escape(label): escape(color) for label, color in {**ENTITY_COLORS, **colors}.items()
    }
    return _renderer({"colors": escaped_colors, "template": ENTITY_TEMPLATE})


def _renderer(options: dict[str, Any]) -> EntityRenderer:
    """RETURNS (EntityRenderer): One whose text runs as that around it does."""
    renderer = EntityRenderer(options)
    renderer.direction = "inherit"
    return renderer


def _render_entities(sentence: Span, entities: Iterable[Span], renderer: EntityRenderer) -> str:
    marks = [
        {
            "start": max(entity.start_char, sentence.start_char) - sentence.start_char,
            "end": min(entity.end_char, sentence.end_char) - sentence.start_char,
            "label": escape(entity.label_),
        }
        for entity in entities
        if entity.start < sentence.end and entity.end > sentence.start
    ]
    return f'<div class="mtl-text">{renderer.render_ents(sentence.text, marks, None)}</div>'


def _render_frame(frame: Frame, renderer: EntityRenderer, colors: Mapping[str, str]) -> str:
    context = _excerpt(frame)
    spans = [_mark(frame.predicate, context, "", PREDICATE_COLOR, "mtl-predicate", "predicate")]
    for argument in frame.arguments:
        role = argument.label.removeprefix("R-").removeprefix("C-")
        color = colors.get(argument.label, colors.get(role, _role_color(role)))
        meaning = ROLE_MEANINGS.get(role, "")
        spans.append(_mark(argument.span, context, argument.label, color, "mtl-role", meaning))
    spans.sort(key=lambda span: span["start"])
    text = renderer.render_ents(context.text, spans, None)
    sense = escape(frame.roleset or frame.predicate.text)
    return (
        f'<div class="mtl-frame"><div class="mtl-sense"><bdi>{sense}</bdi></div>'
        f'<div class="mtl-roles">{text}</div></div>'
    )


def _excerpt(frame: Frame) -> Span:
    """The words around a frame: all of its sentence, unless that is very long."""
    context = frame.context()
    spans = [frame.predicate, *(argument.span for argument in frame.arguments)]
    start = min(span.start for span in spans) - MAX_WORDS_AROUND
    end = max(span.end for span in spans) + MAX_WORDS_AROUND
    return _without_outer_space(context.doc[max(start, context.start) : min(end, context.end)])


def _mark(
    span: Span, context: Span, label: str, color: str, css: str, meaning: str
) -> dict[str, Any]:
    """A span as displaCy's renderer takes it, with the values of `ROLE_TEMPLATE`."""
    return {
        "start": span.start_char - context.start_char,
        "end": span.end_char - context.start_char,
        "label": escape(label),
        "params": {"color": escape(color), "css": css, "meaning": escape(meaning)},
    }


def _role_color(role: str) -> str:
    return ROLE_COLORS.get(role, OTHER_ROLE_COLORS[crc32(role.encode()) % len(OTHER_ROLE_COLORS)])
