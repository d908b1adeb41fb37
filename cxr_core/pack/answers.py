"""Which part of a pack answers an item of a checklist, by the names that the lists use."""

from collections.abc import Callable

from cxr_core.pack import data_answers as data
from cxr_core.pack import model_answers as model
from cxr_core.pack.document import Document
from cxr_core.pack.reply import Said

ANSWERS: dict[str, Callable[[Document], Said]] = {
    "accuracy": data.accuracy,
    "agreement": data.agreement,
    "annotation": data.annotation,
    "annotators": data.annotators,
    "architecture": model.architecture,
    "audit": data.audit,
    "availability": data.availability,
    "blinding": data.blinding,
    "characteristics": data.characteristics,
    "counts": data.counts,
    "crosstab": data.crosstab,
    "cuts": model.cuts,
    "data": data.data,
    "data-sharing": data.data_sharing,
    "design": data.design,
    "development": model.development,
    "devices": data.devices,
    "disjoint": data.disjoint,
    "ensemble": model.ensemble,
    "flow": data.flow,
    "groups": data.groups,
    "imbalance": model.imbalance,
    "index-blind": model.index_blind,
    "indeterminate": data.indeterminate,
    "initialisation": model.initialisation,
    "internal": model.internal,
    "metrics": data.metrics,
    "missing": data.missing,
    "no-assessor": model.no_assessor,
    "output": model.output,
    "partition": data.partition,
    "people": data.people,
    "performance": data.performance,
    "predicting": model.predicting,
    "predictor": model.predictor,
    "preprocessing": model.preprocessing,
    "reference": data.reference,
    "software": data.software,
    "subset": data.subset,
    "training": model.training,
    "uncertainty": data.uncertainty,
    "updating": model.updating,
}
