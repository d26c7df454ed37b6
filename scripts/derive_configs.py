"""Write the single-task configs: `configs/multitask.cfg` with one head, all else equal."""

from pathlib import Path

import typer
from thinc.api import Config

SHARED = ["tok2vec", "senter"]
SCORES = {"ner": "ents_f", "textcat": "cats_score", "srl": "srl_arguments_f"}


def derive_config(multitask: Config, task: str) -> Config:
    """Take all heads but one out of a config.

    multitask (Config): The config of all tasks, not interpolated.
    task (str): The head to keep.
    RETURNS (Config): The config of the single-task pipeline. Sentence boundaries stay where the
        head uses them.
    """
    config = multitask.copy()
    keep = [*SHARED, task] if task == "srl" else ["tok2vec", task]
    config["nlp"]["pipeline"] = keep
    config["components"] = {name: config["components"][name] for name in keep}
    weights = config["components"]["tok2vec"]["balancer"]["weights"]
    config["components"]["tok2vec"]["balancer"]["weights"] = {
        name: weight for name, weight in weights.items() if name in keep and name != task
    }
    if "senter" not in keep:
        config["training"]["annotating_components"] = []
    config["training"]["score_weights"] = {SCORES[task]: 1.0}
    return config


def derive_configs(folder: Path = Path("configs")) -> None:
    """Write `ner.cfg`, `textcat.cfg` and `srl.cfg` beside `multitask.cfg`.

    folder (Path): The folder of the configs.
    """
    multitask = Config().from_disk(folder / "multitask.cfg", interpolate=False)
    for task in SCORES:
        derive_config(multitask, task).to_disk(folder / f"{task}.cfg")


if __name__ == "__main__":
    typer.run(derive_configs)
