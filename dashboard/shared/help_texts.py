"""What each control and figure means, in words that a clinician understands; an option tells its own."""

from cxr_core.training.options import option_named

VIEW = option_named("view").help
DATASET = "Models are trained on train, tuned on valid; test is looked at last."
SOURCE = "The data set that every page shows: its label tables, prediction tables, images and models."
SCALE = "Share compares labels; count shows how many there are."
LOG_AXIS = "The log axis makes rare values visible: each step is ten times as many."
UNIT = (
    "A study and a patient have several images. They count as positive where one of their images of this view is, else "
    "as uncertain where one is, and so on."
)
SORT = (
    "The fixed order of the 14 findings, by name, or first those with the most uncertain, the most positive, or the "
    "most uncertain for each positive, in the first data set shown."
)
PAIR_MEASURE = (
    "Share: of the images with the row's label, how many have the column's too (a conditional probability). Count: how "
    "many images have both; the diagonal is each label's own number."
)
UNCERTAIN = "The report neither confirms nor rules out the finding, as in 'possible pneumonia'."
U = (
    "u is the probability of 'present' that an uncertain report stands for: 0 treats it as absent, 1 as present, "
    "0.5 as undecided."
)
W = "w is how much an uncertain image counts in training: 0 ignores it, 1 counts it like a certain one."
BLANK_U = "The same probability for a report that does not mention the finding. The 2019 notebook took 0: absent."
BLANK_W = "How much an image counts whose report does not mention the finding: 0 ignores it, 1 counts it in full."
BLANKS_TOO = "Take a finding that is not mentioned at the share that the readers call present, too."
STRATEGY = (
    "Ignore leaves uncertain images out of the loss. Negative and positive take them as absent or present. Hybrid "
    "takes them as undecided at a quarter of the weight. Mask blanks also leaves out the images "
    "whose report does not mention the finding. Custom sets one u and w, per label sets 14. Smoothed draws u from "
    "0.55 to 0.85 anew for each image. Three class makes uncertain a class of its own. Self trained takes what another "
    "model predicts of each image, soft what the data says of it. Learned starts "
    "in the middle and lets training move u and w of each label to where certain images are predicted best."
)
TEACHER = "Each uncertain image gets the probability that it predicts: the run's own first stage, or another model."
SEVERAL = (
    "One run trains one model. Repeating trains the same model with several seeds, which shows how much of a figure is "
    "chance. A sweep trains one model for each pair of u and w. The runs follow each other on a device, "
    "and go side by side where the accelerator has several."
)
SWEEP_U = "Each is tried with each w. Choose from the list, or type a number from 0 to 1."
SWEEP_W = "Each is tried with each u. Choose from the list, or type a number from 0 to 1. With w = 0, u has no effect."
REPEAT = "How many seeds: the first is the seed under More options, the others follow it. The figures are mean ± sd."
ACCELERATOR = "The hardware that trains. What this machine lacks cannot be chosen; the reason stands below."
DEVICE = "The GPU that works: auto takes a free one. Runs on one GPU follow each other, runs on two go side by side."
MODEL = "Pretrained models, your own runs and ensembles: everything that has a prediction table here."
LABEL = "The finding that the curves are about. Uncertain images are left out; not mentioned counts as absent."
AUC = (
    "Area under the ROC curve: how often a random image with the finding scores above one without it. 0.5 is chance, "
    "1 perfect. It does not depend on how common the finding is."
)
AP = (
    "Average precision: how many of the images called positive really are, averaged over all recalls. Chance reaches "
    "the prevalence, so for rare findings it shows what AUC hides."
)
INTERVAL = (
    "95 % interval by patient, since images of one patient resemble each other. By formula from what each patient "
    "adds, or from resampled patients where a class has few."
)
MEAN = (
    "Mean over the labels on which the figure is defined, each counting alike; the interval knows that labels share "
    "their patients. Choose labels to take the mean over those alone."
)
PREVALENCE = "Share of positives among the certain images: the precision of guessing."
OPERATING_POINT = (
    "Where the score is cut: images at or above it are called positive. Lower finds more of the ill and alarms more "
    "of the healthy. Chosen on the images on which it is judged, it is a little too hopeful."
)
OPERATING_WAY = (
    "A wanted sensitivity or specificity is reached with the least loss of the other; Youden takes the largest sum of "
    "both; Threshold and Number cut the score where you say. A click on a curve cuts there."
)
CHOSEN_ON = (
    "The images on which the rule looks for the threshold. It stays when other images are judged: chosen on valid and "
    "judged on test, the figures are what new patients would show."
)
CALIBRATION = "A predicted probability of 0.3 is calibrated when 3 of 10 such images have the finding."
SLOPE = "1 is right; below 1 the probabilities are too extreme, above 1 too timid (logistic regression on the logit)."
INTERCEPT = "0 is right; below 0 the probabilities are too high altogether, above 0 too low (slope held at 1)."
OE = "Positive images over those that the probabilities add up to: 1 is right, below 1 too many are expected."
PAIRED = (
    "Both models judged on the same images, by patient. Corrected p and corrected intervals allow for all the labels "
    "that are tested (Holm), and say the same: the interval leaves out 0 where the p is below 0.05."
)
ENSEMBLE_METHOD = (
    "How the members' predictions become one. The mean of logits weighs confident members more. Fitted weights and "
    "stacking learn from labels; each patient is then judged by weights fitted on other patients."
)
ENSEMBLE_BY = (
    "Image by image combines models of one view. Study by study first puts each member's images of a study together, "
    "so that frontal and lateral models meet."
)
MEMBERS = "Two or more models; image by image of one view, study by study of any."
TRAINING_LOSS = "Of the last batch alone, so it jumps: the smoothed curve below shows where it goes."
SMOOTHING = (
    "Exponential moving average of the training figures: each earlier row weighs this much of the next one. For the "
    "eye only: validation figures and the numbers above are never smoothed."
)
RUN_AXIS = "Step: batches learned from. Epoch: times that every training image was seen. Minutes: since the first row."
THROUGHPUT = (
    "Training images in a second. Below: the share of the time in which the accelerator waited for the next batch; "
    "where it is high, reading the images is what limits the speed."
)
VALIDATION_AUC = (
    "Mean over the labels, on certain images only, so that it compares between (u, w) strategies; losses do not. The "
    "model that is kept is that of the best epoch."
)
RUN = "Training, prediction and other long work, newest first. Each goes on when this page is closed."
SEED_SPREAD = (
    "The same training with other random numbers: two models that differ by less than this spread may differ by chance "
    "alone. n counts the completed trainings."
)
SWEEP_LABEL = "Each cell is the AUC on valid of the best epoch of its trainings, for this label or the mean of all."
RUN_SEARCH = (
    "Words that a run must have, all of them, in its ID, name, kind, status, policy, source, user, notes or tags."
)
RUN_TAGS = "Short words that people gave to runs, to find those that belong together."
RUN_NOTES = "For people: it changes nothing in the run. The search finds its words."
BESIDE = (
    "Up to six other training runs in the same charts. Losses are drawn together only for one (u, w) policy; the "
    "validation AUC and the loss on certain labels compare always."
)
ONLY_DIFFERENCES = "Leaves out what all of the runs share."
VIEW_OF_PREDICTIONS = "All images that the model predicted, or only those of one view."
OTHER_PREVALENCE = (
    "PPV, NPV and F1 depend on how common the finding is. Enter the share among your own patients to see them there; "
    "sensitivity and specificity are taken to stay as they are."
)
POINT_CAPTION = (
    "95 % intervals by patient, since images of one patient resemble each other. A point that is chosen on the images "
    "on which it is judged is a little too hopeful."
)
BRIER = "Mean squared error of the probability; 0 is perfect."
CALIBRATION_CAPTION = (
    "A model that was trained with uncertain images as positives or as half positives aims at other probabilities than "
    "the certain labels show: it may rank well and yet be off here. A resample's error is larger on average than that "
    "of the data, so its interval lies rather high."
)
CARD = "Thresholds of a rule, or those of a card that was kept, also by `cxr thresholds`."
CARD_RULE = (
    "Each label gets a threshold of its own: the largest that reaches the wanted sensitivity, the smallest that "
    "reaches the wanted specificity or calls no more than so many of 100 images positive, or the one with the largest "
    "sensitivity + specificity (Youden) or F1."
)
KEEP_CARD = "Keeps these thresholds under a name, for `cxr evaluate --at` and `cxr gaps --at`, and for later."
IMAGES_A_DAY = "How many images your department reads in a day; alarms a day are those among so many like the judged."
CARD_SOURCES = "Other data sets that have predictions of a model of this name, judged by their report labels."
CARD_JSON = "The thresholds and what they do on each set, under the names that the command line uses."
CARD_CAPTION = (
    "The threshold is the same on every set; where it was chosen, figures are a little too hopeful. Intervals: 95 %, "
    "by patient. Alarms, images called positive, also depend on how common the finding is there. Scores moved: the "
    "largest distance between the distributions of the scores here and where the threshold was chosen, 0 to 1."
)
GAPS = "Whose share is compared: of the positive called positive (sensitivity), or of the negative called negative."
GAPS_BY = "Columns of the label tables, or imported ones such as race; of several each has its groups."
GAPS_CAPTION = (
    "Each cell: the gap of the group to all other images, below it the group's own share. Intervals and p are by "
    "patient, also where a patient has images in both; p is corrected over the whole matrix, both figures. Groups may "
    "differ because they have other findings or other positions, not only because the model treats them otherwise."
)
SUBGROUPS = "The view, the data set, and the further columns of the label tables, as sex, age or position (AP or PA)."
SUBGROUP_CAPTION = (
    "The threshold is the same for all groups; intervals rest on each group's own patients. One rule for all: an "
    "interval is given where each class that the figure is made of has as many patients as the setting "
    "minimum_positives asks for. Groups may differ because they have other findings, not only because the model "
    "treats them otherwise."
)
MODELS_VIEW = (
    "Models of different views predict different images; all together, each view is a family of its own. No single "
    "view: models of which nothing tells one, as some imported ones, ensembles of such, and those that judge studies."
)
SEVERAL_VIEWS = (
    "Models of different views predict different images, so no figure of one can be tested against one of the other: "
    "each view is a family of its own here. Combine models study by study in the ensemble builder to set them side by "
    "side."
)
CHOOSE_ROWS = "Choose rows of the table to draw only those models; without a choice all are drawn."
BASELINE = (
    "What the others are set against. A model that ignored uncertain labels (w = 0) never saw one, so what it says of "
    "the uncertain images it says from the pictures alone."
)
EFFECTS_CAPTION = (
    "Scores above a negative: the chance that an uncertain image scores higher than a negative one (0.5: like a "
    "negative). Scores below a positive: the chance that it scores lower than a positive one (0.5: like a positive). "
    "Called positive: at the model's own Youden threshold. Really positive, and how well the model tells these: only "
    "where the truth is known, as in the demo. Intervals by resampled patients."
)
THINNED = " Curves are thinned for drawing only, to within {} of the axis; every figure uses all images."
PREDICT_SOURCE = "The data set whose images are predicted; the predictions are kept with it."
PREDICT_MODEL = (
    "A model of this source that has weights. Or enter the path of an .h5, .weights.h5 or .keras file of the same "
    "network, here or on gs://: one that the 2019 notebook saved will do. An .onnx file of any network needs a card "
    "beside it (docs/other-models.md). Of a model of another make, import its predictions instead."
)
PREDICT_NAME = "What the model is called on Evaluate and Compare."
PREDICT_RECORDS = (
    "A pattern of TFRecord files such as /data/valid-frontal*, here or on gs://. {dataset} and {view} stand for those "
    "that are chosen."
)

