"""How much more a model finds than each reader of the source, at the reader's own specificity."""

import numpy as np

from cxr_core.evaluation.patient_sums import Resampling
from cxr_core.evaluation.reader_differences import ReaderDifference, reader_difference
from cxr_core.evaluation.resamples import patient_clusters
from cxr_core.evaluation.verdicts import majority, majority_of_others, own_verdicts
from cxr_core.schema import check_label
from cxr_core.settings import settings
from cxr_core.tasks.evaluate import predicted
from cxr_core.tasks.judging import judged_predictions

#: Each reader and label is resampled for itself, so 8 readers of 14 labels take 112 times as long as one.
MOST_RESAMPLES = 500
#: (set, reader) -> the difference.
OfReaders = dict[tuple[str, str], ReaderDifference]


def reader_differences(
    source_name: str, model: str, dataset: str, view: str | None, judge: str, label: str | None = None
) -> dict[str, OfReaders]:
    """Return the differences by label, of one label or of all that the model has; none unless a set judges.

    Raises:
        UnknownNameError: there is no such source, model with predictions, label, data set, view or judge.
        UsageError: the judge says nothing on the images.
        TableError: a table is damaged, or a path is in `dataset` more than once.
        WarehouseError: the warehouse could not answer.
    """
    if label is not None:
        check_label(label)
    judged = judged_predictions(source_name, model, dataset, view, judge)
    if not judged.votes:
        return {}
    chosen = settings()
    clusters, patients = patient_clusters(judged.joined.frame["patient"].to_numpy(np.int64))
    drawn = Resampling(clusters, patients, min(chosen.resamples, MOST_RESAMPLES), chosen.minimum_positives)
    found: dict[str, OfReaders] = {}
    for name in [one for one in judged.joined.labels if label in (None, one)]:
        scores = predicted(judged.joined.frame, [name])[name]
        by_all, of_label = majority(judged.votes[judge].of(name)), {}
        for set_name, votes in judged.votes.items():
            codes = votes.of(name)
            for place, reader in enumerate(votes.readers):
                of_judge = majority_of_others(codes, place) if set_name == judge else by_all
                said = own_verdicts(codes, place)
                difference = reader_difference(said, of_judge, scores, drawn, chosen.minimum_positives)
                of_label[set_name, reader] = difference
        found[name] = of_label
    return found
