"""The machine that a run gets at Vertex AI, for how long, and what that costs by the user's own table."""

import re
from typing import Any

from cxr_core.runs.places.definition import PlaceDefinition

MACHINE_KEYS = (
    *("machine", "accelerator", "accelerators", "tpu_topology", "disk_gb"),
    *("hours", "spot", "restarts", "prices", "currency"),
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
#: What a job may have without being asked for more; Vertex's own limit is a week.
_HOURS, _MOST_HOURS = 24.0, 24.0 * 28
_DISK_GB = 100


class VertexMachine:
    """The machine of a place, as `cxr.toml` describes it."""

    def __init__(self, definition: PlaceDefinition) -> None:
        """Read the keys of the machine, or raise `SettingsError`."""
        self._definition = definition
        self._machine = self._name("machine", "a type of machine such as n1-standard-8")
        self._accelerator = self._name("accelerator", "a type such as NVIDIA_TESLA_T4", "")
        self._count = int(definition.number("accelerators", 1 if self._accelerator else 0, 0, below=4096))
        self._topology = self._name("tpu_topology", "such as 2x2", "")
        self._disk_gb = int(definition.number("disk_gb", _DISK_GB, _DISK_GB, below=64_000))
        self._hours = definition.number("hours", _HOURS, 0.1, below=_MOST_HOURS)
        self._spot, self._restarts = self._yes("spot", False), self._yes("restarts", True)
        self._currency = definition.text("currency", "USD")
        self._prices = self._read_prices()

    def pool(self, container: Any) -> Any:
        """Return the one worker pool of a job."""
        from google.cloud.aiplatform_v1 import types

        machine = types.MachineSpec(machine_type=self._machine)
        if self._accelerator:
            if self._accelerator not in types.AcceleratorType.__members__:
                raise self._definition.error("accelerator", "is none that Google's client knows, as NVIDIA_TESLA_T4 is")
            machine.accelerator_type = types.AcceleratorType[self._accelerator]
            machine.accelerator_count = self._count
        if self._topology:
            machine.tpu_topology = self._topology
        disk = types.DiskSpec(boot_disk_size_gb=self._disk_gb)
        return types.WorkerPoolSpec(machine_spec=machine, replica_count=1, disk_spec=disk, container_spec=container)

    def scheduling(self) -> Any:
        """Return how long a job may take, and what becomes of it when its machine is taken away."""
        from google.cloud.aiplatform_v1 import types
        from google.protobuf.duration_pb2 import Duration

        strategy = types.Scheduling.Strategy
        return types.Scheduling(
            timeout=Duration(seconds=round(3600 * self._hours)),
            restart_job_on_worker_restart=self._restarts,
            disable_retries=not self._restarts,
            strategy=strategy.SPOT if self._spot else strategy.STANDARD,
        )

    def cost(self) -> str:
        """Say what an hour costs by the table of the place, and what a run costs at most; or which price is missing."""
        parts = {self._machine: 1} | ({self._accelerator: self._count} if self._accelerator else {})
        what = " and ".join(name if count == 1 else f"{count} x {name}" for name, count in parts.items())
        if missing := [name for name in parts if name not in self._prices]:
            where = f"[places.{self._definition.name}.prices]"
            return f"{what}, billed by Google; what an hour of {missing[0]} costs is not said in {where}"
        hour = sum(count * self._prices[name] for name, count in parts.items())
        most = f"at most {hour * self._hours:,.2f} {self._currency} in {self._hours:g} hours"
        return f"{what} for {hour:,.2f} {self._currency} an hour by your table of prices: {most}"

    def _name(self, key: str, what: str, default: str | None = None) -> str:
        text = self._definition.text(key)
        if text == default:
            return text
        if not _NAME.fullmatch(text):
            raise self._definition.error(key, f"must be {what}")
        return text

    def _yes(self, key: str, default: bool) -> bool:
        value = self._definition.keys.get(key, default)
        if not isinstance(value, bool):
            raise self._definition.error(key, "must be true or false")
        return value

    def _read_prices(self) -> dict[str, float]:
        prices = self._definition.keys.get("prices", {})
        if not isinstance(prices, dict) or not all(_is_price(price) for price in prices.values()):
            raise self._definition.error("prices", "must be a table of what an hour costs, as { n1-standard-8 = 0.4 }")
        return prices


def _is_price(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6
