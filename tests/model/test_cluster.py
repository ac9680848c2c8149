from __future__ import annotations

import pickle

import pytest

from builders import A_CLUSTER, CPU_RUNTIME, DRIVER, NODES, T4, a_report, a_snapshot, versions
from colab_magics.model import Severity, Unavailable
from colab_magics.model.cluster import DRIVER as NVIDIA_DRIVER
from colab_magics.model.cluster import Node, Variant, cluster_of
from colab_magics.values import replace


def node(number: int, **sections: object) -> Node:
    return Node(number=number, address="", workers=1, report=a_report(**sections))  # type: ignore[arg-type]


def test_a_cluster_pickles_with_the_reports_in_it() -> None:
    assert pickle.loads(pickle.dumps(A_CLUSTER)) == A_CLUSTER


def test_what_is_everywhere_of_one_version_is_no_difference() -> None:
    same = [node(number, packages=versions(numpy="2.1.3", torch=None)) for number in (1, 2)]

    assert cluster_of("dask", same, None).differences == ()


def test_versions_are_told_with_who_has_them_that_of_most_first() -> None:
    nodes = [node(number, packages=versions(numpy="2.1.3" if number > 1 else "1.26.4")) for number in (1, 2, 3)]

    (difference,) = cluster_of("dask", nodes, a_snapshot(packages=versions(numpy="2.3.0"))).differences

    assert difference.name == "numpy"
    assert difference.variants == (
        Variant(version="2.1.3", nodes=(2, 3), is_here=False),
        Variant(version="1.26.4", nodes=(1,), is_here=False),
        Variant(version="2.3.0", nodes=(), is_here=True),
    )
    assert cluster_of("dask", nodes, None).odd_versions == {1: [("numpy", "1.26.4")]}


def test_what_one_machine_lacks_is_a_difference_and_what_this_process_lacks_is_none() -> None:
    nodes = [node(1, packages=versions(torch="2.4")), node(2, packages=versions(torch=None))]

    assert cluster_of("dask", nodes, None).odd_versions == {2: [("torch", None)]}
    assert cluster_of("dask", nodes[:1], a_snapshot(packages=versions(torch=None))).differences == ()


def test_a_package_whose_version_is_not_told_differs_from_nothing() -> None:
    unknown = replace(versions(torch="2")[0], version=None)

    assert (
        cluster_of("dask", [node(1, packages=(unknown,)), node(2, packages=versions(torch="2"))], None).differences
        == ()
    )


def test_the_driver_is_compared_between_machines_that_have_one_and_not_with_here() -> None:
    nodes = [node(1), node(2, driver=replace(DRIVER, version="535.1")), node(3, **CPU_RUNTIME)]

    (difference,) = cluster_of("dask", nodes, a_snapshot(driver=replace(DRIVER, version="999"))).differences

    assert difference.name == NVIDIA_DRIVER
    assert [one.nodes for one in difference.variants] == [(1,), (2,)]


def test_totals_are_of_the_machines_that_tell() -> None:
    totals = A_CLUSTER.totals

    assert (totals.gpus, totals.cores, totals.is_complete) == (9, 8.0, False)
    assert cluster_of("dask", [node(1), node(2)], None).totals.is_complete
    assert cluster_of("dask", [node(1, gpus=(replace(T4, memory=None),))], None).totals.gpu_memory_bytes is None
    lost = cluster_of("dask", [NODES[3]], None).totals
    assert (lost.gpus, lost.gpu_memory_bytes, lost.cores, lost.ram_bytes, lost.ram_headroom_bytes) == (None,) * 5


def test_a_gpu_that_cannot_be_used_is_not_counted() -> None:
    assert cluster_of("dask", [node(1, gpus=(T4, replace(T4, index=1, fault="gpu_lost")))], None).totals.gpus == 1


def test_those_come_first_with_which_something_is_wrong_then_those_that_differ() -> None:
    assert [one.number for one in A_CLUSTER.outliers_first][:2] == [4, 5]
    nodes = [node(1), node(2), node(3, packages=versions(numpy="1")), node(4, packages=versions(numpy="2"))]
    nodes[1] = replace(nodes[1], report=a_report(packages=versions(numpy="2")))
    assert [one.number for one in cluster_of("dask", nodes, None).outliers_first] == [3, 1, 2, 4]


@pytest.mark.parametrize(("number", "severity"), [(2, None), (3, Severity.WARNING), (4, Severity.ERROR)])
def test_how_grave_it_is_with_a_machine(number: int, severity: Severity | None) -> None:
    assert NODES[number - 1].severity == severity


def test_workers_are_counted_where_the_cluster_tells() -> None:
    assert A_CLUSTER.workers == 19
    unknown = replace(NODES[3], workers=None)
    assert cluster_of("ray", [unknown], None).workers is None
    assert isinstance(unknown.report, Unavailable)
