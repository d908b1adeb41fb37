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


def cancelled_in_time(until, ended=ended, begins_within=40):
    """Start a run, cancel it while it works, and return it as it ended: it had time to stop, and says so."""
    run = start()
    until(lambda: len(steps(run)) > 2, begins_within)
    service.cancel(run)
    done = ended(run)
    assert (done.status, done.reason) == ("cancelled", "Cancelled by the user.")
    assert int((service.folder_of(run) / "stopped").read_text()) == steps(run)[-1] + 1
    return done
