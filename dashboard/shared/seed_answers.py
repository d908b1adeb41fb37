"""What the pages ask of trainings over their seeds; kept as what `engine` keeps."""

from cxr_core.tasks.seed_groups import Groups, trainings_by_seed
from cxr_core.tasks.seeds import SeedComparison, compare_seeds
from dashboard.shared.asked import computed


def seed_comparison(source: str, a: str, b: str, dataset: str, judge: str) -> SeedComparison:
    """Return the difference of two trainings over their seeds and patients."""
    groups: Groups = tuple(group for group in trainings_by_seed(source) if len(group) > 1 or {a, b} & {*group})
    models = dict.fromkeys((a, b, *(model for group in groups for model in group)))
    return computed(compare_seeds, source, a, b, dataset, None, judge, groups, of=tuple(models))
