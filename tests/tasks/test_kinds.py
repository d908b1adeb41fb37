from importlib import import_module

from cxr_core.tasks import kinds
from cxr_core.tasks.family_results import FAMILY_KINDS


def test_each_kind_of_run_has_its_work():
    made = {"demo", "import", "import-images", "index"}
    assert set(kinds.STEPS) == made | {"train", "sweep", "repeat", "predict", "policies"}
    for kind, name in kinds._MODULES.items():
        module = import_module(name)
        assert kind in (FAMILY_KINDS if name.endswith("families") else (module.KIND,))
        assert callable(module.work)
