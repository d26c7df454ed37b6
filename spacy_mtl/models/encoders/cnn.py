"""spaCy's convolutional token encoder, in torch."""

from functools import partial

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d

from .doc_encoder import CACHED_WORDS, build_doc_encoder, stock_tables
from .windows import WindowEncoder


@registry.architectures("spacy_mtl.HashEmbedCNN.v1")
def build_hash_embed_cnn(
    *,
    width: int = 96,
    depth: int = 4,
    embed_size: int = 2000,
    window_size: int = 1,
    maxout_pieces: int = 3,
    subword_features: bool = True,
    pretrained_vectors: bool | None = None,
    attrs: list[str] | None = None,
    rows: list[int] | None = None,
    include_static_vectors: bool = False,
    word_dropout: float = 0.0,
    cached_words: int = CACHED_WORDS,
) -> Model[list[Doc], list[Floats2d]]:
    """Build a token encoder that computes what `spacy.HashEmbedCNN.v2` does, several times faster.

    With `attrs` and `rows` it computes what `spacy.Tok2Vec.v2` does with `spacy.MultiHashEmbed.v2`
    and `spacy.MaxoutWindowEncoder.v2`. Work that depends on the word alone is done once per
    distinct word of a batch. `spacy_mtl.load_stock_weights` copies the weights of a trained stock
    encoder.

    width (int): Width of the embedding tables and of the output.
    depth (int): Number of convolutional layers. A token sees `depth * window_size` tokens to
        either side.
    embed_size (int): Rows of the embedding table of NORM; PREFIX, SUFFIX and SHAPE have half.
        Not used if `attrs` is given.
    window_size (int): Number of tokens to either side that a layer concatenates.
    maxout_pieces (int): Number of pieces of the layers' maxout.
    subword_features (bool): Whether to embed PREFIX, SUFFIX and SHAPE too. Not used if `attrs`
        is given.
    pretrained_vectors (Optional[bool]): Whether to use the static vectors of the vocabulary.
    attrs (Optional[List[str]]): The token attributes to embed, instead of the above.
    rows (Optional[List[int]]): The number of rows of each attribute's table, with `attrs`.
    include_static_vectors (bool): Same as `pretrained_vectors`, as `spacy.MultiHashEmbed.v2`
        calls it.
    word_dropout (float): In training, the share of words whose first attribute (NORM) is masked,
        so that the network learns to go by the others where it meets an unknown word.
    cached_words (int): The number of words whose embedded vectors and first products are cached in
        prediction, at `4 * width * (1 + maxout_pieces * (2 * window_size + 1))` bytes each; 0 for
        none.
    RETURNS (Model[List[Doc], List[Floats2d]]): The encoder. Its output are views [tokens, width]
        of consecutive rows of one matrix.
    """
    attrs, rows = stock_tables(attrs, rows, embed_size, subword_features)
    return build_doc_encoder(
        "hash_embed_cnn",
        partial(WindowEncoder, width, depth, window_size, maxout_pieces),
        width=width,
        attrs=attrs,
        rows=rows,
        static_vectors=bool(pretrained_vectors or include_static_vectors),
        word_dropout=word_dropout,
        cached_words=cached_words,
        n_layers=depth,
    )
