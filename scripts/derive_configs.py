"""Write the single-task configs: `configs/multitask.cfg` with one head, all else equal."""

from pathlib import Path

import typer
from thinc.api import Config

SCORES = {"ner": "ents_f", "textcat": "cats_score", "srl": "srl_arguments_f"}
SCORE_PREFIXES = {"senter": "sents_", "ner": "ents_", "textcat": "cats_", "srl": "srl_"}


def derive_config(multitask: Config, task: str) -> Config:
    """Take all heads but one out of a config.

    multitask (Config): The config of all tasks, not interpolated.
    task (str): The head to keep.
    RETURNS (Config): The config of the single-task pipeline. Sentence boundaries stay where the
        head uses them.
    """
    config = multitask.copy()
    keep = ["tok2vec", "senter", task] if task == "srl" else ["tok2vec", task]
    config["nlp"]["pipeline"] = keep
    config["components"] = {name: config["components"][name] for name in keep}
    weights = config["components"]["tok2vec"]["balancer"]["weights"]
    config["components"]["tok2vec"]["balancer"]["weights"] = {
        name: weight for name, weight in weights.items() if name in keep
    }
    if "senter" not in keep:
        config["training"]["annotating_components"] = []
    prefixes = tuple(prefix for name, prefix in SCORE_PREFIXES.items() if name in keep)
    config["training"]["score_weights"] = {
        name: 1.0 if name == SCORES[task] else weight
        for name, weight in config["training"]["score_weights"].items()
        if name.startswith(prefixes)
    }
    return config


def derive_configs(folder: Path = Path("configs")) -> None:
    """Write `ner.cfg`, `textcat.cfg` and `srl.cfg` beside `multitask.cfg`.

    folder (Path): The folder of the configs.
    """
    multitask = Config().from_disk(folder / "multitask.cfg", interpolate=False)
    for task in SCORES:
        derived = derive_config(multitask, task).to_str(interpolate=False)
        (folder / f"{task}.cfg").write_text(derived + "\n", encoding="utf8")


if __name__ == "__main__":
    typer.run(derive_configs)
