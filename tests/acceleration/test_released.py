"""Released pipelines of spaCy, where they are installed: `accelerate-released` in `project.yml`
installs them and compares many more words."""

import pytest
import spacy

from benchmarks.measuring.released import RELEASED
from spacy_mtl.acceleration import accelerate
from spacy_mtl.acceleration.annotations import differences
from spacy_mtl.cli.accelerate import read_texts

FRENCH = [
    "Aviator, un film sur la vie de Hughes. Les études durent six ans, mais leur contenu diffère.",
    "Marie Curie naquit à Varsovie en 1867 ; elle obtint deux prix Nobel, dont celui de chimie.",
    "L'an dernier, nous avons visité  les châteaux de la Loire.\n\nQu'est-ce qu'ils sont beaux !",
    "Le président de la République s'est rendu à Lyon, où l'attendaient trois cents personnes.",
]


@pytest.mark.parametrize("released", RELEASED, ids=lambda released: released.name)
def test_released_pipeline_is_converted_whole_and_annotates_the_same(released, tmp_path):
    model = released.find()
    if model is None:
        pytest.skip(f"{released.name} is not installed")
    texts = FRENCH if released.language == "fr" else read_texts(None, 60)
    report = accelerate(model, tmp_path / "fast", texts, n_rounds=1)
    assert report.differences == []
    assert report.kept == {}
    encoders = {name for name, parts in report.replaced.items() if "CNN" in parts}
    assert encoders == {"tok2vec", "senter", "ner"}
    stock, fast = (spacy.load(path) for path in (model, tmp_path / "fast"))
    for nlp in (stock, fast):
        nlp.enable_pipe("senter")
        nlp.select_pipes(enable=["senter"])
    assert list(differences(stock.pipe(texts), fast.pipe(texts))) == []
