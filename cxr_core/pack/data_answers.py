"""What a pack knows of the data, the reference and the analysis: the items of a checklist that are about them."""

from cxr_core.pack.document import Document
from cxr_core.pack.group_tables import columns_words, models_by_group
from cxr_core.pack.model_answers import has_cards
from cxr_core.pack.reply import Reply, Said
from cxr_core.pack.said import judge_words, size_words
from cxr_core.schema import REPORT, TRUTH
from cxr_core.words import counted


def data(document: Document) -> Said:
    """Return what is known of: data."""
    kind = "made by a program, published with the software" if document["synthetic"] else "its label tables"
    return Reply(f"Source {document['source']} ({kind}); table of characteristics.")


def flow(document: Document) -> Said:
    """Return what is known of: flow."""
    return Reply(f"Figure and table of the flow; judged: {size_words(document)}. Label by label: table of labels.")


def people(document: Document) -> Said:
    """Return what is known of: people."""
    return Reply("No patient stands behind the synthetic images.", applies=False) if document["synthetic"] else None


def design(document: Document) -> Said:
    """Return what is known of: design."""
    return Reply("The images were made before they were judged: retrospective.") if document["synthetic"] else None


def subset(document: Document) -> Said:
    """Return what is known of: subset."""
    view = f"the {document['view']} view" if document["view"] else "all views that a model predicts"
    return Reply(f"Data set {document['dataset']}, {view}; nothing else was chosen.")


def missing(document: Document) -> Said:
    """Return what is known of: missing."""
    lost = sum(one["n_missing"] for model in document["models"] for one in model["evaluation"]["labels"].values())
    return Reply(f"Left out label by label and counted, none imputed: {counted(lost, 'value')} missing.")


def reference(document: Document) -> Said:
    """Return what is known of: reference."""
    return Reply(
        f"Positive by {judge_words(document)}; negative and not mentioned are absent, uncertain ones are left out."
    )


def annotators(document: Document) -> Said:
    """Return what is known of: annotators."""
    judge = document["judge"]
    if document["synthetic"] and judge == TRUTH:
        return Reply("Nobody annotated: the images are made from the truth.", applies=False)
    return None


def annotation(document: Document) -> Said:
    """Return what is known of: annotation."""
    return Reply("Label tables as imported; see the methods.") if document["judge"] == REPORT else None


def agreement(document: Document) -> Said:
    """Return what is known of: agreement."""
    if document["judge"] in (REPORT, TRUTH):
        return None
    return Reply("By majority; a tie is no verdict and left out. `cxr meaning` counts the agreement (kappa).")


def partition(document: Document) -> Said:
    """Return what is known of: partition."""
    sizes = document["characteristics"][0]["counts"]
    return Reply("; ".join(f"{name}: {counted(n, 'image')}" for name, n in sizes.items()) + ". Why so: the authors.")


def disjoint(document: Document) -> Said:
    """Return what is known of: disjoint."""
    shared = document["shared_patients"]
    if shared is None:
        return None
    return Reply(f"{counted(shared, 'patient is', 'patients are')} in more than one data set.")


def metrics(document: Document) -> Said:
    """Return what is known of: metrics."""
    return Reply("AUC, average precision, calibration, net benefit, partial AUC; methods and tables.")


def uncertainty(document: Document) -> Said:
    """Return what is known of: uncertainty."""
    return Reply("95 % intervals by patient, p corrected by Holm; methods.")


def groups(document: Document) -> Said:
    """Return what is known of: groups."""
    if not models_by_group(document):
        return None
    return Reply(f"Tables of groups by {columns_words(document)}: AUC, calibration and gaps to all other images.")


def characteristics(document: Document) -> Said:
    """Return what is known of: characteristics."""
    return Reply("Table of characteristics, data set by data set.")


def performance(document: Document) -> Said:
    """Return what is known of: performance."""
    by = f" Groups by {columns_words(document)}: their tables." if models_by_group(document) else ""
    return Reply(f"Tables and figures of discrimination, calibration and net benefit, with intervals.{by}")


def accuracy(document: Document) -> Said:
    """Return what is known of: accuracy."""
    cut = " Sensitivity, specificity, PPV and NPV: table of thresholds." if has_cards(document) else ""
    return Reply(f"AUC and average precision with 95 % intervals.{cut}")


def crosstab(document: Document) -> Said:
    """Return what is known of: crosstab."""
    return Reply("Table of thresholds: TP, FP, FN, TN by label.") if has_cards(document) else None


def software(document: Document) -> Said:
    """Return what is known of: software."""
    versions = ", ".join(f"{name} {number}" for name, number in document["software"].items())
    return Reply(f"{document['made_by']}; {versions}.")


def devices(document: Document) -> Said:
    """Return what is known of: devices."""
    made_with = software(document)
    if made_with is None or not document["synthetic"]:
        return None
    return Reply(f"No device: the images are made. {made_with.words}")


def availability(document: Document) -> Said:
    """Return what is known of: availability."""
    return Reply(f"{document['made_by']}, Apache-2.0; the commands at the end give every figure. Data: the authors.")


def data_sharing(document: Document) -> Said:
    """Return what is known of: data sharing."""
    return Reply("The synthetic data come with the software.") if document["synthetic"] else None


def audit(document: Document) -> Said:
    """Return what is known of: audit."""
    digests = "; ".join(f"{model['name']} {model['digest']}" for model in document["models"])
    return Reply(f"Predictions are stored as tables; digests of the judged rows: {digests}.")


def blinding(document: Document) -> Said:
    """Return what is known of: blinding."""
    made = document["synthetic"] and document["judge"] == TRUTH
    return Reply("Truth and images are made together, without any model.") if made else None


def indeterminate(document: Document) -> Said:
    """Return what is known of: indeterminate."""
    return Reply("Uncertain labels and ties of readers are left out and counted: table of labels.")


def counts(document: Document) -> Said:
    """Return what is known of: counts."""
    return Reply("Table of labels: images, patients and positives of each analysis.")
