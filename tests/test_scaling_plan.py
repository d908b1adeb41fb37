"""docs/scaling.md: its arithmetic, worked out once more by hand, and that the figures under it are those that were measured."""

import json
import subprocess
import sys

import pytest
from kept_folders import ROOT

TEXT = (ROOT / "docs" / "scaling.md").read_text()
RESULTS = ROOT / "benchmarks" / "results"


def planned(*options):
    command = [sys.executable, str(ROOT / "benchmarks" / "scaling_plan.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_figures_of_the_page_are_those_that_were_measured():
    speed = json.loads((RESULTS / "training_speed.json").read_text())["networks"]["densenet121"]
    decoded = json.loads((RESULTS / "input_pipeline.json").read_text())["images_per_second"]["ours"]
    assert f"{speed['medians']['as shipped']['images_per_second']} images a second" in TEXT
    assert f"{speed['image_size']} px, batch of {speed['batch_size']}" in TEXT
    assert f"{decoded:,.0f} images a second" in TEXT


@pytest.mark.parametrize(("workers", "line"), [(1, "19.3 hours"), (8, "2.4 hours"), (64, "0.3 hours")])
def test_hours_and_cost_are_those_of_a_hand_calculation(workers, line):
    """2,480,000 images / 35.75 a second / 3,600 = 19.2696 hours; at half a euro an hour 9.63."""
    said = planned("--rate", "35.75", "--price", "0.5", "--workers", str(workers)).stdout
    assert f"{workers} x: {line}, 19.3 accelerator hours, 9.63 EUR" in said


def test_what_is_read_and_exchanged_is_that_of_a_hand_calculation():
    """64 x 36 x 24,370.6 bytes = 56.1 MB a second; 2 x 6,961,934 x 4 / 32 x 36 = 62.7 MB a second."""
    said = planned("--rate", "36", "--workers", "64").stdout
    assert "reads 56.1 MB/s in all, exchanges 62.7 MB/s a worker" in said
    assert "A checkpoint has 84 MB." in said
    assert "EUR" not in said


@pytest.mark.parametrize("options", [("--rate", "0"), ("--rate", "nan"), ("--rate", "1", "--workers", "0")])
def test_what_cannot_be_planned_is_one_sentence(options):
    done = planned(*options)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the rate must be above 0, and images, epochs and workers at least 1" in done.stderr
