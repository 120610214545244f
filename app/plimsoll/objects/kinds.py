"""The table of kinds that carry a pod template, and where in them it stands.

Built-in kinds follow kubernetes/api; the others are the common custom resources whose types hold a whole pod template
or a PodSpec-like value. A kind that is not here is no workload: nothing searches unknown objects for containers.
"""

from __future__ import annotations

POD_TEMPLATES: dict[tuple[str, str], tuple[str, ...]] = {
    # (group, kind): pointers to the value that holds metadata and spec; "*" stands for each item or each key.
    ("", "Pod"): ("",),
    ("", "PodTemplate"): ("/template",),
    ("", "ReplicationController"): ("/spec/template",),
    ("apps", "DaemonSet"): ("/spec/template",),
    ("apps", "Deployment"): ("/spec/template",),
    ("apps", "ReplicaSet"): ("/spec/template",),
    ("apps", "StatefulSet"): ("/spec/template",),
    ("batch", "CronJob"): ("/spec/jobTemplate/spec/template",),
    ("batch", "Job"): ("/spec/template",),
    # Argo Rollouts
    ("argoproj.io", "Experiment"): ("/spec/templates/*/template",),
    ("argoproj.io", "Rollout"): ("/spec/template",),
    # Knative Serving
    ("serving.knative.dev", "Configuration"): ("/spec/template",),
    ("serving.knative.dev", "Revision"): ("",),
    ("serving.knative.dev", "Service"): ("/spec/template",),
    # KEDA
    ("keda.sh", "ScaledJob"): ("/spec/jobTargetRef/template",),
    # OpenKruise
    ("apps.kruise.io", "AdvancedCronJob"): (
        "/spec/template/jobTemplate/spec/template",
        "/spec/template/broadcastJobTemplate/spec/template",
    ),
    ("apps.kruise.io", "BroadcastJob"): ("/spec/template",),
    ("apps.kruise.io", "CloneSet"): ("/spec/template",),
    ("apps.kruise.io", "DaemonSet"): ("/spec/template",),
    ("apps.kruise.io", "StatefulSet"): ("/spec/template",),
    ("apps.kruise.io", "UnitedDeployment"): (
        "/spec/template/deploymentTemplate/spec/template",
        "/spec/template/statefulSetTemplate/spec/template",
        "/spec/template/advancedStatefulSetTemplate/spec/template",
        "/spec/template/cloneSetTemplate/spec/template",
    ),
    # Kubernetes SIGs
    ("jobset.x-k8s.io", "JobSet"): ("/spec/replicatedJobs/*/template/spec/template",),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): (
        "/spec/leaderWorkerTemplate/leaderTemplate",
        "/spec/leaderWorkerTemplate/workerTemplate",
    ),
    # KubeRay
    ("ray.io", "RayCluster"): ("/spec/headGroupSpec/template", "/spec/workerGroupSpecs/*/template"),
    ("ray.io", "RayJob"): (
        "/spec/rayClusterSpec/headGroupSpec/template",
        "/spec/rayClusterSpec/workerGroupSpecs/*/template",
        "/spec/submitterPodTemplate",
    ),
    ("ray.io", "RayService"): (
        "/spec/rayClusterConfig/headGroupSpec/template",
        "/spec/rayClusterConfig/workerGroupSpecs/*/template",
    ),
    # Kubeflow
    ("kubeflow.org", "MPIJob"): ("/spec/mpiReplicaSpecs/*/template",),
    ("kubeflow.org", "PyTorchJob"): ("/spec/pytorchReplicaSpecs/*/template",),
    ("kubeflow.org", "TFJob"): ("/spec/tfReplicaSpecs/*/template",),
    ("kubeflow.org", "XGBoostJob"): ("/spec/xgbReplicaSpecs/*/template",),
    ("trainer.kubeflow.org", "ClusterTrainingRuntime"): (
        "/spec/template/spec/replicatedJobs/*/template/spec/template",
    ),
    ("trainer.kubeflow.org", "TrainingRuntime"): ("/spec/template/spec/replicatedJobs/*/template/spec/template",),
    # Others
    ("batch.volcano.sh", "Job"): ("/spec/tasks/*/template",),
    ("apps.openshift.io", "DeploymentConfig"): ("/spec/template",),
}


def group_of(api_version: str) -> str:
    """``apps/v1`` → ``apps``; ``v1`` → the empty core group."""
    group, slash, _ = api_version.partition("/")
    return group if slash else ""


def template_pointers(api_version: str, kind: str) -> tuple[str, ...]:
    """Where ``kind`` keeps its pod templates; empty when it carries none."""
    return POD_TEMPLATES.get((group_of(api_version), kind), ())
