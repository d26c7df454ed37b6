"""Arguments as single tokens: the heads of their spans."""

from spacy.tokens import Doc

from .alignment import IndexedFrame, indexed_frames


def head_frames(doc: Doc, key: str = "srl") -> list[IndexedFrame]:
    """Read the frames of a document with one token for each argument.

    A longer argument becomes the head of its span in the dependency parse (`Span.root`), as the
    corpora of CoNLL-2008 and CoNLL-2009 were made. There is no good guess without a parse, so
    that is an error.

    doc (Doc): The document.
    key (str): The span group.
    RETURNS (List[IndexedFrame]): The frames.
    RAISES (ValueError): If an argument is longer and the document has no dependency parse.
    """
    frames = indexed_frames(doc, key)
    has_parse = doc.has_annotation("DEP")
    reduced = []
    for frame in frames:
        arguments = []
        for label, start, end in frame.arguments:
            if end - start > 1:
                if not has_parse:
                    raise ValueError(
                        f"The argument {label} {doc[start:end].text!r} (tokens {start}-{end}) of "
                        f"the document {doc.text[:60]!r} has {end - start} tokens, and the "
                        "document has no dependency parse to tell its head. With argument_kind = "
                        '"heads", train on arguments of one token or on parsed documents, or set '
                        'argument_kind = "spans".'
                    )
                start = doc[start:end].root.i
            arguments.append((label, start, start + 1))
        reduced.append(IndexedFrame(frame.predicate, frame.roleset, tuple(arguments)))
    return reduced
