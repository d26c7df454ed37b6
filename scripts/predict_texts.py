"""Write everything that a pipeline predicts for some texts, to compare two installations of it."""

from pathlib import Path

import spacy
import srsly
import typer


def predict_texts(model: str, texts: Path, output: Path) -> None:
    """Annotate texts and write entities, categories and frames as JSON.

    model (str): Name or path of a pipeline.
    texts (Path): One text a line.
    output (Path): The JSON file to write.
    """
    nlp = spacy.load(model)
    lines = texts.read_text(encoding="utf8").splitlines()
    srsly.write_json(
        output,
        [
            {
                "text": doc.text,
                "ents": [(ent.start, ent.end, ent.label_) for ent in doc.ents],
                "cats": doc.cats,
                "frames": [frame.to_json() for frame in doc._.srl],
            }
            for doc in nlp.pipe(lines)
        ],
    )


if __name__ == "__main__":
    typer.run(predict_texts)
