"""How messages name a document."""

from spacy.tokens import Doc

LONGEST = 60


def quote(doc: Doc) -> str:
    """Name a document by its text, shortened where it is long.

    doc (Doc): The document.
    RETURNS (str): For the middle of a sentence.
    """
    text = doc.text if len(doc.text) <= LONGEST else doc.text[: LONGEST - 3] + "..."
    return f"the document {text!r}"
