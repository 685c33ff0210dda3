"""Workers as pods of Kubernetes, by the operator of Dask."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from uuid import uuid4

from runner.cluster.client import CLOSE_S
from runner.cluster.plain import AMOUNT, IMAGE, LABEL
from runner.cluster.security import require_allowed
from runner.cluster.started import ScalableCluster
from runner.rules import integer, null


@dataclass(kw_only=True)
class KubernetesCluster(ScalableCluster):
    """Pods of a namespace, of an image that has what this process has; Dask's operator runs there.

    Which Kubernetes it is, and who one is there, the own configuration says (``~/.kube/config``).

    Parameters
    ----------
    name : str
        How the name of the cluster begins that is made; a few letters are added, so that no two
        runs have the same.
    image : str
        What the pods run. The project or the shell must allow it by name, because what runs in
        it answers this process.
    namespace : str or None
        Where the pods are; None for that of the own configuration.
    n_workers : int
        How many workers to begin with.
    memory, cpu : str or None
        What each pod asks for and may use, such as ``8Gi`` and ``2``; None for no limit.
    """

    kind: ClassVar[str] = "kubernetes"
    extra: ClassVar[str] = "kubernetes"
    reaches_workers: ClassVar[bool] = False  # only the scheduler's port is forwarded

    name: Annotated[str, LABEL]
    image: Annotated[str, IMAGE]
    namespace: Annotated[str | None, LABEL | null()] = None
    n_workers: Annotated[int, integer(1)] = 1
    memory: Annotated[str | None, AMOUNT | null()] = None
    cpu: Annotated[str | None, AMOUNT | null()] = None

    def __post_init__(self) -> None:
        """Refuse settings that are not what they should be, and an image that nobody allows."""
        super().__post_init__()
        require_allowed("cluster.image", self.image, "")

    def start(self) -> Any:
        """Ask the operator for a scheduler and workers, and wait for the scheduler."""
        from dask_kubernetes.operator import KubeCluster

        before = set(KubeCluster._instances)  # noqa: SLF001  (nothing else tells)
        try:
            return KubeCluster(**self.settings())
        except BaseException:
            for begun in set(KubeCluster._instances) - before:  # noqa: SLF001
                self._give_up(begun)
            raise

    def stop(self, cluster: Any) -> None:
        """Delete the pods, also if their scheduler cannot be told."""
        from distributed.core import Status

        try:
            super().stop(cluster)
        except Exception:  # noqa: BLE001
            cluster.status = Status.closed  # so that only the deletion is left to be done
            super().stop(cluster)

    def has_ended(self, cluster: Any, error: Exception) -> bool:
        """Say no: pods outlive whatever broke here."""
        return False

    def left(self, cluster: Any) -> str:
        """Say what deletes the pods."""
        where = f" --namespace {cluster.namespace}" if cluster.namespace else ""
        return f"Delete what is left by: kubectl delete daskcluster {cluster.name}{where}"

    def _give_up(self, begun: Any) -> None:
        """Delete what a cluster has begun that did not start, and let it not try again at exit."""
        from distributed.core import Status

        try:
            begun.close(timeout=CLOSE_S)
        except Exception as error:  # noqa: BLE001
            if begun.namespace:  # else Kubernetes was not reached at all
                self._warn(begun, error)
        begun.status = Status.closed
        with suppress(Exception):
            begun._loop_runner.stop()  # noqa: SLF001  (its thread goes on otherwise)

    def settings(self) -> dict[str, Any]:
        """Return the keywords of ``dask_kubernetes.operator.KubeCluster``."""
        from dask_kubernetes.operator.kubecluster.kubecluster import CreateMode

        asked = {"memory": self.memory, "cpu": self.cpu}
        amounts = {key: amount for key, amount in asked.items() if amount is not None}
        return {
            "name": f"{self.name}-{uuid4().hex[:8]}",
            "image": self.image,
            "namespace": self.namespace,
            "n_workers": self.n_workers,
            "resources": {"requests": amounts, "limits": amounts},
            "create_mode": CreateMode.CREATE_ONLY,
            "shutdown_on_close": True,
            "resource_timeout": self.patience_s,
            "quiet": True,
        }
