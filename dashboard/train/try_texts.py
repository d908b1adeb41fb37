"""What the controls and figures of trying policies on frozen features mean."""

#: From `benchmarks/results/landscape_ranks.json`; a test holds the two equal.
RANKS = (
    "Measured on the demo (27 November 2026): the order of 7 policies by frozen features and by 5 whole trainings "
    "each, on their mean AUC against the truth, has a rank correlation of 0.25 (95 % interval −0.14 to 0.89), and "
    "within a label 0.23 on average (−0.05 to 0.47). Two halves of the same trainings agree by 0.15 and 0.02: most of "
    "these policies are too alike for any order to hold."
)
TRY_POLICIES = (
    "Takes what a finished model makes of each image before its last layer, once, and trains only that last layer anew "
    "for every u and w: seconds instead of a training each. " + RANKS
)
TRY_MODEL = (
    "The model whose features are kept fixed. They were trained with a policy of their own, which may favour that "
    "policy; try another model's features to see whether the answer stays."
)
TRY_EMBEDDINGS = (
    "Instead of a model: files of embeddings that another model made of these images, by their path or a pattern. "
    "TFRecords of Google's CXR Foundation, Parquet, .npz or .npy; docs/training.md says what must stand in them."
)
TRY_START = (
    "Starts a process of its own: the features of train and valid first, which takes as long as predicting them, then "
    "the last layers in seconds. Features stay in the workspace."
)
TRY_LABEL = "Whose landscape is drawn. The table below has all labels."
TRY_CAPTION = (
    "Frozen features are an approximation: a whole training may rank policies otherwise. Gain is the AUC over ignoring "
    "uncertain images, on patients that took no part in choosing u and w, each interval for its label alone. What "
    "cannot be told from the best holds over all pairs of a label at once. Test images take no part. The mix takes the "
    "best pair where its gain is beyond chance, corrected for all labels (Holm), else the pair that is best on the "
    "mean of the labels."
)
TRY_MIX = "Puts these u and w into the form, per label. Nothing starts yet."
