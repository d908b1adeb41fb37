"""How figures are computed, in sentences: what a report and the methods of a paper say, under the settings in force."""

from cxr_core.evaluation.defined import FEWEST_FOR_A_SHARE, LARGEST_MISSING_SHARE
from cxr_core.evaluation.intervals import CONFIDENCE, FEWEST_FOR_FORMULA
from cxr_core.evaluation.resamples import SEED
from cxr_core.evaluation.results import AUTO, BOOTSTRAP, FORMULA
from cxr_core.settings import settings
from cxr_core.words import percent

_FORMULA = (
    "The standard error is by formula: for an AUC that of Obuchowski (1997) for clustered images, for an average "
    "precision the root of the sum of squares of what each patient adds"
)
_BOOTSTRAP = (
    "that of {:,} resamples of whole patients (cluster bootstrap, seed {}), the same for all labels and models."
)
_STANDARD_ERROR = {
    FORMULA: f"{_FORMULA}.",
    BOOTSTRAP: f"The standard error is {_BOOTSTRAP}",
    AUTO: f"{_FORMULA}; where a class has fewer than {FEWEST_FOR_FORMULA} patients it is {_BOOTSTRAP}",
}


def method_words() -> list[str]:
    """Return how the figures are computed, under the settings in force."""
    chosen = settings()
    return [
        "Only certain labels are judged: positive against negative and not mentioned; uncertain images are left out "
        "label by label.",
        f"{percent(CONFIDENCE, 0)} intervals of AUC, average precision and their means are Student's t on the logit "
        f"scale. {_STANDARD_ERROR[chosen.intervals].format(chosen.resamples, SEED)}",
        "Shares at an operating point and in a bin of the calibration have the interval of a ratio of sums over "
        "patients, Student's t on the logit scale; where all or none count, Clopper and Pearson's with the patients "
        "as trials.",
        f"No interval is given below {chosen.minimum_positives} patients of a class that the figure is made of "
        f"({FEWEST_FOR_A_SHARE} for a share of the images of one kind). Rows without a prediction or a label value are "
        f"left out and counted, up to {percent(LARGEST_MISSING_SHARE, 0)} of a label's.",
        "Differences have Student's t on their variance by patient, the sum of squares of what each patient adds.",
        "AUC and average precision rank the predictions as stored. Curves may be thinned for drawing, figures never.",
    ]


def detail_words(specificity: float) -> list[str]:
    """Return how calibration, net benefit and the part of the ROC curve are computed."""
    chosen = settings()
    return [
        "Calibration slope and intercept are those of a logistic regression of the truth on the logit of the "
        "probability, the intercept with the slope held at 1 (Cox 1958); O:E is the number of positives over the sum "
        "of the probabilities. Their intervals are Student's t on the sandwich variance by patient.",
        "Net benefit is that of Vickers and Elkin (2006) at thresholds of 1 to 99 %, with Student's t by patient.",
        f"Partial AUC and sensitivity at a specificity of {specificity:g} follow the straight lines between the points "
        f"of the ROC curve; their intervals are from {chosen.resamples:,} resamples of whole patients (seed {SEED}).",
    ]
