"""How fast is the evaluation, beside a loop of scikit-learn calls that gives the same figures?

Two questions, each asked of both in turn in one process:

* 14 labels x 8 models x 2,700 rows, all curves and figures with 1,000 resamples of the patients. The loop draws the
  same resamples and calls `roc_auc_score` and `average_precision_score` on each, on a tenth of them; its time is
  multiplied by ten. (Calling `roc_curve` and `precision_recall_curve` on each resample too would make it slower still.)
* 14 labels x 370,000 rows, exact curves and figures without resampling, against scikit-learn's four calls per label.

    python benchmarks/evaluation_speed.py [--share 0.1] [--rows 370000] [--keep]

Figures are compared while they are timed. Peak memory is that of a process that does only ours.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

# One thread means one: BLAS reads these when NumPy is imported.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = os.environ.get("CXR_SPEED_THREADS", "1")

import numpy as np  # noqa: E402
from measured import keep  # noqa: E402
from sklearn import metrics  # noqa: E402

from cxr_core.evaluation.binary import certain_rows  # noqa: E402
from cxr_core.evaluation.curves import Curves, curves  # noqa: E402
from cxr_core.evaluation.intervals import class_patients, percentile_interval  # noqa: E402
from cxr_core.evaluation.resamples import patient_clusters, patient_weights  # noqa: E402
from cxr_core.evaluation.weighted import bootstrap, rank_rows  # noqa: E402
from cxr_core.schema import LABELS  # noqa: E402

MODELS, ROWS, PATIENTS, RESAMPLES = 8, 2_700, 1_350, 1_000
#: Shares of positives of the 14 labels, from rare to common, about those of chest radiographs.
PREVALENCES = np.geomspace(0.02, 0.4, len(LABELS))


def data(rows: int, patients: int, models: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return label codes (labels, rows), float32 scores as float64 (models, labels, rows) and patients (rows,)."""
    rng = np.random.default_rng(1)
    patient = rng.integers(patients, size=rows)
    values = np.where(rng.random((len(LABELS), rows)) < PREVALENCES[:, None], 3, 0)
    values[rng.random(values.shape) < 0.03] = 2
    scores = rng.normal(size=(models, *values.shape)) + 1.5 * (values == 3) + rng.normal(size=patients)[patient]
    return values, scores.astype(np.float32).astype(np.float64), patient


def ours(values: np.ndarray, scores: np.ndarray, patient: np.ndarray, threads: int) -> dict[str, Any]:
    """Curves, figures and intervals of all labels of all models."""
    clusters, patients = patient_clusters(patient)
    rows = [certain_rows(of_label, s) for of_model in scores for of_label, s in zip(values, of_model, strict=True)]
    found: list[Curves] = [curves(r.y, r.scores) for r in rows]
    ranked = [rank_rows(r.y, r.scores, clusters[r.mask], patients) for r in rows]
    replicates = bootstrap(ranked, patients, RESAMPLES, threads)
    intervals = []
    for column, r in enumerate(rows):
        few = class_patients(r.y, clusters[r.mask]).rarer
        intervals.append([percentile_interval(replicates[:, column, figure], few) for figure in (0, 1)])
    return {"curves": found, "replicates": replicates, "intervals": intervals}


def loop(values: np.ndarray, scores: np.ndarray, patient: np.ndarray, resamples: int) -> np.ndarray:
    """Return AUC and AP of the first resamples, (resamples, models x labels, 2), by scikit-learn."""
    clusters, patients = patient_clusters(patient)
    rows_of = [np.flatnonzero(clusters == one) for one in range(patients)]
    _, weights = next(patient_weights(patients, RESAMPLES))
    found = np.full((resamples, len(scores) * len(LABELS), 2), np.nan)
    for resample in range(resamples):
        drawn = np.repeat(np.arange(patients), weights[:, resample].astype(int))
        picked = np.concatenate([rows_of[one] for one in drawn])
        column = 0
        for of_model in scores:
            for of_label, of_scores in zip(values, of_model, strict=True):
                certain = picked[of_label[picked] != 2]
                y, s = of_label[certain] == 3, of_scores[certain]
                found[resample, column] = metrics.roc_auc_score(y, s), metrics.average_precision_score(y, s)
                column += 1
    return found


