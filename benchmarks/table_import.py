"""Are label and prediction tables of MIMIC-CXR's size imported about as fast as a plain pandas script would?

    python benchmarks/table_import.py [--folder workspace/table-import] [--rounds 3] [--keep]

The plain scripts read the same CSV with pandas, take the keys out of the path by a regular expression and write the
same Parquet table; they check nothing. Each is run in turn with the import, in a process of its own, and the tables are
compared. The ratio is that of the processor's time; the least of the rounds counts.
"""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from look_alike import NAME, make
from measured import keep
from real_size import asked

from cxr_core.schema import LABELS, Value, View, label_words

#: The most that ours may take, times the plain script's time.
MOST = 1.6
KEYS_IN_PATH = ("dataset", "patient", "study", "image", "view")
KEYS = r"""r"(?P<dataset>train|valid)/patient(?P<patient>\d+)/study(?P<study>\d+)/view(?P<image>\d+)_(?P<view>\w+)\.jpg"
"""
PLAIN_LABELS = f"""
import json, sys
import pandas as pd
file, folder = sys.argv[1:]
read = pd.read_csv(file)
keys = read["Path"].str.extract({KEYS.strip()})
table = pd.DataFrame({{"path": read["Path"]}})
for name in ("patient", "study", "image"):
    table[name] = keys[name].astype("int64")
table["view"] = keys["view"].map({{"frontal": 0, "lateral": 1}})
table["dataset"] = keys["dataset"].map({{"train": 0, "valid": 1}})
for name in list(read.columns)[5:]:
    table[name] = read[name].map({{0.0: 1, -1.0: 2, 1.0: 3}}).fillna(0).astype("int64")
table.to_parquet(folder + "/labels.parquet")
print(json.dumps(len(table)))
"""
PLAIN_PREDICTIONS = """
import json, sys
import pandas as pd
file, folder = sys.argv[1:]
read = pd.read_csv(file)
keys = ["path", "patient", "study", "image", "view", "dataset"]
labels = pd.read_parquet(folder + "/labels.parquet", columns=keys)
table = labels.merge(read, left_on="path", right_on="Path").drop(columns="Path")
table.to_parquet(folder + "/predictions.parquet")
print(json.dumps(len(table)))
"""


def write_files(folder: Path) -> tuple[Path, Path]:
    """Write the look-alike's labels as CheXpert's file has them, and a model's predictions by the same paths."""
    files = folder / "labels.csv", folder / "predictions.csv"
    if not all(file.exists() for file in files):
        source = make(folder, 1)
        rows = pd.read_parquet(source / "labels.parquet")
        predicted = pd.read_parquet(next((source / "predictions").glob("*.parquet")))
        paths = [_chexpert_path(*keys) for keys in zip(*(rows[name] for name in KEYS_IN_PATH), strict=True)]
        view = np.where(rows["view"] == View.lateral, "Lateral", "Frontal")
        fixed = {"Path": paths, "Sex": "Male", "Age": 60, "Frontal/Lateral": view, "AP/PA": "PA"}
        cells = {Value.not_mentioned: np.nan, Value.negative: 0.0, Value.uncertain: -1.0, Value.positive: 1.0}
        found = {label_words(label).title(): rows[label].map(cells) for label in LABELS}
        pd.DataFrame(fixed | found).to_csv(files[0], index=False)
        scores = [label for label in LABELS if label in predicted]
        predicted.assign(Path=paths)[["Path", *scores]].to_csv(files[1], index=False)
    return files


def _chexpert_path(dataset: int, patient: int, study: int, image: int, view: int) -> str:
    folder = "valid" if dataset else "train"
    words = "lateral" if view == View.lateral else "frontal"
    return f"CheXpert-v1.0/{folder}/patient{patient}/study{study}/view{image}_{words}.jpg"


def imported(folder: Path, rounds: int) -> dict[str, Any]:
    """Import both files and run both plain scripts, in turn; return the least processor's time of each."""
    labels, predictions = map(str, write_files(folder))
    home, plain = folder / "home", folder / "plain"
    ours = ["-m", "cxr_core", "import"]
    into = ["--source", "imported", "--json"]
    commands = {
        "labels": [*ours, "labels", labels, *into],
        "plain_labels": ["-c", PLAIN_LABELS, labels, str(plain)],
        "predictions": [*ours, "predictions", predictions, "--model", "m", *into],
        "plain_predictions": ["-c", PLAIN_PREDICTIONS, predictions, str(plain)],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for fresh in (home, plain):
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
        for name, command in commands.items():
            taken[name].append(asked(command, home)[1]["processor"])
        check(home / "sources/imported", plain)
    least = {f"{name}_processor_seconds": round(min(seconds), 2) for name, seconds in taken.items()}
    ratios = {name: round(min(taken[name]) / min(taken[f"plain_{name}"]), 3) for name in ("labels", "predictions")}
    return least | {"ratios": ratios, "holds": {name: ratio <= MOST for name, ratio in ratios.items()}}


def check(source: Path, plain: Path) -> None:
    """See that both ways come to the same tables."""
    for ours, theirs in (("labels", "labels"), ("predictions/m_predictions", "predictions")):
        found, expected = (
            pd.read_parquet(file).sort_values("path", ignore_index=True)
            for file in (source / f"{ours}.parquet", plain / f"{theirs}.parquet")
        )
        expected.columns = [name.lower().replace(" ", "_") for name in expected.columns]
        expected = expected.rename(columns={"lung_opacity": "airspace_opacity"})
        for name in expected.columns:
            assert found[name].tolist() == expected[name].tolist(), (ours, name)


def main() -> None:
    """Measure, print, and keep where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", default="workspace/table-import")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true")
    chosen = parser.parse_args()
    folder = Path(chosen.folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    result = imported(folder, chosen.rounds)
    print(json.dumps(result, indent=1))
    if chosen.keep:
        print(f"kept in {keep('table_import', {'source': NAME, **result})}")


if __name__ == "__main__":
    main()
