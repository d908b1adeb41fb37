"""`make run-bigquery-demo`: the demo source as tables of this server, and the dashboard with a configuration for them.

Nothing leaves the machine and no account is needed. The terminal shows each query that the dashboard asks: which
engine answered it, how many bytes it read, and what BigQuery would bill.
"""

import os
import subprocess
import sys
from pathlib import Path

from bigquery_server.server import BigQueryServer
from cxr_core.schema import DATASETS, PREDICTIONS_SUFFIX
from cxr_core.settings import settings
from cxr_core.sources.registry import DEMO, source_folder
from cxr_core.warehouse.parquet import read_metadata

SOURCE = "bigquery-demo"
DATASET = "demo-data-project.chest_xrays"
CONFIG = """\
# Written by `make run-bigquery-demo`: the demo source as BigQuery tables of a server on this machine.
[settings]
bigquery_endpoint = "{endpoint}"

[sources.{source}]
kind        = "bigquery"
project     = "demo-billed-project"
labels      = [{labels}]
predictions = "{dataset}.{{model}}{suffix}"
models      = "{demo}/models/{{model}}.h5"
records     = "{demo}/records/{{dataset}}/{{view}}*"
synthetic   = true
"""


def serve_demo(demo: Path, port: int = 0, log: bool = False) -> BigQueryServer:
    """Serve the tables of the demo source in the folder `demo`."""
    tables = {f"{DATASET}.labels_{name}": demo / f"labels_{name}.parquet" for name in DATASETS}
    tables |= {f"{DATASET}.{file.stem}": file for file in sorted((demo / "predictions").glob("*.parquet"))}
    scales = {
        name: {"cxr_scale": read_metadata(file).scale}
        for name, file in tables.items()
        if name.endswith(PREDICTIONS_SUFFIX)
    }
    return BigQueryServer(tables, scales, port, (lambda line: print(line, flush=True)) if log else None)


def configuration(endpoint: str, demo: Path) -> str:
    """Return the cxr.toml that leads to a server of the demo."""
    labels = ", ".join(f'"{DATASET}.labels_{name}"' for name in DATASETS)
    return CONFIG.format(
        endpoint=endpoint, source=SOURCE, labels=labels, dataset=DATASET, suffix=PREDICTIONS_SUFFIX, demo=demo
    )


def main() -> int:
    """Serve, write the configuration into the workspace, and run the dashboard until it ends."""
    demo = source_folder(DEMO)
    with serve_demo(demo, log=True) as server:
        file = settings().home / "bigquery-demo.toml"
        file.write_text(configuration(server.endpoint, demo))
        shown = f"CXR_CONFIG={file}"
        print(f"A BigQuery of this machine serves {len(server.tables)} tables at {server.endpoint}.")
        print(f"Open http://{settings().address}:{settings().port}/?source={SOURCE}")
        print(f"In another terminal: {shown} python -m cxr_core sources", flush=True)
        try:
            command = [sys.executable, "-m", "dashboard"]
            return subprocess.run(command, env=os.environ | {"CXR_CONFIG": str(file)}, check=False).returncode
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