def bootstrap_question(share: float) -> dict[str, Any]:
    values, scores, patient = data(ROWS, PATIENTS, MODELS)
    done = max(1, round(share * RESAMPLES))
    cores = os.cpu_count() or 1
    ours(values, scores[:1], patient, 1)  # imports and caches
    theirs_s, theirs = timed(lambda: loop(values, scores, patient, done))
    one_s, one = timed(lambda: ours(values, scores, patient, 1))
    all_s, every = timed(lambda: ours(values, scores, patient, cores))
    assert np.allclose(one["replicates"][:done], theirs, rtol=0, atol=1e-12), "the figures differ"
    assert np.array_equal(one["replicates"], every["replicates"]), "threads change the figures"
    whole = theirs_s * RESAMPLES / done
    return {
        "labels": len(LABELS),
        "models": MODELS,
        "rows": ROWS,
        "patients": PATIENTS,
        "resamples": RESAMPLES,
        "loop_resamples_measured": done,
        "loop_seconds_measured": round(theirs_s, 2),
        "loop_seconds": round(whole, 1),
        "one_thread_seconds": round(one_s, 3),
        "all_cores_seconds": round(all_s, 3),
        "cores": cores,
        "times_faster_one_thread": round(whole / one_s, 1),
        "times_faster_all_cores": round(whole / all_s, 1),
    }


def large_question(rows: int) -> dict[str, Any]:
    values, scores, _ = data(rows, rows // 6, 1)
    truth = [of_label == 3 for of_label in values]
    pairs = [(y.astype(np.int64)[v != 2], s[v != 2]) for y, s, v in zip(truth, scores[0], values, strict=True)]
    curves(*pairs[0])
    their_s, our_s = 0.0, 0.0
    for y, s in pairs:
        seconds, theirs = timed(
            lambda y=y, s=s: (
                metrics.roc_curve(y, s, drop_intermediate=False),
                metrics.roc_auc_score(y, s),
                metrics.precision_recall_curve(y, s),
                metrics.average_precision_score(y, s),
            )
        )
        their_s += seconds
        seconds, found = timed(lambda y=y, s=s: curves(y, s))
        our_s += seconds
        assert abs(found.roc_auc - theirs[1]) < 1e-12 and abs(found.average_precision - theirs[3]) < 1e-12
        assert np.allclose(found.roc.tpr, theirs[0][1], rtol=0, atol=1e-12)
        assert np.allclose(found.pr.precision, theirs[2][0], rtol=0, atol=1e-12)
    return {
        "labels": len(pairs),
        "rows": rows,
        "scikit_learn_seconds": round(their_s, 2),
        "our_seconds": round(our_s, 2),
        "times_faster": round(their_s / our_s, 2),
    }


def peak_memory(question: str, rows: int) -> float:
    """Return the peak memory (GB) of a process that answers one question by ours alone."""
    done = subprocess.run(
        [sys.executable, __file__, "--only", question, "--rows", str(rows)], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def only(question: str, rows: int) -> None:
    if question == "bootstrap":
        ours(*data(ROWS, PATIENTS, MODELS), os.cpu_count() or 1)
    else:
        values, scores, _ = data(rows, rows // 6, 1)
        for of_label, of_scores in zip(values, scores[0], strict=True):
            certain = certain_rows(of_label, of_scores)
            curves(certain.y, certain.scores)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


def timed(task: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = task()
    return time.perf_counter() - start, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=0.1, help="share of the resamples that the loop does")
    parser.add_argument("--rows", type=int, default=370_000)
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results/evaluation_speed.json")
    parser.add_argument("--only", choices=["bootstrap", "large"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only:
        only(chosen.only, chosen.rows)
        return
    result = {"bootstrap": bootstrap_question(chosen.share), "large": large_question(chosen.rows)}
    result["peak_memory_gb"] = {
        question: round(peak_memory(question, chosen.rows), 2) for question in ("bootstrap", "large")
    }
    print(json.dumps(result, indent=1))
    if chosen.keep:
        print(f"kept in {keep('evaluation_speed', result)}")


if __name__ == "__main__":
    main()
