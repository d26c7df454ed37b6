"""How messages name documents and labels."""

from collections import Counter

from spacy.tokens import Doc

LONGEST = 60
MOST_LABELS = 5


def quote(doc: Doc) -> str:
    """Name a document by its text, shortened where it is long.

    doc (Doc): The document.
    RETURNS (str): For the middle of a sentence.
    """
    text = doc.text if len(doc.text) <= LONGEST else doc.text[: LONGEST - 3] + "..."
    return f"the document {text!r}"


def count_labels(counts: Counter[str]) -> str:
    """List labels.

    counts (Counter[str]): In how many documents each is.
    RETURNS (str): The most frequent ones, with their numbers.
    """
    shown = [f"{label!r} ({number})" for label, number in counts.most_common(MOST_LABELS)]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
