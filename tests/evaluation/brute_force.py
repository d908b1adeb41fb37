"""The figures once more, slowly and from their definitions, and hypothesis data with many ties."""

import numpy as np
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit

# scikit-learn sums the scores to check them, which overflows nearer to the largest number.
FINITE = st.floats(-1e300, 1e300)
TIED = st.integers(-3, 3).map(float)


@st.composite
def rows(draw, minimum=2, maximum=60):
    """Truth with both classes, and scores that are tied, arbitrary or both."""
    n = draw(st.integers(minimum, maximum))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda drawn: 0 < sum(drawn) < len(drawn)))
    scores = draw(st.lists(draw(st.sampled_from([TIED, FINITE, TIED | FINITE])), min_size=n, max_size=n))
    return np.array(y), np.array(scores)


def auc_by_pairs(y, scores):
    pairs = [(p, n) for p in scores[y == 1] for n in scores[y == 0]]
    return sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)


def ap_by_thresholds(y, scores):
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        called = scores >= threshold
        recall, precision = y[called].sum() / y.sum(), y[called].mean()
        total += (recall - before) * precision
        before = recall
    return total


def patient_rows(seed, n=80, patients=25, shift=1.0, levels=None):
    """Clustered rows: truth, scores (rounded to `levels` distinct steps when given) and patients."""
    rng = np.random.default_rng(seed)
    patient = rng.integers(patients, size=n)
    y = (rng.random(n) < 0.35).astype(int)
    scores = rng.normal(size=n) + shift * y + rng.normal(size=patients)[patient]
    return y, np.round(scores * levels) / levels if levels else scores, patient


def values_of(y):
    """Label codes whose truth is `y`: 3 for positive, 0 and 1 in turn for the others."""
    return np.where(y == 1, 3, np.arange(y.size) % 2)


def rarer_patients(y, patients):
    return min(len(set(patients[y == 1])), len(set(patients[y == 0])))


def weighted_auc(y, scores, weights):
    """AUC of rows that count `weights` times, pair by pair."""
    pairs = weights[y == 1][:, None] * weights[y == 0][None, :]
    above = np.sign(scores[y == 1][:, None] - scores[y == 0][None, :]) / 2 + 0.5
    return (pairs * above).sum() / pairs.sum()


def weighted_ap(y, scores, weights):
    """Average precision of rows that count `weights` times, positive by positive."""
    total = 0.0
    for place in np.flatnonzero(y == 1):
        called = scores >= scores[place]
        total += weights[place] * (weights * y)[called].sum() / weights[called].sum()
    return total / weights[y == 1].sum()


def influences(figure, y, scores, patients, step=1e-5):
    """The derivative of a weighted figure by the weight of each patient's rows, by central differences."""
    found = []
    for patient in np.unique(patients):
        moved = [figure(y, scores, 1.0 + sign * step * (patients == patient)) for sign in (1, -1)]
        found.append((moved[0] - moved[1]) / (2 * step))
    return np.array(found)


def area_bounds(area, replicates, influences_by_patient, rarer):
    """Student's t on the logit scale, by its definition."""
    u = influences_by_patient
    s = (u**2).sum()
    freedom = min(rarer - 1, 2 * s**2 / ((u**4).sum() - s**2 / u.size))
    error = np.std(replicates, ddof=1) * np.sqrt(rarer / (rarer - 1)) / (area * (1 - area))
    return expit(logit(area) + stats.t.ppf([0.025, 0.975], freedom) * error)


def expanded_levels(y, patients):
    """The two levels of Hesterberg's expanded percentile interval for the patients of the rarer class."""
    n = min(len(set(patients[y == 1])), len(set(patients[y == 0])))
    tail = stats.norm.cdf(-np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1))
    return [tail, 1 - tail]


def expanded_p(differences, y, patients):
    """Twice the share of `differences` beyond 0 (one more at least), widened like the interval."""
    n = min(len(set(patients[y == 1])), len(set(patients[y == 0])))
    beyond = min(np.sum(differences <= 0), np.sum(differences >= 0)) + 1
    z = stats.norm.ppf(min(1, 2 * beyond / (len(differences) + 1)) / 2)
    return 2 * stats.t.cdf(z * np.sqrt((n - 1) / n), n - 1)
