"""What would be asked of Kubernetes: made by the real package, without one."""

import inspect
import threading

import pytest
from distributed.comm import CommClosedError

from runner.cluster.heard import listening
from runner.cluster.kubernetes import KubernetesCluster
from runner.errors import ClusterError, ConfigError, RunnerWarning

IMAGE = "ghcr.io/me/runner:1.0"


@pytest.fixture
def allowed(monkeypatch):
    monkeypatch.setenv("RUNNER_ALLOW", IMAGE)


def test_the_real_package_takes_what_it_is_given(allowed):
    from dask_kubernetes.operator import make_cluster_spec

    cluster = KubernetesCluster(name="mine", image=IMAGE, n_workers=3, memory="8Gi", cpu="500m")
    settings = cluster.settings()
    taken = ("name", "image", "n_workers", "resources")
    spec = make_cluster_spec(**{key: settings[key] for key in taken})["spec"]
    workers = spec["worker"]["spec"]["containers"][0]
    assert spec["worker"]["replicas"] == 3
    assert workers["image"] == spec["scheduler"]["spec"]["containers"][0]["image"] == IMAGE
    assert workers["resources"]["limits"] == {"memory": "8Gi", "cpu": "500m"}


def test_the_real_class_takes_the_settings_and_no_two_runs_share_a_cluster(allowed):
    from dask_kubernetes.operator import KubeCluster

    cluster = KubernetesCluster(name="mine", image=IMAGE)
    bound = [inspect.signature(KubeCluster).bind(**cluster.settings()) for _ in range(2)]
    names = {each.arguments["name"] for each in bound}
    assert len(names) == 2
    assert all(name.startswith("mine-") for name in names)
    assert "kwargs" not in bound[0].arguments


def test_no_configuration_of_kubernetes_is_told_and_nothing_is_left(
    allowed, tmp_path, monkeypatch, capfd
):
    from dask_kubernetes.operator import KubeCluster

    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    threads = threading.active_count()
    with (
        listening() as heard,
        pytest.raises(ClusterError, match=r"kubernetes must start; got .*credentials.* Check"),
        KubernetesCluster(name="mine", image=IMAGE).connected(heard),
    ):
        pass
    assert not [each for each in KubeCluster._instances if each.status.name != "closed"]
    assert threading.active_count() == threads
    assert capfd.readouterr() == ("", "")


class Kept:
    """A cluster whose pods cannot be deleted."""

    name, namespace = "mine-1", "here"
    status = None

    def close(self, timeout):
        raise CommClosedError("no route")


def test_pods_are_deleted_also_when_their_scheduler_is_lost(allowed, monkeypatch):
    from dask_kubernetes.operator import KubeCluster
    from dask_kubernetes.operator.kubecluster import kubecluster
    from distributed.deploy.cluster import Cluster

    deleted, closing = [], Cluster._close

    class Resource:
        @classmethod
        async def get(cls, *_args, **_kwargs):
            return cls()

        async def delete(self):
            deleted.append(1)

        async def exists(self):
            return False

    async def start(cluster):
        pass

    async def lose(cluster):
        if cluster.status.name != "closed":
            raise CommClosedError("gone")
        await closing(cluster)

    monkeypatch.setattr(kubecluster, "DaskCluster", Resource)
    monkeypatch.setattr(Cluster, "_close", lose)
    monkeypatch.setattr(KubeCluster, "_start", start)
    cluster = KubernetesCluster(name="mine", image=IMAGE)
    made = KubeCluster(**cluster.settings())
    cluster.end(made)
    made._loop_runner.stop()
    assert deleted == [1]


def test_pods_that_could_not_be_deleted_are_told_also_when_the_scheduler_is_lost(allowed):
    cluster = KubernetesCluster(name="mine", image=IMAGE)
    for end in (cluster.end, cluster._give_up):
        with pytest.warns(RunnerWarning, match=r"kubectl delete daskcluster mine-1 --namespace h"):
            end(Kept())


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "{SECRET}"},
        {"name": "Mine"},
        {"name": "a\nb"},
        {"namespace": "a/b"},
        {"memory": "8 apples"},
        {"cpu": "-1"},
        {"image": "a b"},
    ],
)
def test_what_is_no_name_or_amount_is_refused(settings, allowed):
    (key,) = settings
    with pytest.raises(ConfigError, match=f"cluster.{key} must"):
        KubernetesCluster(**{"name": "mine", "image": IMAGE, **settings})


def test_an_image_is_allowed_by_its_whole_name(allowed):
    for image in ("ghcr.io/me/runner", "ghcr.io/me/runner:1.1", "ghcr.io"):
        with pytest.raises(ConfigError, match=r"cluster.image must be allowed by name"):
            KubernetesCluster(name="mine", image=image)
