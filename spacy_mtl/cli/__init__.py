"""The commands `python -m spacy mtl ...`."""

import typer
from spacy.cli._util import app

from .accelerate import accelerate_cli
from .convert import convert_cli
from .evaluate import evaluate_cli
from .extract import extract_cli
from .render import render_cli
from .serve import serve_cli

HELP = "Commands for multi-task pipelines."

mtl = typer.Typer(name="mtl", help=HELP, no_args_is_help=True, rich_markup_mode=None)
mtl.command("convert")(convert_cli)
mtl.command("accelerate")(accelerate_cli)
mtl.command("evaluate")(evaluate_cli)
mtl.command("extract")(extract_cli)
mtl.command("render")(render_cli)
mtl.command("serve")(serve_cli)
app.add_typer(mtl)
