"""What can be a predicate, and predicates given to the role head, to find their arguments only."""

from spacy.tokens import Span, SpanGroup
from spacy.training import Example

from .alignment import aligned_frames
from .frames import PREDICATE_LABEL


def can_be_predicate(word: str) -> bool:
    """Tell whether a word can be a predicate: whether it has a letter, of any script. Marks of
    punctuation, numbers and symbols are none, whatever a network makes of them.

    word (str): The word.
    RETURNS (bool): Whether it has a letter.
    """
    return any(map(str.isalpha, word))


def give_predicates(example: Example, key: str = "srl") -> int:
    """Write the gold predicates, without rolesets and arguments, to the predicted document. A role
    head with `predicates = "given"` then finds rolesets and arguments for them.

    example (Example): Gold frames in `example.reference`; `example.predicted` is changed.
    key (str): The span group.
    RETURNS (int): The number of predicates that are not given, because no predicted token has
        exactly their characters.
    """
    frames, n_unaligned, _ = aligned_frames(example, key)
    doc = example.predicted
    spans = [
        Span(doc, frame.predicate, frame.predicate + 1, PREDICATE_LABEL, span_id=number)
        for number, frame in enumerate(frames)
    ]
    doc.spans[key] = SpanGroup(doc, name=key, spans=spans)
    return n_unaligned
