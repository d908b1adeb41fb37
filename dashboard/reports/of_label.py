"""The report of the Evaluate page: one label of one model, with all its labels in a table."""

from collections.abc import Sequence
from dataclasses import dataclass

from cxr_core.evaluation.operating import OperatingPoint
from cxr_core.evaluation.readers import ReaderPoint
from cxr_core.evaluation.results import LabelEvaluation
from cxr_core.models.listing import ModelEntry
from cxr_core.schema import REPORT, label_words
from cxr_core.sources.source import Source
from cxr_core.tasks.details import label_histogram
from cxr_core.tasks.distribution import shared_patients
from cxr_core.tasks.evaluate import Evaluation, LabelCurves
from cxr_core.tasks.provenance import provenance
from cxr_core.tasks.reader_differences import OfReaders
from cxr_core.words import counted, plural
from dashboard.charts.calibration import calibration_chart
from dashboard.charts.curves import on_pr, on_roc, pr_of_label, roc_of_label
from dashboard.charts.details import score_chart
from dashboard.charts.palette import LIGHT, model_style
from dashboard.charts.readers import readers_on_pr, readers_on_roc
from dashboard.reports.document import Report, Section
from dashboard.shared import help_texts
from dashboard.shared.evaluation_words import answer
from dashboard.shared.figure_tables import figures_table
from dashboard.shared.formatting import count, percent, with_interval
from dashboard.shared.help_texts import READER_DIFFERENCES
from dashboard.shared.leak import leak_words
from dashboard.shared.point_tables import SCORE_BINS, confusion_table, shares_table, uncertain_table, why_no_intervals
from dashboard.shared.readers_words import readers_answer, readers_table


@dataclass(frozen=True)
class Subject:
    """Whose figures they are, and `choice`: what the data set had to do with how the model came about."""

    source: Source
    model: ModelEntry
    view: str | None
    choice: str


def label_report(
    subject: Subject,
    result: Evaluation,
    curves: LabelCurves,
    point: OperatingPoint | None,
    elsewhere: float | None,
    chosen: str = "",
    beside: OfReaders | None = None,
) -> Report:
    """Return what the Evaluate page shows of one label.

    Args:
        subject: the model and the images.
        result: the figures of all its labels.
        curves: of the label that is shown.
        point: the operating point; None where ROC is undefined.
        elsewhere: a prevalence in per cent at which PPV, NPV and F1 are wanted too.
        chosen: in words, how the operating point was chosen, and on which images.
        beside: the model beside each reader of the source, where readers judge.
    """
    figures = result.labels[curves.label]
    readers = result.readers.get(curves.label, [])
    sections = [_curves(figures, curves, point, subject.model.is_ensemble, readers)]
    if readers and beside:
        sections.append(_readers(readers, beside))
    if point is not None:
        sections += [_point(curves, point, elsewhere, chosen), _uncertain(curves, point)]
    sections += [_calibration(curves, subject.model.is_ensemble), _all(result)]
    title = f"{label_words(curves.label)} by {result.model}: {answer(result, curves.label).partition(': ')[2]}"
    method = [result.doubt] if result.doubt else []
    made_of = provenance(result.source, [result.model], result.dataset, result.view, [_command(result)])
    return Report(title, _facts(subject, result, figures), sections, subject.source.synthetic, method, made_of)


def _readers(readers: Sequence[ReaderPoint], beside: OfReaders) -> Section:
    tables = [readers_table(readers, beside)]
    return Section("The model beside each reader", readers_answer(readers), tables=tables, notes=[READER_DIFFERENCES])


def _command(result: Evaluation) -> list[str]:
    return ["evaluate", result.model, *([] if result.judge == REPORT else ["--judge", result.judge])]


def _facts(subject: Subject, result: Evaluation, figures: LabelEvaluation) -> dict[str, str]:
    model = subject.model
    left_out = f", {counted(result.unmatched, 'predicted image')} without labels left out" if result.unmatched else ""
    return {
        "Source": result.source,
        "Model": result.model,
        "Treatment of uncertain labels": model.policy_words(),
        "Data set": result.dataset,
        "View": label_words(subject.view) if subject.view else "all that the model predicts",
        "Predictions": f"{plural(result.scale)} of {counted(result.n_images, 'image')}{left_out}",
        "Judged on": f"{counted(figures.n, 'certain image')} of {counted(figures.n_patients, 'patient')}, "
        f"{count(figures.n_positive)} positive ({percent(figures.prevalence)}); "
        f"{count(figures.n_uncertain_dropped)} {'uncertain' if result.judge == REPORT else 'without verdict'} left out"
        + (f"; {figures.missing_words}" if figures.missing_words else ""),
        "Judge": "the report's labels" if result.judge == REPORT else result.judge,
        "Choice of the model": subject.choice,
        "Patients in two data sets": leak_words(shared_patients(result.source)),
    }


def _curves(
    figures: LabelEvaluation,
    curves: LabelCurves,
    point: OperatingPoint | None,
    ensemble: bool,
    readers: Sequence[ReaderPoint],
) -> Section:
    words = (
        f"AUC {with_interval(figures.roc_auc, figures.roc_auc_ci)}, average precision "
        f"{with_interval(figures.average_precision, figures.average_precision_ci)} (95 % intervals)."
    )
    if curves.roc is None or curves.pr is None:
        return Section("Curves", f"The curves are undefined: {'; '.join(dict.fromkeys(curves.why.values()))}.")
    style = model_style(curves.model, ensemble, LIGHT)
    roc = roc_of_label(figures, curves, style, LIGHT, on_roc(point), readers_on_roc(readers))
    pr = pr_of_label(figures, curves, style, LIGHT, on_pr(point), readers_on_pr(readers))
    return Section("Curves", words, [roc, pr])


def _point(curves: LabelCurves, point: OperatingPoint, elsewhere: float | None, chosen: str) -> Section:
    tables = [confusion_table(point, curves.scale), shares_table(point, elsewhere)]
    words = f"Chosen by {chosen}." if chosen else ""
    notes = [note for note in (help_texts.POINT_CAPTION, why_no_intervals(point)) if note]
    return Section("At the operating point", words, tables=tables, notes=notes)


def _uncertain(curves: LabelCurves, point: OperatingPoint) -> Section:
    scores = score_chart(curves.scores_by_value(), point.threshold, f"predicted {curves.scale}", SCORE_BINS, LIGHT)
    return Section("Where the uncertain fall", charts=[scores], tables=[uncertain_table(curves, point)])


def _calibration(curves: LabelCurves, ensemble: bool) -> Section:
    found = curves.calibration()
    if found.why:
        return Section("Calibration", f"There is no calibration: {found.why}.")
    words = (
        f"Brier score {with_interval(found.brier, found.brier_ci)}, expected calibration error "
        f"{with_interval(found.ece, found.ece_ci)} over {counted(len(found.bins), 'bin')} of about equal count."
    )
    chart = calibration_chart(found.bins, model_style(curves.model, ensemble, LIGHT), LIGHT, label_histogram(curves))
    return Section("Calibration", words, [chart], notes=[help_texts.CALIBRATION_CAPTION])


def _all(result: Evaluation) -> Section:
    auc, ap = result.mean_roc_auc, result.mean_average_precision
    words = (
        f"Mean AUC {with_interval(auc.value, auc.ci)} over {counted(auc.labels, 'label')}, mean average precision "
        f"{with_interval(ap.value, ap.ci)}."
    )
    table = figures_table(result).assign(Prevalence=[percent(figures.prevalence) for figures in result.labels.values()])
    return Section("All labels", words, tables=[table.set_index("Label")])
