"""Explanations of the figures that a paper asks for beyond AUC."""

AXIS = "The logit axis gives room to probabilities near 0 and 1; bins of which none or all are positive are not on it."
LEAST_SPECIFICITY = "Where the part of the ROC curve begins: false alarms among at most the rest of the negatives."
PARTIAL_AUC = "The area under that part of the ROC curve, at most 1 minus the specificity."
STANDARDISED = "The same on a scale on which guessing has 0.5 and the best has 1 (McClish 1989)."
SENSITIVITY_THERE = "The sensitivity on the curve where the specificity is exactly this."
DECISION = (
    "Whoever acts from a probability t on weighs a missed finding (1 − t) / t times as much as a needless action. The "
    "net benefit is the share of true positives less the weighted share of false ones (Vickers and Elkin 2006). The "
    "model is worth using at thresholds where its line is above both acting on all and acting on none."
)
RECALIBRATE = (
    "Makes the probabilities right on the images on which the thresholds are chosen, by a line on the logit (Platt) "
    "or by a rising curve (isotonic); whether they are right on other images too is judged below."
)
RECALIBRATED = "Before → after. Right are a slope and an O:E of 1; where fitted and judged is one set, both always are."
RANKED = (
    "Whether the model ranks the images of a group worse than all others (p by Holm over all labels and groups), "
    "and whether its probabilities are right there: a slope and an O:E of 1 are."
)
ACROSS_SOURCES = "Other sources with predictions of one of these models, on the same data set."
ACROSS_FILE = "This table: each model on each source and by each judge, with its intervals and marks."
SLICES = (
    "Looks through the groups of every column and of each two of them crossed, and shows those that differ most from "
    "all other images, at the same thresholds. p and intervals are corrected for all that were looked at."
)
JUDGES_AGREE = (
    "Of each label the images on which both say present or absent. Kappa is agreement beyond chance (Cohen 1960), its "
    "interval by resampled patients. A difference is the share that the first calls present minus that of the second; "
    "its p and interval are corrected for all labels (Holm)."
)