READINGS = "A set of readings: what people who looked at the images say, beside what the report's labels say."
NO_READINGS = (
    "Nobody has read images of this source yet. With a second opinion for some studies (a hundred films read by a "
    "colleague, or hand labels that a data set ships) this tab counts how many of the uncertain are really positive: "
    "that share is the target u of the loss. Import a file of readings, one a reader."
)
MEANING_CAPTION = (
    "A row counts as read where more readers say present than absent, or the other way round; ties and unsure are no "
    "verdict. Kappa is the mean over the pairs of readers."
)
POLICY_OF_READINGS = (
    "u of each label is its share present among the uncertain, drawn towards the mean of the labels where few were "
    "read (beta-binomial, moments after Kleinman 1973)."
)
POLICY_FILE = "A policy file for `python -m cxr_core train --policy FILE`."
JUDGE = (
    "Who says what is positive. The report: its labels, as in the notebook. Readers: the majority of the people of a "
    "set who looked at the image. Truth: what was really there, where somebody knows."
)
NO_VERDICT = "Images on which this judge comes to no verdict on this label, by a tie or by unsure; they are left out."
ONE_JUDGE = (
    "Nobody but the report judges here. With readings of some images (import them on Sources), or a truth, this tab "
    "shows each model's figure by one judge beside that by the other, and whether both rank the models alike."
)
BESIDE_JUDGE = "The judge on the other axis; the one above the tabs is on the first."
TWO_JUDGES_CAPTION = (
    "A mean is over the labels on which all models have the figure by both judges. Intervals: by resampled patients; "
    "those of differences, and p, are corrected for all models (Holm). On the dotted line both judges say the same."
)
READER_DIFFERENCES = (
    "At the specificity of each reader, the model's sensitivity minus the reader's, on the rows that both are judged "
    "on, with the 95 % interval of resampled patients."
)
BY_THE_REPORT = "This tab is about the report's labels, whoever judges above."
MEANING_MODEL = (
    "A model with predictions narrows the counted shares where it predicts all images of a value, and says between "
    "which ends a share lies that nobody has counted. The images that were read must be a chance sample of their value."
)
IN_USE = "Now in use: the u and w that the Train page stands at in this session."
WITHOUT_READINGS = (
    "With the model's help: prediction-powered inference, tuned and by patient (Angelopoulos, Duchi and Zrnic 2023), "
    "shown where its interval is narrower. Without readings the share is not known: if hedging depends on the image "
    "alone, it is the mean probability that the certain labels give the uncertain images (where *learned* moves u); if "
    "absent images are hedged at one rate whatever they look like, it follows from that rate among the clearest "
    "negatives (mixture proportion). The data cannot tell the two apart; fifty readings can."
)
