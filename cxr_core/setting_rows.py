"""The table of settings: name, default, help text and what a value must be."""

import re

from cxr_core.auth_rows import AUTH
from cxr_core.proxy_rows import PROXY
from cxr_core.setting import Setting, host_names

_HOST = re.compile(r"[\w.-]+|[0-9a-fA-F:.]+")


SETTINGS: tuple[Setting, ...] = (
    Setting("home", "workspace", "Folder for everything that the product writes; relative to the working directory."),
    Setting(
        "group_access",
        False,
        "Whether the group of the workspace may read and write it; without, it is its owner's alone.",
    ),
    Setting(
        "output_folders",
        ".",
        "Folders, separated by colons, where the pages may put copies of models and TensorBoard logs besides `home`; "
        "relative to the working directory. A gs:// place must be listed. "
        "The command line writes wherever its user may.",
    ),
    Setting(
        "input_folders",
        "",
        "Folders, separated by colons, from which the pages may read tables, images, records and models besides `home` "
        "and the sources' own places; relative to the working directory. A gs:// place must be listed. "
        "The command line reads whatever its user may.",
    ),
    Setting(
        "address",
        "127.0.0.1",
        "Address that the dashboard listens on; other machines reach it only if you change this.",
    ),
    Setting(
        "hosts",
        "",
        "Further names, separated by commas, under which browsers reach the dashboard: this machine's in your network, "
        "or a proxy's. Under any other name it does not answer.",
        lambda value: all(_HOST.fullmatch(name) for name in host_names(value)),
        "of host names without port, separated by commas",
    ),
    Setting("port", 8501, "Port of the dashboard.", lambda value: 1 <= value <= 65535, "between 1 and 65535"),
    Setting(
        "without_login",
        False,
        "Whether the dashboard may listen where other machines reach it although it asks nobody who they are: "
        "everybody who reaches its port may then do everything.",
    ),
    *PROXY,
    Setting(
        "admins",
        "",
        "Names, @domains or groups (group:NAME), separated by commas, of those who log in and may everything: also "
        "import, delete, and act on other people's runs.",
    ),
    Setting(
        "researchers",
        "",
        "Names, @domains or groups (group:NAME), separated by commas, of those who log in and may also train, predict, "
        "read films and build ensembles; everybody else who logs in may look, compare and download.",
    ),
    *AUTH,
    Setting("metrics", False, "Whether /metrics gives counters for Prometheus; numbers alone, without names."),
    Setting("json_logs", False, "Whether the server logs its requests and errors as JSON, a line each, without names."),
    Setting(
        "downloads", True, "Whether pages offer tables for download; switch off where data must not leave the machine."
    ),
    Setting(
        "intervals",
        "auto",
        "Intervals of AUC, average precision and their means: by formula from what each patient adds, by bootstrap, or "
        "auto: by formula where both classes have 100 patients or more.",
        lambda value: value in ("auto", "formula", "bootstrap"),
        "auto, formula or bootstrap",
    ),
    Setting(
        "resamples",
        2000,
        "Resamples of the patient-cluster bootstrap behind intervals that are not by formula.",
        lambda value: 100 <= value <= 100_000,
        "between 100 and 100000",
    ),
    Setting(
        "most_joined_rows",
        2_000_000,
        "Most predictions of a data set that are fetched beside their labels. Of more, a model's figures come from "
        "sums in bins of its scores, with a bound of their error.",
        lambda value: value >= 0,
        "0 or more",
    ),
    Setting(
        "minimum_positives",
        30,
        "Fewest patients with a positive, and with a negative image, for which an interval or a p is given.",
        lambda value: value >= 2,
        "at least 2",
    ),
    Setting(
        "import_rows",
        5_000_000,
        "Most rows that one imported table may have.",
        lambda value: value > 0,
        "above 0",
    ),
    Setting(
        "import_memory",
        8_000_000_000,
        "Most bytes of memory that one import may take; it is refused when it needs more.",
        lambda value: value > 0,
        "above 0",
    ),
    Setting(
        "kept_memory",
        600_000_000,
        "Most bytes of answers (tables, figures, curves) that the dashboard keeps for all its sessions together.",
        lambda value: value >= 0,
        "0 or more",
    ),
    Setting(
        "elsewhere_from",
        10_000_000,
        "Bytes of a question's Parquet tables from which its figures are computed in a process of its own while others "
        "use the pages, one question after the other, so that no click waits for them.",
        lambda value: value >= 0,
        "0 or more",
    ),
    Setting(
        "kept_maps",
        200_000_000,
        "Most bytes of maps of where models look that the workspace keeps; what was not asked for longest goes first.",
        lambda value: value >= 0,
        "0 or more",
    ),
    Setting(
        "maximum_bytes_billed",
        10_000_000_000,
        "Most bytes that one BigQuery query may bill; a source can set its own.",
        lambda value: value > 0,
        "above 0",
    ),
    Setting(
        "ask_above_bytes",
        1_000_000_000,
        "Bytes above which BigQuery is asked a question only after a yes; the estimate comes before it runs.",
        lambda value: value > 0,
        "above 0",
    ),
    Setting(
        "bytes_billed_per_day",
        0,
        "Most bytes that the questions to BigQuery of one person who logs in may be billed a day (UTC), those of his "
        "runs too; 0: any number.",
        lambda value: value >= 0,
        "0 or more",
    ),
    Setting(
        "bigquery_endpoint", "", "URL of a BigQuery-compatible server to use instead of Google's, without credentials."
    ),
    Setting("bigquery_timeout", 120.0, "Seconds to wait for one BigQuery answer.", lambda value: value > 0, "above 0"),
    Setting(
        "gcs_endpoint", "", "URL of a Cloud-Storage-compatible server to use instead of Google's, without credentials."
    ),
    Setting("account", "", "Names your folder under gs:// for saved models and logs; empty: gcloud's account, or you."),
    Setting(
        "cancel_grace",
        20.0,
        "Seconds that a cancelled run has to write its checkpoint before it is killed.",
        lambda value: value >= 0,
        "0 or more",
    ),
    Setting(
        "heartbeat",
        2.0,
        "Seconds between two signs of life of a run.",
        lambda value: 0 < value <= 60,
        "above 0, at most 60",
    ),
    Setting(
        "shared_disk_lag",
        65.0,
        "Seconds after which the folder that is shared with a place surely shows what a machine there wrote: NFS keeps "
        "what it knows of a folder for up to 60. A run whose end is missing then counts as killed.",
        lambda value: 0 <= value <= 600,
        "between 0 and 600",
    ),
    Setting(
        "niceness",
        10,
        "How far the work of runs stands back for everything else on the machine, as the pages: 0 for not at all, 19 "
        "for as far as the system can. It takes nothing from a run on a machine that is idle otherwise.",
        lambda value: 0 <= value <= 19,
        "between 0 and 19",
    ),
    Setting(
        "cores_left_free",
        1,
        "Cores that the work of a run here leaves alone while a dashboard serves the workspace on the same machine, "
        "where that has four or more; never more than half of them. The bits of what is trained stay the same.",
        lambda value: value >= 0,
        "0 or more",
    ),
    Setting(
        "queued_runs_per_person",
        0,
        "Most runs that one person who logs in may have waiting in the queue; 0: any number. All trainings of a sweep "
        "count once they wait.",
        lambda value: value >= 0,
        "0 or more",
    ),
    Setting(
        "runs_per_device",
        1,
        "Runs that may use one device, as the CPU or one GPU, at once; further ones wait in the order of their start.",
        lambda value: value >= 1,
        "at least 1",
    ),
)
