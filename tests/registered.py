"""The modules whose registered functions the tests name in configs.

spaCy finds them by the entry points of the installed distribution; a checkout that was installed
before they were added does not have those.
"""

from spacy_mtl.balancing import db_mtl, gradnorm, gramian, learned, priority, scalarizers, surgery
from spacy_mtl.corpora import mixed
from spacy_mtl.heads import hidden_words_scorer, language_model, regression, regression_scorer
from spacy_mtl.loggers import multi_task
from spacy_mtl.models import hidden_word_predictor

MODULES = [
    db_mtl,
    gradnorm,
    gramian,
    learned,
    priority,
    scalarizers,
    surgery,
    mixed,
    hidden_words_scorer,
    language_model,
    regression,
    regression_scorer,
    multi_task,
    hidden_word_predictor,
]
