"""The modules whose registered functions the tests name in configs.

spaCy finds them by the entry points of the installed distribution; a checkout that was installed
before they were added does not have those.
"""

from spacy_mtl.balancing import (
    db_mtl,
    decision_norms,
    gradnorm,
    gramian,
    learned,
    priority,
    scalarizers,
    surgery,
)
from spacy_mtl.corpora import mixed
from spacy_mtl.loggers import multi_task

MODULES = [
    db_mtl,
    decision_norms,
    gradnorm,
    gramian,
    learned,
    priority,
    scalarizers,
    surgery,
    mixed,
    multi_task,
]
