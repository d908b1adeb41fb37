"""Processes that share the tests begin with the longest files, and with a browser beside each that needs none."""

from types import SimpleNamespace

from longest_first import keep_our_order, share_longest_first


def items_of(file, count, *marks):
    return [
        SimpleNamespace(path=file, nodeid=f"{file}{n}", get_closest_marker=marks.__contains__) for n in range(count)
    ]


TESTS = [
    *items_of("many", 90),
    *items_of("form", 1, "browser"),
    *items_of("served", 5, "slow"),
    *items_of("tour", 2, "browser", "slow"),
    *items_of("steps", 3, "tensorflow"),
    *items_of("places", 2, "slow", "cluster"),
]


def shared(items, **worker):
    items = list(items)
    share_longest_first(SimpleNamespace(**worker), items)
    return items


def test_the_longest_come_first_and_browsers_between_others_with_no_file_torn_apart():
    files = [item.path for item in shared(TESTS, workerinput={})]
    assert files == [*["steps"] * 3, *["tour"] * 2, *["places"] * 2, "form", *["served"] * 5, *["many"] * 90]


def test_one_process_alone_keeps_the_order_of_the_files():
    assert shared(TESTS) == TESTS


def test_xdist_is_told_not_to_sort_by_number():
    option = SimpleNamespace(loadscopereorder=True)
    keep_our_order(SimpleNamespace(option=option))
    assert option.loadscopereorder is False
