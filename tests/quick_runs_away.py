"""Quick runs at the place `cluster`, and what is known of them here."""

from cxr_core.runs import service


def start(kind="sleep", **config):
    return service.submit(kind, "m", "demo", config, resumable=True, place="cluster").run


def ended(run_id, timeout=60):
    run = service.wait(run_id, timeout=timeout)
    assert not run.is_active, service.log_tail(run_id)
    return run


def steps(run_id):
    return [row["step"] for row in service.read_metrics(run_id)]
