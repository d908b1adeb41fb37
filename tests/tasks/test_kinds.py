from importlib import import_module

from cxr_core.tasks import kinds


def test_each_kind_of_run_has_its_work():
    assert set(kinds.STEPS) == {"demo", "train", "predict"}
    for kind, module in kinds._MODULES.items():
        assert kind == import_module(module).KIND
        assert callable(import_module(module).work)
