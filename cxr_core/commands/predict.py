"""`predict`: a model's predictions for the records of a source."""

import argparse

from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.commands.runs import ON_HELP, awaited
from cxr_core.runs.run import HERE
from cxr_core.tasks.predict import start_prediction
from cxr_core.training.execution_options import ANY_DEVICE


def _arguments(parser: Parser) -> None:
    add = parser.add_argument
    add(
        "--model",
        required=True,
        metavar="NAME_OR_FILE_OR_RUN",
        help="a model with weights, the path of an .h5, .keras or .onnx file, or a completed training run",
    )
    add("--card", metavar="FILE", default="", help="the card of an ONNX model; without it, the .toml beside it")
    add("--dataset", help="data set to predict; without it, valid and test")
    add("--view", help="view to predict; without it, the model's own")
    add("--records", metavar="GLOB", default="", help="TFRecord files; without it, those of the source")
    add("--limit", type=int, metavar="N", help="predict only the first N images")
    add("--accelerator", default="cpu", help="cpu, gpu, multi-gpu or tpu")
    add("--device", default=ANY_DEVICE, help="the GPU to predict on, as in gpu:1; without it, one that is free")
    add("--on", metavar="PLACE", default=HERE, help=ON_HELP)
    add("--name", default="", help="name of the prediction table; without it, the model's or the file's")
    add("--replace", action="store_true", help="replace predictions of the same data sets")


def _execute(arguments: argparse.Namespace) -> Answer:
    run = start_prediction(
        arguments.source,
        arguments.model,
        dataset=arguments.dataset,
        view=arguments.view,
        records=arguments.records,
        limit=arguments.limit,
        accelerator=arguments.accelerator,
        device=arguments.device,
        place=arguments.on,
        card=arguments.card,
        name=arguments.name,
        replace=arguments.replace,
        confined=False,
    )
    return awaited(run, lambda ended: ended.result)


PREDICT = Command("predict", "Predict with a model, into a prediction table.", _arguments, _execute)
