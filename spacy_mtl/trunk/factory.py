"""The factory `mtl_tok2vec`."""

from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config, Model
from thinc.types import Floats2d

from ..balancing.balancer import Balancer
from ..balancing.target_count_norms import TargetCountNorms
from ..util.serialization import cache_srsly_entry_points
from .component import Level, MultiTaskTok2Vec

DEFAULT_CONFIG = f"""
[model]
@architectures = "spacy_mtl.HashEmbedCNN.v1"
width = 96
depth = 4
embed_size = 2000
window_size = 1
maxout_pieces = 3
subword_features = true
pretrained_vectors = null

[balancer]
@misc = "{TargetCountNorms.name}"
"""


@Language.factory(
    "mtl_tok2vec",
    assigns=["doc.tensor"],
    default_config={**Config().from_str(DEFAULT_CONFIG), "level": "hub", "read_ahead": 0},
)
def make_mtl_tok2vec(
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    balancer: Balancer,
    level: Level,
    read_ahead: int,
) -> MultiTaskTok2Vec:
    """Create the trunk of a multi-task pipeline, a drop-in for spaCy's `tok2vec`.

    nlp (Language): The pipeline.
    name (str): The component's name.
    model (Model[List[Doc], List[Floats2d]]): Any token-to-vector network.
    balancer (Balancer): Gives each task's gradient at the trunk's output its weight. By default
        norms go by the number of decisions: a few documents do not outweigh a thousand tokens.
    level (Literal["hub", "parameters"]): Where the balancer compares the tasks' gradients: at the
        trunk's output, or at all of its parameters, exact but with two more passes per task.
    read_ahead (int): In `nlp.pipe`, so many batches are read in a thread of the trunk's own while
        the heads work on the ones before: with 1 and a second core, texts are through in less time.
        The stream of texts is read so many batches further. Give torch half of the cores then,
        by `OMP_NUM_THREADS` or `torch.set_num_threads`.
    RETURNS (MultiTaskTok2Vec): The trunk.
    """
    cache_srsly_entry_points()
    return MultiTaskTok2Vec(
        nlp.vocab, model, name, balancer=balancer, level=level, read_ahead=read_ahead
    )
