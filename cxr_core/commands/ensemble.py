"""`ensemble`: combine models into a new one, or see what that would gain."""

import argparse

from cxr_core.commands.output import as_table, interval
from cxr_core.commands.parsing import Answer, Command, Parser
from cxr_core.errors import UsageError
from cxr_core.tasks.ensemble import METHOD_NAMES, BuiltEnsemble, EnsemblePreview, build_ensemble, preview_ensemble
from cxr_core.words import counted, signed


def _arguments(parser: Parser) -> None:
    parser.add_argument("models", nargs="+", metavar="MODEL", help="the members, two or more (by study one is enough)")
    parser.add_argument("--method", required=True, help=f"one of {', '.join(METHOD_NAMES)}")
    parser.add_argument(
        "--by",
        default="image",
        help="image, or study to combine the images and views of each study (default %(default)s)",
    )
    parser.add_argument("--name", metavar="NAME", help="name of the new model; needed unless --preview is given")
    parser.add_argument("--preview", action="store_true", help="save nothing: what it gains over its best member")
    parser.add_argument("--dataset", default="valid", help="with --preview: where it is judged (default %(default)s)")
    parser.add_argument("--replace", action="store_true", help="replace an ensemble of that name")


def _execute(arguments: argparse.Namespace) -> Answer:
    if arguments.preview:
        how = (arguments.models, arguments.method, arguments.dataset, None, arguments.by)
        preview = preview_ensemble(arguments.source, *how)
        return Answer(preview.as_json(), lambda: _preview_text(preview))
    if not arguments.name:
        raise UsageError("An ensemble that is saved needs a name. Give --name NAME, or --preview to save nothing.")
    built = build_ensemble(
        arguments.source, arguments.models, arguments.method, arguments.by, arguments.name, arguments.replace
    )
    return Answer(built.as_json(), lambda: _text(built))


def _text(built: BuiltEnsemble) -> str:
    lines = [
        f"Saved {built.model}: {built.method} of {counted(built.images, 'image')} ({built.scale}), in {built.table}"
    ]
    lines += [
        f"{label}: {counted(lost['n'], 'row')} without a prediction, such as {lost['example']}: a member lacks it"
        for label, lost in built.missing.items()
    ]
    lines += [f"{label}: no weights fitted, {why}" for label, why in built.not_fitted.items()]
    return "\n".join(lines)


def _preview_text(found: EnsemblePreview) -> str:
    """Return the ensemble beside its members as a table, and its gain."""
    each = {"the ensemble": found.figures} | found.members
    rows = [
        (name, auc.value, interval(auc.ci), precision.value, interval(precision.ci))
        for name, figures in each.items()
        for auc, precision in [(figures.mean_roc_auc, figures.mean_average_precision)]
    ]
    gain = found.mean_gain
    change = "-" if gain.value is None else f"{signed(gain.value)} ({interval(gain.ci)})"
    table = as_table(("model", "mean AUC", "95 % interval", "mean AP", "95 % interval"), rows)
    return f"On {counted(found.n_images, 'row')}\n\n{table}\n\nMean AUC against {found.best}: {change}"


ENSEMBLE = Command("ensemble", "Combine models into a new one.", _arguments, _execute)
