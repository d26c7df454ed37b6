"""The single-task configs are the multi-task config with one head."""

from pathlib import Path

import pytest
from thinc.api import Config

from scripts.derive_configs import SCORES, derive_config

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("task", SCORES)
def test_single_task_config_is_up_to_date(task: str) -> None:
    multitask = Config().from_disk(CONFIGS / "multitask.cfg", interpolate=False)
    committed = Config().from_disk(CONFIGS / f"{task}.cfg", interpolate=False)
    assert derive_config(multitask, task) == committed, "run python scripts/derive_configs.py"


def test_single_task_config_keeps_the_trunk_and_one_head() -> None:
    multitask = Config().from_disk(CONFIGS / "multitask.cfg", interpolate=False)
    single = derive_config(multitask, "ner")
    assert single["components"]["tok2vec"]["model"] == multitask["components"]["tok2vec"]["model"]
    assert single["nlp"]["pipeline"] == ["tok2vec", "ner"]
    assert set(single["components"]) == {"tok2vec", "ner"}
