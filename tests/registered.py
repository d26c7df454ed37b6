"""The modules whose registered functions the tests name in configs.

spaCy finds them by the entry points of the installed distribution; a checkout that was installed
before they were added does not have those.
"""

from spacy_mtl.balancing import db_mtl, gradnorm, gramian, learned, priority, scalarizers, surgery
from spacy_mtl.balancing import target_count_norms as decision_norms
from spacy_mtl.corpora import mixed
from spacy_mtl.heads import regression, regression_scorer, syntax, syntax_scorer
from spacy_mtl.heads.masked_lm import component as language_model
from spacy_mtl.heads.masked_lm import scorer as masked_lm_scorer
from spacy_mtl.models.encoders import experts
from spacy_mtl.models.heads import masked_lm as masked_language_model
from spacy_mtl.training import console, multi_task, schedules, task_selection
from spacy_mtl.trunk.channels import gate, layer, scalar_mix

MODULES = [
    db_mtl,
    decision_norms,
    gradnorm,
    gramian,
    learned,
    priority,
    scalarizers,
    surgery,
    schedules,
    mixed,
    console,
    multi_task,
    syntax,
    syntax_scorer,
    experts,
    gate,
    layer,
    scalar_mix,
    task_selection,
    masked_lm_scorer,
    language_model,
    regression,
    regression_scorer,
    masked_language_model,
]
