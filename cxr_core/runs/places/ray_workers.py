"""Workers of one run as tasks of Ray that share a placement group; for whoever is inside the run's job.

Each task starts the worker as a process of its own and waits for it: what the process loads is no concern of Ray's, and
the machines need not have this product where Ray's own processes run.
"""

import logging
import os
from typing import Any

from cxr_core.errors import RunError
from cxr_core.runs.places.crew import HOST_VARIABLE, NUMBER_VARIABLE

_CHOSEN_BY_RAY = ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "TPU_VISIBLE_CHIPS")


class RayWorkers:
    """Starts the workers of the job that this process belongs to.

    Args:
        workers: how many.
        cpus, gpus, memory: what each of them takes of the cluster; memory in bytes, 0 for no limit.
        log: the file that they print to.
    """

    def __init__(self, workers: int, cpus: float, gpus: float, memory: int, log: str) -> None:
        try:
            import ray
            from ray.util.placement_group import placement_group
        except ImportError as error:
            raise RunError(
                "Several workers on Ray need Ray beside the product there: pip install 'cxr-lab[ray]', of the version "
                "of the cluster."
            ) from error
        self._ray, self._workers, self._log = ray, workers, log
        self._takes = {"num_cpus": cpus, "num_gpus": gpus} | ({"memory": memory} if memory else {})
        ray.init(address="auto", log_to_driver=False, logging_level=logging.ERROR)
        bundle = {"CPU": cpus} | ({"GPU": gpus} if gpus else {}) | ({"memory": memory} if memory else {})
        self._group = placement_group([bundle] * workers, strategy="PACK")

    def await_room(self) -> None:
        """Return once the cluster has room for all workers at the same time."""
        self._ray.get(self._group.ready())

    def start(self, command: list[str]) -> "_Tasks":
        """Start the command once in each bundle of the placement group."""
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        environment = {name: text for name, text in os.environ.items() if name not in _CHOSEN_BY_RAY}
        task, log = _task(self._ray), self._log
        started = []
        for number in range(self._workers):
            where = PlacementGroupSchedulingStrategy(self._group, placement_group_bundle_index=number)
            own = environment | {NUMBER_VARIABLE: str(number)}
            started.append(task.options(scheduling_strategy=where, **self._takes).remote(command, own, log))
        return _Tasks(self._ray, started)


def _task(ray: Any) -> Any:
    """Return the task; a function within a function travels as it is, so that nothing is imported over there."""
    chosen, host = _CHOSEN_BY_RAY, HOST_VARIABLE

    def work(command: list[str], environment: dict[str, str], log: str) -> int:
        import os
        import subprocess
        from pathlib import Path

        import ray

        given = {name: os.environ[name] for name in chosen if name in os.environ}
        own = environment | given | {host: ray.util.get_node_ip_address()}
        with Path(log).open("ab") as printed:
            here = {"env": own, "cwd": own["CXR_HOME"], "stdout": printed, "stderr": printed}
            return subprocess.run(command, stdin=subprocess.DEVNULL, check=False, **here).returncode

    return ray.remote(max_retries=0)(work)


class _Tasks:
    """The tasks of one attempt; Ray ends none of them for another's sake, which is left to their attempt."""

    def __init__(self, ray: Any, tasks: list[Any]) -> None:
        self._ray, self._tasks = ray, tasks

    def are_over(self) -> bool:
        return len(self._ended()) == len(self._tasks)

    def is_one_lost(self) -> bool:
        return any(self._status(task) != 0 for task in self._ended())

    def _ended(self) -> list[Any]:
        ended: list[Any] = self._ray.wait(self._tasks, num_returns=len(self._tasks), timeout=0)[0]
        return ended

    def _status(self, task: Any) -> int:
        try:
            return int(self._ray.get(task))
        except self._ray.exceptions.RayError:  # its machine is lost, or the process of Ray that had it
            return 1
