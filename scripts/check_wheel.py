"""Check an installed wheel: are the kernels there as expected, and does a pipeline predict?

python check_wheel.py [--without-kernels]
"""

import sys

import numpy
import spacy

from spacy_mtl.native import get_kernels, switched_off

expected = "--without-kernels" not in sys.argv[1:]
found = get_kernels() is not None
if found != expected:
    sys.exit(f"The kernels are {'there' if found else 'missing'}; expected the opposite")
nlp = spacy.blank("en")
nlp.add_pipe("mtl_tok2vec")
nlp.add_pipe("mtl_ner").add_label("PERSON")
nlp.initialize()
text = "Ann gave Bob a book."
vectors = nlp(text).tensor
with switched_off():
    numpy.testing.assert_allclose(vectors, nlp(text).tensor, atol=1e-4)
print("kernels:", get_kernels().instruction_set() if found else "none")
