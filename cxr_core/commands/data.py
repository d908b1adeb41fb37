"""The commands about what there is: the demo, sources, models and accelerators."""

import argparse
from dataclasses import asdict

from cxr_core.commands.output import as_table
from cxr_core.commands.parsing import DEFAULT_SOURCE, Answer, Command, Parser, no_arguments
from cxr_core.commands.runs import awaited
from cxr_core.tasks.build_demo import start_demo
from cxr_core.tasks.sources import NULL_RULES, SourceReport, keep_null_rule, report_of, source_reports
from cxr_core.words import counted


def _demo(_arguments: argparse.Namespace) -> Answer:
    run = start_demo()
    if run is None:
        return _demo_report()
    answer = awaited(run)
    return answer if answer.status else _demo_report()


def _demo_report() -> Answer:
    report = report_of(DEFAULT_SOURCE)
    return Answer(report.as_json(), lambda: "The demo is built.")


def _sources_arguments(parser: Parser) -> None:
    rules = " or ".join(NULL_RULES)
    parser.add_argument("--null-is", metavar="RULE", help=f"what NULL labels of --source are in BigQuery: {rules}")


def _sources(arguments: argparse.Namespace) -> Answer:
    if arguments.null_is:
        keep_null_rule(arguments.source, arguments.null_is)
    reports = [report_of(arguments.source)] if arguments.source else source_reports()
    return Answer([report.as_json() for report in reports], lambda: "\n\n".join(map(_source_text, reports)))


def _source_text(report: SourceReport) -> str:
    records = [
        f"{dataset} {view}: {counted(n, 'file')}"
        for dataset, views in report.records.items()
        for view, n in views.items()
    ]
    rows: list[tuple[str, str]] = [("source", f"{report.source} ({report.kind})")]
    for name, values in (
        ("labels", report.labels),
        ("predictions", report.predictions),
        ("records", records),
        ("models", report.models),
        ("problems", report.problems),
    ):
        rows += [(name if number == 0 else "", value) for number, value in enumerate(values or ["none"])]
    return "\n".join(f"{name:<12} {value}" for name, value in rows)


def _split_arguments(parser: Parser) -> None:
    parser.add_argument("--by", required=True, help="what stays together: patient")
    parser.add_argument("--seed", type=int, default=2019, help="of the shuffle (default %(default)s)")
    parser.add_argument("--shares", required=True, metavar="A,B,C", help="of the patients in train, valid and test")
    parser.add_argument("--replace", action="store_true", help="give up a division that is there")


def _split(arguments: argparse.Namespace) -> Answer:
    from cxr_core.tasks.split import parse_shares, split_source

    shares = parse_shares(arguments.shares)
    counts = split_source(arguments.source, arguments.by, shares, arguments.seed, arguments.replace)
    rows = [(name, one["images"], one["patients"]) for name, one in counts.items()]
    return Answer(counts, lambda: as_table(("data set", "images", "patients"), rows))


def _models(arguments: argparse.Namespace) -> Answer:
    from cxr_core.tasks.models import models

    entries = models(arguments.source, counted=True)
    headers = ("name", "view", "policy", "policy_digest", "u", "w", "images", "predictions", "weights")
    rows = [[getattr(entry, header) for header in headers] for entry in entries]
    empty = f"The source {arguments.source} has no model yet. Train one, or name the models in cxr.toml."
    return Answer([entry.as_json() for entry in entries], lambda: as_table(headers, rows) if rows else empty)


def _accelerators(_arguments: argparse.Namespace) -> Answer:
    from cxr_core.tasks.machine_devices import accelerators

    found = accelerators()
    headers = ("name", "available", "reason", "devices")
    rows = [[getattr(one, header) for header in headers] for one in found]
    documents = [asdict(one) | {"devices": list(one.devices)} for one in found]
    return Answer(documents, lambda: as_table(headers, rows))


DEMO = Command("demo", "Build the embedded source, unless it is there.", no_arguments, _demo)
SOURCES = Command(
    "sources",
    "List the sources, or one, with what is missing and how to fix it.",
    _sources_arguments,
    _sources,
    source="",
)
SPLIT = Command("split", "Divide a source by patient into train, valid and test.", _split_arguments, _split)
MODELS = Command("models", "List the models of a source.", no_arguments, _models)
ACCELERATORS = Command("accelerators", "Say what this machine can train on.", no_arguments, _accelerators)
