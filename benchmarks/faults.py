"""Faults done to real runs again and again at random moments: each must leave the true status and reason within 10 s,
the device free and nothing half written.

    python benchmarks/faults.py [ROUNDS]

The scenarios are those of the tests (`tests/runs/fault_scenarios.py`); what TensorFlow does when its memory runs out,
a loss is no number or a record is damaged is in `tests/tasks/test_training_faults.py`. Takes about a minute a round.
"""

import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from measured import keep

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "runs"))

ROUNDS = 10
LATEST_MOMENT = 3.0
SEED = 20191

#: Those in which the moment makes no difference cost much and are done less often.
ONCE_IN_FIVE = {"hundred_queued", "clock_jumps_back", "endless_log_line"}


def main(rounds: int) -> int:
    """Do every scenario `rounds` times, keep what came of it, and return how many times something did not hold."""
    from fault_scenarios import SCENARIOS, WITHIN

    draw = random.Random(SEED)
    results = {}
    for name, scenario in SCENARIOS.items():
        times = max(1, rounds // 5) if name in ONCE_IN_FIVE else rounds
        outcomes = [attempt(name, scenario, draw.uniform(0, LATEST_MOMENT)) for _ in range(times)]
        seconds = [outcome for outcome in outcomes if isinstance(outcome, float)]
        broken = [outcome for outcome in outcomes if isinstance(outcome, str)]
        results[name] = {
            "times": times,
            "held": len(seconds),
            "seconds_median": round(median(seconds), 2) if seconds else None,
            "seconds_longest": round(max(seconds), 2) if seconds else None,
            "broken": broken,
        }
        print(name, results[name], flush=True)
    failed = sum(len(result["broken"]) for result in results.values())
    keep("faults", {"seed": SEED, "within_seconds": WITHIN, "failed": failed, "scenarios": results})
    return failed


def attempt(name: str, scenario: Callable[[float], float], moment: float) -> float | str:
    """Do a scenario in a workspace of its own; return the seconds until the truth was known, or what did not hold."""
    with tempfile.TemporaryDirectory(prefix="cxr-faults-", ignore_cleanup_errors=True) as folder:
        os.environ["CXR_HOME"] = str(Path(folder) / "workspace")
        os.environ["PYTHONPATH"] = str(ROOT / "tests" / "runs" / "fake_kinds")
        os.environ.pop("FAKE_CLOCK", None)
        if name == "clock_jumps_back":
            os.environ["FAKE_CLOCK"] = str(Path(folder) / "clock")
        try:
            return float(scenario(moment))
        except AssertionError as error:
            return f"after {moment:.2f} s: {error}"
        finally:
            end_everything()


def end_everything() -> None:
    """Cancel what a scenario that did not hold has left."""
    from cxr_core.runs import service

    active = [run for run in service.list_runs() if run.is_active]
    for run in active:
        service.cancel(run.run)
    for run in active:
        service.wait(run.run, timeout=30)


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS) else 0)
